//! What a frame takes on the disk: its sample, and ten objects of three classes.

use super::Outcome;
use std::fs;
use std::path::Path;
use vpipe::answer::Answer;
use vpipe::answer::Extent;
use vpipe::answer::ItemKey;
use vpipe::answer::Sample;
use vpipe::answer::StageDigest;
use vpipe::engine::Answers;
use vpipe::engine::NotedAnswer;
use vpipe::engine::journal::Journal;
use vpipe::facts::VideoContent;
use vpipe::item::Detection;
use vpipe::item::Moment;
use vpipe::item::Size;
use vpipe::name::VideoId;
use vpipe::time::Pts;

const FRAMES: i64 = 20_000;
const BATCH: i64 = 16;
const NAMES: [&str; 3] = ["person", "bicycle", "traffic light"];

/// Bytes of a frame in a journal that is made in `folder` and closed.
pub(crate) fn of_a_frame(folder: &Path) -> Outcome<f64> {
    let journal = Journal::open(folder)?;
    let empty = bytes(folder)?;
    let content = VideoContent {
        digest: blake3::hash(b"a video").to_string(),
        bytes: 1,
    };
    journal.name_video(VideoId::FIRST, &content)?;
    for first in (0..FRAMES).step_by(BATCH as usize) {
        let frames = first..first + BATCH;
        journal.note_answers(&frames.flat_map(answers).collect::<Vec<_>>())?;
    }
    drop(journal);
    Ok((bytes(folder)? - empty) as f64 / FRAMES as f64)
}

fn bytes(folder: &Path) -> Outcome<u64> {
    let mut sum = 0;
    for file in fs::read_dir(folder)? {
        sum += file?.metadata()?.len();
    }
    Ok(sum)
}

// What is noted of the frame with this number: at one frame a second of 30.
fn answers(frame: i64) -> [NotedAnswer; 2] {
    let moment = Moment {
        video: VideoId::FIRST,
        index: frame as u64,
        frame_number: frame as u64 * 30,
        pts: Pts(frame * 15_360),
        seconds: frame as f64,
        samples: 1,
        part: None,
    };
    let size = Size {
        width: 1280,
        height: 720,
    };
    let object = |number: u32| Detection {
        bbox: [0.1, 0.2, 0.3, 0.4].map(|part| part * (frame as f32 + number as f32)),
        class: number % 3,
        class_name: NAMES[number as usize % 3].into(),
        confidence: 1.0 / (number as f32 + 1.3),
        parent: None,
        sight: None,
    };
    let answers = [
        Answer::Sample(Sample::new(&moment, size, size)),
        Answer::Objects((0..10).map(object).collect()),
    ];
    let mut stage = 0;
    answers.map(|answer| {
        stage += 1;
        let key = ItemKey {
            video: VideoId::FIRST,
            stage: StageDigest([stage; 32]),
            extent: Extent::of_moment(&moment),
        };
        let (origin, ticket) = (Some("127.0.0.1".to_owned()), None);
        NotedAnswer {
            key,
            answer,
            origin,
            ticket,
        }
    })
}
