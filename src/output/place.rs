//! Files of results: where they go, and which of them stands when a run is stopped early.
//!
//! Knows nothing of what is in them.

use crate::name::file_name;
use crate::output::file::OutputRoot;
use crate::output::file::WriteError;
use crate::output::results::json;
use crate::output::results::results::Results;
use crate::recipe::OutputFormat;
use std::env;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Arc;

/// Where the results of one video go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where the run may write.
    pub root: OutputRoot,
    /// The folder, which is below.
    pub folder: PathBuf,
    /// The name of the video without its extension.
    pub stem: String,
}

/// What is appended to a stem, at most.
const LONGEST_ENDING: usize = "_results.partial.json".len();

impl Place {
    /// The place in `folder`, below `root`, of what belongs to a video of this stem. One that leaves
    /// no room for the ending of a name is cut, and told apart by a digest of the whole.
    pub fn new(root: OutputRoot, folder: PathBuf, stem: &str) -> Self {
        let stem = file_name(stem, LONGEST_ENDING);
        Self { root, folder, stem }
    }

    /// The file of a video that was seen to its end.
    pub fn complete(&self) -> PathBuf {
        self.folder.join(format!("{}_results.json", self.stem))
    }

    /// The file of a video whose run was stopped early.
    pub fn partial(&self) -> PathBuf {
        self.folder
            .join(format!("{}_results.partial.json", self.stem))
    }

    /// The file of a format; never that of the results.
    pub fn format(&self, format: OutputFormat) -> PathBuf {
        let extension = format.extension();
        self.folder
            .join(format!("{}_results.{extension}", self.stem))
    }

    /// Whether the results and these formats may be written; changes nothing.
    pub fn check(&self, formats: &[OutputFormat]) -> Result<(), WriteError> {
        let formats = formats.iter().map(|format| self.format(*format));
        let mut files = [self.complete(), self.partial()].into_iter().chain(formats);
        files.try_for_each(|file| self.root.check(&file))
    }

    /// Makes the folder and proves that files can be made in it: to be asked before a run
    /// spends hours on what it could not keep.
    pub fn prepare(&self) -> Result<(), WriteError> {
        self.root.prepare(&self.complete())
    }

    /// Writes results and says where they are. A complete file takes the place of a partial one;
    /// a partial one leaves a complete one of an earlier run alone.
    pub fn write(&self, results: &Results, partial: bool) -> Result<PathBuf, WriteError> {
        let path = match partial {
            true => self.partial(),
            false => self.complete(),
        };
        self.root.fill(&path, |file| fill(file, results))?;
        if !partial {
            self.root.remove(&self.partial())?;
        }
        Ok(path)
    }

    /// Writes results that cannot go to their place to a new folder that this user alone can read:
    /// among the temporary files of the system, else where the program was started, else in the
    /// user's home. Says where they are.
    ///
    /// # Errors
    ///
    /// Where they can go nowhere.
    pub fn write_elsewhere(&self, results: &Results, partial: bool) -> Result<PathBuf, WriteError> {
        let here = PathBuf::from(".");
        let others = [Some(here), env::home_dir()].into_iter().flatten();
        let mut written = self.write_below(env::temp_dir(), results, partial);
        for folder in others {
            if written.is_err() {
                written = self.write_below(folder, results, partial);
            }
        }
        written
    }

    fn write_below(
        &self,
        folder: PathBuf,
        results: &Results,
        partial: bool,
    ) -> Result<PathBuf, WriteError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("vpipe-results-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // Elsewhere the folder of temporary files is the user's own.
            builder.permissions(std::fs::Permissions::from_mode(0o700));
        }
        let made = builder.tempdir_in(&folder);
        let made = made.map_err(|source| WriteError::Failed {
            path: folder,
            source,
        })?;
        let root = OutputRoot::new(made.path().to_owned(), &Arc::default());
        let place = Self::new(root, made.path().to_owned(), &self.stem);
        let path = place.write(results, partial)?;
        // Else it would be removed again.
        let _kept = made.keep();
        Ok(path)
    }
}

fn fill(file: &mut File, results: &Results) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    json::write(&mut out, results)?;
    out.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()
}

#[cfg(test)]
mod tests {
    use super::Place;
    use crate::output::file::OutputRoot;
    use crate::recipe::OutputFormat;
    use std::collections::BTreeSet;
    use std::path::PathBuf;
    use std::sync::Arc;

    fn place(stem: &str) -> Place {
        let root = OutputRoot::new(PathBuf::new(), &Arc::default());
        Place::new(root, "output".into(), stem)
    }

    #[test]
    fn every_name_of_a_video_leads_to_names_that_can_be_written() {
        let of = |stem: &str| Place {
            folder: PathBuf::new(),
            ..place(stem)
        };
        assert_eq!(of(&"a".repeat(234)).stem, "a".repeat(234));
        for stem in [
            "a".repeat(235),
            "\u{e9}".repeat(125),
            "\u{1f3a5}".repeat(62),
        ] {
            let place = of(&stem);
            let name = place.partial().into_os_string().into_string().unwrap();
            assert!(name.len() <= 255, "{}", name.len());
            assert!(name.len() > 245, "no more is cut than has to be");
            assert_ne!(place, of(&format!("{stem}b")));
            assert_eq!(place, of(&stem));
        }
    }

    #[test]
    fn no_file_of_a_run_replaces_another() {
        let stems = [
            "x",
            "x_results",
            "x_results.partial",
            "x_results.srt",
            "x.srt",
            "x_results_results",
        ];
        let mut files = BTreeSet::new();
        for stem in stems {
            let place = place(stem);
            let formats = OutputFormat::ALL.map(|format| place.format(format));
            for file in [place.complete(), place.partial()]
                .into_iter()
                .chain(formats)
            {
                assert!(
                    files.insert(file.clone()),
                    "{} stands for two",
                    file.display()
                );
            }
        }
    }
}
