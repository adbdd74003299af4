//! The results file, format 1: the key names are the contract, also with users of the script
//! that this program replaces.
//!
//! Two runs over the same answers differ only in `processed_at`, `processing_time` and `run`.
//! Knows nothing of how a result is found or where the file goes.

use crate::facts::DamagedPackets;
use crate::failure::Class;
use crate::name::StageId;
use crate::output::results::classes::ClassEntry;
use crate::output::results::entries;
use crate::output::results::rare::Rare;
use crate::output::results::timeline::Scene;
use crate::output::results::tracks::LineCount;
use crate::output::results::tracks::TrackEntry;
use crate::output::results::transcription::Transcription;
use crate::template::Direction;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The version of the layout that [`Results`] writes.
pub const FORMAT: u32 = 1;

/// What was found in one video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// [`FORMAT`].
    pub format: u32,
    /// Whether the built-in model, which knows six drawn shapes and nothing else, had a part.
    #[serde(default, skip_serializing_if = "is_false")]
    pub demo: bool,
    /// The file or folder, as the user named it.
    pub video: String,
    /// Local time of the start, such as `2025-10-22 13:12:21`; empty in a snapshot.
    #[serde(default)]
    pub processed_at: String,
    /// Seconds from the start to this file.
    #[serde(default)]
    pub processing_time: f64,
    /// The parameters that everyone changes.
    pub config: Config,
    /// What the recipe said.
    #[serde(default)]
    pub recipe: RecipeEntry,
    /// What the video is.
    pub source: SourceEntry,
    /// How much of the video was wanted; absent where that is all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<WantedRange>,
    /// What inferred, by stage.
    pub models: BTreeMap<StageId, Model>,
    /// Counts over `detections`.
    pub summary: Summary,
    /// The stage that `detections` are of; absent where none looks for boxes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary: Option<StageId>,
    /// The classes of that stage, in order of their numbers: all that its model declares, where that
    /// is known, and those of `detections`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassEntry>,
    /// One entry a sampled frame, in order.
    #[serde(deserialize_with = "entries::read")]
    pub detections: Vec<Entry>,
    /// The things of which `detections` are sights, where a stage tracks them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tracks: Vec<TrackEntry>,
    /// What was said.
    pub transcription: Transcription,
    /// The video in scenes: what is seen while each segment is said, and while nobody speaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timeline: Vec<Scene>,
    /// The stages that had nothing to look at, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped: BTreeMap<StageId, String>,
    /// The output of each stage that gives records, and of each of those kinds of which there are
    /// several.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stages: BTreeMap<StageId, StageOutput>,
    /// What has no answer.
    pub failures: Vec<FailedItem>,
    /// How the run went.
    #[serde(default)]
    pub run: Run,
}

/// The parameters that everyone changes; `null` where no stage of the recipe has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// `concurrency` of the detecting stage.
    pub max_workers: Option<usize>,
    /// Frames a request.
    pub batch_size: Option<usize>,
    /// Frames sampled a second.
    pub fps: Option<f64>,
    /// The lowest confidence kept: of all classes, where they have one of their own.
    pub yolo_conf: Option<f32>,
    /// The overlap from which the weaker of two boxes is dropped.
    pub yolo_iou: Option<f32>,
    /// The side, in pixels, that frames are fitted to.
    pub yolo_imgsz: Option<u32>,
}

/// What the recipe said.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RecipeEntry {
    /// The name of the preset or of the file.
    pub name: String,
    /// BLAKE3 of `settings`, in hexadecimal.
    pub digest: String,
    /// The keys of each stage that were written, by the recipe, what it extends, or the command
    /// line. Without those that say where files go, or that may hold secrets.
    pub settings: BTreeMap<StageId, Map<String, Value>>,
}

/// How much of a video was wanted, in seconds since its first frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WantedRange {
    /// The first moment.
    pub start: f64,
    /// The moment after the last; `null` where that is the end of the video.
    pub end: Option<f64>,
    /// The parts, where there are several: what is between them was not wanted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<WantedPart>,
}

/// One of several parts of a video that were wanted, in seconds since its first frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WantedPart {
    /// The first moment.
    pub start: f64,
    /// The moment after the last; `null` where that is the end of the video.
    pub end: Option<f64>,
}

