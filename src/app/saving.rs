//! Saving: that the files of a run have names of their own and a disk to go to, before it
//! starts; and what was written, added up.

use crate::app::error::AppError;
use crate::app::run::report::SavedFiles;
use crate::app::writable;
use crate::failure::Class;
use crate::item::Moment;
use crate::item::Part;
use crate::item::Saved;
use crate::name::StageId;
use crate::name::VideoId;
use crate::output::OutputRoot;
use crate::output::ReadFiles;
use crate::output::Summary;
use crate::recipe::Recipe;
use crate::stages::Videos;
use crate::time::Pts;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

/// Where each stage that saves may write the frames of each video.
pub(super) type SaveRoots = BTreeMap<(StageId, VideoId), OutputRoot>;

/// Names the first frame of each video for each stage that saves, and proves that it may be
/// written. The first ones of two videos differ in nothing but the video, so where they have
/// different names all have.
pub(super) fn check(
    recipe: &Recipe,
    videos: &Videos,
    reads: &Arc<ReadFiles>,
) -> Result<SaveRoots, AppError> {
    let mut roots = SaveRoots::new();
    for file in first_files(recipe, videos, reads)? {
        [&file.path, &file.longest]
            .into_iter()
            .try_for_each(|path| file.root.check(path))
            .map_err(|error| AppError::unwritable(&error))?;
        roots.insert((file.stage, file.video), file.root);
    }
    Ok(roots)
}

/// Makes the folders and proves that files can be made in them.
pub(super) fn prepare(
    recipe: &Recipe,
    videos: &Videos,
    reads: &Arc<ReadFiles>,
) -> Result<(), AppError> {
    for file in first_files(recipe, videos, reads)? {
        file.root
            .prepare(&file.path)
            .map_err(|error| AppError::unwritable(&error))?;
    }
    Ok(())
}

// The file of the first frame of a video, for a stage that saves.
struct FirstFile {
    stage: StageId,
    video: VideoId,
    root: OutputRoot,
    path: PathBuf,
    // That of a frame whose numbers are as long as they get.
    longest: PathBuf,
}

fn first_files(
    recipe: &Recipe,
    videos: &Videos,
    reads: &Arc<ReadFiles>,
) -> Result<Vec<FirstFile>, AppError> {
    let mut taken: BTreeMap<PathBuf, (&StageId, &Path)> = BTreeMap::new();
    let mut files = Vec::new();
    for (stage, spec) in recipe.saves() {
        let given = recipe.is_given(stage, "output_dir");
        let of_crops = stage.takes_crops();
        for (&id, (_, facts)) in videos {
            let video = facts.path.as_path();
            let folder = spec.folder(video);
            let path = spec.path(video, &first_of(id, of_crops));
            let longest = spec.path(video, &last_of(id, of_crops));
            let (folder, path, longest) = folder
                .and_then(|folder| Ok((folder, path?, longest?)))
                .map_err(|fault| AppError::request(&fault))?;
            if let Some(other) = taken.insert(path.clone(), (&stage.id, video)) {
                return Err(one_name(&path, other, (&stage.id, video)));
            }
            files.push(FirstFile {
                stage: stage.id.clone(),
                video: id,
                root: writable::root(&folder, given, reads),
                path,
                longest,
            });
        }
    }
    Ok(files)
}

fn first_of(video: VideoId, of_crops: bool) -> Moment {
    Moment {
        video,
        index: 0,
        frame_number: 0,
        pts: Pts(0),
        seconds: 0.0,
        samples: 1,
        part: of_crops.then(|| Part::of(0)),
    }
}

// A day at a hundred frames a second.
fn last_of(video: VideoId, of_crops: bool) -> Moment {
    Moment {
        index: 8_640_000,
        frame_number: 8_640_000,
        seconds: 86_400.99,
        part: of_crops.then(|| Part::of(999_999)),
        ..first_of(video, of_crops)
    }
}

fn one_name(path: &Path, one: (&StageId, &Path), other: (&StageId, &Path)) -> AppError {
    let (one, other, help) = if one.0 == other.0 {
        let help = "let `name` or `output_dir` hold `{{ video.stem }}`, or rename one of them";
        (one.1.display(), other.1.display(), help)
    } else {
        let help = "give the two stages different `output_dir`s";
        (
            Path::new(one.0.as_str()).display(),
            Path::new(other.0.as_str()).display(),
            help,
        )
    };
    let message = format!(
        "frames of {one} and {other} would both be written to {}",
        path.display()
    );
    AppError::Request {
        message,
        help: Some(help.to_owned()),
    }
}

/// What was written of each video by each stage.
#[derive(Default)]
pub(super) struct SavedTally(BTreeMap<VideoId, BTreeMap<StageId, SavedFiles>>);

impl SavedTally {
    pub(super) fn add(&mut self, saved: &Saved) {
        let of_video = self.0.entry(saved.moment.video).or_default();
        let files = of_video
            .entry(saved.stage.clone())
            .or_insert_with(|| SavedFiles {
                stage: saved.stage.clone(),
                folder: PathBuf::new(),
                are_crops: false,
                files: 0,
                bytes: 0,
                repeated: 0,
                failed: 0,
                skipped: 0,
            });
        files.are_crops |= saved.moment.part.is_some();
        match &saved.file {
            _ if saved.same_as.is_some() => files.repeated += 1,
            Ok(file) => {
                let folder = file.path.parent().unwrap_or(Path::new(""));
                files.folder = match files.files {
                    0 => folder.to_owned(),
                    _ => shared(&files.folder, folder),
                };
                files.files += 1;
                files.bytes += file.bytes;
            }
            Err(failure) if failure.class == Class::Stopped => files.skipped += 1,
            Err(_) => files.failed += 1,
        }
    }

    /// What was written of `video`.
    pub(super) fn of(&self, video: VideoId) -> Vec<SavedFiles> {
        let of_video = self.0.get(&video);
        of_video.map_or_else(Vec::new, |stages| stages.values().cloned().collect())
    }
}

/// What the files of a video come to where nothing else is known of it: the stages write the same
/// frames, so the one that lacks most says it.
pub(super) fn summary(saved: &[SavedFiles]) -> Summary {
    let worst = saved
        .iter()
        .max_by_key(|files| files.failed + files.skipped);
    worst.map_or_else(Summary::default, |files| Summary {
        frames: files.files + files.repeated + files.failed + files.skipped,
        failed: files.failed,
        skipped: files.skipped,
        repeated: files.repeated,
        ..Summary::default()
    })
}

// The innermost folder that holds both.
fn shared(one: &Path, other: &Path) -> PathBuf {
    let parts = one.components().zip(other.components());
    parts
        .take_while(|(one, other)| one == other)
        .map(|(part, _)| part)
        .collect()
}
