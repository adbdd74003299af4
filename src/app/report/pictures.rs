//! Pictures that a page keeps of a video, for browsers that cannot play it: of each part of the video
//! the frame in which the most is seen.

use crate::item::Content;
use crate::item::Frame;
use crate::item::PixelFormat;
use crate::media;
use crate::media::KnownFrames;
use crate::media::MediaError;
use crate::media::MediaInput;
use crate::media::Mode;
use crate::media::VideoSelection;
use crate::name::VideoId;
use crate::output::Entry;
use crate::output::KeptPicture;
use crate::output::Results;
use crate::output::Seen;
use crate::output::WantedRange;
use crate::time::Pts;
use crate::time::Ratio;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Bytes of all pictures of a page.
pub(super) const LARGEST: usize = 64 << 20;

/// The longest side of a picture, in pixels.
const MAX_SIDE: u32 = 960;

/// The quality of its JPEG.
const QUALITY: u8 = 80;

/// Why a video gives no pictures.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoPictures {
    /// It is not there.
    #[error("it was not found")]
    Missing,
    /// Another file has its name.
    #[error("the file of this name is another video")]
    Other,
    /// It shows none of the frames that results tell of.
    #[error("it shows none of the frames that were sampled")]
    NoFrame,
    /// It cannot be read.
    #[error(transparent)]
    Media(#[from] MediaError),
}

/// At most `count` pictures of `video`, in order of time, which take their bytes from `room`. Once `stop`
/// is set, fewer.
pub(super) fn kept(
    results: &Results,
    video: Option<&Path>,
    count: usize,
    room: &mut usize,
    stop: &Arc<AtomicBool>,
) -> Result<Vec<KeptPicture>, NoPictures> {
    let input = media::identify(video.ok_or(NoPictures::Missing)?)?;
    // The name stands in the results, which may be a stranger's: no other file is shown.
    let content = media::content(&input, stop)?;
    if content.digest != results.source.digest {
        return Err(NoPictures::Other);
    }
    let chosen = chosen(&results.detections, count);
    let pictures = decoded(&input, &wanted(results), &chosen, room, stop)?;
    match pictures.is_empty() {
        true => Err(NoPictures::NoFrame),
        false => Ok(pictures),
    }
}

// The numbers of the frames: of `count` parts of equal length, the one with the most objects each.
fn chosen(entries: &[Entry], count: usize) -> BTreeSet<u64> {
    let objects = |entry: &Entry| match &entry.seen {
        Seen::Objects { detections, .. } => detections.len(),
        Seen::Record { .. } | Seen::Crops { .. } | Seen::Error { .. } | Seen::Skipped { .. } => 0,
    };
    let count = count.min(entries.len());
    let parts = (0..count).filter_map(|part| {
        let [from, to] = [part, part + 1].map(|part| part * entries.len() / count);
        // The first of those with as many.
        let of_part = entries.get(from..to)?.iter().rev();
        of_part.max_by_key(|entry| objects(entry))
    });
    parts.map(|entry| entry.frame_number).collect()
}

// What the run asked of the video.
fn wanted(results: &Results) -> VideoSelection {
    let fps = results.config.fps.and_then(Ratio::from_decimal);
    let fps = fps.filter(|fps| fps.num() > 0).unwrap_or(Ratio::ONE);
    let mut stages = results.recipe.settings.values();
    let by_keyframes = Some(&Value::String("keyframes".to_owned()));
    VideoSelection {
        ranges: results
            .range
            .as_ref()
            .map(WantedRange::ranges)
            .unwrap_or_default(),
        mode: match stages.any(|keys| keys.get("mode") == by_keyframes) {
            true => Mode::Keyframes,
            false => Mode::Exact,
        },
        ..VideoSelection::new(fps, MAX_SIDE, PixelFormat::I420)
    }
}

fn decoded(
    input: &MediaInput,
    wanted: &VideoSelection,
    chosen: &BTreeSet<u64>,
    room: &mut usize,
    stop: &Arc<AtomicBool>,
) -> Result<Vec<KeptPicture>, MediaError> {
    let facts = media::probe(input, VideoId::FIRST, wanted)?;
    let frames = |known: KnownFrames| {
        let wanted = VideoSelection {
            known: Some(known),
            ..wanted.clone()
        };
        media::frames(input, &facts, &wanted, Arc::clone(stop))
    };
    // The packets tell which time stamp a frame of a number has; then those are decoded alone.
    let mut stamps: BTreeSet<Pts> = BTreeSet::new();
    for frame in frames(KnownFrames::new(|_| true))? {
        let moment = frame?.moment;
        if chosen.contains(&moment.frame_number) {
            stamps.insert(moment.pts);
        }
    }
    let mut pictures = Vec::new();
    for frame in frames(KnownFrames::new(move |pts| !stamps.contains(&pts)))? {
        let Some(picture) = picture(&frame?)? else {
            continue;
        };
        match room.checked_sub(picture.jpeg.len()) {
            Some(left) => *room = left,
            None => break,
        }
        pictures.push(picture);
    }
    Ok(pictures)
}

// None where the frame is not chosen, or is damaged.
fn picture(frame: &Frame) -> Result<Option<KeptPicture>, MediaError> {
    let Ok(Content {
        pixels: Some(pixels),
        ..
    }) = &frame.content
    else {
        return Ok(None);
    };
    Ok(Some(KeptPicture {
        seconds: frame.moment.seconds,
        jpeg: media::encode_jpeg(pixels, frame.size, QUALITY)?,
    }))
}
