//! Answers, tickets and journals to try things on.

use crate::answer::Answer;
use crate::answer::Extent;
use crate::answer::ItemKey;
use crate::answer::OpenTicket;
use crate::answer::Question;
use crate::answer::Sample;
use crate::answer::StageDigest;
use crate::engine::answers::NotedAnswer;
use crate::engine::journal::journal::Journal;
use crate::engine::journal::runs::RunStart;
use crate::facts::VideoContent;
use crate::item::Detection;
use crate::item::Size;
use crate::name::VideoId;
use crate::time::Pts;
use std::path::Path;

pub(in crate::engine::journal) const VIDEO: VideoId = VideoId(0);

/// Of the content of a video.
pub(in crate::engine::journal) const DIGEST: &str = "a video";

pub(in crate::engine::journal) fn stage(number: u8) -> StageDigest {
    StageDigest([number; 32])
}

/// A journal in `folder` that knows [`VIDEO`] and has begun a run.
pub(in crate::engine::journal) fn journal(folder: &Path) -> Journal {
    let journal = Journal::open(folder).unwrap();
    journal.begin(&start()).unwrap();
    journal.name_video(VIDEO, &content(DIGEST)).unwrap();
    journal
}

/// The content with this digest.
pub(in crate::engine::journal) fn content(digest: &str) -> VideoContent {
    VideoContent {
        digest: digest.to_owned(),
        bytes: 1_000,
    }
}

pub(in crate::engine::journal) fn start() -> RunStart {
    RunStart {
        recipe: "default".to_owned(),
        recipe_digest: "d".to_owned(),
        inputs: vec!["clips/a.mp4".into(), "clips/b.mp4".into()],
    }
}

pub(in crate::engine::journal) fn frame_key(stage_number: u8, pts: i64) -> ItemKey {
    let extent = Extent::Frame {
        pts: Pts(pts),
        crop: None,
    };
    ItemKey {
        video: VIDEO,
        stage: stage(stage_number),
        extent,
    }
}

/// Ten objects that are of the frame at `pts` alone.
pub(in crate::engine::journal) fn objects(pts: i64) -> Answer {
    let object = |number: i64| Detection {
        bbox: [pts as f32 + 0.1, number as f32, 1279.987, 719.123],
        class: 0,
        class_name: "person".into(),
        confidence: 0.1 + number as f32 / 13.0,
        parent: None,
        sight: None,
    };
    Answer::Objects((0..10).map(object).collect())
}

pub(in crate::engine::journal) fn sample(pts: i64) -> Sample {
    let size = |width, height| Size { width, height };
    Sample {
        index: pts.unsigned_abs() / 30,
        frame_number: pts.unsigned_abs(),
        pts: Pts(pts),
        seconds: pts as f64 / 29.97,
        samples: 1,
        part: None,
        source: size(1920, 1080),
        size: size(1280, 720),
        same_as: None,
        failure: None,
    }
}

pub(in crate::engine::journal) fn noted(key: ItemKey, answer: Answer) -> NotedAnswer {
    NotedAnswer {
        key,
        answer,
        origin: None,
        ticket: None,
    }
}

/// A job for the frames at these times.
pub(in crate::engine::journal) fn ticket(name: &str, frames: &[i64]) -> OpenTicket {
    OpenTicket {
        ticket: name.into(),
        stage: stage(1),
        backend: "fleet".into(),
        address: "https://api.runpod.ai/v2/abc".to_owned(),
        video: VIDEO,
        question: Question::Frames(frames.iter().map(|pts| sample(*pts)).collect()),
    }
}
