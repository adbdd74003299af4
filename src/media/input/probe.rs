//! Facts of an input, from its headers; no more is decoded than a first frame.

use crate::facts::VideoFacts;
use crate::item::Size;
use crate::media::error::MediaError;
use crate::media::input::first;
use crate::media::input::identify::MediaInput;
use crate::media::input::signature;
use crate::media::input::stills;
use crate::media::input::stills::Still;
use crate::media::input::track::VideoTrack;
use crate::media::select::selection::VideoSelection;
use crate::media::sound::SoundTrack;
use crate::media::stop::StopFlag;
use crate::name::VideoId;
use crate::time::Pts;
use crate::time::TimeRanges;
use ffmpeg_next::decoder;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

/// Finds out what `input` is, and how many of its frames are `wanted`.
///
/// The number of frames follows from the length that the headers state, and is an estimate:
/// only reading all of a file tells what is in it.
///
/// # Errors
///
/// Where the input cannot be opened, has neither frames nor sound, or is coded in a way that
/// this FFmpeg cannot decode; for pictures, where none can be decoded.
pub fn probe(
    input: &MediaInput,
    id: VideoId,
    wanted: &VideoSelection,
) -> Result<VideoFacts, MediaError> {
    match input {
        MediaInput::Video(path) => match video(path, id, wanted) {
            Err(MediaError::NoVideoStream { path }) => sound(path, id, wanted),
            facts => facts,
        },
        MediaInput::Pictures { path, files } => pictures(path, files, id),
    }
}

/// The `facts` of an input, known from its headers, for what is `wanted` of it: how many frames are
/// sampled, and which part of its sound is heard.
pub fn as_wanted(facts: VideoFacts, wanted: &VideoSelection) -> VideoFacts {
    let length = facts.duration.filter(|_| facts.has_frames());
    let length = length.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    VideoFacts {
        // All pictures are wanted.
        expected_frames: length.map_or(facts.expected_frames, |it| Some(wanted.samples_in(it))),
        wanted: wanted.ranges.clone(),
        ..facts
    }
}

fn video(path: &Path, id: VideoId, wanted: &VideoSelection) -> Result<VideoFacts, MediaError> {
    let track = VideoTrack::open(path, StopFlag::default())?;
    if decoder::find(track.parameters().id()).is_none() {
        return Err(MediaError::NoDecoder {
            path: path.into(),
            codec: track.codec(),
        });
    }
    track.refuse_large()?;
    let size = track.size();
    if size.width == 0 || size.height == 0 {
        return Err(MediaError::nothing_decodes(path));
    }
    let (base, ticks) = (track.base(), track.duration());
    let facts = VideoFacts {
        id,
        path: path.into(),
        size,
        duration: ticks.map(|ticks| base.seconds_between(Pts(0), Pts(ticks))),
        fps: track.frame_rate(),
        codec: track.codec(),
        rotation: track.display().turn.degrees(),
        has_sound: track.has_sound(),
        first_frame: None,
        expected_frames: None,
        wanted: TimeRanges::default(),
    };
    let mut facts = as_wanted(facts, wanted);
    // What a broadcast says of its size is what it came to while its headers were looked for.
    if (facts.has_sound || track.is_broadcast())
        && let Some((first, size)) = first::first_frame(path, &facts)
    {
        facts.first_frame = Some(first);
        facts.size = size;
    }
    Ok(facts)
}

// A file with sound alone. One that has nothing of use is told as a video without frames.
fn sound(path: PathBuf, id: VideoId, wanted: &VideoSelection) -> Result<VideoFacts, MediaError> {
    let track = match SoundTrack::open(&path, None, StopFlag::default()) {
        Ok(track) => track,
        Err(MediaError::NoSound { path }) => return Err(MediaError::NoVideoStream { path }),
        Err(error) => return Err(error),
    };
    let codec = track.codec();
    if decoder::find(track.parameters().id()).is_none() {
        return Err(MediaError::NoSoundDecoder { path, codec });
    }
    let size = Size {
        width: 0,
        height: 0,
    };
    let facts = VideoFacts {
        id,
        path,
        size,
        duration: track.duration(),
        fps: None,
        codec,
        rotation: 0,
        has_sound: true,
        first_frame: None,
        expected_frames: Some(0),
        wanted: TimeRanges::default(),
    };
    Ok(as_wanted(facts, wanted))
}

fn pictures(path: &Path, files: &[PathBuf], id: VideoId) -> Result<VideoFacts, MediaError> {
    let still = files.iter().find_map(|file| stills::decode(file).ok());
    let Still { codec, frame, turn } = still.ok_or_else(|| nothing_decodes(path, files))?;
    let coded = Size {
        width: frame.width(),
        height: frame.height(),
    };
    Ok(VideoFacts {
        id,
        path: path.into(),
        size: turn.size(coded),
        duration: None,
        fps: None,
        codec: codec.into(),
        rotation: turn.degrees(),
        has_sound: false,
        first_frame: None,
        expected_frames: Some(files.len() as u64),
        wanted: TimeRanges::default(),
    })
}

// Where a picture is too large, that is told rather than that none can be decoded.
fn nothing_decodes(path: &Path, files: &[PathBuf]) -> MediaError {
    let too_large = |file: &PathBuf| {
        let size = signature::stated_size(file).ok()??;
        stills::refuse_large(file, size).err()
    };
    let large = files.iter().find_map(too_large);
    large.unwrap_or_else(|| MediaError::NothingDecodes { path: path.into() })
}
