//! One decoder: packets in, frames out, damage counted and survived.

use crate::media::decode::png_chunks::keep_shown;
use crate::media::error::MediaError;
use crate::media::ffmpeg;
use crate::time::TimeBase;
use ffmpeg_next::Packet;
use ffmpeg_next::Rational;
use ffmpeg_next::codec;
use ffmpeg_next::codec::Id;
use ffmpeg_next::codec::Parameters;
use ffmpeg_next::codec::threading;
use ffmpeg_next::decoder;
use ffmpeg_next::error::EAGAIN;
use ffmpeg_next::error::Error;
use ffmpeg_next::frame::DecodeError;
use ffmpeg_next::frame::Video;
use std::path::Path;

/// A decoder that fails this often in a row while it is emptied will not end by itself.
const FAILURE_LIMIT: usize = 100;

/// What a decoder says when it is asked for a frame.
pub(in crate::media) enum DecoderOutput {
    /// The next frame in the order of display.
    Frame(Video),
    /// It needs another packet first.
    Hungry,
    /// It was drained and has no more.
    Done,
}

/// A decoder for one stream.
pub(in crate::media) struct Decoder {
    inner: decoder::Video,
    is_png: bool,
    stats: DecodeStats,
}

/// What a decoder was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::media) struct DecodeStats {
    /// Packets.
    pub(in crate::media) packets: u64,
    /// Those of them that were marked as damaged or could not be decoded whole.
    pub(in crate::media) damaged: u64,
}

impl Decoder {
    /// A decoder on `threads` threads for the stream that `parameters` describe, which takes frames
    /// of more than `most_pixels` for damaged. `path` is for the message if there is none.
    pub(in crate::media) fn open(
        parameters: Parameters,
        base: TimeBase,
        threads: usize,
        most_pixels: u64,
        path: &Path,
    ) -> Result<Self, MediaError> {
        let missing = MediaError::NoDecoder {
            path: path.into(),
            codec: ffmpeg::codec_name(&parameters),
        };
        let Some(codec) = decoder::find(parameters.id()) else {
            return Err(missing);
        };
        let is_png = [Id::PNG, Id::APNG].contains(&parameters.id());
        let open = || {
            let mut context = codec::Context::from_parameters(parameters)?;
            if is_png {
                ffmpeg::shorten_codec_data(&mut context, keep_shown);
            }
            ffmpeg::bound_pixels(&mut context, most_pixels);
            context.set_threading(threading::Config {
                kind: threading::Type::Frame,
                count: threads.max(1),
                ..threading::Config::default()
            });
            let mut decoder = context.decoder();
            let part = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
            let base = base.ratio();
            decoder.set_packet_time_base(Rational(part(base.num()), part(base.den())));
            decoder.open_as(codec)?.video()
        };
        let inner = open().map_err(|_: Error| missing)?;
        tracing::debug!(path = %path.display(), codec = codec.name(), threads, "decoder opened");
        let stats = DecodeStats::default();
        Ok(Self {
            inner,
            is_png,
            stats,
        })
    }

    /// What it was given so far.
    pub(in crate::media) fn stats(&self) -> DecodeStats {
        self.stats
    }

    /// Feeds a packet; one that cannot be decoded is counted and left out. All frames must have
    /// been taken first.
    pub(in crate::media) fn send(&mut self, packet: &Packet) {
        let is_sent = match self.is_png {
            true => shown(packet).is_some_and(|shown| self.inner.send_packet(&shown).is_ok()),
            false => self.inner.send_packet(packet).is_ok(),
        };
        self.stats.packets += 1;
        if packet.is_corrupt() || !is_sent {
            self.stats.damaged += 1;
        }
    }

    /// Tells it that no packets follow.
    pub(in crate::media) fn drain(&mut self) {
        // It refuses only when it is drained already.
        self.inner.send_eof().ok();
    }

    /// Forgets all it was fed, and can be fed again.
    pub(in crate::media) fn reset(&mut self) {
        self.inner.flush();
    }

    /// The next frame, if there is one.
    pub(in crate::media) fn receive(&mut self) -> DecoderOutput {
        let again = Error::Other { errno: EAGAIN };
        for _ in 0..FAILURE_LIMIT {
            let mut frame = Video::empty();
            match self.inner.receive_frame(&mut frame) {
                Ok(()) => {
                    self.stats.damaged += u64::from(is_patched(&frame));
                    return DecoderOutput::Frame(frame);
                }
                Err(Error::Eof) => return DecoderOutput::Done,
                Err(error) if error == again => return DecoderOutput::Hungry,
                Err(_) => self.stats.damaged += 1,
            }
        }
        DecoderOutput::Done
    }
}

// What of a packet of a PNG is decoded. An empty packet would end the stream, and one of which
// nothing can be shown is to fail like any other that is damaged.
fn shown(packet: &Packet) -> Option<Packet> {
    let mut shown = packet.clone();
    let length = shown.data_mut().map_or(0, keep_shown);
    shown.shrink(length.max(1));
    (shown.size() > 0).then_some(shown)
}

/// Whether the decoder made up parts of a frame that it could not decode, from whatever it had
/// decoded before.
pub(in crate::media) fn is_patched(frame: &Video) -> bool {
    let errors = frame.decode_error_flags();
    errors.intersects(DecodeError::CONCEALMENT_ACTIVE | DecodeError::DECODE_SLICES)
}
