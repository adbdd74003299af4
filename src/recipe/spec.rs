//! The typed recipe: what a user declared, resolved from all its layers and checked key by key.
//!
//! Every value that a later check may complain about keeps its place. Knows nothing of files
//! and nothing of what the stages do.

use crate::diag::SourceMap;
use crate::diag::Span;
use crate::name::BackendName;
use crate::name::StageId;
use crate::time::Ratio;
use std::collections::BTreeMap;

/// A recipe, resolved.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// What the user calls it: the preset's name or the file's.
    pub name: String,
    /// The `description` key.
    pub description: Option<String>,
    /// The stages in the order of the file (those of an extended recipe first).
    pub stages: Vec<Stage>,
    /// The `[backends.NAME]` tables.
    pub backends: BTreeMap<BackendName, Backend>,
    /// The texts that spans point into.
    pub sources: SourceMap,
}

/// One `[stages.ID]` table.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The key of the table.
    pub id: StageId,
    /// Where the id stands.
    pub span: Span,
    /// The edges that lead here.
    pub inputs: Vec<Input>,
    /// The parameters of its kind.
    pub spec: StageSpec,
    /// Where each key that was written stands (its value), for checks that come later.
    pub keys: BTreeMap<String, Span>,
}

impl Stage {
    /// Where the value of `key` stands; the stage's id where the key was not written.
    pub fn key(&self, key: &str) -> Span {
        self.keys.get(key).copied().unwrap_or(self.span)
    }
}

/// One entry of `inputs`.
#[derive(Clone, Debug)]
pub struct Input {
    /// The stage it names; not yet known to exist.
    pub stage: StageId,
    /// Where it is named.
    pub span: Span,
}

/// What a user can declare.
#[derive(Clone, Debug)]
pub enum StageSpec {
    /// Pictures and sound out of a video.
    Extract(ExtractSpec),
    /// Pictures into requests.
    Batch(BatchSpec),
    /// Objects in pictures.
    Yolo(YoloSpec),
    /// Words in sound.
    Whisper(WhisperSpec),
    /// Everything of a video into one record.
    Merge(MergeSpec),
}

impl StageSpec {
    /// The word for it in a recipe.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Extract(_) => "extract",
            Self::Batch(_) => "batch",
            Self::Yolo(_) => "yolo",
            Self::Whisper(_) => "whisper",
            Self::Merge(_) => "merge",
        }
    }
}

/// Parameters of `extract`.
#[derive(Clone, Debug)]
pub struct ExtractSpec {
    /// Pictures sampled a second of video.
    pub fps: Ratio,
    /// The longest side, in pixels, that leaves the decoder.
    pub max_side: u32,
    /// JPEG quality of pictures that leave the machine, 1 to 100.
    pub quality: u8,
}

/// Parameters of `batch`.
#[derive(Clone, Debug)]
pub struct BatchSpec {
    /// Pictures a request.
    pub size: usize,
}

/// Parameters of `yolo`.
#[derive(Clone, Debug)]
pub struct YoloSpec {
    /// `auto`, `local`, or a name under `[backends]`.
    pub backend: BackendName,
    /// A file, or what the server calls its model.
    pub model: Option<String>,
    /// A file of class names, one a line, for a model that does not carry them.
    pub names: Option<String>,
    /// Requests in flight; on `local`, sessions at most.
    pub concurrency: usize,
    /// The lowest confidence that is kept.
    pub conf: f32,
    /// The overlap from which the weaker of two boxes of a class is dropped.
    pub iou: f32,
    /// The side, in pixels, that pictures are fitted to.
    pub imgsz: u32,
    /// Whether a GPU worker may use half precision.
    pub half: bool,
    /// The classes to keep; all where empty.
    pub classes: Vec<u32>,
    /// The most boxes a picture.
    pub max_det: usize,
}

/// Parameters of `whisper`.
#[derive(Clone, Debug)]
pub struct WhisperSpec {
    /// `auto`, or a name under `[backends]`.
    pub backend: BackendName,
    /// A folder, or what the server calls its model.
    pub model: Option<String>,
    /// Requests in flight.
    pub concurrency: usize,
    /// ISO 639-1 code of what is spoken; found out where absent.
    pub language: Option<String>,
}

/// Parameters of `merge`.
#[derive(Clone, Debug)]
pub struct MergeSpec {
    /// The stage whose detections stand at the top of the results, where there are several.
    pub primary: Option<StageId>,
    /// The folder for the results; a template over `video`.
    pub output_dir: String,
}

/// One `[backends.NAME]` table.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Where the name stands.
    pub span: Span,
    /// The parameters of its kind.
    pub spec: BackendSpec,
}

/// What a backend can be.
#[derive(Clone, Debug)]
pub enum BackendSpec {
    /// This machine.
    Local(LocalSpec),
}

/// Parameters of a `local` backend.
#[derive(Clone, Debug, Default)]
pub struct LocalSpec {
    /// `rten` or `ort`.
    pub engine: LocalEngine,
    /// Threads of one session.
    pub threads: usize,
    /// Sessions of all stages together.
    pub concurrency: Option<usize>,
}

/// What runs a local model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalEngine {
    /// Needs nothing but this program.
    #[default]
    Rten,
    /// ONNX Runtime: faster; opened at run time, in builds with the feature `ort`.
    Ort,
}
