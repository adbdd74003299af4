//! The words for what a stage will ask of a server, how long that takes and what it costs.

use crate::cli::money::bytes;
use crate::cli::money::dollars;
use crate::cli::money::number;
use crate::duration::spelled_roughly;
use crate::plan::Assumption;
use crate::plan::AssumptionKind;
use crate::plan::AssumptionSource;
use crate::plan::Bill;
use crate::plan::Cost;
use crate::plan::Estimate;
use crate::plan::Fit;
use crate::plan::LocalForecast;
use crate::plan::StageForecast;
use crate::plan::Times;
use crate::plan::Vram;
use crate::plan::Workload;
use std::time::Duration;

/// What is said before a run: a line for what is asked, and lines for what it costs.
pub(super) fn lines(stage: &StageForecast) -> Vec<String> {
    let mut lines = vec![asks(stage)];
    if is_answered(stage) {
        return lines;
    }
    if let Some(cost) = &stage.cost {
        lines.push(format!("  {}", costs(cost, &stage.work)));
        lines.extend(figures(&stage.figures));
    }
    lines
}

/// All that is known of a stage.
pub(super) fn all_lines(stage: &StageForecast) -> Vec<String> {
    let mut lines = vec![asks(stage)];
    if is_answered(stage) {
        return lines;
    }
    if let Some(sent) = stage.bytes {
        lines.push(format!("  {}", spread(sent, bytes)));
    }
    lines.extend(stage.vram.as_ref().map(memory));
    lines.extend(stage.times.as_ref().map(times));
    let costs = stage.cost.as_ref().map(|cost| costs(cost, &stage.work));
    lines.extend(costs.map(|costs| format!("  {costs}")));
    if stage.times.is_some() {
        lines.extend(figures(&stage.figures));
    }
    lines
}

/// What a stage on this machine will do, and how long that takes at the speed that was measured.
pub(super) fn local_lines(stage: &LocalForecast) -> Vec<String> {
    let id = &stage.stage;
    let amount = match amount(&stage.work) {
        Ok(amount) => amount,
        Err(what) => return vec![format!("{id}: how many {what} there are is not known")],
    };
    let what = match stage.work {
        Workload::Frames { .. } | Workload::Crops { .. } => "a frame",
        Workload::Sound { .. } => "a second of sound",
    };
    let each = seconds(stage.speed.seconds);
    let all = stage.seconds.unwrap_or_default();
    let at_once = stage.at_once;
    let time = match (all > 0.0, stage.speed.is_least) {
        (false, _) => "nothing is left to ask".to_owned(),
        (true, false) => format!(
            "about {}: {what} {each}, as measured just now, {at_once} at once",
            seconds(all)
        ),
        (true, true) => format!(
            "more than {}: {what} takes longer than {each}, and no more time was taken to measure it",
            seconds(all)
        ),
    };
    vec![
        format!(
            "{id}: {amount} on {} of this machine",
            device(&stage.device)
        ),
        format!("  {time}"),
    ]
}

fn device(device: &str) -> &str {
    match device {
        "cpu" => "the CPU",
        other => other,
    }
}

// Whether it is known that all is answered.
fn is_answered(stage: &StageForecast) -> bool {
    let all = match stage.work {
        Workload::Frames { all, .. } | Workload::Crops { all, .. } => all.unwrap_or(0) > 0,
        Workload::Sound { all, .. } => all.unwrap_or(0.0) > 0.0,
    };
    all && stage.requests.high == 0
}

// `574 frames`, or `254 of 574 frames`.
fn frames(count: u64, all: u64) -> String {
    match count == all {
        true => number(count, "frame", "frames"),
        false => format!("{count} of {}", number(all, "frame", "frames")),
    }
}

// `24 frames`, `what is found in 24 frames`, `120 of 574 s of sound`; in `Err` of what it is not
// known how many there are.
fn amount(work: &Workload) -> Result<String, &'static str> {
    let of = |count: Option<u64>, all: Option<u64>| {
        let known = count.zip(all).map(|(count, all)| frames(count, all));
        known.ok_or("frames")
    };
    match *work {
        Workload::Frames { count, all, .. } => of(count, all),
        Workload::Crops { frames, all } => {
            of(frames, all).map(|frames| format!("what is found in {frames}"))
        }
        Workload::Sound { seconds, all } => {
            let (seconds, all) = seconds.zip(all).ok_or("seconds of sound")?;
            let part = match seconds < all {
                true => format!("{seconds:.0} of "),
                false => String::new(),
            };
            Ok(format!("{part}{all:.0} s of sound"))
        }
    }
}

