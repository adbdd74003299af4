//! What became of each of many videos: which are done, which are not, and why.

use crate::app::VideoReport;
use crate::cli::money::number;
use crate::cli::summary::MOST_TOLD;
use std::path::Path;

/// What became of a video, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// It has no results, or not all that were wanted.
    Failed,
    /// It was not looked at, or not to its end, since the run was stopped.
    Skipped,
    Done,
}

impl Fate {
    fn of(video: &VideoReport) -> Self {
        let summary = &video.summary;
        let files = video.saved.iter().map(|files| files.failed).sum::<u64>();
        let lacking = summary.failed + summary.gaps + files + video.failures as u64;
        let has_files = video.results.is_some() || !video.saved.is_empty();
        match video.error.is_some() || lacking > 0 {
            true => Self::Failed,
            false if video.partial || !has_files => Self::Skipped,
            false => Self::Done,
        }
    }
}

/// `199 of 200 done, 1 failed`; `None` of a single video.
pub(super) fn count(videos: &[VideoReport]) -> Option<String> {
    let of = |fate| {
        videos
            .iter()
            .filter(|video| Fate::of(video) == fate)
            .count()
    };
    let mut text = format!("{} of {} done", of(Fate::Done), videos.len());
    for (fate, word) in [(Fate::Failed, "failed"), (Fate::Skipped, "skipped")] {
        match of(fate) {
            0 => {}
            count => text += &format!(", {count} {word}"),
        }
    }
    (videos.len() > 1).then_some(text)
}

/// The videos that are not done, the worst first, each with its reason.
pub(super) fn incomplete(videos: &[VideoReport]) -> Vec<String> {
    let mut incomplete: Vec<(Fate, &VideoReport)> = videos
        .iter()
        .map(|video| (Fate::of(video), video))
        .filter(|(fate, _)| *fate != Fate::Done)
        .collect();
    incomplete.sort_by_key(|(fate, _)| *fate);
    let told = match incomplete.len() > MOST_TOLD {
        true => MOST_TOLD - 1,
        false => incomplete.len(),
    };
    let more = incomplete.len() - told;
    let line = |(fate, video): &(Fate, &VideoReport)| {
        let path = video.path.display();
        format!("{path}: {}", reason(*fate, video))
    };
    let mut lines: Vec<String> = incomplete.iter().take(told).map(line).collect();
    if more > 0 {
        lines.push(format!("and {more} more, all of which `--json` names"));
    }
    lines
}

fn reason(fate: Fate, video: &VideoReport) -> String {
    let summary = &video.summary;
    if let Some(error) = &video.error {
        return error.lines().next().unwrap_or_default().to_owned();
    }
    if fate == Fate::Skipped {
        return match video.partial {
            true => "stopped before its end".to_owned(),
            false => "not begun".to_owned(),
        };
    }
    let mut parts = Vec::new();
    if summary.failed > 0 {
        let frames = number(summary.frames, "frame", "frames");
        parts.push(format!("{} of {frames} failed", summary.failed));
    }
    if summary.gaps > 0 {
        parts.push(number(
            summary.gaps,
            "gap in the speech",
            "gaps in the speech",
        ));
    }
    if parts.is_empty() {
        parts.push(number(video.failures as u64, "item failed", "items failed"));
    }
    parts.join(", ")
}

/// The folder that the results of all of them are in, where that is one.
pub(super) fn folder(videos: &[VideoReport]) -> Option<&Path> {
    let mut folders = videos
        .iter()
        .filter_map(|video| video.results.as_ref()?.parent());
    let first = folders.next()?;
    folders.all(|folder| folder == first).then_some(first)
}
