//! Steps: what stages are lowered to, and the plan that joins them.
//!
//! A step says how it runs, how much of it runs at once and how much it may hold. Knows nothing
//! of what runs it.

use crate::answer::StageDigest;
use crate::facts::LocalFacts;
use crate::facts::RemoteFacts;
use crate::item::ItemKind;
use crate::item::Moment;
use crate::item::PixelFormat;
use crate::name::BackendName;
use crate::name::StageId;
use crate::name::StepId;
use crate::name::VideoId;
use crate::plan::digest::stages::StageDigests;
use crate::plan::found::FoundForm;
use crate::plan::found::FoundTaken;
use crate::plan::lower::chunk::ChunkLength;
use crate::recipe::BatchSpec;
use crate::recipe::ExtractSpec;
use crate::recipe::MergeSpec;
use crate::recipe::SaveSpec;
use crate::recipe::StageKind;
use crate::recipe::TrackSpec;
use crate::recipe::WhisperSpec;
use crate::recipe::YoloSpec;
use crate::speech::Codec;
use petgraph::Direction;
use petgraph::graph::DiGraph;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::time::Duration;

/// The longest that the first request of a step goes alone. A worker that starts cold takes longer,
/// and then others had better start too; what they have not begun is taken back where the first
/// answer is no use.
pub const LONGEST_ALONE: Duration = Duration::from_secs(5);

/// A step of one plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepIndex(pub(super) NodeIndex);

/// The compiled recipe: immutable, checked, in topological order.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) graph: DiGraph<Step, ItemKind>,
    pub(super) order: Vec<StepIndex>,
    // The steps of each stage, in that order.
    pub(super) of_stages: BTreeMap<StageId, Vec<StepIndex>>,
    pub(super) stages: Vec<StagePlan>,
    pub(super) backends: BTreeMap<BackendName, usize>,
    pub(super) peak: Peak,
    pub(super) digests: StageDigests,
    // Whether frames that are like the last one are not looked at again.
    pub(super) repeats: bool,
}

impl Plan {
    /// Every step after those it takes from.
    pub fn steps(&self) -> impl Iterator<Item = (StepIndex, &Step)> {
        self.order
            .iter()
            .map(|&index| (index, &self.graph[index.0]))
    }

    /// The steps that `stage` was lowered to, every one after those it takes from.
    pub fn steps_of(&self, stage: &StageId) -> impl DoubleEndedIterator<Item = (StepIndex, &Step)> {
        let steps = self.of_stages.get(stage).map_or(&[][..], Vec::as_slice);
        steps.iter().map(|&index| (index, &self.graph[index.0]))
    }

    /// The edges that leave `step`: what flows on them, and to whom.
    pub fn edges(&self, step: StepIndex) -> Vec<(ItemKind, StepIndex)> {
        let edges = self.graph.edges(step.0);
        let mut edges: Vec<_> = edges
            .map(|edge| (*edge.weight(), StepIndex(edge.target())))
            .collect();
        edges.sort_by_key(|(_, to)| *to);
        edges
    }

    /// The frames in one item that `step` takes.
    pub fn frames_per_request(&self, step: StepIndex) -> usize {
        let before = self.graph.neighbors_directed(step.0, Direction::Incoming);
        let size = |node: NodeIndex| match &self.graph[node].kind {
            StepKind::Batch { spec, .. } => spec.size,
            _ => 1,
        };
        before.map(size).max().unwrap_or(1)
    }

