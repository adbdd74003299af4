//! Inputs: what each path is, what its headers say, and where its results will go.
//!
//! A path without a file, a file that is no plain one, or two results under one name stop everything
//! before it starts; a file that cannot be read is reported and the others go on.

use crate::app::error::AppError;
use crate::app::named::NamedInputs;
use crate::app::nearby;
use crate::app::saving;
use crate::app::saving::SaveRoots;
use crate::app::writable;
use crate::engine::cassette::CassetteVideo;
use crate::engine::journal::FileStamp;
use crate::facts::VideoFacts;
use crate::item::PixelFormat;
use crate::media;
use crate::media::MediaError;
use crate::media::MediaInput;
use crate::media::VideoSelection;
use crate::name::VideoId;
use crate::output::Place;
use crate::output::ReadFiles;
use crate::recipe::ExtractSpec;
use crate::recipe::MergeSpec;
use crate::recipe::Recipe;
use crate::recipe::StageKind;
use crate::stages;
use crate::stages::Videos;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// The inputs of a run.
pub(super) struct Inputs {
    pub(super) videos: Videos,
    /// The files of those that are one file, as they stood before anything was read of them.
    pub(super) stamps: BTreeMap<VideoId, FileStamp>,
    /// Where the results of each go; empty where the recipe merges nothing.
    pub(super) places: BTreeMap<VideoId, Place>,
    /// Where the frames of each go.
    pub(super) save_roots: SaveRoots,
    /// What is read, and never written.
    pub(super) reads: Arc<ReadFiles>,
    /// The digests of those of a replay.
    pub(super) digests: BTreeMap<VideoId, String>,
    /// Those that cannot be read, and why.
    pub(super) unreadable: BTreeMap<VideoId, String>,
    // The sound files of folders that nothing takes.
    unheard: Vec<PathBuf>,
}

/// Opens every input for its facts.
pub(super) fn open(
    recipe: &Recipe,
    named: &NamedInputs,
    first: Option<Duration>,
) -> Result<Inputs, AppError> {
    let reads = Arc::new(writable::reads(recipe, &named.paths));
    let places = places(recipe, named, &reads)?;
    let wanted = stages::wanted(&extract(recipe), PixelFormat::I420, first);
    let mut inputs = Inputs {
        videos: Videos::new(),
        stamps: BTreeMap::new(),
        places,
        save_roots: SaveRoots::new(),
        reads,
        digests: BTreeMap::new(),
        unreadable: BTreeMap::new(),
        unheard: Vec::new(),
    };
    for (id, path) in VideoId::number(&named.paths) {
        if let Some(video) = named.recorded.get(&id) {
            let facts = media::as_wanted(video.facts(id, path.clone()), &wanted);
            inputs.videos.insert(id, (None, facts));
            inputs.digests.insert(id, video.digest.clone());
            continue;
        }
        let opened = media::identify(path).and_then(|input| {
            let stamp = stamp(&input);
            let (facts, digest) = facts(&input, id, &wanted, named.known.as_deref())?;
            media::refuse_short(&input, &facts)?;
            Ok((input, facts, digest, stamp))
        });
        match opened {
            Ok((input, facts, digest, stamp)) => {
                inputs.videos.insert(id, (Some(input), facts));
                inputs.digests.extend(digest.map(|digest| (id, digest)));
                inputs.stamps.extend(stamp.map(|stamp| (id, stamp)));
            }
            Err(error @ MediaError::Missing { .. }) => return Err(missing(path, &error)),
            Err(error @ (MediaError::Address { .. } | MediaError::Pipe { .. })) => {
                return Err(AppError::request(&error));
            }
            Err(error) => {
                inputs.unreadable.insert(id, error.to_string());
            }
        }
    }
    inputs.save_roots = saving::check(recipe, &inputs.videos, &inputs.reads)?;
    inputs.check_places(recipe)?;
    Ok(inputs)
}

// What is not there, with what is there by nearly that name.
fn missing(path: &Path, error: &MediaError) -> AppError {
    AppError::Request {
        message: error.to_string(),
        help: nearby::help(path),
    }
}

impl Inputs {
    /// Makes the folders that will be written to, and proves that files can be made in them.
    pub(super) fn prepare_places(&self, recipe: &Recipe) -> Result<(), AppError> {
        saving::prepare(recipe, &self.videos, &self.reads)?;
        let mut places = self.places_of_videos();
        places.try_for_each(|place| {
            let prepared = place.prepare();
            prepared.map_err(|error| AppError::unwritable(&error))
        })
    }

    // Changes nothing, so that a plan tells of it too.
    fn check_places(&self, recipe: &Recipe) -> Result<(), AppError> {
        let formats = recipe.merge().map_or(&[][..], |merge| &merge.formats);
        let mut places = self.places_of_videos();
        places.try_for_each(|place| {
            let checked = place.check(formats);
            checked.map_err(|error| AppError::unwritable(&error))
        })
    }

