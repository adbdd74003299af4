//! What is told of a run beside its moments: tables of texts about the video, models, counts, cost,
//! failures and the recipe.
//!
//! Pure.

use crate::output::results::results::Model;
use crate::output::results::results::Requests;
use crate::output::results::results::Results;
use crate::output::results::results::StageRun;
use serde::Serialize;

/// The failures that are told one by one; results have all of them.
const MOST_FAILURES: usize = 500;

/// A table of texts.
#[derive(Serialize)]
pub(super) struct DetailTable {
    title: &'static str,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// All tables that have a row.
pub(super) fn details(results: &Results) -> Vec<DetailTable> {
    let tables = [
        video(results),
        counts(results),
        models(results),
        requests(results),
        errors(results),
        failures(results),
        recipe(results),
    ];
    let mut tables: Vec<DetailTable> = tables.into_iter().collect();
    tables.retain(|table| !table.rows.is_empty());
    tables
}

fn video(results: &Results) -> DetailTable {
    let source = &results.source;
    let seconds = |value: f64| format!("{value} s");
    let mut rows = vec![row("file", &results.video)];
    if source.width > 0 {
        let size = format!("{} x {} pixels", source.width, source.height);
        rows.push(row("size", &size));
    }
    rows.extend(source.duration.map(|it| row("length", &seconds(it))));
    rows.extend(source.fps.map(|it| row("frames a second", &it.to_string())));
    rows.push(row("codec", &source.codec));
    if source.rotation != 0 {
        rows.push(row("turned by", &format!("{} degrees", source.rotation)));
    }
    rows.extend(
        results
            .range
            .as_ref()
            .map(|range| row("wanted", &range.to_string())),
    );
    rows.push(row("digest", &source.digest));
    rows.push(row("processed at", &results.processed_at));
    rows.push(row("processing time", &seconds(results.processing_time)));
    let run = &results.run;
    rows.push(row("vpipe", &run.version));
    rows.extend(run.stopped.iter().map(|why| row("ended early", why)));
    let damaged = run.damaged_packets.frames + run.damaged_packets.sound;
    if damaged > 0 {
        rows.push(row("damaged packets", &damaged.to_string()));
    }
    let cost = run.cost_usd.map(|cost| format!("{cost:.6} US dollars"));
    rows.extend(cost.map(|cost| row("cost", &cost)));
    if results.demo {
        rows.push(row(
            "demo",
            "a built-in demo model took part, which knows drawn shapes and nothing else",
        ));
    }
    rows.retain(|row| row.iter().all(|cell| !cell.is_empty()));
    pairs("Video and run", rows)
}

fn counts(results: &Results) -> DetailTable {
    let summary = &results.summary;
    let numbers = [
        ("frames sampled", summary.frames),
        ("failed", summary.failed),
        ("skipped", summary.skipped),
        ("repeated", summary.repeated),
        ("objects", summary.objects),
        ("tracks", summary.tracks.values().sum()),
        ("records", summary.records),
        ("segments of speech", summary.segments),
        ("gaps in speech", summary.gaps),
    ];
    let numbers = numbers.into_iter().filter(|(_, count)| *count > 0);
    let rows = numbers.map(|(name, count)| row(name, &count.to_string()));
    pairs("Counts", rows.collect())
}

fn models(results: &Results) -> DetailTable {
    let rows = results.models.iter().map(|(stage, model)| {
        let (backend, what) = match model {
            Model::Local { backend, model, .. } => {
                let engine = results.run.engines.get(stage);
                let engine = engine.map_or_else(String::new, |it| format!(", on {}", it.name));
                (backend.as_str(), format!("{model}{engine}"))
            }
            Model::Remote { backend, model } => {
                (backend.as_str(), model.clone().unwrap_or_default())
            }
            Model::Skipped { skipped } => ("", format!("skipped: {skipped}")),
        };
        let server = results.run.servers.get(stage);
        let server = server.map_or_else(String::new, |server| server.host.clone());
        let stage = stage.as_str().to_owned();
        vec![stage, what, backend.to_owned(), server]
    });
    DetailTable {
        title: "Models",
        columns: vec!["stage", "model", "backend", "server"],
        rows: rows.collect(),
    }
}

fn requests(results: &Results) -> DetailTable {
    let rows = results.run.stages.iter().filter_map(|(stage, run)| {
        let requests = run.requests.as_ref()?;
        Some(request_row(stage.as_str(), run, requests))
    });
    DetailTable {
        title: "Requests",
        columns: vec![
            "stage",
            "requests",
            "sent again",
            "halved",
            "MB sent",
            "workers",
            "billed seconds",
            "US dollars",
        ],
        rows: rows.collect(),
    }
}

fn request_row(stage: &str, run: &StageRun, requests: &Requests) -> Vec<String> {
    let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    vec![
        stage.to_owned(),
        requests.count.to_string(),
        run.retries.to_string(),
        run.splits.to_string(),
        format!("{:.1}", requests.bytes_sent as f64 / 1e6),
        requests.workers_seen.to_string(),
        or_none(requests.billed_seconds.map(|it| it.to_string())),
        or_none(requests.cost_usd.map(|it| format!("{it:.6}"))),
    ]
}

fn errors(results: &Results) -> DetailTable {
    let rows = results.run.errors.iter().map(|error| {
        let stage = error.stage.as_str().to_owned();
        let items = error.items.to_string();
        vec![stage, error.class.to_string(), items, error.text.clone()]
    });
    DetailTable {
        title: "What went wrong",
        columns: vec!["stage", "class", "items", "text"],
        rows: rows.collect(),
    }
}

fn failures(results: &Results) -> DetailTable {
    let all = results.failures.len();
    let told = results.failures.iter().take(MOST_FAILURES);
    let rows = told.map(|failed| {
        let stage = failed.stage.as_str().to_owned();
        vec![stage, failed.class.to_string(), failed.item.clone()]
    });
    let mut rows: Vec<Vec<String>> = rows.collect();
    if let Some(more) = all.checked_sub(MOST_FAILURES).filter(|more| *more > 0) {
        let more = format!("and {more} more, which the results have");
        rows.push(vec![String::new(), String::new(), more]);
    }
    DetailTable {
        title: "Without an answer",
        columns: vec!["stage", "class", "item"],
        rows,
    }
}

fn recipe(results: &Results) -> DetailTable {
    let recipe = &results.recipe;
    let named = [("name", &recipe.name), ("digest", &recipe.digest)];
    let named = named.into_iter().filter(|(_, value)| !value.is_empty());
    let mut rows: Vec<Vec<String>> = named.map(|(name, value)| row(name, value)).collect();
    for (stage, settings) in &recipe.settings {
        let settings = settings.iter();
        rows.extend(
            settings.map(|(key, value)| row(&format!("{stage}.{key}"), &value.to_string())),
        );
    }
    pairs("Recipe", rows)
}

fn row(name: &str, value: &str) -> Vec<String> {
    vec![name.to_owned(), value.to_owned()]
}

// A table of names and values needs no heads of columns.
fn pairs(title: &'static str, rows: Vec<Vec<String>>) -> DetailTable {
    DetailTable {
        title,
        columns: Vec::new(),
        rows,
    }
}
