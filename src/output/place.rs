//! Files of results: where they go, and which of them stands when a run is stopped early.
//!
//! Knows nothing of what is in them.

use crate::name::file_name;
use crate::output::file::WriteError;
use crate::output::file::check_writable;
use crate::output::file::replace;
use crate::output::results::json;
use crate::output::results::results::Results;
use crate::recipe::OutputFormat;
use std::fs;
use std::fs::File;
use std::io;
use std::io::BufWriter;
use std::path::Path;
use std::path::PathBuf;

/// Where the results of one video go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The folder.
    pub folder: PathBuf,
    /// The name of the video without its extension.
    pub stem: String,
}

/// What is appended to a stem, at most.
const LONGEST_ENDING: usize = "_results.partial.json".len();

impl Place {
    /// The place in `folder` of what belongs to a video of this stem. One that leaves no room for
    /// the ending of a name is cut, and told apart by a digest of the whole.
    pub fn new(folder: PathBuf, stem: &str) -> Self {
        let stem = file_name(stem, LONGEST_ENDING);
        Self { folder, stem }
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

    /// Makes the folder and proves that files can be made in it: to be asked before a run
    /// spends hours on what it could not keep.
    pub fn check(&self) -> Result<(), WriteError> {
        check_writable(&self.complete())
    }

    /// Writes results and says where they are. A complete file takes the place of a partial one;
    /// a partial one leaves a complete one of an earlier run alone.
    pub fn write(&self, results: &Results, partial: bool) -> Result<PathBuf, WriteError> {
        let path = if partial {
            self.partial()
        } else {
            self.complete()
        };
        let written = replace(&path, |file| fill(file, results)).and_then(|()| {
            if partial {
                Ok(())
            } else {
                remove_if_there(&self.partial())
            }
        });
        match written {
            Ok(()) => Ok(path),
            Err(source) => Err(WriteError { path, source }),
        }
    }
}

fn fill(file: &Path, results: &Results) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    json::write(&mut out, results)?;
    out.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::Place;
    use crate::recipe::OutputFormat;
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    #[test]
    fn every_name_of_a_video_leads_to_names_that_can_be_written() {
        let of = |stem: &str| Place::new(PathBuf::new(), stem);
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
            let place = Place::new("output".into(), stem);
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
