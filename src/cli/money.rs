//! Money and bytes as people read them, and the words for what a run did cost.

use crate::duration::spelled;
use crate::output::Requests;
use crate::output::Spread;
use std::time::Duration;

/// Reads `0.5` or `$0.50`; more than nothing.
pub(super) fn parse(text: &str) -> Result<f64, String> {
    let amount = text.strip_prefix('$').unwrap_or(text).parse::<f64>().ok();
    amount
        .filter(|amount| amount.is_finite() && *amount > 0.0)
        .ok_or_else(|| "write it in US dollars, such as 0.50".to_owned())
}

/// `$0.0096`, `$0.13`, `$12.40`: two digits that matter, and whole cents from ten cents on.
pub(super) fn dollars(amount: f64) -> String {
    if amount >= 0.1 || amount == 0.0 {
        format!("${amount:.2}")
    } else {
        format!("${amount:.4}")
    }
}

/// What the requests of a stage took and cost.
pub(super) fn requests(stage: &str, retries: u64, splits: u64, of: &Requests) -> Vec<String> {
    let mut again = Vec::new();
    if retries > 0 {
        again.push(format!("{retries} sent again"));
    }
    if splits > 0 {
        again.push(format!("{splits} halved"));
    }
    let again = match again.is_empty() {
        true => String::new(),
        false => format!(" ({})", again.join(", ")),
    };
    let count = number(of.count, "request", "requests");
    let mut sent = format!("{stage}: {count}{again}, {}", bytes(of.bytes_sent));
    // One that was not answered took its time for nothing.
    if let Some(speed_up) = of.speed_up.filter(|it| *it >= 0.05) {
        sent += &format!(", {speed_up:.1} x as fast as one at a time");
    }
    let mut lines = vec![sent];
    let places = [
        ("in the queue", of.queue_seconds),
        ("at a worker", of.execution_seconds),
    ];
    let times: Vec<String> = places
        .iter()
        .filter_map(|(place, times)| {
            let Spread { p50, p95 } = (*times)?;
            Some(format!(
                "{place} {}, 95 % within {}",
                seconds(p50),
                seconds(p95)
            ))
        })
        .collect();
    if !times.is_empty() {
        lines.push(format!("  {}", times.join("; ")));
    }
    if let (Some(billed), Some(cost)) = (of.billed_seconds, of.cost_usd) {
        let start = match of.start_seconds {
            Some(start) => format!("{} of start for each", seconds(start)),
            None => "without their start, whose length is not known".to_owned(),
        };
        lines.push(format!(
            "  about {}: {} of {} ({} at work; {start})",
            dollars(cost),
            seconds(billed as f64),
            number(of.workers_seen, "worker", "workers"),
            seconds(of.executed_seconds),
        ));
    }
    lines
}

fn seconds(seconds: f64) -> String {
    spelled(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// `12 B`, `1.5 kB`, `21.4 MB`, `3.2 GB`.
pub(super) fn bytes(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        ..1e3 => format!("{bytes} B"),
        ..1e6 => format!("{:.1} kB", bytes / 1e3),
        ..1e9 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}

/// `1 frame`, `2 frames`.
pub(super) fn number(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::bytes;
    use super::dollars;
    use super::parse;
    use super::requests;
    use crate::output::Requests;
    use crate::output::Spread;

    #[test]
    fn amounts_are_as_exact_as_they_are_small() {
        let spelled = [0.0, 0.0096, 0.13, 12.4].map(dollars);
        assert_eq!(spelled, ["$0.00", "$0.0096", "$0.13", "$12.40"]);
        let spelled = [12, 1_500, 21_400_000, 3_200_000_000].map(bytes);
        assert_eq!(spelled, ["12 B", "1.5 kB", "21.4 MB", "3.2 GB"]);
    }

    #[test]
    fn amounts_are_read_with_and_without_their_sign() {
        assert_eq!(parse("0.5"), Ok(0.5));
        assert_eq!(parse("$12"), Ok(12.0));
        for wrong in ["", "0", "-1", "$", "1,50", "nan", "inf", "1 USD"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_bill_says_what_is_not_in_it() {
        let mut asked = Requests {
            count: 38,
            bytes_sent: 71_000_000,
            queue_seconds: Some(Spread { p50: 0.2, p95: 1.4 }),
            execution_seconds: Some(Spread {
                p50: 0.85,
                p95: 1.1,
            }),
            workers_seen: 3,
            executed_seconds: 31.2,
            billed_seconds: Some(48),
            start_seconds: None,
            cost_usd: Some(0.0192),
            speed_up: Some(2.8),
        };
        insta::assert_snapshot!(requests("yolo", 1, 1, &asked).join("\n"), @r"
        yolo: 38 requests (1 sent again, 1 halved), 71.0 MB, 2.8 x as fast as one at a time
          in the queue 0.2 s, 95 % within 1.4 s; at a worker 0.85 s, 95 % within 1.1 s
          about $0.0192: 48 s of 3 workers (31.2 s at work; without their start, whose length is not known)
        ");
        asked.start_seconds = Some(12.0);
        insta::assert_snapshot!(requests("yolo", 0, 0, &asked)[2], @"  about $0.0192: 48 s of 3 workers (31.2 s at work; 12 s of start for each)");
    }
}
