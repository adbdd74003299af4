//! The kinds of stages and of backends: all that a user can declare.
//!
//! What holds of a kind stands in its own file, under `stages` or `backends`; this is the list of
//! them. The lengths of the `ALL` arrays are computed from `Merge` and `Http`, the
//! last ones.

use crate::diag::Diagnostic;
use crate::item::ItemKind;
use crate::name::BackendName;
use crate::recipe::backends;
use crate::recipe::backends::facts::BackendFacts;
use crate::recipe::backends::facts::BackendTable;
use crate::recipe::backends::http::HttpSpec;
use crate::recipe::backends::local::LocalSpec;
use crate::recipe::backends::openai::OpenaiSpec;
use crate::recipe::backends::runpod::RunpodSpec;
use crate::recipe::context::Context;
use crate::recipe::stages;
use crate::recipe::stages::batch::BatchSpec;
use crate::recipe::stages::extract::ExtractSpec;
use crate::recipe::stages::http::HttpStageSpec;
use crate::recipe::stages::merge::MergeSpec;
use crate::recipe::stages::parameters::Medium;
use crate::recipe::stages::parameters::Ports;
use crate::recipe::stages::parameters::StageFacts;
use crate::recipe::stages::parameters::StageParameters;
use crate::recipe::stages::parameters::StageTable;
use crate::recipe::stages::save::SaveSpec;
use crate::recipe::stages::sound::SoundSpec;
use crate::recipe::stages::track::TrackSpec;
use crate::recipe::stages::whisper::WhisperSpec;
use crate::recipe::stages::yolo::YoloSpec;
use schemars::JsonSchema;
use serde::Serialize;
use serde::Serializer;
use serde::de::DeserializeOwned;
use std::fmt;

/// A kind of stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StageKind {
    /// Frames and sound out of a video.
    Extract,
    /// Frames into requests.
    Batch,
    /// Objects in frames.
    Yolo,
    /// Words in sound.
    Whisper,
    /// Whatever a server of one's own makes of frames or sound.
    Http,
    /// Boxes of one thing, from frame to frame.
    Track,
    /// Frames into files.
    Save,
    /// Everything of a video into one record.
    Merge,
}

impl StageKind {
    /// Every kind.
    pub const ALL: [Self; Self::Merge as usize + 1] = [
        Self::Extract,
        Self::Batch,
        Self::Yolo,
        Self::Whisper,
        Self::Http,
        Self::Track,
        Self::Save,
        Self::Merge,
    ];

    /// What holds of every stage of the kind.
    pub fn facts(self) -> &'static StageFacts {
        match self {
            Self::Extract => &stages::extract::FACTS,
            Self::Batch => &stages::batch::FACTS,
            Self::Yolo => &stages::yolo::FACTS,
            Self::Whisper => &stages::whisper::FACTS,
            Self::Http => &stages::http::FACTS,
            Self::Track => &stages::track::FACTS,
            Self::Save => &stages::save::FACTS,
            Self::Merge => &stages::merge::FACTS,
        }
    }

    /// The word for it in a recipe.
    pub fn word(self) -> &'static str {
        self.facts().word
    }

    /// The kind with this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// "`merge` or `save`".
    pub fn list(kinds: &[Self]) -> String {
        let words: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
        words.join(" or ")
    }

    /// Shows `visitor` the type of the parameters.
    pub(in crate::recipe) fn visit<V: SpecVisitor>(self, visitor: V) -> V::Output {
        match self {
            Self::Extract => visitor.visit::<ExtractSpec>(),
            Self::Batch => visitor.visit::<BatchSpec>(),
            Self::Yolo => visitor.visit::<YoloSpec>(),
            Self::Whisper => visitor.visit::<WhisperSpec>(),
            Self::Http => visitor.visit::<HttpStageSpec>(),
            Self::Track => visitor.visit::<TrackSpec>(),
            Self::Save => visitor.visit::<SaveSpec>(),
            Self::Merge => visitor.visit::<MergeSpec>(),
        }
    }

    /// Reads the parameters of a stage of the kind.
    pub(in crate::recipe) fn read(
        self,
        context: &Context<'_>,
        table: StageTable<'_>,
        wrong: &mut Vec<Diagnostic>,
    ) -> StageSpec {
        match self {
            Self::Extract => StageSpec::Extract(ExtractSpec::read(table, wrong)),
            Self::Batch => StageSpec::Batch(table.read(self.facts(), &[], wrong)),
            Self::Yolo => StageSpec::Yolo(table.read(self.facts(), &[], wrong)),
            Self::Whisper => StageSpec::Whisper(WhisperSpec::read(table, wrong)),
            Self::Http => StageSpec::Http(Box::new(HttpStageSpec::read(context, table, wrong))),
            Self::Track => StageSpec::Track(TrackSpec::read(table, wrong)),
            Self::Save => StageSpec::Save(SaveSpec::read(context, table, wrong)),
            Self::Merge => StageSpec::Merge(MergeSpec::read(context, table, wrong)),
        }
    }
}

impl fmt::Display for StageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl Serialize for StageKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

/// A stage as it is declared: its kind and the parameters.
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
    /// Boxes of one thing, from frame to frame.
    Track(TrackSpec),
    /// Frames into files.
    Save(SaveSpec),
    /// Everything of a video into one record.
    Merge(MergeSpec),
}

