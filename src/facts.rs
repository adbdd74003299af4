//! Facts: what is known before a run about its videos, its machine and its backends.
//!
//! The plan is a pure function of a recipe and these.

use crate::item::Size;
use crate::name::BackendName;
use crate::name::StageId;
use crate::name::VideoId;
use crate::time::Pts;
use crate::time::Ratio;
use crate::time::TimeBase;
use crate::time::TimeRanges;
use serde::Deserialize;
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What one input is, as far as its headers say.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoFacts {
    /// Which input of the run.
    pub id: VideoId,
    /// The file, or the folder of pictures.
    pub path: PathBuf,
    /// Width and height as shown, rotation and the shape of pixels applied. Nothing
    /// for a file that has sound alone.
    pub size: Size,
    /// Seconds of the video stream, or of the sound where that is all; `None` for
    /// pictures and for streams that do not say.
    pub duration: Option<f64>,
    /// Frames a second, on average; `None` as above.
    pub fps: Option<Ratio>,
    /// FFmpeg's name of the codec, such as `h264`.
    pub codec: String,
    /// Clockwise degrees that the frame is turned by when shown: 0, 90, 180 or 270.
    pub rotation: u16,
    /// Whether there is a sound track.
    pub has_sound: bool,
    /// Where the first frame is, in a file that has sound beside its frames.
    pub first_frame: Option<FirstFrame>,
    /// The number of frames that will be sampled, where it is known beforehand.
    pub expected_frames: Option<u64>,
    /// The parts of it that are wanted.
    pub wanted: TimeRanges,
}

/// What is in a video: the same for two files is the same video, whatever their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VideoContent {
    /// BLAKE3 of it, in hexadecimal.
    pub digest: String,
    /// Its size.
    pub bytes: u64,
}

impl VideoFacts {
    /// Whether there is anything to see in it.
    pub fn has_frames(&self) -> bool {
        self.size.width > 0
    }

    /// Seconds from where a player's clock begins to the first frame: sound before it has negative
    /// times in results.
    pub fn start_offset(&self) -> f64 {
        self.first_frame.map_or(0.0, |first| first.offset)
    }

    /// Seconds of its sound that are transcribed; `None` where its length is not known.
    pub fn heard(&self) -> Option<f64> {
        self.heard_parts().map(|parts| parts.into_iter().sum())
    }

    /// The same of each part of it that is wanted and has any.
    pub fn heard_parts(&self) -> Option<Vec<f64>> {
        let length = Duration::try_from_secs_f64(self.duration?).ok()?;
        let parts = self
            .wanted
            .iter()
            .map(|range| range.length_in(length).as_secs_f64());
        Some(parts.filter(|seconds| *seconds > 0.0).collect())
    }
}

/// Where the first frame of a video is that can be shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FirstFrame {
    /// Its time stamp.
    pub pts: Pts,
    /// The tick of that.
    pub base: TimeBase,
    /// Seconds from where a player's clock begins, with the earliest stream of the file.
    pub offset: f64,
}

/// What was learnt of a stream by reading it, beyond what its headers say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamFacts {
    /// Seconds of it; `None` where not all of its packets were read, and where the input has
    /// another stream that says how long it is.
    pub length: Option<f64>,
    /// What of it was damaged.
    pub damaged: DamagedPackets,
}

/// Packets that were damaged and left out; which depends on what had to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DamagedPackets {
    /// Of those that were decoded for frames.
    pub frames: u64,
    /// Of the sound track that was heard; where several were, of the one with the most.
    pub sound: u64,
}

impl DamagedPackets {
    /// The larger number of each, for what was read more than once.
    pub fn or_more(self, other: Self) -> Self {
        Self {
            frames: self.frames.max(other.frames),
            sound: self.sound.max(other.sound),
        }
    }
}

/// Seconds of a stream, by its headers and by its packets. Headers know nothing of what was
/// joined behind them; what they round is left to them.
pub fn truer_length(headers: Option<f64>, packets: Option<f64>) -> Option<f64> {
    let differs = |packets: &f64| headers.is_none_or(|it| (it - packets).abs() > 0.5);
    packets.filter(differs).or(headers)
}

