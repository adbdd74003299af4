//! The typed recipe: what a user declared, resolved from all its layers and checked key by key.
//!
//! Every value that a later check may complain about keeps its place. Knows nothing of files
//! and nothing of what the stages do.

use crate::diag::SourceMap;
use crate::diag::Span;
use crate::name::BackendName;
use crate::name::StageId;
use crate::recipe::backends::device::LocalDevice;
use crate::recipe::input::Port;
use crate::recipe::input::StageInput;
use crate::recipe::kind::BackendSpec;
use crate::recipe::kind::StageKind;
use crate::recipe::kind::StageSpec;
use crate::recipe::stages::extract::ExtractSpec;
use crate::recipe::stages::merge::MergeSpec;
use crate::recipe::stages::save::SaveSpec;
use crate::recipe::stages::take::TakeSpec;
use crate::recipe::stages::track::TrackSpec;
use crate::recipe::stages::yolo::YoloSpec;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::path::Path;
use std::path::PathBuf;
use std::slice;

/// A recipe, resolved.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// What the user calls it: the preset's name or the file's.
    pub name: String,
    /// The `description` key.
    pub description: Option<String>,
    /// The stages in the order of the file (those of an extended recipe first).
    pub stages: Stages,
    /// The `[backends.NAME]` tables.
    pub backends: BTreeMap<BackendName, Backend>,
    /// What models of this machine are computed on, whatever the tables say.
    pub device: Option<LocalDevice>,
    /// The texts that spans point into.
    pub sources: SourceMap,
    /// The files that it was read from.
    pub files: Vec<PathBuf>,
    /// Where in `sources` the options of the command line begin, which come last.
    pub command_line: usize,
}

impl Recipe {
    /// The stage with this id.
    pub fn stage(&self, id: &StageId) -> Option<&Stage> {
        self.stages.get(*self.stages.places.get(id)?)
    }

    /// Where the file or folder is that `key` of a stage names, if it names one.
    pub fn path(&self, id: &StageId, key: &str) -> Option<&Path> {
        self.stage(id)?.paths.get(key).map(PathBuf::as_path)
    }

    /// The stages of a kind.
    pub fn of_kind(&self, kind: StageKind) -> impl Iterator<Item = &Stage> {
        let stages = self.stages.iter();
        stages.filter(move |stage| stage.spec.kind() == kind)
    }

    /// What the stage that reads the videos is told.
    pub fn extract(&self) -> Option<&ExtractSpec> {
        let mut specs = self.stages.iter().map(|stage| &stage.spec);
        specs.find_map(|spec| {
            if let StageSpec::Extract(it) = spec {
                Some(it)
            } else {
                None
            }
        })
    }

    /// Whether the user gave `key` of `stage` on the command line, and no recipe did.
    pub fn is_given(&self, stage: &Stage, key: &str) -> bool {
        let written = stage.keys.get(key);
        written.is_some_and(|span| span.start >= self.command_line)
    }

    /// What the stage that writes the results is told.
    pub fn merge(&self) -> Option<&MergeSpec> {
        let mut specs = self.stages.iter().map(|stage| &stage.spec);
        specs.find_map(|spec| {
            if let StageSpec::Merge(it) = spec {
                Some(it)
            } else {
                None
            }
        })
    }

    /// The stages that write frames to files, and what they are told.
    pub fn saves(&self) -> impl Iterator<Item = (&Stage, &SaveSpec)> {
        self.stages.iter().filter_map(|stage| {
            let StageSpec::Save(spec) = &stage.spec else {
                return None;
            };
            Some((stage, spec))
        })
    }

    /// The stages of kind `yolo`, and what they are told.
    pub fn yolos(&self) -> impl Iterator<Item = (&Stage, &YoloSpec)> {
        self.stages.iter().filter_map(|stage| {
            let StageSpec::Yolo(spec) = &stage.spec else {
                return None;
            };
            Some((stage, spec))
        })
    }

    /// Where the user wrote `key` of `stage`; `None` where a preset or nobody did.
    pub fn written(&self, stage: &Stage, key: &str) -> Option<Span> {
        let span = stage.keys.get(key).copied();
        span.filter(|span| self.sources.is_users(*span))
    }

    /// The stages that track, the stage that each takes from, and what it is told.
    pub fn tracks(&self) -> impl Iterator<Item = (&Stage, &StageId, &TrackSpec)> {
        self.stages.iter().filter_map(|stage| {
            let StageSpec::Track(spec) = &stage.spec else {
                return None;
            };
            Some((stage, &stage.inputs.first()?.stage, spec))
        })
    }

