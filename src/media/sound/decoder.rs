//! A sound decoder: packets in, frames out, damage counted and survived.

use crate::media::error::MediaError;
use crate::media::ffmpeg;
use crate::media::sound::track::SoundTrack;
use ffmpeg_next::Packet;
use ffmpeg_next::Rational;
use ffmpeg_next::codec;
use ffmpeg_next::decoder;
use ffmpeg_next::error::EAGAIN;
use ffmpeg_next::error::Error;
use ffmpeg_next::frame::Audio;

/// A decoder that fails this often in a row while it is emptied will not end by itself.
const FAILURE_LIMIT: usize = 100;

/// A decoder for one sound stream.
pub(in crate::media) struct SoundDecoder {
    inner: decoder::Audio,
    damaged: u64,
}

impl SoundDecoder {
    /// A decoder for `track`.
    pub(in crate::media) fn open(track: &SoundTrack) -> Result<Self, MediaError> {
        let parameters = track.parameters();
        let missing = MediaError::NoSoundDecoder {
            path: track.path().into(),
            codec: ffmpeg::codec_name(&parameters),
        };
        let Some(codec) = decoder::find(parameters.id()) else {
            return Err(missing);
        };
        let base = track.base().ratio();
        let part = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
        let open = || {
            let mut decoder = codec::Context::from_parameters(parameters)?.decoder();
            // It moves time stamps where it cuts off what an encoder put before the sound.
            decoder.set_packet_time_base(Rational(part(base.num()), part(base.den())));
            decoder.open_as(codec)?.audio()
        };
        let inner = open().map_err(|_: Error| missing)?;
        let path = track.path().display();
        tracing::debug!(%path, codec = codec.name(), "sound decoder opened");
        Ok(Self { inner, damaged: 0 })
    }

    /// Samples a second, as far as the headers say.
    pub(in crate::media) fn rate(&self) -> u32 {
        self.inner.rate()
    }

    /// Channels, likewise.
    pub(in crate::media) fn channels(&self) -> u16 {
        self.inner.channels()
    }

    /// Packets, so far, that could not be decoded and were left out.
    pub(in crate::media) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// Feeds a packet. All frames must have been taken first.
    pub(in crate::media) fn send(&mut self, packet: &Packet) {
        let sent = self.inner.send_packet(packet);
        if packet.is_corrupt() || sent.is_err() {
            self.damaged += 1;
        }
    }

    /// Lets it forget what it has heard, before a packet that does not follow.
    pub(super) fn forget(&mut self) {
        self.inner.flush();
    }

    /// Tells it that no packets follow.
    pub(in crate::media) fn drain(&mut self) {
        // It refuses only when it is drained already.
        self.inner.send_eof().ok();
    }

    /// The next frame; `None` where it needs another packet first, or was drained.
    pub(in crate::media) fn receive(&mut self) -> Option<Audio> {
        let again = Error::Other { errno: EAGAIN };
        for _ in 0..FAILURE_LIMIT {
            let mut frame = Audio::empty();
            match self.inner.receive_frame(&mut frame) {
                Ok(()) => return Some(frame),
                Err(Error::Eof) => return None,
                Err(error) if error == again => return None,
                Err(_) => self.damaged += 1,
            }
        }
        None
    }
}
