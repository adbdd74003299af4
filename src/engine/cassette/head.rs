//! The head of a cassette, `cassette.json`: what was run over which videos, and what decides the
//! answers of each stage.

use crate::answer::StageDigest;
use crate::facts::FirstFrame;
use crate::facts::ModelFacts;
use crate::facts::VideoFacts;
use crate::item::Size;
use crate::name::BackendName;
use crate::name::StageId;
use crate::name::VideoId;
use crate::time::Pts;
use crate::time::Ratio;
use crate::time::TimeBase;
use crate::time::TimeRange;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The format that is written; it counts up where a program of before would misread it.
pub(super) const FORMAT: u64 = 1;

/// The name of the file.
pub(super) const FILE: &str = "cassette.json";

/// Seconds of a video, at most: thirty years.
const LONGEST: f64 = 1e9;

/// Pixels of its side, at most.
const WIDEST: u32 = 1 << 20;

/// Its sampled frames, at most.
const MOST_FRAMES: u64 = 1 << 40;

/// What a cassette says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CassetteHead {
    /// The version of how it is written.
    pub format: u64,
    /// A digest of all else in this file.
    #[serde(default)]
    pub check: String,
    /// What the user called the recipe, without folders.
    pub recipe: String,
    /// The digest of the recipe as it was run, in hexadecimal.
    pub recipe_digest: String,
    /// The videos, each content once.
    pub videos: Vec<CassetteVideo>,
    /// The stages whose answers are here, in the order of the recipe.
    pub stages: Vec<CassetteStage>,
}

/// A video of a cassette: all that is known of it without its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CassetteVideo {
    /// The name of the file or folder, without those above.
    pub name: String,
    /// Those of the other inputs that had the same content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_names: Vec<String>,
    /// Whether it is a folder, of pictures.
    #[serde(default, skip_serializing_if = "is_file")]
    pub is_folder: bool,
    /// BLAKE3 of the content, in hexadecimal.
    pub digest: String,
    /// Width and height as shown; zero where there is sound alone.
    pub size: [u32; 2],
    /// Seconds, where that is known.
    pub duration: Option<f64>,
    /// Frames a second as a fraction, where that is known.
    pub fps: Option<[i64; 2]>,
    /// FFmpeg's name of the codec.
    pub codec: String,
    /// Clockwise degrees.
    pub rotation: u16,
    /// Whether there is a sound track.
    pub has_sound: bool,
    /// Where the first frame is, in a file that has sound beside its frames.
    pub first_frame: Option<CassetteFirstFrame>,
    /// Frames that are sampled, where that is known beforehand.
    pub expected_frames: Option<u64>,
    /// Where the first part that is wanted of it begins, in seconds from the first frame.
    pub heard_from: f64,
    /// Where the last one ends, likewise. A replay is told by its recipe what is wanted.
    pub heard_until: Option<f64>,
}

/// Where the first frame of a video is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CassetteFirstFrame {
    /// Its time stamp.
    pub pts: Pts,
    /// The tick of that, as a fraction of a second.
    pub base: [i64; 2],
    /// Seconds from where a player's clock begins.
    pub offset: f64,
}

fn is_file(is_folder: &bool) -> bool {
    !is_folder
}

impl CassetteVideo {
    /// What is kept of a file whose content has this digest.
    pub fn of(facts: &VideoFacts, digest: String) -> Self {
        let fraction = |ratio: Ratio| [ratio.num(), ratio.den()];
        let VideoFacts {
            id: _,
            path,
            size,
            duration,
            fps,
            codec,
            rotation,
            has_sound,
            first_frame,
            expected_frames,
            wanted,
        } = facts;
        Self {
            name: name_of(path),
            other_names: Vec::new(),
            is_folder: false,
            digest,
            size: [size.width, size.height],
            duration: *duration,
            fps: fps.map(fraction),
            codec: codec.clone(),
            rotation: *rotation,
            has_sound: *has_sound,
            first_frame: first_frame.map(|first| CassetteFirstFrame {
                pts: first.pts,
                base: fraction(first.base.ratio()),
                offset: first.offset,
            }),
            expected_frames: *expected_frames,
            heard_from: wanted.start().as_secs_f64(),
            heard_until: wanted.end().map(|end| end.as_secs_f64()),
        }
    }

    /// Whether a file can be what it says: a name is shown, and becomes a part of the names of
    /// results; times are computed with.
    pub(super) fn can_be(&self) -> bool {
        let is_name = |name: &str| {
            let is_whole = Path::new(name).file_name() == Some(name.as_ref());
            is_whole && name.chars().all(is_part_of_name)
        };
        let is_digest = self.digest.chars().all(|it| it.is_ascii_alphanumeric());
        let times = [Some(self.heard_from), self.duration, self.heard_until];
        let is_time = |seconds: f64| (0.0..=LONGEST).contains(&seconds);
        let of_first = self.first_frame.map_or(0.0, |first| first.offset);
        is_digest
            && self.names().all(is_name)
            && times.into_iter().flatten().all(is_time)
            && of_first.abs() <= LONGEST
            && self.size.iter().all(|side| *side <= WIDEST)
            && self.expected_frames.unwrap_or(0) <= MOST_FRAMES
    }

