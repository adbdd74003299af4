//! What the inputs of a run are called: files and folders, and in a replay videos of its cassette
//! that are not there.
//!
//! A video that is not there is named as it was called then, by its digest, or with all others by
//! nothing at all. Whether a file can be read is asked elsewhere.

use crate::app::error::AppError;
use crate::engine::cassette::Cassette;
use crate::engine::cassette::CassetteVideo;
use crate::name::VideoId;
use crate::plan::FileView;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

/// What stands before the digest of a video that is named by it.
pub(super) const BY_DIGEST: &str = "blake3:";

/// The fewest digits of a digest that name a video.
pub(super) const FEWEST_DIGITS: usize = 12;

/// The most videos of a cassette that are told.
const MOST_TOLD: usize = 5;

/// The inputs of a run.
#[derive(Debug, Default)]
pub(super) struct NamedInputs {
    /// The path of each, in the order of the results.
    pub(super) paths: Vec<PathBuf>,
    /// Those that are not there, as the cassette has them.
    pub(super) recorded: BTreeMap<VideoId, CassetteVideo>,
    /// All videos of the cassette of a replay: what their files say of themselves is known.
    pub(super) known: Option<Vec<CassetteVideo>>,
}

impl NamedInputs {
    /// Files and folders.
    pub(super) fn files(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            ..Self::default()
        }
    }

    /// What `words` name in a replay of `cassette`: all of its videos where there are none.
    pub(super) fn of_replay(words: Vec<PathBuf>, cassette: &Cassette) -> Result<Self, AppError> {
        let videos = &cassette.head().videos;
        let mut all: Vec<(PathBuf, Option<&CassetteVideo>)> = Vec::new();
        if words.is_empty() {
            all.extend(videos.iter().flat_map(under_each_name));
        }
        for word in words {
            if let Some(digits) = word.to_str().and_then(|it| it.strip_prefix(BY_DIGEST)) {
                all.extend(under_each_name(by_digest(videos, digits)?));
            } else {
                let is_gone = is_gone(&word);
                let video = is_gone.then(|| by_name(videos, &word)).transpose()?;
                all.push((word, video));
            }
        }
        let recorded = VideoId::number(&all);
        let recorded = recorded.filter_map(|(id, (_, video))| Some((id, video.cloned()?)));
        Ok(Self {
            recorded: recorded.collect(),
            paths: all.into_iter().map(|(path, _)| path).collect(),
            known: Some(videos.clone()),
        })
    }

    /// Whether a run that writes frames to files can do so: `savers` are its stages that do.
    pub(super) fn check_savers(&self, savers: &[FileView]) -> Result<(), AppError> {
        let mut inputs = VideoId::number(&self.paths);
        let gone = inputs.find(|(id, _)| self.recorded.contains_key(id));
        let Some((saver, (_, path))) = savers.first().zip(gone) else {
            return Ok(());
        };
        let (stage, path) = (&saver.stage, path.display());
        Err(AppError::Request {
            message: format!(
                "`{stage}` writes frames to files, which takes the video itself, and {path} is not \
                 there"
            ),
            help: Some(format!(
                "bring {path} back, or replay a recipe without `{stage}`"
            )),
        })
    }

    /// What the user should know of those that are not there.
    pub(super) fn notice(&self) -> Option<String> {
        let mut gone =
            VideoId::number(&self.paths).filter(|(id, _)| self.recorded.contains_key(id));
        let (_, first) = gone.next()?;
        Some(match gone.count() {
            0 => format!(
                "{} is not there: what the cassette has of it stands for it",
                first.display()
            ),
            more => format!(
                "{} videos are not there: what the cassette has of them stands for them",
                more + 1
            ),
        })
    }
}

fn under_each_name(
    video: &CassetteVideo,
) -> impl Iterator<Item = (PathBuf, Option<&CassetteVideo>)> {
    video.names().map(move |name| (name.into(), Some(video)))
}

// What cannot be looked at is told by those who read it, and so is an address.
fn is_gone(path: &Path) -> bool {
    let is_address = path.to_string_lossy().contains("://");
    !is_address && matches!(path.try_exists(), Ok(false))
}

fn by_digest<'a>(videos: &'a [CassetteVideo], digits: &str) -> Result<&'a CassetteVideo, AppError> {
    let named = format!("{BY_DIGEST}{digits}");
    if digits.len() < FEWEST_DIGITS || !digits.chars().all(|it| it.is_ascii_hexdigit()) {
        return Err(AppError::Request {
            message: format!("`{named}` names no video"),
            help: Some(format!(
                "the digest of a video has 64 hexadecimal digits, and its first {FEWEST_DIGITS} name it"
            )),
        });
    }
    let digits = digits.to_ascii_lowercase();
    let mut found = videos.iter().filter(|it| it.digest.starts_with(&digits));
    match (found.next(), found.next()) {
        (Some(video), None) => Ok(video),
        (None, _) => Err(unknown(
            format!("no video of the cassette has the digest `{named}`"),
            videos,
        )),
        (Some(_), Some(_)) => Err(unknown(
            format!("the digests of several videos of the cassette begin with `{named}`"),
            videos,
        )),
    }
}

fn by_name<'a>(videos: &'a [CassetteVideo], path: &Path) -> Result<&'a CassetteVideo, AppError> {
    let mut found = videos.iter().filter(|video| video.is_called(path));
    let path = path.display();
    match (found.next(), found.next()) {
        (Some(video), None) => Ok(video),
        (None, _) => Err(unknown(
            format!(
                "there is no file or folder `{path}`, and no video of that name in the cassette"
            ),
            videos,
        )),
        (Some(_), Some(_)) => Err(unknown(
            format!("`{path}` is not there, and several videos of the cassette have that name"),
            videos,
        )),
    }
}

fn unknown(message: String, videos: &[CassetteVideo]) -> AppError {
    let told = videos.iter().take(MOST_TOLD).map(|video| {
        let digits: String = video.digest.chars().take(FEWEST_DIGITS).collect();
        let name: String = video.name.escape_debug().take(60).collect();
        format!("{name} ({BY_DIGEST}{digits})")
    });
    let more = match videos.len().saturating_sub(MOST_TOLD) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let told = Vec::from_iter(told).join(", ");
    AppError::Request {
        message,
        help: Some(format!("it has {told}{more}")),
    }
}
