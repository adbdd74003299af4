//! Parameters of `whisper`: what is listened for, and with which model.

use crate::diag::Diagnostic;
use crate::item::ItemKind;
use crate::name::BackendName;
use crate::recipe::backends::facts::AUTO;
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

/// What holds of every stage of the kind.
pub(in crate::recipe) const FACTS: StageFacts = StageFacts {
    word: "whisper",
    take_keys: take::SOUND_KEYS,
    keys_by_input: &[],
    rendered_later: &[],
    paths: &["model"],
    takes_sound: true,
    is_mapped: false,
    finds_backend: true,
    is_outcome: false,
    input_help: "name the stage that gives sound, such as `extract`",
};

/// Parameters of `whisper`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WhisperSpec {
    /// `auto`, `local`, or a name under `[backends]`.
    #[serde(deserialize_with = "value::text")]
    #[schemars(with = "String")]
    pub backend: BackendName,
    /// A folder, as a path from the folder of the recipe (`~` is the home folder), or the server's
    /// name of its model.
    #[serde(deserialize_with = "value::optional")]
    pub model: Option<String>,
    /// Requests in flight; on `local`, sessions at most.
    #[serde(deserialize_with = "value::concurrency")]
    pub concurrency: usize,
    /// ISO 639-1 code of the language that is spoken; detected where absent.
    #[serde(deserialize_with = "value::language")]
    pub language: Option<String>,
    /// Whether speech is transcribed or translated.
    pub task: WhisperTask,
    /// Texts that the search keeps at once: more make fewer errors and take more time. Where absent,
    /// 5 on `local`, and what the server has built in; for `local` and `worker = "faster-whisper"`.
    #[serde(deserialize_with = "value::beam_size")]
    #[schemars(with = "Option<usize>")]
    pub beam_size: Option<usize>,
    /// Whether the model gets, at each window of 30 s, the text before it in the chunk. Where absent,
    /// `true` on `local`, and what the server has built in; for `local` and
    /// `worker = "faster-whisper"`.
    #[serde(deserialize_with = "value::choice")]
    pub condition_on_previous_text: Option<bool>,
    /// Whether each word has its time; without, a word where sound is cut within speech may be
    /// doubled or missing.
    #[serde(deserialize_with = "value::flag")]
    pub word_timestamps: bool,
    /// What the handler of a RunPod worker takes and gives.
    pub worker: WhisperWorker,
    /// Which sound is listened to, and in what pieces.
    #[serde(skip)]
    pub sound: SoundSpec,
}

impl Default for WhisperSpec {
    fn default() -> Self {
        Self {
            backend: BackendName::from(AUTO),
            model: None,
            concurrency: 3,
            language: None,
            task: WhisperTask::default(),
            beam_size: None,
            condition_on_previous_text: None,
            word_timestamps: true,
            worker: WhisperWorker::default(),
            sound: SoundSpec::default(),
        }
    }
}

/// What becomes of what is said.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum WhisperTask {
    /// The text is in the language that is spoken.
    #[default]
    Transcribe,
    /// The text is in English.
    Translate,
}

impl WhisperSpec {
    pub(in crate::recipe) fn read(mut table: StageTable<'_>, wrong: &mut Vec<Diagnostic>) -> Self {
        let sound = SoundSpec::read(&mut table.keys, wrong);
        let spec: Self = table.read(&FACTS, &SoundSpec::KEYS, wrong);
        Self { sound, ..spec }
    }
}

impl StageParameters for WhisperSpec {
    fn ports(&self) -> Ports {
        Ports {
            takes: &[ItemKind::Sound],
            inputs: InputCount::One,
            gives: &[ItemKind::Transcript],
        }
    }

    fn medium(&self) -> Option<Medium> {
        Some(Medium::Sound)
    }

    fn sound(&self) -> Option<&SoundSpec> {
        Some(&self.sound)
    }

    fn backend(&self) -> Option<&BackendName> {
        Some(&self.backend)
    }
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
    /// Your own handler: takes `audio`, `language`, `task`, `vad_filter` and
    /// `word_timestamps`, gives `transcription`.
    #[default]
    Handler,
    /// RunPod's own faster-whisper: takes `audio_base64`, and refuses what it does not know.
    FasterWhisper,
}