impl StageSpec {
    /// Its kind.
    pub fn kind(&self) -> StageKind {
        match self {
            Self::Extract(_) => StageKind::Extract,
            Self::Batch(_) => StageKind::Batch,
            Self::Yolo(_) => StageKind::Yolo,
            Self::Whisper(_) => StageKind::Whisper,
            Self::Http(_) => StageKind::Http,
            Self::Track(_) => StageKind::Track,
            Self::Save(_) => StageKind::Save,
            Self::Merge(_) => StageKind::Merge,
        }
    }

    fn parameters(&self) -> &dyn StageParameters {
        match self {
            Self::Extract(spec) => spec,
            Self::Batch(spec) => spec,
            Self::Yolo(spec) => spec,
            Self::Whisper(spec) => spec,
            Self::Http(spec) => &**spec,
            Self::Track(spec) => spec,
            Self::Save(spec) => spec,
            Self::Merge(spec) => spec,
        }
    }

    /// The parameters, where they are those of a stage that has a model.
    pub(in crate::recipe) fn inference(&self) -> Option<InferenceSpec<'_>> {
        match self {
            Self::Yolo(spec) => Some(InferenceSpec::Yolo(spec)),
            Self::Whisper(spec) => Some(InferenceSpec::Whisper(spec)),
            Self::Http(spec) => Some(InferenceSpec::Http(spec)),
            Self::Extract(_) | Self::Batch(_) | Self::Track(_) | Self::Save(_) | Self::Merge(_) => {
                None
            }
        }
    }

    /// What it takes and gives.
    pub fn ports(&self) -> Ports {
        self.parameters().ports()
    }

    /// What it infers on; `None` where it has no model.
    pub fn medium(&self) -> Option<Medium> {
        self.parameters().medium()
    }

    /// Which sound it infers on; `None` where that is none.
    pub fn sound(&self) -> Option<&SoundSpec> {
        self.parameters().sound()
    }

    /// The backend that it names; `None` for a kind that has none.
    pub fn backend(&self) -> Option<&BackendName> {
        self.parameters().backend()
    }

    /// Whether it finds boxes in frames.
    pub fn detects(&self) -> bool {
        self.ports().gives.contains(&ItemKind::Detections)
    }
}

/// The parameters of a stage that has a model.
#[derive(Clone, Copy, Debug)]
pub(in crate::recipe) enum InferenceSpec<'a> {
    Yolo(&'a YoloSpec),
    Whisper(&'a WhisperSpec),
    Http(&'a HttpStageSpec),
}

/// What is done with the type of a kind's parameters.
pub(in crate::recipe) trait SpecVisitor {
    /// What comes of it.
    type Output;

    /// Does it.
    fn visit<T: JsonSchema + DeserializeOwned + Default>(self) -> Self::Output;
}

/// A kind of backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BackendKind {
    /// This machine.
    Local,
    /// An endpoint of RunPod Serverless.
    Runpod,
    /// A server that speaks OpenAI's API for sound.
    Openai,
    /// Any server that answers with JSON.
    Http,
}

impl BackendKind {
    /// Every kind.
    pub const ALL: [Self; Self::Http as usize + 1] =
        [Self::Local, Self::Runpod, Self::Openai, Self::Http];

    /// What holds of every backend of the kind.
    pub fn facts(self) -> &'static BackendFacts {
        match self {
            Self::Local => &backends::local::FACTS,
            Self::Runpod => &backends::runpod::FACTS,
            Self::Openai => &backends::openai::FACTS,
            Self::Http => &backends::http::FACTS,
        }
    }

    /// The word for it in a recipe.
    pub fn word(self) -> &'static str {
        self.facts().word
    }

    /// The kind with this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Reads the parameters of a backend of the kind.
    pub(in crate::recipe) fn read(
        self,
        context: &Context<'_>,
        table: BackendTable<'_>,
        wrong: &mut Vec<Diagnostic>,
    ) -> BackendSpec {
        match self {
            Self::Local => BackendSpec::Local(LocalSpec::read(table, wrong)),
            Self::Runpod => BackendSpec::Runpod(Box::new(RunpodSpec::read(context, table, wrong))),
            Self::Openai => BackendSpec::Openai(OpenaiSpec::read(table, wrong)),
            Self::Http => BackendSpec::Http(Box::new(HttpSpec::read(context, table, wrong))),
        }
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A backend as it is declared: its kind and the parameters.
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

impl BackendSpec {
    /// Its kind.
    pub fn kind(&self) -> BackendKind {
        match self {
            Self::Local(_) => BackendKind::Local,
            Self::Runpod(_) => BackendKind::Runpod,
            Self::Openai(_) => BackendKind::Openai,
            Self::Http(_) => BackendKind::Http,
        }
    }

    /// The variable that holds its key, if it has one.
    pub fn key_variable(&self) -> Option<&str> {
        match self {
            Self::Local(_) => None,
            Self::Runpod(spec) => Some(&spec.api_key_env),
            Self::Openai(spec) => spec.key_variable(),
            Self::Http(spec) => spec.api_key_env.as_deref(),
        }
    }
}
