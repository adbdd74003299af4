//! State: where the journal of an output folder lies, and how it is opened.

use crate::app::error::AppError;
use crate::app::writable;
use crate::engine::journal::Journal;
use crate::engine::journal::JournalError;
use crate::failure::Failure;
use crate::output::OutputRoot;
use crate::output::ReadFiles;
use crate::recipe::Recipe;
use crate::recipe::StageKind;
use std::env;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

/// The variable that moves it.
const VARIABLE: &str = "VPIPE_STATE_DIR";

/// The folder of the journal within an output folder.
const FOLDER: &str = ".vpipe";

/// Where the results go, where no recipe says so.
const OUTPUT: &str = "output";

/// Where a journal is.
#[derive(Debug)]
pub(super) struct State {
    folder: PathBuf,
    // Where a recipe and not the user says where it is: below this alone.
    root: Option<OutputRoot>,
}

impl State {
    /// The state of the output folder of `recipe`, or that in `asked` or the environment.
    ///
    /// The output folder is the part of `merge.output_dir` before any template. A recipe that merges
    /// nothing has it beside the frames of its first stage that saves.
    pub(super) fn of(recipe: &Recipe, asked: Option<&Path>, reads: &Arc<ReadFiles>) -> Self {
        if let Some(folder) = named(asked) {
            return Self { folder, root: None };
        }
        let merge = recipe.of_kind(StageKind::Merge).next();
        let merge = merge.zip(recipe.merge().map(|merge| &merge.output_dir));
        let mut saves = recipe.saves();
        let written = merge.or_else(|| saves.next().map(|(stage, save)| (stage, &save.output_dir)));
        let (given, template) = match written {
            Some((stage, template)) => (recipe.is_given(stage, "output_dir"), template.text()),
            None => (false, OUTPUT),
        };
        let output = before_templates(template);
        let root = writable::root(&output.to_string_lossy(), given, reads);
        Self {
            folder: output.join(FOLDER),
            root: Some(root),
        }
    }

    /// The state of the folder that results go to where no recipe says so, or that in `asked` or the
    /// environment.
    pub(super) fn usual(asked: Option<&Path>) -> Self {
        let usual = || Path::new(OUTPUT).join(FOLDER);
        Self {
            folder: named(asked).unwrap_or_else(usual),
            root: None,
        }
    }

    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Opens the journal, or makes one.
    pub(super) fn open(&self) -> Result<Journal, AppError> {
        if let Some(root) = &self.root {
            // No more than a file of results may it lie elsewhere or in place of something else.
            let checked = root.check(&Journal::file_in(&self.folder));
            checked.map_err(|error| AppError::unwritable(&error))?;
        }
        Ok(Journal::open(&self.folder)?)
    }

    /// Opens the journal where there is one.
    pub(super) fn open_existing(&self) -> Result<Option<Journal>, AppError> {
        Ok(Journal::open_existing(&self.folder)?)
    }
}

// An empty variable is none.
fn named(asked: Option<&Path>) -> Option<PathBuf> {
    let variable = || env::var_os(VARIABLE).filter(|value| !value.is_empty());
    asked
        .map(Path::to_owned)
        .or_else(|| variable().map(PathBuf::from))
}

// The folders of a path before the first one that a template has a part in.
pub(super) fn before_templates(text: &str) -> PathBuf {
    let end = ["{{", "{%", "{#"]
        .iter()
        .filter_map(|open| text.find(open))
        .min();
    let Some(fixed) = end.and_then(|end| text.get(..end)) else {
        return PathBuf::from(text);
    };
    let mut path = PathBuf::from(fixed);
    // The last part goes on in the template, unless it ends there.
    let is_cut = !fixed.ends_with(['/', std::path::MAIN_SEPARATOR]);
    let last = path.components().next_back();
    if is_cut && matches!(last, Some(Component::Normal(_))) {
        path.pop();
    }
    path
}

impl From<JournalError> for AppError {
    fn from(error: JournalError) -> Self {
        Self::Environment {
            message: error.to_string(),
            help: Some(error.help().to_owned()),
        }
    }
}

impl From<Failure> for AppError {
    fn from(failure: Failure) -> Self {
        Self::Environment {
            message: failure.message,
            help: failure.help,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::before_templates;
    use std::path::Path;

    #[test]
    fn the_folder_before_any_template() {
        for (text, folder) in [
            ("output", "output"),
            ("/srv/out", "/srv/out"),
            ("output/{{ video.stem }}", "output"),
            ("output/of-{{ video.stem }}/x", "output"),
            ("output/{% if a %}x{% endif %}", "output"),
            ("{{ video.folder }}/out", ""),
            ("a{{ video.stem }}", ""),
            ("/{{ video.stem }}", "/"),
            ("../a/{# b #}c", "../a"),
        ] {
            assert_eq!(before_templates(text), Path::new(folder), "{text}");
        }
    }
}
