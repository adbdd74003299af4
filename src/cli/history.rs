//! What `history` and `clean` write, for people and as JSON.
//!
//! Pure: what `app` says in, text out.

use crate::app::History;
use crate::cli::money::bytes;
use crate::cli::money::dollars;
use crate::cli::money::number;
use crate::cli::tables::table;
use crate::duration::spelled;
use crate::engine::journal::Forgotten;
use crate::engine::journal::InputState;
use crate::engine::journal::PastInput;
use crate::engine::journal::PastRun;
use crate::engine::journal::PastStage;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// The runs, a line each.
pub(super) fn list(history: &History, zone: &TimeZone) -> String {
    if history.runs.is_empty() {
        return format!("{} knows of no run yet\n", history.journal.display());
    }
    let rows = history.runs.iter().map(|run| {
        let mut parts = vec![
            format!("{} over {}", run.recipe, inputs(run)),
            ending(run),
            spent(run),
        ];
        parts.extend(left_open(run).map(|open| format!("left open: {open}")));
        let began = time(run.started, zone);
        [format!("{}  {began}", run.id), parts.join("; ")]
    });
    table(&rows.collect::<Vec<_>>())
}

/// One run, all that is known of it.
pub(super) fn page(run: &PastRun, zone: &TimeZone) -> String {
    let mut rows = vec![["began".to_owned(), time(run.started, zone)]];
    if let Some(ended) = run.ended {
        let took = Duration::from_millis(ended.saturating_sub(run.started).unsigned_abs());
        let text = format!("{}, after {}", time(ended, zone), spelled(took));
        rows.push(["ended".to_owned(), text]);
    }
    rows.push(["outcome".to_owned(), ending(run)]);
    rows.push(["spent".to_owned(), spent(run)]);
    rows.push(["noted".to_owned(), number(run.answers, "answer", "answers")]);
    let open = left_open(run).map(|open| ["left open".to_owned(), open]);
    rows.extend(open);
    let mut text = format!(
        "run {}: {} over {}\n{}",
        run.id,
        run.recipe,
        inputs(run),
        table(&rows)
    );
    let inputs: Vec<_> = run.inputs.iter().map(input).collect();
    text += &format!("\ninputs\n{}", table(&inputs));
    if !run.stages.is_empty() {
        let stages: Vec<_> = run.stages.iter().map(stage).collect();
        text += &format!("\nstages\n{}", table(&stages));
    }
    text
}

/// The runs, for programs.
pub(super) fn json(history: &History) -> Value {
    let moment = |at: i64| {
        Timestamp::from_millisecond(at)
            .ok()
            .map(|at| at.to_string())
    };
    let run = |run: &PastRun| {
        json!({
            "run": run.id,
            "began": moment(run.started),
            "ended": run.ended.and_then(moment),
            "is_running": run.is_running,
            "recipe": run.recipe,
            "recipe_digest": run.recipe_digest,
            "exit_code": run.exit_code,
            "stopped": run.stopped,
            "inputs": run.inputs,
            "done": run.count(InputState::Done),
            "failed": run.count(InputState::Failed),
            "stages": run.stages,
            "requests": run.requests(),
            "worker_seconds": run.worker_seconds(),
            "cost_usd": run.cost(),
            "answers": run.answers,
            "open_jobs": run.open_jobs,
        })
    };
    json!({
        "journal": history.journal.display().to_string(),
        "runs": history.runs.iter().map(run).collect::<Vec<_>>(),
    })
}

/// What was forgotten.
pub(super) fn forgotten(journal: &Path, forgotten: &Forgotten) -> String {
    let mut what = number(forgotten.answers, "answer", "answers");
    if forgotten.tickets > 0 {
        let jobs = number(forgotten.tickets, "job", "jobs");
        what += &format!(" and {jobs} at a server");
    }
    let (before, after) = (bytes(forgotten.bytes_before), bytes(forgotten.bytes_after));
    format!(
        "{what} forgotten, {} kept; {} has {after} of {before}\n",
        number(forgotten.kept, "answer", "answers"),
        journal.display()
    )
}

fn time(at: i64, zone: &TimeZone) -> String {
    match Timestamp::from_millisecond(at) {
        Ok(at) => at
            .to_zoned_datetime(zone.clone())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string(),
        Err(_) => "at no time".to_owned(),
    }
}

fn inputs(run: &PastRun) -> String {
    number(run.inputs.len() as u64, "input", "inputs")
}

fn ending(run: &PastRun) -> String {
    let counts = [
        (InputState::Done, "done"),
        (InputState::Partial, "partial"),
        (InputState::Failed, "failed"),
    ];
    let counts = counts.map(|(state, word)| (run.count(state), word));
    let counts: Vec<_> = counts
        .iter()
        .filter(|(count, word)| *count > 0 || *word == "done")
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let counts = counts.join(", ");
    match (run.ended, run.is_running, &run.stopped) {
        (None, true, _) => format!("{counts}, goes on"),
        (None, false, _) => format!("{counts}, killed"),
        (Some(_), _, Some(why)) => format!("{counts}, stopped early: {why}"),
        (Some(_), _, None) => counts,
    }
}

fn spent(run: &PastRun) -> String {
    let all = PastStage {
        stage: "".into(),
        requests: run.requests(),
        worker_seconds: run.worker_seconds(),
        cost: run.cost(),
    };
    amounts(&all)
}

fn amounts(of: &PastStage) -> String {
    if of.requests == 0 {
        return "no request".to_owned();
    }
    let mut parts = vec![number(of.requests, "request", "requests")];
    if of.worker_seconds > 0.0 {
        let time = Duration::try_from_secs_f64(of.worker_seconds).unwrap_or_default();
        parts.push(format!("{} of workers", spelled(time)));
    }
    parts.extend(of.cost.map(dollars));
    parts.join(", ")
}