/// A survey of a video: its packets, and a few of its frames.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Survey {
    /// Frames that will be sampled.
    pub frames: u64,
    /// Whether the packets say so for sure; else they were counted by their times.
    pub exact: bool,
    /// Packets that will be decoded for them.
    pub packets: u64,
    /// Bytes of JPEG of some of the frames, which are spread over the video.
    pub sizes: Vec<u64>,
    /// Seconds of the stream, where all its packets were read.
    #[serde(skip)]
    pub duration: Option<f64>,
    /// Seconds that a packet takes all decoders together, as measured on these.
    pub decoding: f64,
    /// Seconds that a JPEG takes one thread, as measured on these.
    pub encoding: f64,
}

/// Where the inference of a stage happens and with what.
#[derive(Clone, Debug, PartialEq)]
pub enum Placement {
    /// On this machine.
    Local(LocalFacts),
    /// At a server.
    Remote(RemoteFacts),
    /// Nowhere: the stage is skipped.
    Skipped {
        /// One sentence for the user.
        why: String,
    },
}

impl Placement {
    /// Why the stage is placed there, in a few words; empty where it could run nowhere else.
    pub fn why(&self) -> &str {
        match self {
            Self::Local(LocalFacts { why, .. })
            | Self::Remote(RemoteFacts { why, .. })
            | Self::Skipped { why } => why,
        }
    }

    /// The server that it is placed on, if it is.
    pub fn remote(&self) -> Option<&RemoteFacts> {
        match self {
            Self::Remote(facts) => Some(facts),
            Self::Local(_) | Self::Skipped { .. } => None,
        }
    }
}

/// A model on this machine.
#[derive(Clone, Debug, PartialEq)]
pub struct LocalFacts {
    /// Why the stage is placed here, in a few words.
    pub why: String,
    /// The backend's name; `local` unless the recipe names one.
    pub backend: BackendName,
    /// The engine that runs the model: `rten` or `ort`; empty in a replay, where none does.
    pub engine: String,
    /// What it computes on, such as `cpu` or `cuda:0`.
    pub device: String,
    /// Threads of one session.
    pub threads: usize,
    /// Requests that all stages on this backend may run together; `None` for as many as theirs.
    pub concurrency: Option<usize>,
    /// What the model says of itself.
    pub model: ModelFacts,
}

impl LocalFacts {
    /// Whether the cores of this machine compute it.
    pub fn is_on_cpu(&self) -> bool {
        self.device == "cpu"
    }
}

/// A remote backend.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteFacts {
    /// Why the stage is placed there, in a few words; empty where it could run nowhere else.
    pub why: String,
    /// The backend's name.
    pub backend: BackendName,
    /// The host that gets frames or sound; empty in a replay, where none does.
    pub host: String,
    /// What the server calls the model that it is asked for; `None` where it is asked for none.
    pub model: Option<String>,
    /// The id of the endpoint; `None` where the server has none.
    pub endpoint: Option<String>,
    /// Requests that all stages on this backend may have in flight together; `None` for as many
    /// as theirs.
    pub concurrency: Option<usize>,
    /// The largest request in bytes.
    pub max_body: usize,
    /// How a request carries the bytes of frames and sound.
    pub encoding: Encoding,
    /// Attempts at one request, the first included.
    pub attempts: u32,
    /// How long one request is tried again, from its first failure; whichever of the two ends
    /// first.
    pub retry_time: Duration,
    /// How long it is waited for where it answers nobody.
    pub outage_timeout: Duration,
    /// The workers behind the server, where they are paid by the second.
    pub fleet: Option<FleetFacts>,
    /// What the model calls its classes, by their numbers, where the recipe says it; else nothing.
    pub class_names: Vec<Arc<str>>,
    /// The variables of the environment whose values the recipe puts into what is sent.
    pub variables: Vec<String>,
    /// The variable that holds the key which is sent; `None` where none is.
    pub key: Option<String>,
    /// The host of the proxy that it is reached through.
    pub proxy: Option<String>,
}

/// How the body of a request carries the bytes of frames and sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As base64 in JSON: four bytes for three.
    Base64,
    /// As they are, in a form or as the body itself.
    Raw,
}

