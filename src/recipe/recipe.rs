//! The typed recipe: what a user declared, resolved from all its layers and checked key by key.
//!
//! Every value that a later check may complain about keeps its place. Knows nothing of files
//! and nothing of what the stages do.

use crate::diag::SourceMap;
use crate::diag::Span;
use crate::name::BackendName;
use crate::name::StageId;
use crate::recipe::backends::http::HttpSpec;
use crate::recipe::backends::openai::OpenaiSpec;
use crate::recipe::backends::runpod::RunpodSpec;
use crate::recipe::http::mapping::Subject;
use crate::recipe::load::value;
use crate::recipe::stages::extract::ExtractSpec;
use crate::recipe::stages::http::HttpStageSpec;
use crate::recipe::stages::save::SaveSpec;
use crate::recipe::stages::take::TakeSpec;
use crate::speech::Codec;
use crate::template::Fault;
use crate::template::Scope;
use crate::template::Template;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::num::NonZero;
use std::path::Path;

/// The backend of a stage that names none: found out when the recipe is run.
pub const AUTO: &str = "auto";

/// The backend that needs no table: this machine.
pub const LOCAL: &str = "local";

/// The kind of backend that is a RunPod endpoint.
pub const RUNPOD: &str = "runpod";

/// The kind of backend that speaks OpenAI's API.
pub const OPENAI: &str = "openai";

/// The kind of backend that is a server of one's own.
pub const HTTP: &str = "http";

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
    /// What it takes of what they give.
    pub take: TakeSpec,
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

/// One entry of `inputs`: `STAGE`, or `STAGE.PORT`.
#[derive(Clone, Debug)]
pub struct Input {
    /// The stage it names; not yet known to exist.
    pub stage: StageId,
    /// Which of the things that the stage gives.
    pub port: Port,
    /// Where it is named.
    pub span: Span,
}

/// Which of the things that a stage gives flows on an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Port {
    /// What its kind is for.
    #[default]
    Main,
    /// `crops`: what the stage found, cut out of the frame that it looked at.
    Crops,
    /// `boxes`: what the stage found, without the frame that it looked at.
    Boxes,
    /// `sound`: of what the stage reads, what is heard.
    Sound,
}

/// What a user can declare.
#[derive(Clone, Debug)]
pub enum StageSpec {
    /// Frames and sound out of a video.
    Extract(ExtractSpec),
    /// Frames into requests.
    Batch(BatchSpec),
    /// Objects in frames.
    Yolo(YoloSpec),
    /// Words in sound.
    Whisper(WhisperSpec),
    /// Whatever a server of one's own makes of frames or sound.
    Http(Box<HttpStageSpec>),
    /// Frames into files.
    Save(SaveSpec),
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
            Self::Http(_) => "http",
            Self::Save(_) => "save",
            Self::Merge(_) => "merge",
        }
    }

    /// Whether it has an answer for each frame.
    pub fn looks(&self) -> bool {
        match self {
            Self::Yolo(_) => true,
            Self::Http(http) => !http.listens(),
            _ => false,
        }
    }

    /// Whether it is shown frames, and not only told of them.
    pub fn takes_frames(&self) -> bool {
        match self {
            Self::Http(http) => matches!(http.mapping.about, Subject::Frame | Subject::Batch),
            _ => self.looks(),
        }
    }

    /// Whether it finds boxes in frames.
    pub fn detects(&self) -> bool {
        match self {
            Self::Yolo(_) => true,
            Self::Http(http) => !http.listens() && !http.records(),
            _ => false,
        }
    }

    /// Whether it writes down what is said.
    pub fn listens(&self) -> bool {
        match self {
            Self::Whisper(_) => true,
            Self::Http(http) => http.listens(),
            _ => false,
        }
    }
}

/// Parameters of `batch`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BatchSpec {
    /// Frames a request.
    #[serde(deserialize_with = "value::batch_size")]
    pub size: usize,
}

impl Default for BatchSpec {
    fn default() -> Self {
        Self { size: 16 }
    }
}