    /// What leads to a step that asks a server for frames.
    pub(super) fn feed(&self, step: StepIndex) -> RequestFeed<'_> {
        let mut feed = RequestFeed {
            size: self.frames_per_request(step),
            max_bytes: None,
            selection: None,
            found: None,
            repeats: self.repeats,
        };
        let before = |node| {
            let mut before = self.graph.neighbors_directed(node, Direction::Incoming);
            before.next()
        };
        let mut node = before(step.0);
        while let Some(at) = node {
            match &self.graph[at].kind {
                StepKind::Batch { max_bytes, .. } => feed.max_bytes = Some(*max_bytes),
                StepKind::Encode { .. } => {}
                StepKind::SelectFrames { selection } => feed.selection = Some(selection),
                StepKind::TakeFound {
                    selection, taken, ..
                } => {
                    feed.selection = Some(selection);
                    feed.found = Some(taken.form);
                    break;
                }
                _ => break,
            }
            node = before(at);
        }
        feed
    }

    /// The number of edges that lead to `step`.
    pub fn inputs(&self, step: StepIndex) -> usize {
        self.graph
            .neighbors_directed(step.0, Direction::Incoming)
            .count()
    }

    /// What became of each stage, in the order of the recipe.
    pub fn stages(&self) -> &[StagePlan] {
        &self.stages
    }

    /// Requests that all steps on a backend may have in flight together.
    pub fn backends(&self) -> &BTreeMap<BackendName, usize> {
        &self.backends
    }

    /// What the answers of a stage are kept under; `None` where it asks nothing.
    pub fn digest(&self, stage: &StageId) -> Option<StageDigest> {
        self.digests.asked(stage)
    }

    /// What the end of the sound that a stage hears of a video is kept under.
    pub fn sound(&self, stage: &StageId) -> Option<StageDigest> {
        self.digests.sound(stage)
    }

    /// What the transcript that a stage makes of a video is kept under.
    pub fn transcript(&self, stage: &StageId) -> Option<StageDigest> {
        self.digests.transcript(stage)
    }

    /// What the sampled frames are kept under.
    pub fn sampling(&self) -> StageDigest {
        self.digests.sampling()
    }

    /// What the answers of a stage are decided by, as it may be written down and shown; `None` where
    /// it asks nothing.
    pub fn terms(&self, stage: &StageId) -> Option<&Value> {
        self.digests.asked_terms(stage)
    }

    /// The same of the sampled frames.
    pub fn sampling_terms(&self) -> &Value {
        self.digests.sampling_terms()
    }

    /// The stage that samples frames; `None` where none are looked at.
    pub fn sampler(&self) -> Option<&StageId> {
        let mut steps = self.steps().map(|(_, step)| step);
        let reading = steps.find(|step| matches!(step.kind, StepKind::ReadFrames { .. }))?;
        Some(&reading.stage)
    }

    /// The most that the frames of a run take in memory.
    pub fn peak(&self) -> Peak {
        self.peak
    }
}

/// What leads to a step that asks a server for frames.
pub(super) struct RequestFeed<'a> {
    /// Frames a request, at most.
    pub(super) size: usize,
    /// Bytes of JPEG a request, at most; `None` where each frame goes by itself.
    pub(super) max_bytes: Option<usize>,
    /// Which frames it takes; `None` for all.
    pub(super) selection: Option<&'a FrameSelection>,
    /// What it takes of those in which something was found; `None` for all frames, and whole.
    pub(super) found: Option<FoundForm>,
    /// Whether frames that show nothing new are left out before.
    pub(super) repeats: bool,
}

/// The most that the frames of a run take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Peak {
    /// Frames alive at once.
    pub frames: usize,
    /// Bytes of their pixels or JPEG, of the requests that are made of them, and of what
    /// decoders hold besides.
    pub bytes: u64,
    /// Bytes of sound.
    pub sound: u64,
}

/// What became of a stage.
#[derive(Clone, Debug)]
pub struct StagePlan {
    /// The stage.
    pub id: StageId,
    /// Its kind.
    pub kind: StageKind,
    /// Whether it runs.
    pub fate: StageFate,
}

/// Whether a stage runs.
#[derive(Clone, Debug, PartialEq)]
pub enum StageFate {
    /// It was lowered to these steps.
    Runs(Vec<StepId>),
    /// It has nothing to do in this plan, for this reason; its neighbours are joined directly.
    Bypassed(String),
    /// It does not run, for this reason, and its consumers go without.
    Skipped(String),
}

/// One thing that runs.
#[derive(Clone, Debug)]
pub struct Step {
    /// `<stage>.<what it does>`.
    pub id: StepId,
    /// The stage it came from.
    pub stage: StageId,
    /// What it does.
    pub kind: StepKind,
    /// How it runs.
    pub execution: Execution,
    /// How many items it works on at once.
    pub limit: Limit,
    /// The backend whose permits it needs besides its own.
    pub backend: Option<BackendName>,
    /// Whether its items leave in the order in which they came.
    pub ordered: bool,
    /// Items that wait before it.
    pub inbox: usize,
    /// Items that it has taken and not yet passed on: at work, waiting to be tried again, or
    /// waiting for their turn.
    pub window: usize,
    /// How often and how long a failed item is tried again.
    pub retry: Retry,
    /// Whether an item that leaves it is done with the stage. Where it does not, what leaves as
    /// detections is.
    pub last: bool,
    /// What its answers are kept under; `None` where it asks nothing that is kept.
    pub digest: Option<StageDigest>,
}

impl Step {
    /// Whether its limit is what users know as that of the stage.
    pub fn stands_for_stage(&self) -> bool {
        self.last || self.backend.is_some()
    }
}

/// Which frames a stage takes, whatever they show.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameSelection {
    /// One in so many, the first one included.
    pub every: u32,
    /// The videos of which it takes none, and why.
    pub without: BTreeMap<VideoId, String>,
}

impl FrameSelection {
    /// Why a frame is not taken; `None` where it is.
    pub fn skip_reason(&self, moment: &Moment) -> Option<String> {
        let every = self.every;
        match self.without.get(&moment.video) {
            Some(why) => Some(why.clone()),
            None if moment.index.is_multiple_of(u64::from(every.max(1))) => None,
            None => Some(format!("one frame in {every} is looked at")),
        }
    }
}