impl Encoding {
    /// Bytes of frames or sound that fit into `body` bytes of a request.
    pub fn held(self, body: usize) -> usize {
        match self {
            Self::Base64 => body / 4 * 3,
            Self::Raw => body,
        }
    }

    /// Bytes of a request for each byte of frames or sound in it.
    pub fn growth(self) -> f64 {
        match self {
            Self::Base64 => 4.0 / 3.0,
            Self::Raw => 1.0,
        }
    }
}

/// Workers that are paid by the second: what the recipe says of them, for forecasts.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetFacts {
    /// Workers at most.
    pub workers: usize,
    /// GPU memory of one worker, in GB of 10^9 bytes; `None` where the recipe does not say.
    pub vram_gb: Option<f32>,
    /// US dollars a second of one worker.
    pub price_per_second: f64,
    /// How long a worker stays, and is paid, after its last job.
    pub idle_timeout: Duration,
    /// How long a worker takes, and is paid, before its first job; zero where the recipe does
    /// not say.
    pub cold_start: Duration,
    /// How long a worker takes for a frame; `None` where the recipe does not say.
    pub frame_time: Option<Duration>,
    /// How long it takes for a second of sound; `None` where the recipe does not say.
    pub sound_time: Option<Duration>,
    /// How long it takes nothing between two jobs; `None` where the recipe does not say.
    pub job_gap: Option<Duration>,
}

/// What a model says of itself.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelFacts {
    /// The file or folder, `built-in shapes`, or `built-in voice`.
    pub name: String,
    /// Whether it is a built-in demo model, which knows six drawn shapes or 60 words about them.
    pub demo: bool,
    /// The classes by index; none for a speech model.
    pub classes: Vec<Arc<str>>,
    /// The input size that the model insists on; `None` where it takes what it is given.
    pub fixed_size: Option<Size>,
    /// The side, in pixels, that a model with a free input was exported for, where it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub imgsz: Option<u32>,
    /// BLAKE3 of the file, in hexadecimal.
    pub digest: String,
}

impl ModelFacts {
    /// The same, called as the recipe writes it where it does: results say nothing of where that
    /// lies on this machine.
    pub fn called(self, written: Option<&str>) -> Self {
        Self {
            name: written.map_or(self.name, str::to_owned),
            ..self
        }
    }
}

/// The input of a plan besides the recipe.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Cores of this machine.
    pub cores: usize,
    /// Where each stage that infers is placed.
    pub placements: BTreeMap<StageId, Placement>,
    /// Frames that the decoders of one video hold besides the one they pass on.
    pub decoder_frames: usize,
    /// Bytes that they hold besides those.
    pub decoder_bytes: u64,
    /// No more than so much of each video is wanted.
    pub first: Option<Duration>,
    /// The videos of the run; empty for `check` and `graph`.
    pub videos: Vec<VideoFacts>,
    /// What was found out about those that were surveyed; empty but for `plan`.
    pub surveys: BTreeMap<VideoId, Survey>,
    /// What is answered already of those that are known.
    pub known: BTreeMap<VideoId, KnownVideo>,
    /// How fast the stages on this machine are; empty but for `plan`.
    pub speeds: BTreeMap<StageId, LocalSpeed>,
}

/// How fast a model was seen to be on this machine, in one session.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LocalSpeed {
    /// Seconds for a frame, or for a second of sound.
    pub seconds: f64,
    /// Whether it was not done in that time, so that it takes longer.
    pub is_least: bool,
}

/// What is answered already of a video.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownVideo {
    /// Frames that nobody needs to see.
    pub unneeded: u64,
    /// Frames whose files are all there.
    pub saved: u64,
    /// By the stages that asked.
    pub stages: BTreeMap<StageId, KnownWork>,
}

/// How much of a video a stage need not ask about: frames, or seconds of sound; infinite where that
/// is all there is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct KnownWork {
    /// What is answered for sure.
    pub least: f64,
    /// The same with what a server still has, and with what turns out to be answered once the video
    /// is read. That is what is expected.
    pub most: f64,
}
