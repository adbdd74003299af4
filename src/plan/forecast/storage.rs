//! Storage: how many bytes a run will write, at least and as it usually goes.
//!
//! What is written at least is what the smallest possible files take: where that does not fit,
//! nothing does.

use crate::facts::Facts;
use crate::facts::VideoFacts;
use crate::plan::step::Plan;
use crate::plan::step::StepKind;
use crate::recipe::ExtractSpec;
use crate::recipe::SaveFormat;

// Bytes of a pixel. A JPEG has no fewer than 4 bytes for each 16 x 16 of them, whatever they show;
// deflate makes no less than one byte of 1032.
const JPEG: Extremes = Extremes {
    least: 1.0 / 64.0,
    usual: 0.15,
};
const PNG: Extremes = Extremes {
    least: 3.0 / 1032.0,
    usual: 1.5,
};

// Bytes of a frame in the results, and in the journal for itself and for each stage that asks.
const RESULTS: Extremes = Extremes {
    least: 40.0,
    usual: 600.0,
};
const SAMPLE: Extremes = Extremes {
    least: 80.0,
    usual: 160.0,
};
const ANSWER: Extremes = Extremes {
    least: 20.0,
    usual: 250.0,
};

// A duration that a header states, and frames that come unevenly, may be off by this much.
const SURELY: f64 = 0.5;

// A figure at its lowest, and as it usually is.
#[derive(Clone, Copy)]
struct Extremes {
    least: f64,
    usual: f64,
}

/// Bytes that are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// At least.
    pub least: u64,
    /// As it usually goes.
    pub usual: u64,
}

/// What a run writes of one video.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoStorage {
    /// Its results.
    pub results: Storage,
    /// What is kept in the journal.
    pub journal: Storage,
    /// The frames that each stage which saves writes to files.
    pub frames: Storage,
}

impl Storage {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            least: self.least + other.least,
            usual: self.usual + other.usual,
        }
    }
}

/// What `plan` writes of `video`.
pub fn storage(plan: &Plan, facts: &Facts, video: &VideoFacts) -> VideoStorage {
    let spec = plan.steps().find_map(|(_, step)| match &step.kind {
        StepKind::ReadFrames { spec, .. } => Some(spec),
        _ => None,
    });
    let Some(spec) = spec else {
        return VideoStorage::default();
    };
    let sampled = sampled(spec, video);
    let known = facts.known.get(&video.id);
    let unneeded = known.map_or(0, |known| known.unneeded) as f64;
    let saved = known.map_or(0, |known| known.saved) as f64;
    let new = |known: f64| Extremes {
        least: (sampled.least - known).max(0.0),
        usual: (sampled.usual - known).max(0.0),
    };
    let asking = plan.frame_views().len() as f64;
    let journal = Extremes {
        least: SAMPLE.least + asking * ANSWER.least,
        usual: SAMPLE.usual + asking * ANSWER.usual,
    };
    let pixels = video.size.within(spec.max_side).pixels();
    let files = plan.file_views().into_iter().map(|view| {
        let a_pixel = match view.spec.format {
            SaveFormat::Jpeg => JPEG,
            SaveFormat::Png => PNG,
        };
        let a_frame = Extremes {
            least: a_pixel.least * pixels as f64,
            usual: a_pixel.usual * pixels as f64,
        };
        let frames = new(saved);
        // Who knows in how many something is found.
        let least = match view.found {
            Some(_) => 0.0,
            None => frames.least,
        };
        written(Extremes { least, ..frames }, a_frame)
    });
    VideoStorage {
        results: written(sampled, RESULTS),
        journal: written(new(unneeded), journal),
        frames: files.fold(Storage::default(), Storage::and),
    }
}

fn sampled(spec: &ExtractSpec, video: &VideoFacts) -> Extremes {
    let samples = video.expected_frames.unwrap_or(0) as f64;
    // There are no more entries than frames.
    let frames = video.fps.zip(video.duration);
    let frames = frames.map_or(f64::INFINITY, |(fps, seconds)| fps.to_f64() * seconds);
    let usual = samples.min(frames);
    let least = match (spec.dedup, video.fps) {
        (true, _) => usual.min(1.0),
        // Pictures are counted.
        (false, None) => usual,
        (false, Some(_)) => usual * SURELY,
    };
    Extremes { least, usual }
}

fn written(frames: Extremes, each: Extremes) -> Storage {
    Storage {
        least: (frames.least * each.least) as u64,
        usual: (frames.usual * each.usual) as u64,
    }
}