/// How a step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// A named thread for each video that is open.
    Source,
    /// Named threads, each with a state of its own.
    Threads,
    /// Asynchronous calls.
    Calls,
    /// One state for each video, which sees its items one after the other.
    Fold,
}

/// How many items a step works on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// At the beginning.
    pub start: usize,
    /// At most, ever; memory is computed from it.
    pub max: usize,
}

impl Limit {
    /// A limit that does not move.
    pub fn fixed(limit: usize) -> Self {
        Self {
            start: limit,
            max: limit,
        }
    }
}

/// How often and how long a failed item is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// The pause after the first; it doubles from there, with jitter.
    pub pause: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// How long it is tried again, from its first failure; whichever of the two ends first.
    pub time: Duration,
    /// How long a backend that answers nobody is waited for.
    pub outage: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 5,
            pause: Duration::from_millis(500),
            longest: Duration::from_secs(30),
            time: Duration::from_secs(600),
            outage: Duration::from_secs(300),
        }
    }
}

impl StepKind {
    /// Whether it asks a model, here or at a server.
    pub fn asks(&self) -> bool {
        match self {
            Self::Detect { .. }
            | Self::VisionRequest { .. }
            | Self::Transcribe { .. }
            | Self::SpeechRequest { .. } => true,
            Self::ReadFrames { .. }
            | Self::Encode { .. }
            | Self::SelectFrames { .. }
            | Self::TakeFound { .. }
            | Self::GatherCrops
            | Self::Batch { .. }
            | Self::Track { .. }
            | Self::Save { .. }
            | Self::ReadSound { .. }
            | Self::ChunkSound { .. }
            | Self::EncodeSound { .. }
            | Self::ComposeTranscript { .. }
            | Self::Merge { .. } => false,
        }
    }
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum StepKind {
    /// Samples frames from a video.
    ReadFrames {
        /// What to sample.
        spec: ExtractSpec,
        /// The layout that the consumers need.
        format: PixelFormat,
    },
    /// Makes JPEGs of frames.
    Encode {
        /// JPEG quality, 1 to 100.
        quality: u8,
    },
    /// Passes on the frames that a stage takes, and says of the others that they are skipped.
    SelectFrames {
        /// Which it takes.
        selection: FrameSelection,
    },
    /// Takes of each frame what another stage found in it, or the whole of it; says of a frame in
    /// which there is nothing that it is skipped.
    TakeFound {
        /// What is taken, and of what.
        taken: FoundTaken,
        /// The kind of the stage that takes it.
        taker: StageKind,
        /// Which frames are looked at.
        selection: FrameSelection,
    },
    /// Joins what was found in the crops of each frame.
    GatherCrops,
    /// Collects frames into requests.
    Batch {
        /// How many frames a request takes.
        spec: BatchSpec,
        /// How many bytes of JPEG a request takes.
        max_bytes: usize,
    },
    /// Runs a detector on this machine, a frame at a time.
    Detect {
        /// What to look for.
        spec: YoloSpec,
        /// With what.
        place: LocalFacts,
    },
    /// Sends frames to a server that looks at them, a request at a time.
    VisionRequest {
        /// Where.
        place: RemoteFacts,
        /// The side, in pixels, that its model fits frames to, where that is known.
        side: Option<u32>,
    },
    /// Says which boxes of a video are one thing.
    Track {
        /// The stage that finds them.
        of: StageId,
        /// How.
        spec: TrackSpec,
    },
    /// Writes frames to files.
    Save {
        /// Where to and how; where it says no quality, frames come as JPEG.
        spec: SaveSpec,
    },
    /// Reads the sound of a video.
    ReadSound {
        /// The number of the sound track, from 1; what a player would choose where absent.
        track: Option<NonZero<usize>>,
        /// The videos that it leaves alone, and why.
        without: BTreeMap<VideoId, String>,
    },
    /// Cuts sound into chunks.
    ChunkSound {
        /// How long they are.
        length: ChunkLength,
        /// Whether silence is dropped.
        drop_silence: bool,
    },
    /// Makes sound files of chunks.
    EncodeSound {
        /// How they are coded.
        codec: Codec,
    },
    /// Runs a speech model on this machine, a chunk at a time.
    Transcribe {
        /// What to listen for.
        spec: WhisperSpec,
        /// With what.
        place: LocalFacts,
    },
    /// Sends chunks of sound to a server.
    SpeechRequest {
        /// How they are coded.
        codec: Codec,
        /// Where.
        place: RemoteFacts,
    },
    /// Puts what was heard in a video in order.
    ComposeTranscript {
        /// The videos that nobody listens to, and why.
        without: BTreeMap<VideoId, String>,
    },
    /// Joins everything of a video.
    Merge {
        /// Where to and what first.
        spec: MergeSpec,
        /// The stages whose detections it joins.
        detecting: Vec<StageId>,
        /// How many stages say of each frame what file it was written to.
        saving: usize,
    },
}
