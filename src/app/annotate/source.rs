//! The video that results are of: found where they say it is, and known by its content.

use crate::app::error::AppError;
use crate::facts::VideoFacts;
use crate::item::PixelFormat;
use crate::media;
use crate::media::MediaError;
use crate::media::MediaInput;
use crate::media::VideoSelection;
use crate::name::VideoId;
use crate::output;
use crate::output::Results;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// A video whose frames can be shown again.
pub(in crate::app) struct VideoSource {
    pub(in crate::app) path: PathBuf,
    pub(in crate::app) input: MediaInput,
    pub(in crate::app) facts: VideoFacts,
}

impl VideoSource {
    /// The video of `results`, which stand at `beside`; `named` is where the user says that it is.
    pub(in crate::app) fn find(
        results: &Results,
        beside: &Path,
        named: Option<&Path>,
        stop: &AtomicBool,
    ) -> Result<Self, AppError> {
        let places = match named {
            Some(path) => vec![path.to_owned()],
            None => {
                let folder = beside.parent().unwrap_or(Path::new(""));
                output::video_places(&results.video, folder)
            }
        };
        let there: Vec<&PathBuf> = places.iter().filter(|path| path.exists()).collect();
        if there.is_empty() {
            return Err(not_there(&results.video, beside, named));
        }
        for path in &there {
            let input = media::identify(path).map_err(|error| match error {
                MediaError::NoPictures { .. } => a_folder(path, named),
                error => AppError::environment(&error),
            })?;
            let content = media::content(&input, stop);
            let content = content.map_err(|error| AppError::environment(&error))?;
            if content.digest == results.source.digest {
                return Self::open((*path).clone(), input);
            }
        }
        Err(AppError::Request {
            message: format!(
                "{} is another video than the one that {} is of",
                listed(&there),
                beside.display()
            ),
            help: Some(
                "name the file that was run over with --video, or run the recipe over this one"
                    .to_owned(),
            ),
        })
    }

    fn open(path: PathBuf, input: MediaInput) -> Result<Self, AppError> {
        if matches!(input, MediaInput::Pictures { .. }) {
            return Err(AppError::Request {
                message: format!("{} is no video: there is nothing to play", path.display()),
                help: Some(
                    "a `save` stage with `draw` writes pictures with boxes on them".to_owned(),
                ),
            });
        }
        let wanted = VideoSelection::every_frame(PixelFormat::Rgb24);
        let facts = media::probe(&input, VideoId(0), &wanted);
        let facts = facts.map_err(|error| AppError::environment(&error))?;
        if !facts.has_frames() {
            return Err(AppError::Request {
                message: format!(
                    "{} has sound alone: there are no frames to draw on",
                    path.display()
                ),
                help: None,
            });
        }
        Ok(Self { path, input, facts })
    }
}

fn not_there(video: &str, results: &Path, named: Option<&Path>) -> AppError {
    match named {
        Some(path) => AppError::Request {
            message: format!("there is no file {}", path.display()),
            help: None,
        },
        None => AppError::Request {
            message: format!(
                "{video}, the video of {}, is neither here nor beside the results",
                results.display()
            ),
            help: Some("say where it is: --video FILE".to_owned()),
        },
    }
}

fn a_folder(path: &Path, named: Option<&Path>) -> AppError {
    let name = path.display();
    AppError::Request {
        message: match named {
            Some(_) => format!("--video takes a file, and {name} is a folder"),
            None => format!("{name}, where the video should be, is a folder"),
        },
        help: Some("say where the video is: --video FILE".to_owned()),
    }
}

fn listed(paths: &[&PathBuf]) -> String {
    let paths: Vec<String> = paths.iter().map(|it| it.display().to_string()).collect();
    paths.join(", ")
}