/// What the video is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceEntry {
    /// Pixels across, as shown; what boxes are measured in.
    pub width: u32,
    /// Pixels down, as shown.
    pub height: u32,
    /// Seconds; `null` for frames and streams that do not say.
    pub duration: Option<f64>,
    /// Frames a second on average; `null` as above.
    pub fps: Option<f64>,
    /// Seconds from where a player's clock begins to the first frame, which all times are told
    /// from; absent where it begins with that frame.
    #[serde(default, skip_serializing_if = "is_zero_seconds")]
    pub start_offset: f64,
    /// FFmpeg's name of the codec.
    pub codec: String,
    /// Clockwise degrees that the frame is turned by when shown.
    pub rotation: u16,
    /// BLAKE3 of the content, in hexadecimal.
    pub digest: String,
}

fn is_whole(damaged: &DamagedPackets) -> bool {
    *damaged == DamagedPackets::default()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero_seconds(seconds: &f64) -> bool {
    *seconds == 0.0
}

/// What inferred for a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Model {
    /// A model on the machine of the run.
    Local {
        /// The backend's name.
        backend: String,
        /// The file, or the name of the built-in one.
        model: String,
        /// BLAKE3 of the file, in hexadecimal.
        digest: String,
    },
    /// A model at a server.
    Remote {
        /// The backend's name.
        backend: String,
        /// What the server calls the model that it was asked for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
    },
    /// None: the stage was skipped.
    Skipped {
        /// Why.
        skipped: String,
    },
}

/// Counts over the frames of one detecting stage; at the top also over what was said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Frames sampled.
    pub frames: u64,
    /// Frames without an answer because something went wrong.
    pub failed: u64,
    /// Frames that were not looked at.
    pub skipped: u64,
    /// Frames that show what an earlier one shows, and have its answer.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repeated: u64,
    /// Objects found.
    pub objects: u64,
    /// Objects by the name of their class.
    pub classes: BTreeMap<Arc<str>, u64>,
    /// Things by the name of their class, where a stage tracks them: `objects` are their sights.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tracks: BTreeMap<Arc<str>, u64>,
    /// How often each line was crossed that the stage which tracks has.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub crossed: BTreeMap<Arc<str>, LineCount>,
    /// How often each region was entered that it has, by the name of the class.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub entered: BTreeMap<Arc<str>, BTreeMap<Arc<str>, u64>>,
    /// Frames with a record.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub records: u64,
    /// Segments of speech.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub segments: u64,
    /// Stretches of sound without an answer because something went wrong.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gaps: u64,
}

/// One sampled frame.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Seconds since the first frame of the video.
    pub timestamp: f64,
    /// The true index of the frame in its source.
    pub frame_number: u64,
    /// The number of samples that fell on this frame.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub samples: u64,
    /// The `frame_number` of the earlier frame that this one repeats, and whose answer it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<u64>,
    /// The file that a `save` stage wrote, or that of the frame that this one repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub saved: Option<String>,
    /// What was seen.
    #[serde(flatten)]
    pub seen: Seen,
}

/// What was seen in a frame. One without an answer has neither `detections` nor `count`, so
/// that a reader which only knows those stops at it instead of counting zero objects.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Seen {
    /// The model's answer.
    Objects {
        /// The objects, the most confident first.
        detections: Vec<Object>,
        /// How many they are.
        count: usize,
    },
    /// What a server said of it.
    Record {
        /// The fields that the recipe names.
        record: Map<String, Value>,
    },
    /// What a server said of each of its crops.
    Crops {
        /// In the order of the objects that they were cut around.
        crops: Vec<CropRecord>,
    },
    /// There is no answer.
    Error {
        /// The kind of failure; its text, which may vary, is under `run.errors`.
        error: Class,
    },
    /// Nobody looked.
    Skipped {
        /// Why.
        skipped: String,
    },
}

/// One object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// `[x1, y1, x2, y2]` in pixels of the source, to 0.01.
    pub bbox: [f64; 4],
    /// The index of the class in the model.
    pub class: u32,
    /// Its name.
    pub class_name: Arc<str>,
    /// From 0 to 1, to 0.0001.
    pub confidence: f64,
    /// Where it was found in a crop: which object of the stage that the crops are of, in the
    /// entry of the same frame, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<u32>,
    /// The thing that it is a sight of; see [`TrackEntry::track`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<u64>,
    /// The lines that the thing has crossed since its last sight, and which way.
    #[serde(default, skip_serializing_if = "Rare::is_none")]
    pub crossed: Rare<BTreeMap<Arc<str>, Direction>>,
    /// The regions that the thing was outside of, and is in now.
    #[serde(default, skip_serializing_if = "Rare::is_none")]
    pub entered: Rare<Vec<Arc<str>>>,
}