/// Parameters of `yolo`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct YoloSpec {
    /// `auto`, `local`, or a name under `[backends]`.
    #[serde(deserialize_with = "value::text")]
    #[schemars(with = "String")]
    pub backend: BackendName,
    /// A file, or what the server calls its model.
    #[serde(deserialize_with = "value::optional")]
    pub model: Option<String>,
    /// A file of class names, one a line, for a model that does not carry them.
    #[serde(deserialize_with = "value::optional")]
    pub names: Option<String>,
    /// Requests in flight; on `local`, sessions at most.
    #[serde(deserialize_with = "value::concurrency")]
    pub concurrency: usize,
    /// The lowest confidence that is kept.
    #[serde(deserialize_with = "value::share")]
    pub conf: f32,
    /// The overlap from which the weaker of two boxes of a class is dropped.
    #[serde(deserialize_with = "value::share")]
    pub iou: f32,
    /// The side, in pixels, that frames are fitted to.
    #[serde(deserialize_with = "value::imgsz")]
    pub imgsz: u32,
    /// Whether a GPU worker may use half precision.
    #[serde(deserialize_with = "value::flag")]
    pub half: bool,
    /// The classes to keep; all where empty.
    #[serde(deserialize_with = "value::classes")]
    pub classes: Vec<u32>,
    /// The most boxes a frame.
    #[serde(deserialize_with = "value::max_det")]
    pub max_det: usize,
}

impl Default for YoloSpec {
    fn default() -> Self {
        Self {
            backend: BackendName::from(AUTO),
            model: None,
            names: None,
            concurrency: 5,
            conf: 0.15,
            iou: 0.5,
            imgsz: 1280,
            half: true,
            classes: Vec::new(),
            max_det: 300,
        }
    }
}

/// Parameters of `whisper`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WhisperSpec {
    /// `auto`, `local`, or a name under `[backends]`.
    #[serde(deserialize_with = "value::text")]
    #[schemars(with = "String")]
    pub backend: BackendName,
    /// A folder, or what the server calls its model.
    #[serde(deserialize_with = "value::optional")]
    pub model: Option<String>,
    /// Requests in flight; on `local`, sessions at most.
    #[serde(deserialize_with = "value::concurrency")]
    pub concurrency: usize,
    /// ISO 639-1 code of what is spoken; found out where absent.
    #[serde(deserialize_with = "value::language")]
    pub language: Option<String>,
    /// Whether what is said is written down as it is, or in English.
    pub task: WhisperTask,
    /// The number of the sound track, from 1; where absent, what a player would choose.
    #[serde(deserialize_with = "value::track")]
    #[schemars(with = "Option<usize>")]
    pub track: Option<NonZero<usize>>,
    /// The longest sound, in seconds, that is listened to at once; where absent, the duration
    /// over `concurrency`, from 30 to 300, and 30 on `local`.
    #[serde(deserialize_with = "value::chunk")]
    pub chunk: Option<u32>,
    /// How sound that leaves the machine is coded: `flac`, `wav` or `opus`.
    #[schemars(with = "String")]
    pub codec: Codec,
    /// Whether silence is dropped before anybody listens.
    #[serde(deserialize_with = "value::flag")]
    pub vad_filter: bool,
    /// Whether each word has its time; without, a word at a cut within speech may be doubled or
    /// missing.
    #[serde(deserialize_with = "value::flag")]
    pub word_timestamps: bool,
    /// What a worker of RunPod's takes and gives.
    pub worker: WhisperWorker,
}

impl Default for WhisperSpec {
    fn default() -> Self {
        Self {
            backend: BackendName::from(AUTO),
            model: None,
            concurrency: 3,
            language: None,
            task: WhisperTask::default(),
            track: None,
            chunk: None,
            codec: Codec::default(),
            vad_filter: true,
            word_timestamps: true,
            worker: WhisperWorker::default(),
        }
    }
}

/// What becomes of what is said.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WhisperTask {
    /// It is written down.
    #[default]
    Transcribe,
    /// It is written down in English.
    Translate,
}

