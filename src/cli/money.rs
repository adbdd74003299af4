//! Money and bytes as people read them, and the words for what a run will cost and did cost.

use crate::output::Requests;
use crate::output::Spread;
use crate::plan::Estimate;
use crate::plan::StageForecast;

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

/// What a stage will ask and cost, a line each.
pub(super) fn forecast(stage: &StageForecast) -> Vec<String> {
    let id = &stage.stage;
    let to = format!(
        "{} of {} at {}",
        number(stage.workers, "worker", "workers"),
        stage.endpoint,
        stage.host
    );
    let Some(pictures) = stage.pictures else {
        let price = dollars(stage.price_per_second);
        let why =
            format!("{id}: how many pictures there are is not known, so no cost is estimated");
        return vec![format!("{why}; a second of a worker is {price}")];
    };
    let asks = format!(
        "{id}: {} in {} to {to}",
        number(pictures, "picture", "pictures"),
        number(stage.requests, "request", "requests"),
    );
    let Estimate {
        execution,
        start,
        idle,
        billed,
        cost,
        ..
    } = stage.expected;
    let costs = format!(
        "  about {}, {} to {}: {billed} s of workers at ${} (pictures {execution:.0} s, start \
         {start:.0} s, idle at the end {idle:.0} s)",
        dollars(cost),
        dollars(stage.low.cost),
        dollars(stage.high.cost),
        stage.price_per_second,
    );
    let guessed = if stage.start_is_default {
        "the time for a picture and the time to start are documented defaults"
    } else {
        "the time for a picture is a documented default"
    };
    vec![asks, costs, format!("  {guessed}, not measured")]
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
    if let Some(speed_up) = of.speed_up {
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
            Some(format!("{place} {p50} s, 95 % within {p95} s"))
        })
        .collect();
    if !times.is_empty() {
        lines.push(format!("  {}", times.join("; ")));
    }
    if let (Some(billed), Some(cost)) = (of.billed_seconds, of.cost_usd) {
        let start = match of.start_seconds {
            Some(start) => format!("{start} s of start for each"),
            None => "without their start, which nobody tells".to_owned(),
        };
        lines.push(format!(
            "  about {}: {billed} s of {} ({:.1} s at work; {start})",
            dollars(cost),
            number(of.workers_seen, "worker", "workers"),
            of.executed_seconds,
        ));
    }
    lines
}

fn bytes(bytes: u64) -> String {
    let bytes = bytes as f64;
    match bytes {
        ..1e3 => format!("{bytes} B"),
        ..1e6 => format!("{:.1} kB", bytes / 1e3),
        ..1e9 => format!("{:.1} MB", bytes / 1e6),
        _ => format!("{:.1} GB", bytes / 1e9),
    }
}

/// `1 picture`, `2 pictures`.
pub(super) fn number(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::bytes;
    use super::dollars;
    use super::forecast;
    use super::parse;
    use super::requests;
    use crate::output::Requests;
    use crate::output::Spread;
    use crate::plan::Estimate;
    use crate::plan::StageForecast;

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
    fn a_forecast_says_how_it_is_made_up() {
        let estimate = |cost| Estimate {
            execution: 30.5,
            start: 30.0,
            idle: 15.0,
            billed: 78,
            cost,
            wall: 20.0,
        };
        let mut stage = StageForecast {
            stage: "yolo".into(),
            host: "api.runpod.ai".to_owned(),
            endpoint: "abc123".to_owned(),
            pictures: Some(574),
            requests: 36,
            workers: 3,
            price_per_second: 0.0004,
            low: estimate(0.0096),
            expected: estimate(0.0312),
            high: estimate(0.096),
            start_is_default: true,
        };
        insta::assert_snapshot!(forecast(&stage).join("\n"), @r"
        yolo: 574 pictures in 36 requests to 3 workers of abc123 at api.runpod.ai
          about $0.0312, $0.0096 to $0.0960: 78 s of workers at $0.0004 (pictures 30 s, start 30 s, idle at the end 15 s)
          the time for a picture and the time to start are documented defaults, not measured
        ");
        let readme = include_str!("../../README.md");
        assert!(readme.contains(&forecast(&stage).join("\n")));
        stage.start_is_default = false;
        stage.pictures = None;
        insta::assert_snapshot!(forecast(&stage).join("\n"), @"yolo: how many pictures there are is not known, so no cost is estimated; a second of a worker is $0.0004");
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
          about $0.0192: 48 s of 3 workers (31.2 s at work; without their start, which nobody tells)
        ");
        asked.start_seconds = Some(12.0);
        insta::assert_snapshot!(requests("yolo", 0, 0, &asked)[2], @"  about $0.0192: 48 s of 3 workers (31.2 s at work; 12 s of start for each)");
    }
}
