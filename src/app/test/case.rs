//! A test as it lies on the disk: its file, and where its recipe, inputs, cassette and snapshots are.

use crate::app::compile;
use crate::app::environment::ProcessEnvironment;
use crate::app::error::AppError;
use crate::app::inputs;
use crate::app::named::BY_DIGEST;
use crate::app::named::FEWEST_DIGITS;
use crate::app::test::find;
use crate::name::file_name;
use crate::output::OutputRoot;
use crate::output::ReadFiles;
use crate::output::Tolerance;
use crate::recipe;
use crate::recipe::Environment;
use crate::recipe::TestSpec;
use crate::recipe::ToleranceSpec;
use std::collections::BTreeMap;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

/// The folder of the snapshots, beside the test file.
pub(super) const SNAPSHOTS: &str = "snapshots";

/// The folder of the cassettes, beside the test file: the only one that they are written to.
const CASSETTES: &str = "cassettes";

/// Divides the name of a test from that of an input, in the name of a snapshot.
pub(super) const DIVIDER: char = '@';

const SNAPSHOT_ENDING: &str = ".json";

/// A test.
#[derive(Debug)]
pub(super) struct TestCase {
    /// Its file, as it was found.
    pub(super) file: PathBuf,
    pub(super) spec: TestSpec,
    pub(super) inputs: Vec<TestInput>,
    pub(super) cassette: PathBuf,
}

/// An input of a test.
#[derive(Clone, Debug)]
pub(super) struct TestInput {
    /// As the test file has it.
    pub(super) written: String,
    /// Where it is, or its digest.
    pub(super) path: PathBuf,
    /// Where its snapshot is.
    pub(super) snapshot: PathBuf,
}

impl TestInput {
    // Of the test `name` in `folder`. One that is named by its digest has no path, and is called by the
    // fewest digits that name it.
    fn new(name: &str, folder: &Path, written: &str) -> Self {
        let (path, stem) = match written.strip_prefix(BY_DIGEST) {
            Some(digits) => {
                let digits = digits.to_ascii_lowercase();
                let digits: String = digits.chars().take(FEWEST_DIGITS).collect();
                (written.into(), format!("blake3-{digits}"))
            }
            None => {
                let path = folder.join(written);
                let stem = inputs::stem(&path, path.is_dir());
                (path, stem)
            }
        };
        let snapshot = file_name(&format!("{name}{DIVIDER}{stem}"), SNAPSHOT_ENDING.len());
        Self {
            written: written.to_owned(),
            snapshot: folder
                .join(SNAPSHOTS)
                .join(format!("{snapshot}{SNAPSHOT_ENDING}")),
            path,
        }
    }
}

impl TestCase {
    /// Reads the test in `file`.
    pub(super) fn read(file: &Path) -> Result<Self, AppError> {
        let text = ProcessEnvironment.read(file);
        let text = text.map_err(|error| AppError::Request {
            message: format!("{} cannot be read: {error}", file.display()),
            help: Some("a test is a text in TOML".to_owned()),
        })?;
        let spec = TestSpec::read(&file.display().to_string(), &text)?;
        Self::new(file, spec)
    }

    /// The test that `spec` says, which is or will be in `file`.
    pub(super) fn new(file: &Path, spec: TestSpec) -> Result<Self, AppError> {
        let name = find::name_of(file).unwrap_or_default();
        check_name(file, name)?;
        let folder = folder_of(file);
        let input = |written: &String| TestInput::new(name, folder, written);
        let inputs: Vec<TestInput> = spec.inputs.iter().map(input).collect();
        let cassette = match &spec.cassette {
            Some(written) => folder.join(written),
            None => folder.join(CASSETTES).join(name),
        };
        let case = Self {
            file: file.to_owned(),
            inputs,
            cassette,
            spec,
        };
        case.check_inputs()?;
        case.check_recipe()?;
        Ok(case)
    }

    // Each has a snapshot of its own, also where a disk does not tell capital letters apart.
    fn check_inputs(&self) -> Result<(), AppError> {
        let mut taken: BTreeMap<String, &TestInput> = BTreeMap::new();
        for input in &self.inputs {
            let snapshot = input.snapshot.to_string_lossy().to_lowercase();
            if let Some(other) = taken.insert(snapshot, input) {
                let message = format!(
                    "`{}` and `{}` would both have the snapshot {}",
                    other.written,
                    input.written,
                    input.snapshot.display()
                );
                let help = "rename one of them, or make two tests of them".to_owned();
                return Err(self.spec.mistake("inputs", message, help).into());
            }
        }
        Ok(())
    }