    fn places_of_videos(&self) -> impl Iterator<Item = &Place> {
        self.videos.keys().filter_map(|id| self.places.get(id))
    }

    /// What is said of the sound files that nothing takes; nothing where there are none.
    pub(super) fn unheard(&self) -> Option<String> {
        let files: Vec<_> = self
            .unheard
            .iter()
            .map(|it| it.display().to_string())
            .collect();
        let many = match files.len() {
            0 => return None,
            1 => "1 sound file of a folder is".to_owned(),
            count => format!("{count} sound files of folders are"),
        };
        let named = files.join(", ");
        Some(format!(
            "{many} left out, since no stage takes sound: {named}"
        ))
    }

    /// Refuses files with sound alone, for a recipe without a stage that takes sound; leaves out
    /// those of `paths` that are `optional`.
    pub(super) fn refuse_sound_files(&mut self, paths: &[PathBuf], optional: &[PathBuf]) {
        for (id, path) in VideoId::number(paths).filter(|(_, path)| optional.contains(path)) {
            self.videos.remove(&id);
            self.unreadable.remove(&id);
            self.unheard.push(path.clone());
        }
        for (id, (_, facts)) in self
            .videos
            .extract_if(.., |_, (_, facts)| !facts.has_frames())
        {
            let error = MediaError::NoVideoStream { path: facts.path };
            self.unreadable.insert(id, error.to_string());
        }
    }
}

// What an input says of itself: of one with the content of a `known` video, what it said then, so
// that nothing is decoded; and in a replay its digest.
fn facts(
    input: &MediaInput,
    id: VideoId,
    wanted: &VideoSelection,
    known: Option<&[CassetteVideo]>,
) -> Result<(VideoFacts, Option<String>), MediaError> {
    let Some(known) = known else {
        return Ok((media::probe(input, id, wanted)?, None));
    };
    let digest = media::content(input, &AtomicBool::new(false))?.digest;
    let facts = match known.iter().find(|video| video.digest == digest) {
        Some(video) => media::as_wanted(video.facts(id, input.path().to_owned()), wanted),
        None => media::probe(input, id, wanted)?,
    };
    Ok((facts, Some(digest)))
}

// A file that has none is read each time.
fn stamp(input: &MediaInput) -> Option<FileStamp> {
    let file = match input {
        MediaInput::Video(path) => path,
        MediaInput::Pictures { files, .. } => match files.as_slice() {
            [only] => only,
            _ => return None,
        },
    };
    FileStamp::of(file).ok()
}

/// The stage that reads, or what such a stage does of itself.
pub(super) fn extract(recipe: &Recipe) -> ExtractSpec {
    recipe.extract().cloned().unwrap_or_default()
}

fn places(
    recipe: &Recipe,
    named: &NamedInputs,
    reads: &Arc<ReadFiles>,
) -> Result<BTreeMap<VideoId, Place>, AppError> {
    let mut places = BTreeMap::new();
    let stage = recipe.of_kind(StageKind::Merge).next();
    let Some((stage, merge)) = stage.zip(recipe.merge()) else {
        return Ok(places);
    };
    let given = recipe.is_given(stage, "output_dir");
    let mut taken: BTreeMap<PathBuf, &Path> = BTreeMap::new();
    for (id, path) in VideoId::number(&named.paths) {
        let is_folder = match named.recorded.get(&id) {
            Some(video) => video.is_folder,
            None => path.is_dir(),
        };
        let place = place(merge, given, (path, is_folder), reads)?;
        if let Some(other) = taken.insert(place.complete(), path) {
            let message = format!(
                "{} and {} would both be written to {}",
                other.display(),
                path.display(),
                place.complete().display()
            );
            let help = format!(
                "--output-dir '{folder}/{{{{ video.folder }}}}' keeps them apart where their folders \
                 have different names; else rename one",
                folder = merge.output_dir.text()
            );
            return Err(AppError::Request {
                message,
                help: Some(help),
            });
        }
        places.insert(id, place);
    }
    Ok(places)
}

fn place(
    merge: &MergeSpec,
    given: bool,
    (path, is_folder): (&Path, bool),
    reads: &Arc<ReadFiles>,
) -> Result<Place, AppError> {
    let folder = merge
        .folder(path)
        .map_err(|fault| AppError::request(&fault))?;
    let root = writable::root(&folder, given, reads);
    Ok(Place::new(root, folder.into(), &stem(path, is_folder)))
}

/// What the input at `path` is called in the names of its files.
pub(super) fn stem(path: &Path, is_folder: bool) -> String {
    // `.` and `..` have no name of their own.
    let named = path
        .file_name()
        .map(Path::new)
        .unwrap_or(Path::new("pictures"));
    let stem = match is_folder {
        true => named.as_os_str(),
        false => named.file_stem().unwrap_or_default(),
    };
    stem.to_string_lossy().into_owned()
}
