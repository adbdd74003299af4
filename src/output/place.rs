//! Files of results: where they go, and which of them stands when a run is stopped early.
//!
//! Knows nothing of what is in them.

use crate::name::file_name;
use crate::output::file::OutputRoot;
use crate::output::file::WriteError;
use crate::output::folder::NewFolder;
use crate::output::formats::files::files;
use crate::output::formats::format_file::FormatContent;
use crate::output::formats::format_file::FormatFile;
use crate::output::formats::format_file::Telling;
use crate::output::formats::jsonl;
use crate::output::results::json;
use crate::output::results::lack;
use crate::output::results::results::Results;
use crate::output::results::results::Run;
use crate::output::stoppable::Stoppable;
use crate::recipe::OutputFormat;
use std::env;
use std::fs;
use std::fs::File;
use std::fs::Metadata;
use std::io;
use std::io::BufReader;
use std::io::BufWriter;
use std::io::Seek;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

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

/// A file that is read while it grows: every line in it is whole.
#[derive(Debug)]
pub struct GrowingFile {
    path: PathBuf,
    file: File,
}

impl GrowingFile {
    /// Adds a line, which others can read when this returns.
    ///
    /// # Errors
    ///
    /// Where it cannot be written; what is there of it is taken back.
    pub fn add(&mut self, line: &str) -> Result<(), WriteError> {
        let written = self.file.stream_position().and_then(|end| {
            self.file.write_all(line.as_bytes()).or_else(|error| {
                self.file.set_len(end)?;
                Err(error)
            })
        });
        written.map_err(|source| WriteError::Failed {
            path: self.path.clone(),
            source,
        })
    }
}

/// Where results were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub path: PathBuf,
    /// Whether it is the partial one.
    pub partial: bool,
    /// Which files of earlier runs stay because they know more, a sentence each.
    pub kept: Vec<String>,
}

/// What the names of results end with, the longer ones first.
const ENDINGS: [&str; 3] = ["_results.partial.json", "_results.json", ".json"];

/// What the files made of the results at `path` are called, before their endings.
pub fn video_stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut stems = ENDINGS
        .iter()
        .filter_map(|ending| name.strip_suffix(ending));
    stems.next().unwrap_or(&name).to_owned()
}

/// What is appended to a stem, at most.
const LONGEST_ENDING: usize = jsonl::GROWING.len();

