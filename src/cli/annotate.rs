//! What `annotate` says while it works and when it is done, for people and as JSON.

use crate::app;
use crate::app::AnnotateEnd;
use crate::app::AnnotateProgress;
use crate::app::AnnotateReport;
use crate::app::AnnotateRequest;
use crate::app::AppError;
use crate::cli::args::annotate::AnnotateArgs;
use crate::cli::data::data;
use crate::cli::data::write_json;
use crate::cli::live::LiveRows;
use crate::cli::streams::talk;
use crate::duration;
use crate::item::Size;
use crate::media::SoundCopy;
use crate::name::StageId;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;
use std::time::Instant;

/// The exit code where it was asked to end.
const INTERRUPTED: u8 = 130;

/// A terminal is drawn anew so often; elsewhere a line is said so often.
const REDRAWN: Duration = Duration::from_millis(100);
const SAID: Duration = Duration::from_secs(30);

/// Writes the video, and says what was written.
pub(super) fn annotate(args: AnnotateArgs, rows: &LiveRows) -> Result<u8, AppError> {
    let is_json = args.json;
    let report = written(args, rows)?;
    match (&report, is_json) {
        (report, true) => write_json(&json(report.as_ref()))?,
        (Some(report), false) => data(&text(report))?,
        (None, false) => talk("interrupted: nothing was written"),
    }
    Ok(report.map_or(INTERRUPTED, |_| 0))
}

fn written(args: AnnotateArgs, rows: &LiveRows) -> Result<Option<AnnotateReport>, AppError> {
    let stage = args.stage.map(StageId::from);
    let request = AnnotateRequest {
        results: args.results,
        output: args.output,
        video: args.video,
        stage,
    };
    let is_drawn = rows.can_be_drawn() && !args.json;
    let begun = Instant::now();
    let mut next = begun + if is_drawn { Duration::ZERO } else { SAID };
    let ended = app::annotate(&request, &mut |progress| {
        let now = Instant::now();
        if now < next || args.json {
            return;
        }
        let line = line(progress, now - begun);
        match is_drawn {
            true => rows.draw(vec![line]),
            false => talk(&line),
        }
        next = now + if is_drawn { REDRAWN } else { SAID };
    });
    rows.clear();
    Ok(match ended? {
        AnnotateEnd::Written(report) => Some(*report),
        AnnotateEnd::Interrupted => None,
    })
}

fn line(progress: AnnotateProgress, passed: Duration) -> String {
    let of = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let done = duration::spelled_roughly(of(progress.seconds));
    let share = progress.length.filter(|it| *it > 0.0);
    let share = share.map(|length| (progress.seconds / length).clamp(0.0, 1.0));
    let Some(share) = share.filter(|it| *it > 0.0) else {
        return format!("{done} written");
    };
    let left = of(passed.as_secs_f64() * (1.0 / share - 1.0));
    format!(
        "{:.0} %  {done} written, about {} left",
        100.0 * share,
        duration::spelled_roughly(left)
    )
}

fn text(report: &AnnotateReport) -> String {
    let encoded = &report.encoded;
    let mut text = format!(
        "{}\n  {} frames of {}, {} boxes, {}\n",
        report.output.display(),
        encoded.frames,
        encoded.size,
        report.boxes,
        encoded.encoder,
    );
    let said = [sound(&encoded.sound), captions(encoded.captions)];
    for line in said.into_iter().flatten().chain(remarks(report)) {
        text += &format!("  {line}\n");
    }
    text
}

fn sound(copy: &SoundCopy) -> Option<String> {
    match copy {
        SoundCopy::None => None,
        SoundCopy::Packets { codec } => Some(format!("sound: {codec}, copied")),
        SoundCopy::Coded { codec } => Some(format!("sound: AAC, coded anew from {codec}")),
        SoundCopy::LeftOut { why } => Some(format!("without sound: {why}")),
    }
}

fn captions(count: u64) -> Option<String> {
    (count > 0).then(|| format!("captions: {count}"))
}

fn remarks(report: &AnnotateReport) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(stage) = report.found_by.first() {
        let stages: Vec<&str> = report.found_by.iter().map(StageId::as_str).collect();
        remarks.push(format!(
            "there were no boxes to draw; those of {} are drawn with --stage {stage}",
            stages.join(", ")
        ));
    }
    let (shown, coded) = (report.shown, report.encoded.size);
    if let Some(more) = more(shown, coded) {
        remarks.push(format!(
            "{shown} has an odd side, which this codec cannot have: {more} is there twice"
        ));
    }
    match report.lost {
        0 => {}
        1 => remarks.push("1 frame cannot be decoded and is left out".to_owned()),
        lost => remarks.push(format!("{lost} frames cannot be decoded and are left out")),
    }
    match report.encoded.lost_sound {
        0 => {}
        1 => remarks.push("1 packet of sound is damaged and left out".to_owned()),
        lost => remarks.push(format!("{lost} packets of sound are damaged and left out")),
    }
    if let Some(transfer) = report.high_range {
        remarks.push(format!("its colours are {transfer} and look pale"));
    }
    remarks
}

fn more(shown: Size, coded: Size) -> Option<&'static str> {
    match (coded.width > shown.width, coded.height > shown.height) {
        (true, true) => Some("the last column and the last row"),
        (true, false) => Some("the last column"),
        (false, true) => Some("the last row"),
        (false, false) => None,
    }
}

// The same, for programs.
fn json(report: Option<&AnnotateReport>) -> Value {
    let Some(report) = report else {
        return json!({ "interrupted": true, "output": null });
    };
    let encoded = &report.encoded;
    let (sound, why) = match &encoded.sound {
        SoundCopy::None => ("none", None),
        SoundCopy::Packets { .. } => ("copied", None),
        SoundCopy::Coded { .. } => ("aac", None),
        SoundCopy::LeftOut { why } => ("left out", Some(why)),
    };
    json!({
        "interrupted": false,
        "output": report.output.to_string_lossy(),
        "video": report.video.to_string_lossy(),
        "frames": encoded.frames,
        "lost_frames": report.lost,
        "seconds": report.seconds,
        "width": encoded.size.width,
        "height": encoded.size.height,
        "encoder": encoded.encoder,
        "boxes": report.boxes,
        "sound": sound,
        "sound_error": why,
        "lost_sound_packets": encoded.lost_sound,
        "captions": encoded.captions,
        "remarks": remarks(report),
    })
}
