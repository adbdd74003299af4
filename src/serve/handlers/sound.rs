//! The sound of a file in memory: samples as a speech model takes them.
//!
//! The file may be a stranger's, so it lies on the disk while it is read, where media opens it with
//! what it may read and no more. How long its sound is has a bound.

use crate::facts::VideoFacts;
use crate::item::Size;
use crate::media;
use crate::media::MediaError;
use crate::media::SoundSelection;
use crate::name::VideoId;
use crate::serve::job::JobError;
use crate::speech::RATE;
use crate::time::TimeRanges;
use bytes::Bytes;
use std::io;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tempfile::NamedTempFile;

/// The longest sound: 4 hours, which are 0.9 GB of samples.
const LONGEST: usize = 4 * 3600 * RATE as usize;

/// The samples of the sound in `file`, from -1 to 1 at 16 kHz; sentences call it `name`. Once `stop` is
/// set it ends early.
pub(super) fn samples(
    file: &Bytes,
    name: &str,
    stop: Arc<AtomicBool>,
) -> Result<Vec<f32>, JobError> {
    let unwritable = |error: io::Error| {
        JobError(format!(
            "{name} cannot be put on the disk of the worker: {error}"
        ))
    };
    let mut scratch = NamedTempFile::new().map_err(unwritable)?;
    scratch.write_all(file).map_err(unwritable)?;
    let path = scratch.path();
    let told = |error: MediaError| {
        let path = format!("`{}`", path.display());
        JobError(error.to_string().replace(&path, name))
    };
    let samples = read(path, stop).map_err(told)?;
    match samples.len() > LONGEST {
        true => Err(JobError(format!(
            "the sound of {name} is longer than {} h: send it in parts",
            LONGEST / RATE as usize / 3600
        ))),
        false => Ok(samples),
    }
}

// No more than one piece beyond the longest.
fn read(path: &Path, stop: Arc<AtomicBool>) -> Result<Vec<f32>, MediaError> {
    let input = media::identify(path)?;
    let facts = VideoFacts {
        id: VideoId(0),
        path: path.to_owned(),
        size: Size {
            width: 0,
            height: 0,
        },
        duration: None,
        fps: None,
        codec: String::new(),
        rotation: 0,
        has_sound: true,
        // Time begins with the sound, also in a video.
        first_frame: None,
        expected_frames: Some(0),
        wanted: TimeRanges::default(),
    };
    let mut samples = Vec::new();
    for piece in media::sound(&input, &facts, &SoundSelection::default(), stop)? {
        let piece = piece?;
        // What lies between two pieces is silence.
        let start = usize::try_from(piece.start).unwrap_or(usize::MAX);
        if start.max(samples.len()) > LONGEST {
            samples.resize(LONGEST + 1, 0.0);
            break;
        }
        samples.resize(start.max(samples.len()), 0.0);
        let piece = piece.samples.iter();
        samples.extend(piece.map(|&sample| f32::from(sample) / 32_768.0));
    }
    Ok(samples)
}
