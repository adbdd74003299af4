//! Parameters of an `http` stage: what it asks a server of one's own, and what it makes of the
//! answers.
//!
//! Where the server is and how it is reached is a matter of its backend.

use crate::diag::Diagnostic;
use crate::diag::Span;
use crate::item::ItemKind;
use crate::name::BackendName;
use crate::recipe::context::Context;
use crate::recipe::http::answer::AnswerShape;
use crate::recipe::http::mapping::MappingReader;
use crate::recipe::http::mapping::MappingSpec;
use crate::recipe::http::mapping::Subject;
use crate::recipe::input::Port;
use crate::recipe::load::tree;
use crate::recipe::load::value;
use crate::recipe::stages::parameters::InputCount;
use crate::recipe::stages::parameters::Medium;
use crate::recipe::stages::parameters::Ports;
use crate::recipe::stages::parameters::StageFacts;
use crate::recipe::stages::parameters::StageParameters;
use crate::recipe::stages::parameters::StageTable;
use crate::recipe::stages::sound::SoundSpec;
use crate::recipe::stages::take;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;

/// What holds of every stage of the kind.
pub(in crate::recipe) const FACTS: StageFacts = StageFacts {
    word: "http",
    take_keys: take::ALL_KEYS,
    keys_by_input: &[
        "each",
        "every",
        "filter",
        "padding",
        "regions",
        "track",
        "chunk",
        "codec",
        "vad_filter",
    ],
    rendered_later: &["request", "answer"],
    paths: &[],
    takes_sound: true,
    is_mapped: true,
    finds_backend: false,
    is_outcome: false,
    input_help: "with `each = \"batch\"` it takes batches, with an input such as `extract.sound` sound, with \
                 one such as `yolo.boxes` what was found, else frames or crops",
};

/// Parameters of an `http` stage.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpStageSpec {
    /// A name under `[backends]`, of kind `http`.
    #[serde(deserialize_with = "value::text")]
    #[schemars(with = "String")]
    pub backend: BackendName,
    /// The server's name of its model: `params.model` in requests.
    #[serde(deserialize_with = "value::optional")]
    pub model: Option<String>,
    /// Requests in flight.
    #[serde(deserialize_with = "value::concurrency")]
    pub concurrency: usize,
    /// Whether a request is about one frame or about those of a `batch`.
    pub each: Each,
    /// Which sound is asked about, and in what pieces; nothing to a stage that takes frames.
    #[serde(skip)]
    pub sound: SoundSpec,
    /// What is asked, and what is made of the answer.
    #[serde(skip)]
    pub mapping: MappingSpec,
}

impl Default for HttpStageSpec {
    fn default() -> Self {
        Self {
            backend: BackendName::from(""),
            model: None,
            concurrency: 5,
            each: Each::default(),
            sound: SoundSpec::default(),
            mapping: MappingSpec::default(),
        }
    }
}

impl HttpStageSpec {
    /// Whether it takes sound; it takes frames where it does not.
    pub fn takes_sound(&self) -> bool {
        self.mapping.about == Subject::Sound
    }

    /// Whether it gives records, in place of detections.
    pub fn gives_records(&self) -> bool {
        matches!(self.mapping.answer, AnswerShape::Record(_))
    }

    /// What a request may say of the stage.
    pub fn params(&self) -> Map<String, Value> {
        let model = self.model.clone().map_or(Value::Null, Value::from);
        Map::from_iter([("model".to_owned(), model)])
    }

    pub(in crate::recipe) fn read(
        context: &Context<'_>,
        mut table: StageTable<'_>,
        wrong: &mut Vec<Diagnostic>,
    ) -> Self {
        let about = subject(&table);
        let params = Self::default().params();
        let mut reader = MappingReader::of_stage(context, &params, wrong);
        let place = table.inputs.first().map(|input| input.span);
        let mapping = reader.any(&mut table.keys, about, place.unwrap_or_default());
        let sound = SoundSpec::read(&mut table.keys, wrong);
        wrong.extend(keys_of_another(about, table.written));
        if !table.written.contains_key("backend") {
            let message = format!("the stage `{}` has no `backend`", table.id);
            wrong.push(Diagnostic::error(table.span, message).help(
                "declare one with `[backends.NAME]` and `kind = \"http\"`, and name it here",
            ));
        }
        let own = [&["request", "answer"][..], &SoundSpec::KEYS].concat();
        let spec: Self = table.read(&FACTS, &own, wrong);
        Self {
            mapping,
            sound,
            ..spec
        }
    }
}

// What a request is about follows from the input, and from `each`.
fn subject(table: &StageTable<'_>) -> Subject {
    let takes = |port| table.inputs.iter().any(|input| input.port == port);
    let each = table.keys.get("each").map(|entry| &entry.node.value);
    let is_batch = matches!(each, Some(tree::Value::Text(text)) if text == "batch");
    if takes(Port::Sound) {
        Subject::Sound
    } else if takes(Port::Boxes) {
        Subject::Boxes
    } else if is_batch {
        Subject::Batch
    } else {
        Subject::Frame
    }
}

// What is said about frames is of no use to a stage that takes sound, and so on.
fn keys_of_another(about: Subject, written: &BTreeMap<String, Span>) -> Vec<Diagnostic> {
    let frames = (&["each", "every", "filter", "padding"][..], "frames");
    let sound = (&SoundSpec::KEYS[..], "sound");
    let (others, takes, help): (&[_], _, _) = match about {
        Subject::Frame | Subject::Batch => (
            &[sound],
            "frames",
            "sound is that of an input such as `\"extract.sound\"`",
        ),
        Subject::Sound => (
            &[frames],
            "sound",
            "frames are those of an input such as `\"extract\"`",
        ),
        Subject::Boxes => (
            &[frames, sound, (&["when"], "frames")],
            "what another stage found",
            "the other stage says which frames it takes",
        ),
    };
    let all = others
        .iter()
        .flat_map(|(names, what)| names.iter().map(move |name| (name, what)));
    let written = all.filter_map(|(name, what)| Some((name, what, *written.get(*name)?)));
    written
        .map(|(name, what, span)| {
            let message = format!("`{name}` is about {what}, and the stage takes {takes}");
            Diagnostic::error(span, message).help(help)
        })
        .collect()
}

impl StageParameters for HttpStageSpec {
    fn ports(&self) -> Ports {
        Ports {
            takes: match self.mapping.about {
                Subject::Frame => &[ItemKind::Frame, ItemKind::Crop],
                Subject::Batch => &[ItemKind::Batch],
                Subject::Boxes => &[ItemKind::Detections],
                Subject::Sound => &[ItemKind::Sound],
            },
            inputs: InputCount::One,
            gives: match &self.mapping.answer {
                AnswerShape::Detections(_) => &[ItemKind::Detections],
                AnswerShape::Record(_) => &[ItemKind::Fields],
                AnswerShape::Transcript(_) => &[ItemKind::Transcript],
            },
        }
    }

    fn medium(&self) -> Option<Medium> {
        Some(match self.mapping.about {
            Subject::Frame | Subject::Batch => Medium::Frames,
            Subject::Boxes => Medium::Boxes,
            Subject::Sound => Medium::Sound,
        })
    }

    fn sound(&self) -> Option<&SoundSpec> {
        self.takes_sound().then_some(&self.sound)
    }

    fn backend(&self) -> Option<&BackendName> {
        Some(&self.backend)
    }
}

/// What one request is about.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Each {
    /// A frame, a crop or a chunk of sound.
    #[default]
    Item,
    /// The frames or crops of a batch.
    Batch,
}
