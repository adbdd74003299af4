//! Lengths of time as people read them, spelled in one way everywhere.
//!
//! A place in a video is no length: it is given in seconds, as a player shows it.

use std::time::Duration;

/// A length that was measured: `0.005 s`, `0.85 s`, `12.3 s`, `2 min 5 s`, `1 h 2 min`.
pub fn spelled(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds @ 10.0..59.95 => in_seconds(seconds, 1),
        _ => spelled_roughly(duration),
    }
}

/// One that is estimated or set, in no more digits than matter: `0.05 s`, `3.2 s`, `23 s`,
/// `2 min 5 s`.
pub fn spelled_roughly(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds @ ..0.1 => in_seconds(seconds, 3),
        seconds @ 0.1..1.0 => in_seconds(seconds, 2),
        seconds @ 1.0..10.0 => in_seconds(seconds, 1),
        seconds @ 10.0..59.5 => in_seconds(seconds, 0),
        seconds => in_minutes(seconds.round() as u64),
    }
}

fn in_seconds(seconds: f64, decimals: usize) -> String {
    let text = format!("{seconds:.decimals$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    format!("{text} s")
}

fn in_minutes(seconds: u64) -> String {
    // Of hours nobody counts the seconds.
    let (hours, minutes, seconds) = match seconds {
        3600.. => {
            let minutes = (seconds + 30) / 60;
            (minutes / 60, minutes % 60, 0)
        }
        _ => (0, seconds / 60, seconds % 60),
    };
    let parts = [(hours, "h"), (minutes, "min"), (seconds, "s")];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::spelled;
    use super::spelled_roughly;
    use std::time::Duration;

    #[test]
    fn a_length_is_spelled_as_coarsely_as_it_is_long() {
        for (seconds, measured, estimated) in [
            (0.0, "0 s", "0 s"),
            (0.0125, "0.013 s", "0.013 s"),
            (0.2, "0.2 s", "0.2 s"),
            (4.25, "4.2 s", "4.2 s"),
            (12.34, "12.3 s", "12 s"),
            (30.0, "30 s", "30 s"),
            (59.97, "1 min", "1 min"),
            (125.0, "2 min 5 s", "2 min 5 s"),
            (3599.7, "1 h", "1 h"),
            (3725.0, "1 h 2 min", "1 h 2 min"),
            (360_000.0, "100 h", "100 h"),
        ] {
            let duration = Duration::from_secs_f64(seconds);
            assert_eq!(spelled(duration), measured);
            assert_eq!(spelled_roughly(duration), estimated);
        }
    }
}