    /// BLAKE3 of the settings of all stages, in hexadecimal.
    pub fn settings_digest(&self) -> String {
        let stages = self.stages.iter();
        let stages: BTreeMap<_, _> = stages.map(|it| (&it.id, &it.settings)).collect();
        // A map with keys of text is always JSON.
        let text = serde_json::to_vec(&stages).unwrap_or_default();
        blake3::hash(&text).to_hex().to_string()
    }

    /// The size of the batches that `stage` takes; `None` where it takes none.
    pub fn batch_size(&self, stage: &Stage) -> Option<usize> {
        stage.inputs.iter().find_map(|input| {
            let StageSpec::Batch(spec) = &self.stage(&input.stage)?.spec else {
                return None;
            };
            Some(spec.size)
        })
    }
}

/// The stages of a recipe in their order; each is found by its id.
#[derive(Clone, Debug, Default)]
pub struct Stages {
    stages: Vec<Stage>,
    // Where each stands among them.
    places: BTreeMap<StageId, usize>,
}

impl From<Vec<Stage>> for Stages {
    fn from(stages: Vec<Stage>) -> Self {
        let places = stages.iter().enumerate();
        Self {
            places: places.map(|(at, stage)| (stage.id.clone(), at)).collect(),
            stages,
        }
    }
}

impl Deref for Stages {
    type Target = [Stage];

    fn deref(&self) -> &[Stage] {
        &self.stages
    }
}

impl<'a> IntoIterator for &'a Stages {
    type Item = &'a Stage;
    type IntoIter = slice::Iter<'a, Stage>;

    fn into_iter(self) -> Self::IntoIter {
        self.stages.iter()
    }
}

/// One `[stages.ID]` table.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The key of the table.
    pub id: StageId,
    /// Where the id stands.
    pub span: Span,
    /// The edges that lead here.
    pub inputs: Vec<StageInput>,
    /// What it takes of what they give.
    pub take: TakeSpec,
    /// The parameters of its kind.
    pub spec: StageSpec,
    /// Where each key that was written stands (its value), for checks that come later.
    pub keys: BTreeMap<String, Span>,
    /// Where each item of a list stands, and each key of a table, by the key of that and by their texts.
    pub items: BTreeMap<String, Vec<(String, Span)>>,
    /// The keys that were written with their values, templates filled in where they are not filled
    /// later. Without those that say where files go, or that may hold secrets.
    pub settings: Map<String, Value>,
    /// Where the file or folder is that a key names, if it names one.
    pub paths: BTreeMap<String, PathBuf>,
}

impl Stage {
    /// Whether it takes what another stage found, cut out.
    pub fn takes_crops(&self) -> bool {
        self.inputs.iter().any(|input| input.port == Port::Crops)
    }

    /// Where the value of `key` stands; the stage's id where the key was not written.
    pub fn key(&self, key: &str) -> Span {
        self.keys.get(key).copied().unwrap_or(self.span)
    }

    /// Where the first item `text` of the list or table `key` stands; all of that where there is none.
    pub fn item(&self, key: &str, text: &str) -> Span {
        let mut items = self.items.get(key).into_iter().flatten();
        let item = items.find(|(item, _)| item == text);
        item.map_or_else(|| self.key(key), |(_, span)| *span)
    }
}

/// One `[backends.NAME]` table.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Where the name stands.
    pub span: Span,
    /// The parameters of its kind.
    pub spec: BackendSpec,
    /// What it takes of the environment.
    pub variables: BackendVariables,
}

/// Which keys of a backend take variables of the environment; their values are not shown.
#[derive(Clone, Debug, Default)]
pub struct BackendVariables {
    templates: BTreeMap<String, String>,
    names: BTreeSet<String>,
}

impl BackendVariables {
    /// From the key of each string, the string as it was written, and the names in it.
    pub(in crate::recipe) fn new(
        strings: impl IntoIterator<Item = (String, String, BTreeSet<String>)>,
    ) -> Self {
        let mut these = Self::default();
        for (key, text, names) in strings {
            these.templates.insert(key, text);
            these.names.extend(names);
        }
        these
    }

    /// How the value of `key` is shown, where it takes a variable: as it was written.
    pub fn template(&self, key: &str) -> Option<&str> {
        self.templates.get(key).map(String::as_str)
    }

    /// The names of all variables.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}