impl WhisperTask {
    /// The word for it in recipes and in requests.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transcribe => "transcribe",
            Self::Translate => "translate",
        }
    }
}

/// What a worker of RunPod's that listens takes and gives.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhisperWorker {
    /// A handler of one's own: takes `audio`, `language`, `task`, `vad_filter` and
    /// `word_timestamps`, gives `transcription`.
    #[default]
    Handler,
    /// RunPod's own faster-whisper: takes `audio_base64`, and refuses what it does not know.
    FasterWhisper,
}

/// Parameters of `merge`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MergeSpec {
    /// The stage whose detections stand at the top of the results, where there are several.
    #[serde(deserialize_with = "value::optional")]
    #[schemars(with = "Option<String>")]
    pub primary: Option<StageId>,
    /// The folder for the results.
    #[serde(deserialize_with = "value::template")]
    #[schemars(with = "String")]
    pub output_dir: Template,
    /// The files of what was said that are written beside the results.
    pub formats: Vec<CaptionFormat>,
    /// Letters of a line in captions.
    #[serde(deserialize_with = "value::line_width")]
    pub line_width: usize,
    /// Lines of a caption.
    #[serde(deserialize_with = "value::line_count")]
    pub line_count: usize,
}

impl Default for MergeSpec {
    fn default() -> Self {
        Self {
            primary: None,
            output_dir: Template::new("output", Scope::default()),
            formats: Vec::new(),
            line_width: 42,
            line_count: 2,
        }
    }
}

/// A file of what was said.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CaptionFormat {
    /// SubRip captions.
    Srt,
    /// WebVTT captions, for browsers.
    Vtt,
    /// A table with times in milliseconds.
    Tsv,
    /// Plain text.
    Txt,
}

impl CaptionFormat {
    /// The extension of such a file, which is also its name in recipes.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Srt => "srt",
            Self::Vtt => "vtt",
            Self::Tsv => "tsv",
            Self::Txt => "txt",
        }
    }
}

impl MergeSpec {
    /// The folder for the results of a video. In reach of the template: `video.path`,
    /// `video.folder`, `video.name` (with its extension) and `video.stem` (without).
    pub fn folder(&self, video: &Path) -> Result<String, Fault> {
        self.output_dir.render_with("video", values_of_video(video))
    }
}

/// What templates know of a video. Its name and stem are one part of a path each, also where the
/// video is called `...mp4`.
pub(in crate::recipe) fn values_of_video(video: &Path) -> Map<String, Value> {
    let text = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
    let part = |part: Option<&OsStr>| match text(part) {
        // `.` and `..` have no name of their own.
        none if none.is_empty() => "pictures".to_owned(),
        dots if dots.chars().all(|c| c == '.') => "_".repeat(dots.len()),
        name => name,
    };
    let values = [
        ("path", text(Some(video.as_os_str()))),
        ("folder", text(video.parent().map(Path::as_os_str))),
        ("name", part(video.file_name())),
        ("stem", part(video.file_stem())),
    ];
    let values = values.map(|(key, value)| (key.to_owned(), value.into()));
    values.into_iter().collect()
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
    /// An endpoint of RunPod Serverless.
    Runpod(Box<RunpodSpec>),
    /// A server that speaks OpenAI's API for sound.
    Openai(OpenaiSpec),
    /// Any server that answers with JSON.
    Http(Box<HttpSpec>),
}

/// Parameters of a `local` backend.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LocalSpec {
    /// What runs the models.
    pub engine: LocalEngine,
    /// Threads of one session.
    #[serde(deserialize_with = "value::threads")]
    pub threads: usize,
    /// Sessions of all stages together.
    #[serde(deserialize_with = "value::limit")]
    pub concurrency: Option<usize>,
}

impl Default for LocalSpec {
    fn default() -> Self {
        Self {
            engine: LocalEngine::Rten,
            threads: 1,
            concurrency: None,
        }
    }
}

/// What runs a local model.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LocalEngine {
    /// Needs nothing but this program.
    #[default]
    Rten,
    /// ONNX Runtime: faster; opened at run time, in builds with the feature `ort`.
    Ort,
}
