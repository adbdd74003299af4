//! Where a run may write: what a recipe names below the working directory, what the user names
//! below that; and never a file that the run reads.

use crate::media;
use crate::media::MediaInput;
use crate::output::OutputRoot;
use crate::output::ReadFiles;
use crate::recipe::Recipe;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the file of variables is, which is read beside the environment.
const VARIABLES: &str = ".env";

/// The folder below which files may be written, where `folder` is asked for: it was `given` by the
/// user, or a recipe names it.
pub(super) fn root(folder: &str, given: bool, reads: &Arc<ReadFiles>) -> OutputRoot {
    let below = if given { folder } else { "." };
    OutputRoot::new(PathBuf::from(below), reads)
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