fn asks(stage: &StageForecast) -> String {
    let id = &stage.stage;
    if is_answered(stage) {
        return format!("{id}: nothing is left to ask");
    }
    let amount = match amount(&stage.work) {
        Ok(amount) => amount,
        Err(what) => {
            let why = format!("{id}: how many {what} there are is not known");
            return match &stage.cost {
                Some(cost) => {
                    let price = dollars(cost.price_per_second);
                    format!("{why}, so no cost is estimated; a second of a worker is {price}")
                }
                None => why,
            };
        }
    };
    let requests = stage.requests;
    let requests = match requests.low == requests.high {
        true => number(requests.expected, "request", "requests"),
        false => format!(
            "about {} requests ({} to {})",
            requests.expected, requests.low, requests.high
        ),
    };
    let to = match stage.cost {
        Some(_) => format!(
            "{} of {} at {}",
            number(stage.workers, "worker", "workers"),
            stage.endpoint,
            stage.host
        ),
        None => stage.host.clone(),
    };
    format!("{id}: {amount} in {requests} to {to}")
}

fn costs(cost: &Cost, work: &Workload) -> String {
    let Estimate {
        low,
        expected,
        high,
    } = cost.estimate;
    let Bill {
        execution,
        start,
        gaps,
        idle,
        billed,
        cost: usual,
    } = expected;
    let what = match work {
        Workload::Frames { .. } => "frames",
        Workload::Crops { .. } => "crops",
        Workload::Sound { .. } => "sound",
    };
    format!(
        "about {}, {} to {}: {} of workers at ${} a second ({what} {}, start {}, between jobs {}, idle at \
         the end {})",
        dollars(usual),
        dollars(low.cost),
        dollars(high.cost),
        seconds(billed as f64),
        cost.price_per_second,
        seconds(execution.round()),
        seconds(start.round()),
        seconds(gaps.round()),
        seconds(idle.round()),
    )
}

fn times(times: &Times) -> String {
    let Times {
        one_by_one,
        parallel,
        ideal,
    } = times;
    format!(
        "  about {}; one by one {}, at best {}",
        spread(*parallel, seconds),
        seconds(*one_by_one),
        seconds(*ideal),
    )
}

fn memory(vram: &Vram) -> String {
    let frames = number(vram.frames as u64, "frame", "frames");
    let takes = if vram.frames == 1 { "takes" } else { "take" };
    let how = match vram.fit {
        Fit::Good => "that fits well",
        Fit::Full => "no more is safe",
        Fit::Risky => "a worker may run out",
        Fit::TooLarge => "that does not fit",
    };
    let card = match vram.card_is_assumed {
        true => format!("a card of {} GB is assumed", vram.card_gb),
        false => format!("a worker has {} GB", vram.card_gb),
    };
    format!(
        "  {frames} of {} px {takes} about {} GB of a GPU; {card}: {how}",
        vram.side, vram.gb
    )
}

// What the times are reckoned with, by where it is from.
fn figures(figures: &[Assumption]) -> Vec<String> {
    let of = |source: AssumptionSource| {
        let figures = figures.iter().filter(|figure| figure.source == source);
        let words: Vec<String> = figures.map(figure).collect();
        (!words.is_empty()).then(|| words.join(", "))
    };
    let stated = of(AssumptionSource::Recipe).map(|words| format!("  from the recipe: {words}"));
    let default = of(AssumptionSource::Default);
    let default = default.map(|words| format!("  documented defaults, not measured: {words}"));
    stated.into_iter().chain(default).collect()
}

fn figure(figure: &Assumption) -> String {
    let what = match figure.what {
        AssumptionKind::Frame => "a frame",
        AssumptionKind::SecondOfSound => "a second of sound",
        AssumptionKind::Start => "a start",
        AssumptionKind::Gap => "between two jobs",
    };
    format!("{what} {}", spread(figure.seconds, seconds))
}

