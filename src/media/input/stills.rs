//! Picture files, one after the other.

use crate::media::decode::decoder::Decoder;
use crate::media::decode::decoder::DecoderOutput;
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
use std::fs;
use std::io::Cursor;
use std::path::Path;

/// A decoded picture file.
pub(in crate::media) struct Still {
    /// FFmpeg's name of how it is coded.
    pub(in crate::media) codec: &'static str,
    /// What it shows.
    pub(in crate::media) frame: Video,
    /// How it is to be turned.
    pub(in crate::media) turn: Orientation,
}

/// Reads and decodes one picture file; otherwise says in one sentence why not.
pub(in crate::media) fn decode(path: &Path) -> Result<Still, String> {
    let name = path.display();
    let bytes = fs::read(path).map_err(|error| format!("`{name}` cannot be read: {error}"))?;
    let (id, codec) = if signature::is_jpeg(&bytes) {
        (Id::MJPEG, "mjpeg")
    } else if signature::is_png(&bytes) {
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
        DecoderOutput::Frame(frame) => {
            let turn = match photograph::turn(&mut Cursor::new(&bytes)) {
                turn if turn.is_none() => shape::turn_of_photograph(&frame),
                turn => turn,
            };
            Ok(Still { codec, frame, turn })
        }
        DecoderOutput::Hungry | DecoderOutput::Done => Err(damaged()),
    }
}
