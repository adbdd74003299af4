//! Speech models and where they come from: a folder as Transformers exports Whisper, or the
//! built-in one.
//!
//! Reads the files and has them checked; knows nothing of running them.

use crate::backends::engine::header::Header;
use crate::backends::engine::header::Misread;
use crate::backends::engine::network::Onnx;
use crate::backends::models::source::ModelError;
use crate::backends::models::source::ReadError;
use crate::backends::models::source::read;
use crate::backends::models::source::read_onnx;
use crate::backends::models::whisper::profile::GenerationConfig;
use crate::backends::models::whisper::profile::ModelConfig;
use crate::backends::models::whisper::profile::ModelFiles;
use crate::backends::models::whisper::profile::PreprocessorConfig;
use crate::backends::models::whisper::profile::SpeechProfile;
use crate::backends::models::whisper::vocabulary::Vocabulary;
use crate::facts::ModelFacts;
use serde::de::DeserializeOwned;
use std::fmt;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// The longest JSON file; Whisper's tokenizers have 4 MB.
const LARGEST_JSON: u64 = 1 << 25;
/// The longest file of weights beside a network.
const LARGEST_WEIGHTS: u64 = 1 << 34;

const ENCODER: &str = "encoder_model";
/// What the names of networks end in, by their precision.
const PRECISIONS: [&str; 5] = ["", "_quantized", "_int8", "_uint8", "_fp16"];

const DEMO: [(&str, &[u8]); 6] = [
    ("config.json", include_bytes!("../demo/voice/config.json")),
    (
        "generation_config.json",
        include_bytes!("../demo/voice/generation_config.json"),
    ),
    (
        "preprocessor_config.json",
        include_bytes!("../demo/voice/preprocessor_config.json"),
    ),
    (
        "tokenizer.json",
        include_bytes!("../demo/voice/tokenizer.json"),
    ),
    (
        "encoder_model.onnx",
        include_bytes!("../demo/voice/encoder_model.onnx"),
    ),
    (
        "decoder_model_merged.onnx",
        include_bytes!("../demo/voice/decoder_model_merged.onnx"),
    ),
];

/// Where a Whisper model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SpeechModelSource {
    /// A folder with `encoder_model.onnx`, `decoder_model_merged.onnx` (or both under `onnx/`),
    /// `config.json`, `generation_config.json` and `tokenizer.json`. Where a network is not there
    /// in full precision, one whose name ends in `_quantized`, `_int8`, `_uint8` or `_fp16` is taken.
    Folder(PathBuf),
    /// The built-in demo voice, which knows 60 English words about shapes and nothing else.
    Demo,
}

impl fmt::Display for SpeechModelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::Demo => f.write_str("built-in voice"),
        }
    }
}

/// A speech model, read and checked but not loaded.
pub(in crate::backends) struct SpeechModel {
    pub(in crate::backends) facts: ModelFacts,
    pub(in crate::backends) profile: SpeechProfile,
    pub(in crate::backends) vocabulary: Vocabulary,
    pub(in crate::backends) encoder: (Header, Onnx),
    pub(in crate::backends) decoder: (Header, Onnx),
}

impl SpeechModel {
    /// Reads a speech model.
    pub(in crate::backends) fn read(source: &SpeechModelSource) -> Result<Self, ModelError> {
        Self::read_files(Files::new(source))
    }

    fn read_files(mut files: Files<'_>) -> Result<Self, ModelError> {
        let source = files.source;
        if let SpeechModelSource::Folder(path) = source
            && !path.exists()
        {
            return Err(ModelError::Missing { path: path.clone() });
        }
        let wrong = |found: String| ModelError::NotASpeechModel {
            name: source.to_string(),
            found,
        };
        let config: ModelConfig = files.json("config.json")?.unwrap_or_default();
        let generation: GenerationConfig =
            files.json("generation_config.json")?.unwrap_or_default();
        let preprocessor: PreprocessorConfig =
            files.json("preprocessor_config.json")?.unwrap_or_default();
        let tokenizer = files
            .content("tokenizer.json", LARGEST_JSON)?
            .ok_or_else(|| wrong("has no tokenizer.json".to_owned()))?;
        let vocabulary = Vocabulary::read(&tokenizer)
            .map_err(|cause| wrong(format!("has a tokenizer.json that {cause}")))?;
        let encoder = files.network(ENCODER)?;
        let decoder = files.network("decoder_model_merged")?;
        let profile = SpeechProfile::read(&ModelFiles {
            config,
            generation,
            preprocessor,
            vocabulary: &vocabulary,
            encoder: &encoder.0,
            decoder: &decoder.0,
        });
        Ok(Self {
            profile: profile.map_err(wrong)?,
            vocabulary,
            encoder,
            decoder,
            facts: ModelFacts {
                name: source.to_string(),
                demo: *source == SpeechModelSource::Demo,
                classes: Vec::new(),
                fixed_size: None,
                imgsz: None,
                digest: files.digest.finalize().to_string(),
            },
        })
    }
}

/// What a speech model says of itself; no engine is asked.
///
/// # Errors
///
/// Where it cannot be read, or is none.
pub fn speech_model_facts(source: &SpeechModelSource) -> Result<ModelFacts, ModelError> {
    SpeechModel::read(source).map(|model| model.facts)
}

/// A speech model on this machine, and what it says of itself or why it is of no use.
#[derive(Debug)]
pub struct FoundSpeechModel {
    /// Where it is.
    pub source: SpeechModelSource,
    /// ISO 639-1 codes of the languages that it understands; none where it is English alone.
    pub languages: Result<Vec<String>, ModelError>,
}