    fn check_recipe(&self) -> Result<(), AppError> {
        let path = self.recipe();
        if recipe::preset(&path).is_some() || Path::new(&path).exists() {
            return Ok(());
        }
        let message = format!("there is no preset and no recipe {path}");
        let help = "write a preset, or a path from the folder of this file".to_owned();
        Err(self.spec.mistake("recipe", message, help).into())
    }

    // A preset's name, or where the recipe is.
    fn recipe(&self) -> String {
        let written = &self.spec.recipe;
        match recipe::preset(written) {
            Some(preset) => preset.name.to_owned(),
            None => self.folder().join(written).to_string_lossy().into_owned(),
        }
    }

    /// The recipe with what the test changes, which writes to `scratch` alone.
    pub(super) fn request(&self, scratch: &Path, allowed: &recipe::Request) -> recipe::Request {
        recipe::Request {
            recipe: self.recipe(),
            vars: self.spec.vars.clone(),
            sets: self.spec.set.clone(),
            folder: self.folder().to_owned(),
            confined_to: Some(scratch.to_string_lossy().into_owned()),
            ..allowed.clone()
        }
    }

    /// Nothing, where there will be results to compare. All mistakes of the recipe are told, before
    /// anything is paid.
    pub(super) fn check_results(&self, request: &recipe::Request) -> Result<(), AppError> {
        // A replay needs no variables, and a recording asks for them itself.
        let request = recipe::Request {
            optional_variables: true,
            ..request.clone()
        };
        if compile::load(&request)?.merge().is_some() {
            return Ok(());
        }
        let message = "the recipe writes no results, so there is nothing to compare".to_owned();
        let help = "name a recipe with a stage of kind `merge`".to_owned();
        Err(self.spec.mistake("recipe", message, help).into())
    }

    /// How far apart things may be and still be the same.
    pub(super) fn tolerance(&self) -> Tolerance {
        let ToleranceSpec {
            iou,
            confidence,
            seconds,
            words,
        } = self.spec.tolerance;
        let usual = Tolerance::default();
        Tolerance {
            iou: iou.unwrap_or(usual.iou),
            confidence: confidence.unwrap_or(usual.confidence),
            seconds: seconds.unwrap_or(usual.seconds),
            words: words.unwrap_or(usual.words),
        }
    }

    /// The folder of the test file.
    pub(super) fn folder(&self) -> &Path {
        folder_of(&self.file)
    }

    /// Where its snapshots and its cassette may be written, and nothing else.
    pub(super) fn root(&self) -> OutputRoot {
        let mut reads = ReadFiles::default();
        self.add_reads(&mut reads);
        OutputRoot::new(self.folder().to_owned(), &Arc::new(reads))
    }

    /// Adds the files that it reads and that nothing is written to.
    pub(super) fn add_reads(&self, reads: &mut ReadFiles) {
        reads.add(&self.file);
        reads.add(Path::new(&self.recipe()));
        self.inputs.iter().for_each(|input| reads.add(&input.path));
    }

    /// Nothing, where the cassette may be written: a test may be a stranger's.
    pub(super) fn check_cassette(&self) -> Result<(), AppError> {
        let inner = self
            .cassette
            .strip_prefix(self.folder().join(CASSETTES))
            .ok();
        let is_within = inner.is_some_and(|inner| {
            let mut parts = inner.components();
            parts.all(|part| matches!(part, Component::Normal(_))) && inner.iter().count() > 0
        });
        if is_within {
            return Ok(());
        }
        let message = format!(
            "cassettes are recorded below `{CASSETTES}` beside the test, not to {}",
            self.cassette.display()
        );
        let help = format!("write `cassette = \"{CASSETTES}/NAME\"`, or leave the key out");
        Err(self.spec.mistake("cassette", message, help).into())
    }
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// Nothing, where a test may be called `name`: on every system, and in the names of its snapshots.
fn check_name(file: &Path, name: &str) -> Result<(), AppError> {
    let is_letter =
        |letter: char| letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | ' ');
    let is_free = name.chars().all(is_letter) && name.starts_with(char::is_alphanumeric);
    match is_free {
        true => Ok(()),
        false => Err(AppError::Request {
            message: format!("{} is not the name of a test", file.display()),
            help: Some(
                "a test is called by letters, digits, `-`, `_`, `.` and spaces, a letter or digit first"
                    .to_owned(),
            ),
        }),
    }
}
