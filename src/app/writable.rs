//! Where a run may write: what a recipe names below the working directory, what the user names
//! below that; and never a file that the run reads.

use crate::app::state::before_templates;
use crate::diag::Diagnostic;
use crate::media;
use crate::media::MediaInput;
use crate::output::OutputRoot;
use crate::output::ReadFiles;
use crate::output::WriteError;
use crate::recipe::Recipe;
use crate::recipe::StageKind;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

const KEY: &str = "output_dir";

/// Where the file of variables is, which is read beside the environment.
const VARIABLES: &str = ".env";

/// The folder below which files may be written, where `folder` is asked for: it was `given` by the
/// user, or a recipe names it.
pub(super) fn root(folder: &str, given: bool, reads: &Arc<ReadFiles>) -> OutputRoot {
    let below = if given { folder } else { "." };
    OutputRoot::new(PathBuf::from(below), reads)
}

/// Where `recipe` names a folder that a run does not write to, unless its user names it.
pub(super) fn outside(recipe: &Recipe) -> impl Iterator<Item = Diagnostic> {
    let merge = recipe.of_kind(StageKind::Merge).next();
    let merge = merge.zip(recipe.merge().map(|merge| &merge.output_dir));
    let saves = recipe
        .saves()
        .map(|(stage, save)| (stage, &save.output_dir));
    let named = merge
        .into_iter()
        .chain(saves)
        .filter(|(stage, _)| !recipe.is_given(stage, KEY));
    named.filter_map(|(stage, template)| {
        let span = *stage.keys.get(KEY)?;
        let folder = before_templates(template.text());
        let root = root(&folder.to_string_lossy(), false, &Arc::default());
        let refused = root.check(&folder.join("results")).err()?;
        let WriteError::Refused { why, .. } = refused else {
            return None;
        };
        let message = format!("a run does not write to {}: {why}", folder.display());
        Some(Diagnostic::warning(span, message).help(why.help()))
    })
}

/// The files that a run of `recipe` reads, its inputs at `paths` among them.
pub(super) fn reads(recipe: &Recipe, paths: &[PathBuf]) -> ReadFiles {
    let mut reads = ReadFiles::default();
    reads.add(Path::new(VARIABLES));
    recipe.files.iter().for_each(|path| reads.add(path));
    for path in paths {
        match media::identify(path) {
            Ok(MediaInput::Pictures { files, .. }) => {
                files.iter().for_each(|file| reads.add(file));
            }
            _ => reads.add(path),
        }
    }
    for path in recipe.stages.iter().flat_map(|it| it.paths.values()) {
        reads.add(path);
        // Whisper is a folder, with its networks in it or in one within.
        for folder in [path.to_owned(), path.join("onnx")] {
            let files = fs::read_dir(folder).into_iter().flatten().flatten();
            files.for_each(|file| reads.add(&file.path()));
        }
    }
    reads
}