/// The bytes of the largest file that is read again: ten hours of video with a hundred objects a
/// second have less.
const LARGEST: u64 = 1 << 30;

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

    /// The files of a format; never those of the results.
    pub fn format(&self, format: OutputFormat) -> Vec<PathBuf> {
        let files = files(format).iter();
        files.map(|file| self.format_file(file)).collect()
    }

    /// The file that grows while a run goes on.
    pub fn growing(&self) -> PathBuf {
        self.folder.join(format!("{}{}", self.stem, jsonl::GROWING))
    }

    /// Begins a file that grows while the run goes on.
    ///
    /// # Errors
    ///
    /// Where it may not or cannot be written.
    pub fn grow(&self) -> Result<GrowingFile, WriteError> {
        let path = self.growing();
        let file = self.root.create(&path)?;
        Ok(GrowingFile { path, file })
    }

    /// Writes those files of a format in which `results` have something to tell, and says which. One
    /// that grew until now is removed.
    ///
    /// # Errors
    ///
    /// Where one may not or cannot be written, or `stop` is set.
    pub fn write_format(
        &self,
        format: OutputFormat,
        results: &Results,
        stop: &AtomicBool,
    ) -> Result<Vec<PathBuf>, WriteError> {
        let mut written = Vec::new();
        let told = files(format).iter().filter(|it| it.is_told_by(results));
        for file in told {
            let path = self.format_file(file);
            let telling = Telling {
                results,
                stem: &self.stem,
                folder: &self.folder,
            };
            match &file.content {
                FormatContent::File(fill) => self.root.fill(&path, |plain| {
                    let mut out = BufWriter::new(Stoppable { to: plain, stop });
                    fill(&mut out, &telling)?;
                    out.flush()
                })?,
                FormatContent::Folder { fill, parts } => {
                    let fill = |new: &NewFolder<'_>| fill(new, &telling);
                    self.root.fill_folder(&path, parts, stop, fill)?;
                }
            }
            written.push(path);
        }
        if format == OutputFormat::Jsonl {
            self.root.remove(&self.growing())?;
        }
        Ok(written)
    }

    fn format_file(&self, file: &FormatFile) -> PathBuf {
        self.folder.join(format!("{}{}", self.stem, file.ending))
    }

    /// Whether the results and these formats may be written; changes nothing.
    pub fn check(&self, formats: &[OutputFormat]) -> Result<(), WriteError> {
        let mut results = [self.complete(), self.partial()].into_iter();
        results.try_for_each(|file| self.root.check(&file))?;
        self.check_formats(formats)
    }

    /// Whether these formats may be written; changes nothing.
    pub fn check_formats(&self, formats: &[OutputFormat]) -> Result<(), WriteError> {
        for file in formats.iter().flat_map(|format| files(*format)) {
            let path = self.format_file(file);
            match &file.content {
                FormatContent::File(_) => self.root.check(&path)?,
                FormatContent::Folder { parts, .. } => self.root.check_folder(&path, parts)?,
            }
        }
        match formats.contains(&OutputFormat::Jsonl) {
            true => self.root.check(&self.growing()),
            false => Ok(()),
        }
    }

    /// Makes the folder and proves that files can be made in it: to be asked before a run
    /// spends hours on what it could not keep.
    pub fn prepare(&self) -> Result<(), WriteError> {
        self.root.prepare(&self.complete())
    }

    /// Writes results: those of a run that was `stopped` early to the partial file, and so are those
    /// that know less than the complete file of an earlier run. A complete file takes the place of a
    /// partial one; a partial one that knows more than these stays.
    ///
    /// # Errors
    ///
    /// Where the file may not or cannot be written.
    pub fn write(&self, results: &Results, stopped: bool) -> Result<Written, WriteError> {
        let mut kept: Vec<String> = match stopped {
            true => Vec::new(),
            false => self.keeps_complete(results).into_iter().collect(),
        };
        let partial = stopped || !kept.is_empty();
        let path = match partial {
            true => self.partial(),
            false => self.complete(),
        };
        match self.keeps_partial(results).filter(|_| partial) {
            Some(more) => kept.push(more),
            None => self.root.fill(&path, |file| fill(file, results))?,
        }
        if !partial {
            self.root.remove(&self.partial())?;
        }
        Ok(Written {
            path,
            partial,
            kept,
        })
    }

    /// Whether the complete file says all that `results` say, but for when and at what cost it was
    /// found out; and no partial one stands beside it.
    pub fn has(&self, results: &Results) -> bool {
        if fs::symlink_metadata(self.partial()).is_ok() {
            return false;
        }
        read(&self.complete()).is_some_and(|old| {
            let run = Run {
                cost_usd: results.run.cost_usd,
                stages: results.run.stages.clone(),
                ..old.run
            };
            let old = Results {
                processed_at: results.processed_at.clone(),
                processing_time: results.processing_time,
                run,
                ..old
            };
            old == *results
        })
    }

    fn keeps_complete(&self, results: &Results) -> Option<String> {
        // What cannot know less is not compared.
        if results.range.is_none() && results.failures.is_empty() {
            return None;
        }
        let path = self.complete();
        let lack = lack::lack(results, &read(&path)?)?;
        Some(format!("{} is kept: {lack}", path.display()))
    }

    fn keeps_partial(&self, results: &Results) -> Option<String> {
        let path = self.partial();
        let old = read(&path)?;
        let (has, new) = (lack::answers(&old), lack::answers(results));
        let knows_more = old.source.digest == results.source.digest && has > new;
        knows_more.then(|| {
            let path = path.display();
            format!("{path} is kept: it has {has} answers, and this run {new}")
        })
    }

    /// Writes results that cannot go to their place to a new folder that this user alone can read:
    /// among the temporary files of the system, else where the program was started, else in the
    /// user's home. Says where they are.
    ///
    /// # Errors
    ///
    /// Where they can go nowhere.
    pub fn write_elsewhere(&self, results: &Results, stopped: bool) -> Result<PathBuf, WriteError> {
        let here = PathBuf::from(".");
        let others = [Some(here), env::home_dir()].into_iter().flatten();
        let mut written = self.write_below(env::temp_dir(), results, stopped);
        for folder in others {
            if written.is_err() {
                written = self.write_below(folder, results, stopped);
            }
        }
        written
    }

    fn write_below(
        &self,
        folder: PathBuf,
        results: &Results,
        stopped: bool,
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
        let written = place.write(results, stopped)?;
        // Else it would be removed again.
        let _kept = made.keep();
        Ok(written.path)
    }
}

fn fill(file: &mut File, results: &Results) -> io::Result<()> {
    let mut out = BufWriter::new(file);
    json::write(&mut out, results)?;
    out.into_inner()
        .map_err(io::IntoInnerError::into_error)?
        .sync_all()
}

// What stands in a plain file, where that is results.
fn read(path: &Path) -> Option<Results> {
    let file = fs::symlink_metadata(path).ok().filter(Metadata::is_file)?;
    if file.len() > LARGEST {
        return None;
    }
    let file = File::open(path).ok()?;
    serde_json::from_reader(BufReader::new(file)).ok()
}

#[cfg(test)]
mod tests {
    use super::Place;
    use crate::output::file::OutputRoot;
    use crate::output::results::build::tests::plain;
    use crate::output::results::results::Results;
    use crate::output::results::results::Run;
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
        assert_eq!(of(&"a".repeat(233)).stem, "a".repeat(233));
        for stem in [
            "a".repeat(234),
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
    fn results_that_stand_there_already_need_not_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let root = OutputRoot::new(folder.path().to_owned(), &Arc::default());
        let place = Place::new(root, folder.path().join("output"), "a");
        let first = plain();
        assert!(!place.has(&first));
        place.write(&first, false).unwrap();
        assert!(place.has(&first));
        let known = Results {
            processed_at: "2027-01-02 03:04:05".to_owned(),
            processing_time: 0.1,
            run: Run {
                cost_usd: None,
                stages: Default::default(),
                ..first.run.clone()
            },
            ..first.clone()
        };
        assert!(place.has(&known));
        let changed = |change: &dyn Fn(&mut Results)| {
            let mut results = known.clone();
            change(&mut results);
            !place.has(&results)
        };
        assert!(changed(&|it| it.config.max_workers = Some(7)));
        assert!(changed(&|it| it.source.digest = "other".to_owned()));
        assert!(changed(&|it| drop(it.detections.pop())));
        assert!(changed(&|it| it.run.version = "0".to_owned()));
        assert!(changed(
            &|it| it.run.stopped = Some("interrupted".to_owned())
        ));
        place.write(&first, true).unwrap();
        assert!(!place.has(&known), "a partial file is to go");
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
            let formats = OutputFormat::ALL;
            let formats = formats.into_iter().flat_map(|it| place.format(it));
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