/// `1.9 MB (1.7 to 2.1)`, each with its unit.
pub(super) fn spread<T: Copy + PartialEq>(
    guess: Estimate<T>,
    word: impl Fn(T) -> String,
) -> String {
    let Estimate {
        low,
        expected,
        high,
    } = guess;
    match low == high {
        true => word(expected),
        false => format!("{} ({} to {})", word(expected), word(low), word(high)),
    }
}

/// An estimated length of time, from its seconds.
pub(super) fn seconds(seconds: f64) -> String {
    let duration = Duration::try_from_secs_f64(seconds);
    duration.map_or_else(|_| "for ever".to_owned(), spelled_roughly)
}

#[cfg(test)]
mod tests {
    use super::all_lines;
    use super::lines;
    use super::local_lines;
    use crate::facts::LocalSpeed;
    use crate::plan::Assumption;
    use crate::plan::AssumptionKind;
    use crate::plan::AssumptionSource;
    use crate::plan::Bill;
    use crate::plan::Cost;
    use crate::plan::Estimate;
    use crate::plan::Fit;
    use crate::plan::LocalForecast;
    use crate::plan::StageForecast;
    use crate::plan::Times;
    use crate::plan::Vram;
    use crate::plan::Workload;

    fn guess<T>(low: T, expected: T, high: T) -> Estimate<T> {
        Estimate {
            low,
            expected,
            high,
        }
    }

    fn stage() -> StageForecast {
        let estimate = |cost| Bill {
            execution: 30.5,
            start: 30.0,
            gaps: 6.6,
            idle: 15.0,
            billed: 84,
            cost,
        };
        let figure = |what, seconds| Assumption {
            what,
            seconds,
            source: AssumptionSource::Default,
        };
        StageForecast {
            stage: "yolo".into(),
            host: "api.runpod.ai".to_owned(),
            endpoint: "abc123".to_owned(),
            work: Workload::Frames {
                count: Some(574),
                all: Some(574),
                exact: true,
            },
            requests: guess(36, 36, 36),
            bytes: Some(guess(67_000_000, 71_000_000, 75_000_000)),
            vram: Some(Vram {
                frames: 16,
                side: 1280,
                gb: 16.0,
                card_gb: 24.0,
                card_is_assumed: true,
                fit: Fit::Good,
            }),
            workers: 3,
            times: Some(Times {
                one_by_one: 47.5,
                parallel: guess(3.2, 22.6, 85.2),
                ideal: 10.2,
            }),
            cost: Some(Cost {
                price_per_second: 0.0004,
                estimate: guess(estimate(0.0096), estimate(0.0336), estimate(0.106)),
            }),
            figures: vec![
                figure(AssumptionKind::Frame, guess(0.0125, 0.053_125, 0.075)),
                figure(AssumptionKind::Start, guess(0.5, 10.0, 60.0)),
                figure(AssumptionKind::Gap, guess(0.0, 0.2, 1.0)),
            ],
        }
    }

