//! What `find` says, for people and as JSON.

use crate::app;
use crate::app::AppError;
use crate::app::FindReport;
use crate::app::FindRequest;
use crate::app::FoundVideo;
use crate::app::MomentClip;
use crate::cli::args::find::FindArgs;
use crate::cli::data::data;
use crate::cli::data::write_json;
use crate::cli::results_files;
use crate::cli::streams::one_line;
use crate::cli::streams::talk;
use crate::media::CutKind;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// Searches, says what was found, and gives the exit code.
pub(super) fn find(args: &FindArgs) -> Result<u8, AppError> {
    let report = app::find(&FindRequest {
        results: results_files::expand(&args.results)?,
        query: args.query(),
        clips: args.clips.clone(),
    })?;
    match args.json {
        true => write_json(&json(&report))?,
        false => {
            report.unread.iter().for_each(|why| talk(why));
            data(&text(&report))?;
            doubts(&report).iter().for_each(|doubt| talk(doubt));
            talk(&total(&report));
        }
    }
    Ok(report.exit_code())
}

fn text(report: &FindReport) -> String {
    let mut text = String::new();
    for video in &report.found {
        let results = one_line(&video.results.display().to_string());
        for (at, moment) in video.moments.iter().enumerate() {
            text += &format!("{results}  {} s", range(moment.start, moment.end));
            if !moment.said.is_empty() {
                text += &format!("  \"{}\"", one_line(&moment.said.join(" ")));
            }
            text.push('\n');
            match video.clips.get(at) {
                Some(Ok(MomentClip { path, cut })) => {
                    let path = one_line(&path.display().to_string());
                    text += &format!("  {path}  {}\n", made_of(*cut));
                }
                Some(Err(why)) => text += &format!("  no clip: {}\n", one_line(why)),
                None => {}
            }
        }
    }
    text
}

fn made_of(cut: CutKind) -> &'static str {
    match cut {
        CutKind::Packets => "packets of the video",
        CutKind::Coded => "coded anew",
    }
}

// Before the first frame there may be sound; a minus and the sign of a range are the same letter.
fn range(start: f64, end: f64) -> String {
    let tenths = |seconds: f64| (seconds * 10.0).round() / 10.0 + 0.0;
    let (start, end) = (tenths(start), tenths(end));
    match start < 0.0 {
        true => format!("{start:.1} to {end:.1}"),
        false => format!("{start:.1}-{end:.1}"),
    }
}

fn total(report: &FindReport) -> String {
    let moments = report.found.iter().map(|video| video.moments.len());
    let files = match report.searched {
        1 => "1 results file".to_owned(),
        files => format!("{files} results files"),
    };
    let end = interrupted(report);
    match moments.sum() {
        0_usize => format!("nothing found in {files}{end}"),
        1 => format!("1 moment in {files}{end}"),
        moments => format!("{moments} moments in {files}{end}"),
    }
}

fn interrupted(report: &FindReport) -> String {
    let clips = report.found.iter().flat_map(|video| &video.clips);
    match (
        report.interrupted,
        clips.filter(|clip| clip.is_ok()).count(),
    ) {
        (false, _) => String::new(),
        (true, 0) => "; interrupted".to_owned(),
        (true, clips) => format!("; interrupted after {}", counted(clips as u64, "clip")),
    }
}

// Why something that is not found may be there.
fn doubts(report: &FindReport) -> Vec<String> {
    let unknown = report.unknown_classes.iter();
    let unknown = unknown.map(|class| format!("no results know a class {class:?}"));
    let mut doubts: Vec<String> = unknown.collect();
    if report.unanswered_frames > 0 {
        let frames = counted(report.unanswered_frames, "frame");
        doubts.push(format!(
            "{frames} without an answer: what is seen there is not found"
        ));
    }
    if report.unanswered_sound > 0 {
        let parts = counted(report.unanswered_sound, "part");
        doubts.push(format!(
            "{parts} of the sound without an answer: what is said there is not found"
        ));
    }
    doubts
}

fn counted(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

// The same, for programs.
fn json(report: &FindReport) -> Value {
    let moments: Vec<Value> = report.found.iter().flat_map(of_video).collect();
    json!({
        "searched": report.searched,
        "moments": moments,
        "unread": report.unread,
        "unknown_classes": report.unknown_classes,
        "unanswered_frames": report.unanswered_frames,
        "unanswered_sound": report.unanswered_sound,
        "interrupted": report.interrupted,
    })
}

fn of_video(video: &FoundVideo) -> impl Iterator<Item = Value> {
    video.moments.iter().enumerate().map(|(at, moment)| {
        let mut value = json!({
            "results": video.results.to_string_lossy(),
            "video": video.video,
            "start": to_milliseconds(moment.start),
            "end": to_milliseconds(moment.end),
            "said": moment.said,
        });
        if let (Value::Object(fields), Some(clip)) = (&mut value, video.clips.get(at)) {
            fields.extend(of_clip(clip));
        }
        value
    })
}

fn of_clip(clip: &Result<MomentClip, String>) -> Map<String, Value> {
    let fields = match clip {
        Ok(MomentClip { path, cut }) => {
            let cut = match cut {
                CutKind::Packets => "packets",
                CutKind::Coded => "coded",
            };
            vec![("clip", json!(path.to_string_lossy())), ("cut", json!(cut))]
        }
        Err(why) => vec![("clip_error", json!(why))],
    };
    let fields = fields.into_iter();
    fields.map(|(key, value)| (key.to_owned(), value)).collect()
}

fn to_milliseconds(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3 + 0.0
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn a_range_is_readable_on_both_sides_of_zero() {
        assert_eq!(range(1.04, 2.96), "1.0-3.0");
        assert_eq!(range(-0.9, -0.8), "-0.9 to -0.8");
        assert_eq!(range(-0.04, 0.2), "0.0-0.2");
    }
}
