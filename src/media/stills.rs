//! Picture files, one after the other.
//!
//! Knows nothing of streams: a picture file is one packet for a decoder.

use crate::media::decoder::Decoder;
use crate::media::decoder::Output;
use crate::media::input;
use crate::time::TimeBase;
use ffmpeg_next::Packet;
use ffmpeg_next::codec::Id;
use ffmpeg_next::codec::Parameters;
use ffmpeg_next::frame::Video;
use ffmpeg_next::media::Type;
use std::fs;
use std::path::Path;

/// A decoded picture file.
pub(super) struct Still {
    /// FFmpeg's name of how it is coded.
    pub(super) codec: &'static str,
    /// What it shows.
    pub(super) frame: Video,
}

/// Reads and decodes one picture file; otherwise says in one sentence why not.
pub(super) fn decode(path: &Path) -> Result<Still, String> {
    let name = path.display();
    let bytes = fs::read(path).map_err(|error| format!("`{name}` cannot be read: {error}"))?;
    let (id, codec) = if input::is_jpeg(&bytes) {
        (Id::MJPEG, "mjpeg")
    } else if input::is_png(&bytes) {
        (Id::PNG, "png")
    } else {
        return Err(format!("`{name}` is not a JPEG or PNG picture"));
    };
    let damaged = || format!("the picture `{name}` is damaged and cannot be decoded");
    let mut parameters = Parameters::new();
    parameters.set_medium(Type::Video);
    parameters.set_id(id);
    let base = TimeBase::new(1, 1).ok_or_else(damaged)?;
    let mut decoder =
        Decoder::open(parameters, base, 1, path).map_err(|error| error.to_string())?;
    decoder.send(&Packet::copy(&bytes));
    decoder.drain();
    match decoder.receive() {
        Output::Frame(frame) => Ok(Still { codec, frame }),
        Output::Hungry | Output::Done => Err(damaged()),
    }
}
