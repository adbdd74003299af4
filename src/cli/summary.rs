//! The closing words of a run, for people and for programs.
//!
//! Pure: an outcome in, text out.

mod fate;

use crate::app::RunReport;
use crate::app::SavedFiles;
use crate::app::StageSummary;
use crate::app::VideoReport;
use crate::cli::cassette;
use crate::cli::money;
use crate::cli::money::number;
use crate::duration::spelled;
use crate::engine::StopReason;
use crate::output::LineCount;
use crate::output::Summary;
use serde_json::Value;
use serde_json::json;

const CLASSES_NAMED: usize = 4;

// Of more videos than this, only those are told that are not done, in at most as many lines.
const MOST_TOLD: usize = 10;

/// What became of a run, for people.
pub(super) fn summary(outcome: &RunReport) -> String {
    let mut lines: Vec<String> = match outcome.videos.len() > MOST_TOLD {
        true => fate::incomplete(&outcome.videos),
        false => outcome.videos.iter().flat_map(video).collect(),
    };
    let anything = outcome.videos.iter().any(has_outcome);
    if anything || outcome.stopped.is_some() {
        lines.push(closing(outcome));
        lines.extend(outcome.stages.iter().flat_map(requests));
    }
    lines.extend(cassette::lines(outcome));
    lines.join("\n")
}

/// What went wrong, for `--quiet`: why videos could not be opened, and what a cassette lacks.
pub(super) fn troubles(outcome: &RunReport) -> impl Iterator<Item = String> {
    let unopened = outcome.videos.iter().filter(|video| !has_outcome(video));
    let unopened = unopened.filter_map(|video| video.error.clone());
    unopened.chain(cassette::troubles(outcome))
}

fn has_outcome(video: &VideoReport) -> bool {
    video.results.is_some() || !video.saved.is_empty()
}

fn video(video: &VideoReport) -> Vec<String> {
    let path = video.path.display();
    let partial = if video.partial { " (partial)" } else { "" };
    let mut lines = vec![match &video.results {
        Some(results) => format!("{path} -> {}{partial}", results.display()),
        None if !video.saved.is_empty() => format!("{path}{partial}"),
        None => format!("{path}: no results"),
    }];
    lines.extend(video.error.as_ref().map(|error| format!("  {error}")));
    lines.extend(video.kept.iter().map(|kept| format!("  {kept}")));
    if video.results.is_some() {
        lines.push(format!("  {}", found(&video.summary)));
        lines.extend(unanswered_elsewhere(video));
    }
    if video.requests_spared > 0 {
        lines.push(format!(
            "  {} nothing new and spared {}",
            number(video.summary.repeated, "frame shows", "frames show"),
            number(video.requests_spared, "request", "requests")
        ));
    }
    lines.extend(video.saved.iter().map(files));
    lines
}

// The counts are those of the stage at the top of the results.
fn unanswered_elsewhere(video: &VideoReport) -> Option<String> {
    let told = video.summary.failed + video.summary.gaps;
    let others = (video.failures as u64).saturating_sub(told);
    (others > 0).then(|| {
        let items = number(others, "item", "items");
        format!("  {items} of other stages without an answer: see `failures` in the results")
    })
}

/// What stands in results, counted.
pub(super) fn found(summary: &Summary) -> String {
    let mut text = number(summary.frames, "frame", "frames");
    if summary.failed > 0 {
        text += &format!(", {} failed", summary.failed);
    }
    if summary.skipped > 0 {
        text += &format!(", {} skipped", summary.skipped);
    }
    if summary.repeated > 0 {
        text += &format!(", {} repeated", summary.repeated);
    }
    if summary.records > 0 {
        text += &format!(", {}", number(summary.records, "record", "records"));
    }
    if summary.objects > 0 || summary.records == 0 {
        text += &format!(", {}", number(summary.objects, "object", "objects"));
    }
    let mut classes: Vec<_> = summary.classes.iter().collect();
    classes.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let mut named: Vec<String> = classes
        .iter()
        .take(CLASSES_NAMED)
        .map(|(class, count)| format!("{count} {class}"))
        .collect();
    if classes.len() > CLASSES_NAMED {
        let more = (classes.len() - CLASSES_NAMED) as u64;
        named.push(number(more, "more class", "more classes"));
    }
    if !named.is_empty() {
        text += &format!(": {}", named.join(", "));
    }
    if !summary.tracks.is_empty() {
        let things = summary.tracks.values().sum();
        text += &format!("; {}", number(things, "thing", "things"));
    }
    for (line, LineCount { forward, backward }) in &summary.crossed {
        let [forward, backward] = [forward, backward].map(|it| it.values().sum::<u64>());
        text += &format!("; {line}: {forward} forward, {backward} backward");
    }
    for (region, entered) in &summary.entered {
        text += &format!("; {region}: {} entered", entered.values().sum::<u64>());
    }
    if summary.segments > 0 {
        let segments = number(summary.segments, "segment", "segments");
        text += &format!("; {segments} of speech");
    }
    if summary.gaps > 0 {
        text += &format!(
            "; {}",
            number(summary.gaps, "gap in the speech", "gaps in the speech")
        );
    }
    text
}

