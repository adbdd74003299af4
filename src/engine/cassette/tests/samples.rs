//! Made-up runs, and the cassettes of them.

use crate::answer::Answer;
use crate::answer::Extent;
use crate::answer::ItemKey;
use crate::answer::OpenTicket;
use crate::answer::Sample;
use crate::answer::SamplingEnd;
use crate::answer::StageDigest;
use crate::engine::answers::Answers;
use crate::engine::answers::NotedAnswer;
use crate::engine::cassette::CassetteHead;
use crate::engine::cassette::CassetteStage;
use crate::engine::cassette::CassetteVideo;
use crate::engine::cassette::Recording;
use crate::engine::cassette::files;
use crate::failure::Failure;
use crate::item::Detection;
use crate::item::Size;
use crate::name::Ticket;
use crate::name::VideoId;
use crate::time::Pts;
use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::Mutex;
use tempfile::TempDir;

pub(super) const SAMPLING: StageDigest = StageDigest([1; 32]);
pub(super) const ASKED: StageDigest = StageDigest([2; 32]);
pub(super) const SHOWN: Size = Size {
    width: 1920,
    height: 1080,
};

#[derive(Default)]
struct Memory(Mutex<BTreeMap<ItemKey, Answer>>);

impl Answers for Memory {
    fn look_up(&self, key: &ItemKey) -> Result<Option<Answer>, Failure> {
        Ok(self.0.lock().unwrap().get(key).cloned())
    }

    fn has(&self, key: &ItemKey) -> Result<bool, Failure> {
        Ok(self.0.lock().unwrap().contains_key(key))
    }

    fn note_ticket(&self, _: &OpenTicket) -> Result<(), Failure> {
        Ok(())
    }

    fn note_answers(&self, answers: &[NotedAnswer]) -> Result<(), Failure> {
        let mut kept = self.0.lock().unwrap();
        kept.extend(answers.iter().map(|it| (it.key, it.answer.clone())));
        Ok(())
    }

    fn drop_ticket(&self, _: &Ticket) -> Result<(), Failure> {
        Ok(())
    }

    fn extents(&self, _: VideoId, _: StageDigest) -> Result<Vec<Extent>, Failure> {
        Ok(Vec::new())
    }

    fn open_tickets(&self) -> Result<Vec<OpenTicket>, Failure> {
        Ok(Vec::new())
    }
}

pub(super) fn frame(pts: i64) -> Extent {
    Extent::Frame {
        pts: Pts(pts),
        crop: None,
    }
}

fn noted(stage: StageDigest, extent: Extent, answer: Answer) -> NotedAnswer {
    NotedAnswer {
        key: ItemKey {
            video: VideoId(0),
            stage,
            extent,
        },
        answer,
        origin: Some("https://a.example".to_owned()),
        ticket: None,
    }
}

// All that a run over these frames notes: a sample and the objects of each.
pub(super) fn answers(frames: &[Vec<Detection>]) -> Vec<NotedAnswer> {
    let pts = |index: usize| index as i64 * 512_512;
    let mut all = Vec::new();
    for (index, objects) in frames.iter().enumerate() {
        let sample = Sample {
            index: index as u64,
            frame_number: index as u64 * 30,
            pts: Pts(pts(index)),
            seconds: index as f64 * 1.001,
            samples: 1,
            part: None,
            source: SHOWN,
            size: SHOWN.within(1280),
            same_as: None,
            failure: None,
        };
        all.push(noted(SAMPLING, frame(pts(index)), Answer::Sample(sample)));
        let objects = Answer::Objects(objects.clone());
        all.push(noted(ASKED, frame(pts(index)), objects));
    }
    let end = SamplingEnd {
        frames: (0..frames.len()).map(|index| Pts(pts(index))).collect(),
        ..SamplingEnd::default()
    };
    all.push(noted(SAMPLING, Extent::Whole, Answer::Sampled(end)));
    all
}

fn stage(id: &str, sampling: Option<StageDigest>, asked: Option<StageDigest>) -> CassetteStage {
    CassetteStage {
        id: id.into(),
        kind: id.to_owned(),
        place: None,
        terms: None,
        asked,
        sampling,
        sound: None,
        transcript: None,
        lines: 0,
        digest: String::new(),
    }
}

fn head() -> CassetteHead {
    CassetteHead {
        format: 0,
        check: String::new(),
        recipe: "default".to_owned(),
        recipe_digest: "00".to_owned(),
        videos: vec![CassetteVideo {
            name: "a.mp4".to_owned(),
            other_names: Vec::new(),
            is_folder: false,
            digest: "abc".to_owned(),
            size: [SHOWN.width, SHOWN.height],
            duration: Some(2.0),
            fps: None,
            codec: "h264".to_owned(),
            rotation: 0,
            has_sound: false,
            first_frame: None,
            expected_frames: None,
            heard_from: 0.0,
            heard_until: None,
        }],
        stages: vec![
            stage("extract", Some(SAMPLING), None),
            stage("yolo", None, Some(ASKED)),
        ],
    }
}

pub(super) fn recorded(answers: &[NotedAnswer]) -> Vec<(String, Vec<u8>)> {
    let recording = Recording::new(Arc::new(Memory::default()));
    for answer in answers {
        recording
            .note_answers(std::slice::from_ref(answer))
            .unwrap();
    }
    files(&recording, head(), &[vec![VideoId(0)]]).unwrap()
}

pub(super) fn written(files: &[(String, Vec<u8>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn object(number: u32) -> Detection {
    let step = (number * 37 % 1000) as f32;
    Detection {
        bbox: [
            step + 1.234_567,
            0.5 * step + 100.765_43,
            step + 123.456_78,
            0.5 * step + 234.567_89,
        ],
        class: number % 80,
        class_name: ["person", "bicycle", "traffic light", "sports ball"][number as usize % 4]
            .into(),
        confidence: 0.15 + 0.000_84 * (number % 1000) as f32,
        parent: None,
        sight: None,
    }
}

// A street: 600 frames with 7 objects each.
pub(super) fn street() -> Vec<Vec<Detection>> {
    let of_frame = |frame: u32| (0..7).map(|number| object(frame * 7 + number)).collect();
    (0..600).map(of_frame).collect()
}