    /// Its names, in the order of the inputs.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let others = self.other_names.iter().map(String::as_str);
        [self.name.as_str()].into_iter().chain(others)
    }

    /// Whether the file or folder at `path` has one of its names.
    pub fn is_called(&self, path: &Path) -> bool {
        let name = name_of(path);
        self.names().any(|it| it == name)
    }

    /// The facts of the video, which is the input `id` of a run and called `path` there.
    pub fn facts(&self, id: VideoId, path: PathBuf) -> VideoFacts {
        let [width, height] = self.size;
        VideoFacts {
            id,
            path,
            size: Size { width, height },
            duration: self.duration,
            fps: self.fps.and_then(|[num, den]| Ratio::new(num, den)),
            codec: self.codec.clone(),
            rotation: self.rotation,
            has_sound: self.has_sound,
            first_frame: self.first_frame.and_then(|first| {
                let [num, den] = first.base;
                Some(FirstFrame {
                    pts: first.pts,
                    base: TimeBase::new(num, den)?,
                    offset: first.offset,
                })
            }),
            expected_frames: self.expected_frames,
            wanted: TimeRange {
                start: duration(self.heard_from),
                end: self.heard_until.map(duration),
            }
            .into(),
        }
    }
}

// What is out of reason was refused when it was read.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// A stage of a cassette.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CassetteStage {
    /// Its id.
    pub id: StageId,
    /// The word for its kind.
    pub kind: String,
    /// Where it inferred; absent for one that has no model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<CassettePlace>,
    /// What decides its answers: of the stage that samples, which frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<Value>,
    /// What its answers are kept under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<StageDigest>,
    /// What the sampled frames are kept under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sampling: Option<StageDigest>,
    /// What the end of its sound is kept under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<StageDigest>,
    /// What its transcripts are kept under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<StageDigest>,
    /// Lines of its file.
    #[serde(default)]
    pub lines: u64,
    /// A digest of them.
    #[serde(default)]
    pub digest: String,
}

impl CassetteStage {
    /// All that its answers are kept under.
    pub(super) fn digests(&self) -> impl Iterator<Item = StageDigest> {
        let all = [self.asked, self.sampling, self.sound, self.transcript];
        all.into_iter().flatten()
    }
}

/// Where a stage inferred, whatever machine that was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CassettePlace {
    /// With a model on the machine.
    Local(CassetteModel),
    /// At a server.
    Remote {
        /// The backend's name.
        backend: BackendName,
        /// What the server calls its model, where it has several.
        model: Option<String>,
    },
    /// Nowhere: the stage was skipped.
    Skipped {
        /// Why.
        why: String,
    },
}

/// A model that was on the machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CassetteModel {
    /// The name of its file or folder, without those above.
    pub name: String,
    /// Whether it is a built-in demo model.
    pub demo: bool,
    /// BLAKE3 of the file, in hexadecimal.
    pub digest: String,
    /// The classes by index.
    pub classes: Vec<Arc<str>>,
    /// The input size that it insists on.
    pub fixed_size: Option<[u32; 2]>,
    /// The side that it was exported for.
    pub imgsz: Option<u32>,
}

impl CassetteModel {
    /// What is kept of a model.
    pub fn of(model: &ModelFacts) -> Self {
        Self {
            name: name_of(Path::new(&model.name)),
            demo: model.demo,
            digest: model.digest.clone(),
            classes: model.classes.clone(),
            fixed_size: model.fixed_size.map(|size| [size.width, size.height]),
            imgsz: model.imgsz,
        }
    }

    /// Whether a file or folder at `path` has its name.
    pub fn is_called(&self, path: &Path) -> bool {
        name_of(path) == self.name
    }

    /// What a run that calls it `name` knows of it.
    pub fn facts(&self, name: String) -> ModelFacts {
        ModelFacts {
            name,
            demo: self.demo,
            classes: self.classes.clone(),
            fixed_size: self
                .fixed_size
                .map(|[width, height]| Size { width, height }),
            imgsz: self.imgsz,
            digest: self.digest.clone(),
        }
    }
}

/// The name of a file or folder, without those above, and without what leads elsewhere on another
/// system or commands a screen.
pub(super) fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.replace(|letter| !is_part_of_name(letter), "_")
}

fn is_part_of_name(letter: char) -> bool {
    !letter.is_control() && !['/', '\\'].contains(&letter)
}

/// The file of the stage in this place of the head: numbered, since no system takes every name.
pub(super) fn file_of(place: usize, stage: &StageId) -> String {
    format!("{}-{stage}.jsonl", place + 1)
}

/// The digest of all else in a head.
pub(super) fn check_of(head: &CassetteHead) -> String {
    let bare = CassetteHead {
        check: String::new(),
        ..head.clone()
    };
    let text = serde_json::to_vec(&bare).unwrap_or_default();
    blake3::hash(&text).to_hex().chars().take(16).collect()
}