/// What a server said of a crop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CropRecord {
    /// What it was cut around; see [`Object::parent`].
    pub parent: u32,
    /// The fields that the recipe names.
    pub record: Map<String, Value>,
}

/// What one of several stages of a kind found, and all that stages found which give records.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StageOutput {
    /// What a detecting stage saw.
    Detected(Detected),
    /// What a stage was told that asks for records.
    Recorded {
        /// Counts over `records`.
        summary: Summary,
        /// One entry a sampled frame, in order.
        records: Vec<Entry>,
    },
    /// The transcript of a speech stage.
    Transcribed {
        /// What was said.
        transcription: Transcription,
    },
}

/// What one detecting stage saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detected {
    /// Counts over `detections`.
    pub summary: Summary,
    /// The classes of the stage; see [`Results::classes`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassEntry>,
    /// One entry a sampled frame, in order.
    #[serde(deserialize_with = "entries::read")]
    pub detections: Vec<Entry>,
    /// The things of which `detections` are sights, where the stage tracks them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tracks: Vec<TrackEntry>,
}

/// One thing that has no answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedItem {
    /// The stage that gave it up.
    pub stage: StageId,
    /// What it was: `frame 30`, or `video` where the source itself could not be read on.
    pub item: String,
    /// The kind of failure.
    pub class: Class,
}

/// How a run went: everything that may differ when the same is run again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The version of this program.
    pub version: String,
    /// Why the run ended early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// Packets that were damaged and left out; absent where this run met none.
    #[serde(default, skip_serializing_if = "is_whole")]
    pub damaged_packets: DamagedPackets,
    /// The share of this video in what the run cost, in US dollars; absent where nothing was paid.
    /// The shares of all videos are the cost of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// The server of each stage that has one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub servers: BTreeMap<StageId, ServerEntry>,
    /// What computed the model of each stage on the machine of the run.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub engines: BTreeMap<StageId, EngineEntry>,
    /// What each stage took.
    pub stages: BTreeMap<StageId, StageRun>,
    /// What failures were told as, each text once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorText>,
}

/// The server of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerEntry {
    /// The host that got the frames or the sound.
    pub host: String,
    /// The id of the endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
}

/// What computed a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineEntry {
    /// `rten` or `ort`.
    pub name: String,
    /// What it computed on, such as `cpu` or `cuda:0`.
    pub device: String,
}

/// What a stage took in a run, all its videos together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StageRun {
    /// Items that it could work on at once.
    pub workers: usize,
    /// Requests that were sent again.
    pub retries: u64,
    /// Requests that were too large, or that a handler failed on, and went on in halves.
    pub splits: u64,
    /// What its requests took, where it asks a server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<Requests>,
}

/// What the requests of a stage took, those that were sent again included.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Requests {
    /// How many were sent.
    pub count: u64,
    /// Their bodies.
    pub bytes_sent: u64,
    /// Time in the server's queue, where it tells.
    pub queue_seconds: Option<Spread>,
    /// Time at a worker, where the server tells.
    pub execution_seconds: Option<Spread>,
    /// Workers that are known by name.
    pub workers_seen: u64,
    /// Time at workers, added up.
    pub executed_seconds: f64,
    /// Paid worker time: jobs, short gaps between them, the idle tail, and the start as far as it
    /// is known; rounded up for each worker. `null` where it is not paid by the second.
    pub billed_seconds: Option<u64>,
    /// What is in the bill for the start of a worker, as the recipe says; `null` where it does not:
    /// the server does not tell, and the bill is without it.
    pub start_seconds: Option<f64>,
    /// US dollars.
    pub cost_usd: Option<f64>,
    /// How many times as fast it went as with one request at a time.
    pub speed_up: Option<f64>,
}

/// The middle and the slow end of a number of times, by nearest rank.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// Half of them are no longer.
    pub p50: f64,
    /// 95 of 100 are no longer.
    pub p95: f64,
}

/// The text of failures that were told in the same words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorText {
    /// The stage.
    pub stage: StageId,
    /// The kind of failure.
    pub class: Class,
    /// How many items it befell.
    pub items: u64,
    /// The words.
    pub text: String,
}

// serde hands references to these.
fn is_false(value: &bool) -> bool {
    !*value
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

fn is_one(value: &u64) -> bool {
    *value == 1
}

fn one() -> u64 {
    1
}
