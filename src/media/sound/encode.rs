//! Samples to a sound file in memory, by FFmpeg's encoders and muxers.

use crate::media::error::MediaError;
use crate::speech::Codec;
use crate::speech::RATE;
use bytes::Bytes;
use ffmpeg_next::ChannelLayout;
use ffmpeg_next::Dictionary;
use ffmpeg_next::Packet;
use ffmpeg_next::Rational;
use ffmpeg_next::codec;
use ffmpeg_next::codec::Flags;
use ffmpeg_next::encoder;
use ffmpeg_next::encoder::audio::Encoder;
use ffmpeg_next::error::Error;
use ffmpeg_next::format;
use ffmpeg_next::format::Sample;
use ffmpeg_next::format::context::Output;
use ffmpeg_next::format::context::StreamIo;
use ffmpeg_next::format::sample::Type;
use ffmpeg_next::frame::Audio;
use std::io;
use std::io::Cursor;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// Samples that an encoder without a size of its own gets at a time.
const FRAME: usize = 4096;

/// Average bits a second of Opus: more than speech on one channel needs to be understood.
const OPUS_RATE: usize = 24_000;

/// A whole file of `samples`.
///
/// # Errors
///
/// Where this FFmpeg lacks the encoder.
pub fn encode_sound(samples: &[i16], codec: Codec) -> Result<Bytes, MediaError> {
    // By name: FFmpeg's own encoder for Opus is an experiment.
    let (encoder, muxer) = match codec {
        Codec::Flac => ("flac", "flac"),
        Codec::Wav => ("pcm_s16le", "wav"),
        Codec::Opus => ("libopus", "ogg"),
    };
    let failed = |error: Error| MediaError::SoundEncoder {
        codec: codec.extension(),
        why: error.to_string(),
    };
    let found = encoder::find_by_name(encoder).ok_or(MediaError::NoSoundEncoder {
        encoder,
        codec: codec.extension(),
    })?;
    let file = Shared::default();
    write(samples, found, muxer, &file).map_err(failed)?;
    let file = std::mem::take(
        file.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_mut(),
    );
    Ok(file.into())
}

fn write(
    samples: &[i16],
    codec: ffmpeg_next::Codec,
    muxer: &str,
    file: &Shared,
) -> Result<(), Error> {
    let io = StreamIo::from_write_seek(file.clone())?;
    let mut output = format::output_to_stream(io, None, Some(muxer))?;
    let base = Rational(1, RATE as i32);
    let mut context = codec::Context::new_with_codec(codec).encoder().audio()?;
    context.set_rate(RATE as i32);
    context.set_format(Sample::I16(Type::Packed));
    context.set_channel_layout(ChannelLayout::MONO);
    context.set_bit_rate(OPUS_RATE);
    context.set_time_base(base);
    if output
        .format()
        .flags()
        .contains(format::Flags::GLOBAL_HEADER)
    {
        context.set_flags(Flags::GLOBAL_HEADER);
    }
    let mut encoder = context.open_as_with(codec, options(muxer))?;
    output.add_stream_with(&encoder)?.set_time_base(base);
    output.write_header()?;
    let frame = match encoder.frame_size() as usize {
        0 => FRAME,
        size => size,
    };
    for (number, part) in samples.chunks(frame).enumerate() {
        let mut audio = Audio::new(Sample::I16(Type::Packed), part.len(), ChannelLayout::MONO);
        audio.set_rate(RATE);
        audio.set_pts(Some((number * frame) as i64));
        audio.plane_mut(0).copy_from_slice(part);
        encoder.send_frame(&audio)?;
        drain(&mut encoder, &mut output)?;
    }
    encoder.send_eof()?;
    drain(&mut encoder, &mut output)?;
    output.write_trailer()
}

fn options(muxer: &str) -> Dictionary<'static> {
    let mut options = Dictionary::new();
    if muxer == "ogg" {
        options.set("application", "voip");
    }
    options
}

fn drain(encoder: &mut Encoder, output: &mut Output) -> Result<(), Error> {
    let mut packet = Packet::empty();
    while encoder.receive_packet(&mut packet).is_ok() {
        packet.set_stream(0);
        if let Some(base) = output.stream(0).map(|stream| stream.time_base()) {
            packet.rescale_ts(Rational(1, RATE as i32), base);
        }
        packet.write_interleaved(output)?;
    }
    Ok(())
}

// A file that can still be read when its muxer is gone.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Cursor<Vec<u8>>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .seek(to)
    }
}