fn files(saved: &SavedFiles) -> String {
    let mut text = format!("  {}: ", saved.stage);
    text += &match saved.are_crops {
        true => number(saved.files, "crop", "crops"),
        false => number(saved.files, "frame", "frames"),
    };
    if saved.files > 0 {
        let bytes = money::bytes(saved.bytes);
        text += &format!(" in {}, {bytes}", saved.folder.display());
    }
    for (count, what) in [
        (saved.repeated, "repeated"),
        (saved.failed, "failed"),
        (saved.skipped, "skipped"),
    ] {
        if count > 0 {
            text += &format!(", {count} {what}");
        }
    }
    text
}

fn closing(outcome: &RunReport) -> String {
    let frames: u64 = outcome.videos.iter().map(|v| v.summary.frames).sum();
    let seconds = outcome.elapsed.as_secs_f64();
    let ended = match &outcome.stopped {
        // It was shown when it happened.
        Some(StopReason::Failed(_)) => "stopped early: ".to_owned(),
        Some(reason) => format!("{reason}: "),
        None => String::new(),
    };
    let count = fate::count(&outcome.videos);
    let count = count.map_or_else(String::new, |count| format!("{count}; "));
    let mut text = format!(
        "{ended}{count}{} in {}",
        number(frames, "frame", "frames"),
        spelled(outcome.elapsed)
    );
    if frames > 0 && seconds > 0.0 {
        text += &format!(", {:.1}/s", frames as f64 / seconds);
    }
    if outcome.videos.len() > MOST_TOLD
        && let Some(folder) = fate::folder(&outcome.videos)
    {
        text += &format!("; results in {}", folder.display());
    }
    text
}

fn requests(stage: &StageSummary) -> Vec<String> {
    let StageSummary {
        id, frames, known, ..
    } = stage;
    let known = (*known > 0).then(|| format!("{id}: {known} of {frames} known from before"));
    let lines = |asked| money::requests(id.as_str(), stage.retries, stage.splits, asked);
    let lines = stage.requests.as_ref().map(lines).unwrap_or_default();
    known.into_iter().chain(lines).collect()
}

/// What became of a run, for programs.
pub(super) fn json(outcome: &RunReport) -> Value {
    let video = |video: &VideoReport| {
        json!({
            "video": video.path.display().to_string(),
            "results": video.results.as_ref().map(|path| path.display().to_string()),
            "partial": video.partial,
            "kept": video.kept,
            "summary": video.summary,
            "requests_spared": video.requests_spared,
            "saved": video.saved.iter().map(|files| json!({
                "stage": files.stage,
                "folder": files.folder.display().to_string(),
                "files": files.files,
                "bytes": files.bytes,
                "repeated": files.repeated,
                "failed": files.failed,
                "skipped": files.skipped,
            })).collect::<Vec<_>>(),
            "error": video.error,
        })
    };
    let (recorded, misses) = cassette::json(outcome);
    json!({
        "exit_code": outcome.exit_code(),
        "stopped": outcome.stopped.as_ref().map(StopReason::to_string),
        "demo": outcome.demo,
        "seconds": outcome.elapsed.as_secs_f64(),
        "videos": outcome.videos.iter().map(video).collect::<Vec<_>>(),
        "stages": outcome.stages.iter().map(|stage| json!({
            "id": stage.id,
            "frames": stage.frames,
            "known": stage.known,
            "busy_seconds": stage.busy.as_secs_f64(),
            "retries": stage.retries,
            "splits": stage.splits,
            "requests": stage.requests,
        })).collect::<Vec<_>>(),
        "recorded": recorded,
        "misses": misses,
    })
}

#[cfg(test)]
mod tests;
