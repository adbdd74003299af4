//! Models and where they come from: a file, or the one that is built in.
//!
//! Knows nothing of running them.

use crate::backends::engine::header::Header;
use crate::backends::engine::header::Misread;
use crate::backends::engine::network::EngineError;
use crate::backends::engine::network::EngineKind;
use crate::backends::models::yolo::coco;
use crate::backends::models::yolo::names::in_file;
use crate::backends::models::yolo::profile::Misfit;
use crate::backends::models::yolo::profile::Profile;
use crate::disk;
use crate::facts::ModelFacts;
use crate::recipe::COCO;
use crate::recipe::Device;
use std::fmt;
use std::fs;
use std::io;
use std::io::BufReader;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

/// What to do about a model that is none.
const ADVICE: &str = "`yolo export model=yolo11n.pt format=onnx` makes a detector";

/// What to do about a folder that holds no Whisper model.
const SPEECH_ADVICE: &str =
    "`optimum-cli export onnx --model openai/whisper-base FOLDER` makes one that holds Whisper";

/// Whisper's published models, as its own programs name them.
const SPEECH_MODELS: [&str; 12] = [
    "tiny",
    "tiny.en",
    "base",
    "base.en",
    "small",
    "small.en",
    "medium",
    "medium.en",
    "large",
    "large-v2",
    "large-v3",
    "large-v3-turbo",
];

/// Protobuf, and so ONNX, ends here.
const LARGEST_FILE: u64 = 1 << 31;

const DEMO: &[u8] = include_bytes!("demo/shapes.onnx");

/// Where a model comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelSource {
    /// An ONNX file.
    File(PathBuf),
    /// The built-in demo model, which knows six drawn shapes and nothing else.
    Demo,
}

impl fmt::Display for ModelSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Demo => f.write_str("built-in shapes"),
        }
    }
}

impl ModelSource {
    /// The whole file.
    pub(in crate::backends) fn content(&self) -> Result<Vec<u8>, ModelError> {
        match self {
            Self::File(path) => read_onnx(path).map_err(|cause| match cause {
                ReadError::Disk(error) => error,
                ReadError::Misread(misread) => ModelError::misread(self, misread),
            }),
            Self::Demo => Ok(DEMO.to_vec()),
        }
    }
}

// What to do about a model that is not there.
fn advice(path: &Path) -> String {
    let name = path.display().to_string();
    if name.ends_with(".pt") || name.ends_with(".pth") {
        return format!(
            "; `yolo export model={name} format=onnx` makes a detector of such weights"
        );
    }
    match SPEECH_MODELS.contains(&name.as_str()) {
        true => format!(
            "; `optimum-cli export onnx --model openai/whisper-{name} whisper-{name}` makes a folder \
             to name here"
        ),
        false => String::new(),
    }
}

/// Why a model cannot be used: one sentence for the user.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// There is no such file.
    #[error("{} does not exist{}", .path.display(), advice(.path))]
    Missing {
        /// The model or the class names.
        path: PathBuf,
    },
    /// The file cannot be read.
    #[error("{} cannot be read: {cause}", .path.display())]
    Unreadable {
        /// The model or the class names.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The file is something else, or has lost its end.
    #[error("{name} is not a whole ONNX model; {ADVICE}")]
    NotOnnx {
        /// The model.
        name: String,
    },
    /// The model is of a kind that no engine is given.
    #[error("{name} {found}; {ADVICE}")]
    Refused {
        /// The model.
        name: String,
        /// What it has, in words that follow its name.
        found: String,
    },
    /// The model is for something else.
    #[error("{name} {found}; {ADVICE}")]
    NotADetector {
        /// The model.
        name: String,
        /// What it is, in words that follow its name.
        found: String,
    },
    /// The folder holds something else than a Whisper model.
    #[error("{name} {found}; {SPEECH_ADVICE}")]
    NotASpeechModel {
        /// The folder.
        name: String,
        /// What is wrong with it, in words that follow its name.
        found: String,
    },
    /// There are more or fewer class names than classes.
    #[error("{name} knows {known} classes, and {given} names are given")]
    Names {
        /// The model.
        name: String,
        /// Its classes.
        known: usize,
        /// The names in the file.
        given: usize,
    },
    /// The engine does not take the model, or is not there.
    #[error("{name} cannot be loaded with engine = \"{engine}\"{}: {cause}", on(*.device))]
    Engine {
        /// The model.
        name: String,
        /// The engine.
        engine: EngineKind,
        /// What it was to compute on.
        device: Device,
        /// What it says.
        cause: EngineError,
    },
}

fn on(device: Device) -> String {
    match device {
        Device::Cpu => String::new(),
        other => format!(" and device = \"{other}\""),
    }
}

impl ModelError {
    fn misread(source: &ModelSource, misread: Misread) -> Self {
        let name = source.to_string();
        match misread {
            Misread::NotOnnx => Self::NotOnnx { name },
            Misread::Refused(found) => Self::Refused { name, found },
        }
    }
}