/// The built-in model, then those among `dirs` and the folders that lie in them, in the order of
/// their paths.
///
/// Weights are not loaded, so an engine may still refuse one. A folder that cannot be read holds
/// no models.
pub fn find_speech_models(dirs: &[PathBuf]) -> Vec<FoundSpeechModel> {
    let inside = dirs
        .iter()
        .filter_map(|dir| fs::read_dir(dir).ok())
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let is_model = |folder: &PathBuf| places(ENCODER).any(|place| folder.join(place).is_file());
    let mut folders: Vec<PathBuf> = dirs.iter().cloned().chain(inside).collect();
    folders.retain(is_model);
    folders.sort();
    folders.dedup();
    std::iter::once(SpeechModelSource::Demo)
        .chain(folders.into_iter().map(SpeechModelSource::Folder))
        .map(|source| FoundSpeechModel {
            languages: languages(&source),
            source,
        })
        .collect()
}

fn languages(source: &SpeechModelSource) -> Result<Vec<String>, ModelError> {
    let model = SpeechModel::read_files(Files {
        takes_weights: false,
        ..Files::new(source)
    })?;
    Ok(model.profile.languages.into_keys().collect())
}

/// The files of a model, and the digest of those that have been read.
struct Files<'a> {
    source: &'a SpeechModelSource,
    // Weights that lie beside a network are gigabytes and say nothing of it.
    takes_weights: bool,
    digest: blake3::Hasher,
}

impl<'a> Files<'a> {
    fn new(source: &'a SpeechModelSource) -> Self {
        Self {
            source,
            takes_weights: true,
            digest: blake3::Hasher::new(),
        }
    }

    /// The content of a file; `None` if there is none.
    fn content(&mut self, name: &str, largest: u64) -> Result<Option<Vec<u8>>, ModelError> {
        let content = match self.source {
            SpeechModelSource::Demo => built_in(name),
            SpeechModelSource::Folder(folder) => optional(&folder.join(name), largest)?,
        };
        if let Some(content) = &content {
            self.digest.update(blake3::hash(content).as_bytes());
        }
        Ok(content)
    }

    /// A graph; `None` if there is none.
    fn graph(&self, name: &str) -> Result<Option<Vec<u8>>, ReadError> {
        match self.source {
            SpeechModelSource::Demo => Ok(built_in(name)),
            SpeechModelSource::Folder(folder) => match read_onnx(&folder.join(name)) {
                Ok(content) => Ok(Some(content)),
                Err(ReadError::Disk(ModelError::Missing { .. })) => Ok(None),
                Err(other) => Err(other),
            },
        }
    }

    fn json<T: DeserializeOwned>(&mut self, name: &str) -> Result<Option<T>, ModelError> {
        let content = self.content(name, LARGEST_JSON)?;
        let parsed = content.map(|content| serde_json::from_slice(&content));
        parsed
            .transpose()
            .map_err(|cause| ModelError::NotASpeechModel {
                name: self.source.to_string(),
                found: format!("has a {name} that cannot be read: {}", place(&cause)),
            })
    }

    /// A network and its description.
    fn network(&mut self, name: &str) -> Result<(Header, Onnx), ModelError> {
        let wrong = |found: String| ModelError::NotASpeechModel {
            name: self.source.to_string(),
            found,
        };
        let missing = wrong(format!("has no {name}.onnx"));
        for place in places(name) {
            let misread = |misread| ModelError::NotASpeechModel {
                name: self.source.to_string(),
                found: match misread {
                    Misread::NotOnnx => format!("has no whole ONNX model in {place}"),
                    Misread::Refused(found) => format!("has a {place} that {found}"),
                },
            };
            let Some(graph) = self.graph(&place).map_err(|cause| match cause {
                ReadError::Disk(error) => error,
                ReadError::Misread(cause) => misread(cause),
            })?
            else {
                continue;
            };
            let header = Header::read(&graph).map_err(misread)?;
            self.digest.update(blake3::hash(&graph).as_bytes());
            let mut onnx = Onnx::from(graph);
            // How exporters call the weights of a model that is too large for one file.
            let weights = format!("{place}_data");
            if self.takes_weights
                && let Some(content) = self.content(&weights, LARGEST_WEIGHTS)?
            {
                let name = weights.rsplit('/').next().unwrap_or_default();
                onnx.weights.push((name.to_owned(), content));
            }
            return Ok((header, onnx));
        }
        Err(missing)
    }
}

fn built_in(name: &str) -> Option<Vec<u8>> {
    let file = DEMO.iter().find(|(file, _)| *file == name);
    file.map(|(_, content)| content.to_vec())
}

/// Where a network may lie in its folder, in the order of preference: full precision first.
fn places(name: &str) -> impl Iterator<Item = String> {
    PRECISIONS.iter().flat_map(move |precision| {
        ["", "onnx/"].map(|folder| format!("{folder}{name}{precision}.onnx"))
    })
}

/// The content of a file; `None` if there is none.
fn optional(path: &Path, largest: u64) -> Result<Option<Vec<u8>>, ModelError> {
    match read(path, largest) {
        Ok(content) => Ok(Some(content)),
        Err(ModelError::Missing { .. }) => Ok(None),
        Err(other) => Err(other),
    }
}

// What is wrong with JSON, without the values in it: a recipe can name any folder of this machine.
fn place(cause: &serde_json::Error) -> String {
    let (line, column) = (cause.line(), cause.column());
    match cause.is_data() {
        true => format!("a value is of another kind at line {line} column {column}"),
        false => cause.to_string(),
    }
}