fn left_open(run: &PastRun) -> Option<String> {
    let inputs = match run.is_running {
        true => 0,
        false => run.count(InputState::Open) as u64,
    };
    let mut open = Vec::new();
    if inputs > 0 {
        open.push(number(inputs, "input", "inputs"));
    }
    if run.open_jobs > 0 {
        open.push(format!(
            "{} at a server",
            number(run.open_jobs, "job", "jobs")
        ));
    }
    (!open.is_empty()).then(|| open.join(", "))
}

fn input(input: &PastInput) -> [String; 2] {
    let state = match input.state {
        InputState::Open => "open",
        InputState::Done => "done",
        InputState::Partial => "partial",
        InputState::Failed => "failed",
    };
    let why = input.why.as_ref().map(|why| format!(": {why}"));
    let cost = input.cost.map(|cost| format!(", {}", dollars(cost)));
    let about = format!(
        "{state}{}{}",
        why.unwrap_or_default(),
        cost.unwrap_or_default()
    );
    [input.path.clone(), about]
}

fn stage(stage: &PastStage) -> [String; 2] {
    [stage.stage.to_string(), amounts(stage)]
}

#[cfg(test)]
mod tests {
    use super::forgotten;
    use super::json;
    use super::list;
    use super::page;
    use crate::app::History;
    use crate::engine::journal::Forgotten;
    use crate::engine::journal::InputState;
    use crate::engine::journal::PastInput;
    use crate::engine::journal::PastRun;
    use crate::engine::journal::PastStage;
    use jiff::tz::TimeZone;
    use std::path::Path;

    fn history() -> History {
        let input = |path: &str, state, why: Option<&str>, cost| PastInput {
            path: path.to_owned(),
            state,
            why: why.map(str::to_owned),
            cost,
        };
        let done = PastRun {
            id: 11,
            started: 1_764_500_000_000,
            ended: Some(1_764_500_095_500),
            is_running: false,
            recipe: "default".to_owned(),
            recipe_digest: "0f".to_owned(),
            exit_code: Some(1),
            stopped: None,
            inputs: vec![
                input("clips/a.mp4", InputState::Done, None, Some(0.02)),
                input(
                    "clips/b.mp4",
                    InputState::Failed,
                    Some("it is no video"),
                    None,
                ),
                input("clips/c.mp4", InputState::Done, None, Some(0.1)),
            ],
            stages: vec![
                PastStage {
                    stage: "whisper".into(),
                    requests: 20,
                    worker_seconds: 0.0,
                    cost: None,
                },
                PastStage {
                    stage: "yolo".into(),
                    requests: 104,
                    worker_seconds: 331.52,
                    cost: Some(0.12),
                },
            ],
            answers: 1_722,
            open_jobs: 0,
        };
        let killed = PastRun {
            id: 12,
            started: 1_764_500_200_000,
            ended: None,
            exit_code: None,
            inputs: vec![
                input("clips/a.mp4", InputState::Done, None, Some(0.0096)),
                input("clips/b.mp4", InputState::Open, None, None),
                input("clips/c.mp4", InputState::Open, None, None),
            ],
            stages: done.stages[1..].to_vec(),
            open_jobs: 3,
            ..done.clone()
        };
        let stopped = PastRun {
            id: 13,
            stopped: Some("interrupted".to_owned()),
            exit_code: Some(130),
            inputs: vec![input("clips/a.mp4", InputState::Partial, None, None)],
            stages: Vec::new(),
            answers: 1,
            ..done.clone()
        };
        let running = PastRun {
            id: 14,
            is_running: true,
            inputs: killed.inputs.clone(),
            ..killed.clone()
        };
        History {
            journal: "output/.vpipe/journal.sqlite".into(),
            runs: vec![running, stopped, killed, done],
        }
    }

    fn kept(name: &str, text: &str) {
        insta::with_settings!({snapshot_path => "../../snapshots", prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!(name, text);
        });
    }

    #[test]
    fn runs_are_listed_the_latest_first() {
        kept("history", &list(&history(), &TimeZone::UTC));
        let none = History {
            runs: Vec::new(),
            ..history()
        };
        insta::assert_snapshot!(list(&none, &TimeZone::UTC), @"output/.vpipe/journal.sqlite knows of no run yet");
    }

    #[test]
    fn a_run_says_what_it_was_over_and_what_each_part_cost() {
        let pages: Vec<_> = history()
            .runs
            .iter()
            .map(|run| page(run, &TimeZone::UTC))
            .collect();
        kept("history_run", &pages.join("\n"));
    }

    #[test]
    fn programs_read_all_of_it() {
        let mut history = history();
        history.runs.drain(..2);
        kept("history_json", &format!("{:#}", json(&history)));
    }

    #[test]
    fn what_was_forgotten_is_counted() {
        let journal = Path::new("output/.vpipe/journal.sqlite");
        let some = Forgotten {
            answers: 1_722,
            kept: 1,
            tickets: 2,
            bytes_before: 1_400_000,
            bytes_after: 65_536,
        };
        let texts = [some, Forgotten::default()].map(|it| forgotten(journal, &it));
        insta::assert_snapshot!(texts.concat(), @r"
        1722 answers and 2 jobs at a server forgotten, 1 answer kept; output/.vpipe/journal.sqlite has 65.5 kB of 1.4 MB
        0 answers forgotten, 0 answers kept; output/.vpipe/journal.sqlite has 0 B of 0 B
        ");
    }
}
