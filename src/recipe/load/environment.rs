//! The environment that a recipe is loaded in: files and variables; and why it cannot be loaded.

use crate::diag::Report;
use crate::recipe::backends::device::LocalDevice;
use crate::recipe::load::presets::PRESETS;
use crate::recipe::tools::suggest::suggest;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Files and the environment, so that this room touches neither.
pub trait Environment {
    /// The text of a file.
    fn read(&self, path: &Path) -> io::Result<String>;

    /// The environment; what is not Unicode is left out.
    fn variables(&self) -> BTreeMap<String, String>;

    /// The home folder of the user, where there is one.
    fn home(&self) -> Option<PathBuf> {
        None
    }

    /// Whether there is a folder at `path`.
    fn has_folder(&self, _path: &Path) -> bool {
        false
    }
}

/// Which recipe, and what is changed on the command line.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Request {
    /// A preset's name or a path; `./default` is the file where a preset has its name.
    pub recipe: String,
    /// `NAME=VALUE`: variables that the recipe declares under `[vars]`.
    pub vars: Vec<String>,
    /// `STAGE.KEY=VALUE`, and the same under `backends.` and `vars.`; applied last.
    pub sets: Vec<String>,
    /// Stages that are left out.
    pub without: Vec<String>,
    /// `fps` of every `extract`.
    pub fps: Option<f64>,
    /// `concurrency` of every `yolo`.
    pub max_workers: Option<u64>,
    /// `size` of every `batch`.
    pub batch_size: Option<u64>,
    /// `output_dir` of every `merge`.
    pub output_dir: Option<String>,
    /// `device` of every backend on this machine.
    pub device: Option<LocalDevice>,
    /// The folder that every `merge` and `save` writes below, each to one of its own, whatever else is
    /// said.
    pub confined_to: Option<String>,
    /// The folder that paths in these options are seen from; the working directory where empty.
    pub folder: PathBuf,
    /// Hosts that may get a key, besides the one it is for and this machine.
    pub allowed_hosts: Vec<String>,
    /// Variables of the environment that templates may take, besides `VPIPE_*`.
    pub allowed_variables: Vec<String>,
    /// Whether a backend goes without the values that take a variable which is not there: nobody is
    /// asked.
    pub optional_variables: bool,
}

/// Why there is no recipe.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It has mistakes.
    #[error(transparent)]
    Wrong(#[from] Report),
    /// A name that is neither a preset nor a file.
    #[error("there is no preset and no file called `{name}`")]
    Unknown {
        /// The name.
        name: String,
    },
    /// The file cannot be read.
    #[error("the recipe {path} cannot be read")]
    Unreadable {
        /// The path as it was given.
        path: String,
        /// Why.
        source: io::Error,
    },
}

impl LoadError {
    /// What to do about it; a [`Report`] says that itself.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Wrong(_) => None,
            Self::Unknown { name } => Some(suggest(
                name,
                PRESETS.iter().map(|preset| preset.name),
                "presets",
            )),
            Self::Unreadable { path, source } if source.kind() == io::ErrorKind::InvalidData => {
                Some(format!(
                    "a recipe is a text; if this is a video, a recipe comes before it: \
                     `vpipe run default {path}`"
                ))
            }
            Self::Unreadable { .. } => Some(format!(
                "RECIPE is a path or a preset: {}",
                crate::recipe::tools::suggest::quoted(PRESETS.iter().map(|preset| preset.name))
            )),
        }
    }
}
