//! The results of a page, and where the videos are that they tell of.

use crate::app::error::AppError;
use crate::output::Results;
use crate::output::VideoAddress;
use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// How the name of a results file in a folder ends.
const ENDING: &str = "_results.json";

/// Codecs that browsers play, as FFmpeg calls them.
const PLAYED: [&str; 4] = ["h264", "vp8", "vp9", "av1"];

/// The results files that `paths` name; of a folder, those in it by name.
pub(super) fn results_files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, AppError> {
    let mut files = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => files.extend(in_folder(path)?),
            false => files.push(path.clone()),
        }
    }
    Ok(files)
}

fn in_folder(folder: &Path) -> Result<Vec<PathBuf>, AppError> {
    let read = || -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(ENDING) {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    };
    let files = read().map_err(|error| AppError::Request {
        message: format!("{} cannot be read: {error}", folder.display()),
        help: None,
    })?;
    match files.is_empty() {
        true => Err(AppError::Request {
            message: format!("there are no results in {}", folder.display()),
            help: Some(format!("results are the files whose names end in {ENDING}")),
        }),
        false => Ok(files),
    }
}

/// The video of `results` in `file`, or its folder of pictures: where the run had it as seen from
/// here, or beside the results.
pub(super) fn find(file: &Path, results: &Results) -> Option<PathBuf> {
    let beside = |name: &str| file.parent().map(|folder| folder.join(name));
    // A run on another system may have named it.
    let name = results
        .video
        .rsplit(['/', '\\'])
        .find(|part| !part.is_empty());
    let places = [
        Some(PathBuf::from(&results.video)),
        beside(&results.video),
        name.and_then(beside),
    ];
    places
        .into_iter()
        .flatten()
        .find(|place| place.is_file() || place.is_dir())
}

/// The address of `video` from a page in `folder`.
pub(super) fn address(
    folder: &Path,
    results: &Results,
    video: Option<&Path>,
) -> Result<VideoAddress, AppError> {
    match video {
        None => Ok(VideoAddress::Absent(
            "it was not found when the page was made".to_owned(),
        )),
        Some(pictures) if pictures.is_dir() => Ok(VideoAddress::Absent(
            "it is a folder of pictures".to_owned(),
        )),
        Some(video) => {
            VideoAddress::between(folder, video).map_err(|error| AppError::Environment {
                message: format!("{} cannot be looked at: {error}", results.video),
                help: None,
            })
        }
    }
}

/// What a reader of the page will miss, and what to do about it.
pub(super) fn note(results: &Results, address: &VideoAddress, pictures: usize) -> Option<String> {
    let cure = match pictures {
        0 => "; --frames 60 keeps pictures of it",
        _ => "",
    };
    match address {
        VideoAddress::Absent(why) if results.source.width > 0 => {
            Some(format!("the page cannot play {}: {why}", results.video))
        }
        VideoAddress::Absent(_) => None,
        VideoAddress::Relative(_) => {
            let codec = &results.source.codec;
            let is_played = results.source.width == 0 || PLAYED.contains(&codec.as_str());
            (!is_played).then(|| format!("not every browser plays {codec}{cure}"))
        }
    }
}