    #[test]
    fn a_forecast_says_how_it_is_made_up() {
        let mut stage = stage();
        insta::assert_snapshot!(lines(&stage).join("\n"), @r"
        yolo: 574 frames in 36 requests to 3 workers of abc123 at api.runpod.ai
          about $0.0336, $0.0096 to $0.11: 1 min 24 s of workers at $0.0004 a second (frames 31 s, start 30 s, between jobs 7 s, idle at the end 15 s)
          documented defaults, not measured: a frame 0.053 s (0.013 s to 0.075 s), a start 10 s (0.5 s to 1 min), between two jobs 0.2 s (0 s to 1 s)
        ");
        let page = include_str!("../backends/README.md");
        assert!(page.contains(&lines(&stage).join("\n")));
        insta::assert_snapshot!(all_lines(&stage).join("\n"), @r"
        yolo: 574 frames in 36 requests to 3 workers of abc123 at api.runpod.ai
          71.0 MB (67.0 MB to 75.0 MB)
          16 frames of 1280 px take about 16 GB of a GPU; a card of 24 GB is assumed: that fits well
          about 23 s (3.2 s to 1 min 25 s); one by one 48 s, at best 10 s
          about $0.0336, $0.0096 to $0.11: 1 min 24 s of workers at $0.0004 a second (frames 31 s, start 30 s, between jobs 7 s, idle at the end 15 s)
          documented defaults, not measured: a frame 0.053 s (0.013 s to 0.075 s), a start 10 s (0.5 s to 1 min), between two jobs 0.2 s (0 s to 1 s)
        ");
        stage.figures[1].source = AssumptionSource::Recipe;
        stage.requests = guess(30, 36, 72);
        stage.work = Workload::Crops {
            frames: Some(574),
            all: Some(574),
        };
        insta::assert_snapshot!(all_lines(&stage).join("\n"), @r"
        yolo: what is found in 574 frames in about 36 requests (30 to 72) to 3 workers of abc123 at api.runpod.ai
          71.0 MB (67.0 MB to 75.0 MB)
          16 frames of 1280 px take about 16 GB of a GPU; a card of 24 GB is assumed: that fits well
          about 23 s (3.2 s to 1 min 25 s); one by one 48 s, at best 10 s
          about $0.0336, $0.0096 to $0.11: 1 min 24 s of workers at $0.0004 a second (crops 31 s, start 30 s, between jobs 7 s, idle at the end 15 s)
          from the recipe: a start 10 s (0.5 s to 1 min)
          documented defaults, not measured: a frame 0.053 s (0.013 s to 0.075 s), between two jobs 0.2 s (0 s to 1 s)
        ");
    }

    #[test]
    fn a_stage_on_this_machine_takes_what_was_measured() {
        let mut stage = LocalForecast {
            stage: "yolo".into(),
            engine: "rten".to_owned(),
            device: "cpu".to_owned(),
            work: Workload::Frames {
                count: Some(254),
                all: Some(574),
                exact: true,
            },
            at_once: 2,
            speed: LocalSpeed {
                seconds: 0.24,
                is_least: false,
            },
            seconds: Some(30.48),
            of_all_cores: Some(30.48),
        };
        insta::assert_snapshot!(local_lines(&stage).join("\n"), @r"
        yolo: 254 of 574 frames on the CPU of this machine
          about 30 s: a frame 0.24 s, as measured just now, 2 at once
        ");
        stage.speed.is_least = true;
        stage.work = Workload::Sound {
            seconds: Some(574.0),
            all: Some(574.0),
        };
        insta::assert_snapshot!(local_lines(&stage).join("\n"), @r"
        yolo: 574 s of sound on the CPU of this machine
          more than 30 s: a second of sound takes longer than 0.24 s, and no more time was taken to measure it
        ");
        stage.seconds = Some(0.0);
        insta::assert_snapshot!(local_lines(&stage).join("\n"), @r"
        yolo: 574 s of sound on the CPU of this machine
          nothing is left to ask
        ");
        stage.work = Workload::Sound {
            seconds: None,
            all: None,
        };
        insta::assert_snapshot!(local_lines(&stage).join("\n"), @"yolo: how many seconds of sound there are is not known");
    }

    #[test]
    fn what_is_not_known_is_said() {
        let mut stage = stage();
        stage.work = Workload::Frames {
            count: None,
            all: None,
            exact: false,
        };
        stage.times = None;
        insta::assert_snapshot!(lines(&stage)[0], @"yolo: how many frames there are is not known, so no cost is estimated; a second of a worker is $0.0004");
        stage.cost = None;
        stage.work = Workload::Sound {
            seconds: None,
            all: None,
        };
        insta::assert_snapshot!(lines(&stage).join("\n"), @"yolo: how many seconds of sound there are is not known");
    }

    #[test]
    fn what_is_known_already_is_not_asked() {
        let mut stage = stage();
        stage.work = Workload::Frames {
            count: Some(254),
            all: Some(574),
            exact: true,
        };
        insta::assert_snapshot!(lines(&stage)[0], @"yolo: 254 of 574 frames in 36 requests to 3 workers of abc123 at api.runpod.ai");
        stage.work = Workload::Sound {
            seconds: Some(120.4),
            all: Some(574.4),
        };
        insta::assert_snapshot!(lines(&stage)[0], @"yolo: 120 of 574 s of sound in 36 requests to 3 workers of abc123 at api.runpod.ai");
        stage.requests = guess(0, 0, 0);
        insta::assert_snapshot!(all_lines(&stage).join("\n"), @"yolo: nothing is left to ask");
        assert_eq!(lines(&stage), all_lines(&stage));
    }
}
