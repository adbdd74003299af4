//! `Retry-After`: how long a server asks to be left alone.
//!
//! Pure.

use std::time::Duration;
use std::time::SystemTime;

/// A longer pause than this is as good as for ever, and every clock can count it.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// The pause that a header with this text asks for at `now`: a number of seconds or a date.
pub(super) fn pause(text: &str, now: SystemTime) -> Option<Duration> {
    let text = text.trim();
    let pause = match text.parse::<f64>() {
        Ok(seconds) if seconds.is_nan() || seconds < 0.0 => return None,
        Ok(seconds) => Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST),
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?;
            date.duration_since(now).unwrap_or_default()
        }
    };
    Some(pause.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::LONGEST;
    use super::pause;
    use std::time::Duration;
    use std::time::SystemTime;

    #[test]
    fn a_pause_is_asked_for_in_seconds_or_to_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let asked = |text| pause(text, now).map(|pause| pause.as_secs());
        assert_eq!(asked("7"), Some(7));
        assert_eq!(asked(" 1.5 "), Some(1));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10));
        assert_eq!(asked("Sun, 06 Nov 1994 08:00:00 GMT"), Some(0));
        assert_eq!(asked("soon"), None);
        assert_eq!(asked("-1"), None);
        assert_eq!(asked("NaN"), None);
    }

    #[test]
    fn no_pause_is_longer_than_a_clock_can_count() {
        let now = SystemTime::now();
        for text in [
            "9223372036854775808",
            "18446744073709551615",
            "18446744073709551616",
            "1e300",
            "inf",
            "Fri, 31 Dec 9999 23:59:59 GMT",
            "999999999999999999999999999999999999999999",
        ] {
            assert_eq!(pause(text, now), Some(LONGEST), "{text}");
        }
    }
}
