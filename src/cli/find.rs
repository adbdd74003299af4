//! What `find` says, for people and as JSON.

use crate::app;
use crate::app::AppError;
use crate::app::FindReport;
use crate::app::FindRequest;
use crate::app::FoundVideo;
use crate::cli::args::find::FindArgs;
use crate::cli::data::data;
use crate::cli::data::write_json;
use crate::cli::results_files;
use crate::cli::streams::one_line;
use crate::cli::streams::talk;
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
                Some(Ok(clip)) => {
                    text += &format!("  {}\n", one_line(&clip.display().to_string()));
                }
                Some(Err(why)) => text += &format!("  no clip: {}\n", one_line(why)),
                None => {}
            }
        }
    }
    text
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
    let end = if report.interrupted {
        "; interrupted"
    } else {
        ""
    };
    match moments.sum() {
        0_usize => format!("nothing found in {files}{end}"),
        1 => format!("1 moment in {files}{end}"),
        moments => format!("{moments} moments in {files}{end}"),
    }
}

// The same, for programs.
fn json(report: &FindReport) -> Value {
    let moments: Vec<Value> = report.found.iter().flat_map(of_video).collect();
    json!({
        "searched": report.searched,
        "moments": moments,
        "unread": report.unread,
        "interrupted": report.interrupted,
    })
}

fn of_video(video: &FoundVideo) -> impl Iterator<Item = Value> {
    video.moments.iter().enumerate().map(|(at, moment)| {
        let mut value = json!({
            "results": video.results.to_string_lossy(),
            "video": video.video,
            "start": moment.start,
            "end": moment.end,
            "said": moment.said,
        });
        let clip = match video.clips.get(at) {
            Some(Ok(clip)) => Some(("clip", json!(clip.to_string_lossy()))),
            Some(Err(why)) => Some(("clip_error", json!(why))),
            None => None,
        };
        if let (Value::Object(fields), Some((key, clip))) = (&mut value, clip) {
            fields.insert(key.to_owned(), clip);
        }
        value
    })
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
