//! Picture files, one after the other.

use crate::disk;
use crate::item::Size;
use crate::media::decode::decoder::Decoder;
use crate::media::decode::decoder::DecoderOutput;
use crate::media::decode::memory::MOST_PICTURE_PIXELS;
use crate::media::error::MediaError;
use crate::media::input::photograph;
use crate::media::input::signature;
use crate::media::pixels::orientation::Orientation;
use crate::media::pixels::shape;
use crate::time::TimeBase;
use ffmpeg_next::Packet;
use ffmpeg_next::codec::Id;
use ffmpeg_next::codec::Parameters;
use ffmpeg_next::frame::Video;
use ffmpeg_next::media::Type;
use std::io::Cursor;
use std::path::Path;

/// How many pixels a side of a frame may grow by while it is decoded.
const ROUNDING: u32 = 128;

/// A decoded picture file.
pub(in crate::media) struct Still {
    /// FFmpeg's name of how it is coded.
    pub(in crate::media) codec: &'static str,
    /// What it shows.
    pub(in crate::media) frame: Video,
    /// How it is to be turned.
    pub(in crate::media) turn: Orientation,
}

// The longest that a file with such a picture is: one of 16 bits and four components that could not
// be compressed, with previews, profiles or the seconds of video that phones put behind it.
fn longest(size: Size) -> u64 {
    8 * size.pixels() + (64 << 20)
}

/// Refuses a picture of larger size than is decoded.
pub(super) fn refuse_large(path: &Path, size: Size) -> Result<(), MediaError> {
    match size.pixels() > MOST_PICTURE_PIXELS {
        true => Err(MediaError::too_large(path, size, MOST_PICTURE_PIXELS)),
        false => Ok(()),
    }
}

/// Reads and decodes one picture file; otherwise says in one sentence why not.
pub(in crate::media) fn decode(path: &Path) -> Result<Still, String> {
    let name = format!("`{}`", path.display());
    let unreadable = |error| format!("{name} cannot be read: {error}");
    let start = signature::start(path).map_err(unreadable)?;
    let kind = StillKind::of(&start).ok_or_else(|| not_a_picture(&name))?;
    let size = signature::stated_size(path).map_err(unreadable)?;
    let size = size.ok_or_else(|| damaged(&name))?;
    refuse_large(path, size).map_err(|error| error.to_string())?;
    let bytes = disk::read_plain(path, longest(size)).map_err(unreadable)?;
    let still = kind.decode(&bytes, MOST_PICTURE_PIXELS, path)?;
    still.ok_or_else(|| damaged(&name))
}

/// Decodes a picture in memory that has the size that it states, and which sentences call `name`;
/// otherwise says in one sentence why not.
pub(in crate::media) fn decode_in_memory(
    file: &[u8],
    stated: Size,
    name: &str,
) -> Result<Still, String> {
    let kind = StillKind::of(file).ok_or_else(|| not_a_picture(name))?;
    // Decoders round both sides up.
    let most = Size {
        width: stated.width.saturating_add(ROUNDING),
        height: stated.height.saturating_add(ROUNDING),
    };
    let still = kind.decode(file, most.pixels(), Path::new(name))?;
    let has_size = |still: &Still| {
        (still.frame.width(), still.frame.height()) == (stated.width, stated.height)
    };
    still.filter(has_size).ok_or_else(|| damaged(name))
}

fn not_a_picture(name: &str) -> String {
    format!("{name} is not a JPEG or PNG picture")
}

fn damaged(name: &str) -> String {
    format!("the picture {name} is damaged and cannot be decoded")
}

#[derive(Clone, Copy)]
enum StillKind {
    Jpeg,
    Png,
}

impl StillKind {
    // Of what begins so.
    fn of(start: &[u8]) -> Option<Self> {
        match start {
            start if signature::is_jpeg(start) => Some(Self::Jpeg),
            start if signature::is_png(start) => Some(Self::Png),
            _ => None,
        }
    }

    // `path` is for the message where there is no decoder; `None` where the picture is damaged, or has
    // more than `most` pixels.
    fn decode(self, bytes: &[u8], most: u64, path: &Path) -> Result<Option<Still>, String> {
        let (id, codec) = match self {
            Self::Jpeg => (Id::MJPEG, "mjpeg"),
            Self::Png => (Id::PNG, "png"),
        };
        let mut parameters = Parameters::new();
        parameters.set_medium(Type::Video);
        parameters.set_id(id);
        let Some(base) = TimeBase::new(1, 1) else {
            return Ok(None);
        };
        let mut decoder =
            Decoder::open(parameters, base, 1, most, path).map_err(|error| error.to_string())?;
        decoder.send(&Packet::copy(bytes));
        decoder.drain();
        Ok(match decoder.receive() {
            DecoderOutput::Frame(frame) => {
                let turn = match photograph::turn(&mut Cursor::new(bytes)) {
                    turn if turn.is_none() => shape::turn_of_photograph(&frame),
                    turn => turn,
                };
                Some(Still { codec, frame, turn })
            }
            DecoderOutput::Hungry | DecoderOutput::Done => None,
        })
    }
}