/// Why an ONNX file was not read.
pub(in crate::backends) enum ReadError {
    /// The file is not there, or cannot be read.
    Disk(ModelError),
    /// It is not one that an engine is given.
    Misread(Misread),
}

/// The content of an ONNX file. Its structure is looked at first, so that a large file that is
/// something else is not read.
pub(in crate::backends) fn read_onnx(path: &Path) -> Result<Vec<u8>, ReadError> {
    let failed = |cause: io::Error| {
        let path = path.to_owned();
        ReadError::Disk(match cause.kind() {
            io::ErrorKind::NotFound => ModelError::Missing { path },
            _ => ModelError::Unreadable { path, cause },
        })
    };
    let file = disk::open_plain(path, LARGEST_FILE - 1).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    Header::read_from(BufReader::new(file), length).map_err(ReadError::Misread)?;
    read(path, LARGEST_FILE).map_err(ReadError::Disk)
}

/// What the content of a model's file says, without an engine.
pub(in crate::backends) fn describe(
    source: &ModelSource,
    content: &[u8],
    names: Option<&Path>,
) -> Result<(Header, ModelFacts, Profile), ModelError> {
    let name = source.to_string();
    let header = Header::read(content).map_err(|misread| ModelError::misread(source, misread))?;
    let names = names.map(class_names).transpose()?;
    let profile = Profile::read(&header, names).map_err(|misfit| match misfit {
        Misfit::NotADetector(found) => ModelError::NotADetector {
            name: name.clone(),
            found,
        },
        Misfit::Names { known, given } => ModelError::Names {
            name: name.clone(),
            known,
            given,
        },
    })?;
    let facts = ModelFacts {
        name,
        demo: matches!(source, ModelSource::Demo),
        classes: profile.classes.clone(),
        fixed_size: profile.fixed_size,
        imgsz: profile.imgsz,
        digest: blake3::hash(content).to_string(),
    };
    Ok((header, facts, profile))
}

/// A model on this machine, and what it says of itself or why it is of no use.
#[derive(Debug)]
pub struct FoundModel {
    /// Where it is.
    pub source: ModelSource,
    /// What it says of itself.
    pub facts: Result<ModelFacts, ModelError>,
}

/// The built-in model, then the ONNX files that lie in `dirs`, in the order of their paths.
///
/// Files are read and not loaded, so an engine may still refuse one. A folder that cannot be
/// read has no models.
pub fn find_models(dirs: &[PathBuf]) -> Vec<FoundModel> {
    let mut files: Vec<PathBuf> = dirs
        .iter()
        .filter_map(|dir| fs::read_dir(dir).ok())
        .flatten()
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| {
            let onnx = |ending: &std::ffi::OsStr| ending.eq_ignore_ascii_case("onnx");
            path.extension().is_some_and(onnx)
        })
        .collect();
    files.sort();
    files.dedup();
    let files = files.into_iter().map(ModelSource::File);
    std::iter::once(ModelSource::Demo)
        .chain(files)
        .map(|source| FoundModel {
            facts: facts(&source),
            source,
        })
        .collect()
}

/// What a detector says of itself, whose classes may have other `names`; no engine is asked.
///
/// # Errors
///
/// Where it cannot be read, or is none.
pub fn model_facts(source: &ModelSource, names: Option<&Path>) -> Result<ModelFacts, ModelError> {
    describe(source, &source.content()?, names).map(|(_, facts, _)| facts)
}

fn facts(source: &ModelSource) -> Result<ModelFacts, ModelError> {
    model_facts(source, None)
}

/// The class names in a file: one a line, as JSON, or under `names` of Ultralytics' `data.yaml`;
/// `coco` stands for those of COCO.
///
/// # Errors
///
/// Where it cannot be read, or lists none.
pub fn class_names(path: &Path) -> Result<Vec<Arc<str>>, ModelError> {
    if path == Path::new(COCO) {
        return Ok(coco::NAMES.map(Arc::from).into());
    }
    let bytes = read(path, 1 << 24)?;
    let text = String::from_utf8(bytes).map_err(|_| ModelError::Unreadable {
        path: path.to_owned(),
        cause: io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"),
    })?;
    in_file(&text).ok_or_else(|| ModelError::Unreadable {
        path: path.to_owned(),
        cause: io::Error::new(io::ErrorKind::InvalidData, "it lists no class names"),
    })
}

/// The content of a file of less than `largest` bytes.
pub(in crate::backends) fn read(path: &Path, largest: u64) -> Result<Vec<u8>, ModelError> {
    disk::read_plain(path, largest - 1).map_err(|cause| {
        let path = path.to_owned();
        match cause.kind() {
            io::ErrorKind::NotFound => ModelError::Missing { path },
            _ => ModelError::Unreadable { path, cause },
        }
    })
}
