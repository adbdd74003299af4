//! Sound of any codec to AAC, for files that cannot hold it as it is: one or two channels, at the
//! place that its time stamps say.

use crate::media::error::MediaError;
use crate::media::sound::SoundDecoder;
use crate::media::sound::SoundTrack;
use crate::time::TimeBase;
use ffmpeg_next::ChannelLayout;
use ffmpeg_next::Packet;
use ffmpeg_next::Rational;
use ffmpeg_next::codec;
use ffmpeg_next::codec::Flags;
use ffmpeg_next::encoder;
use ffmpeg_next::encoder::audio::Encoder;
use ffmpeg_next::error::Error;
use ffmpeg_next::format::Sample;
use ffmpeg_next::format::sample::Type;
use ffmpeg_next::frame::Audio;
use ffmpeg_next::software::resampling::Context;
use std::collections::VecDeque;

const FORMAT: Sample = Sample::F32(Type::Planar);

/// The rates that AAC has, from the highest.
const RATES: [u32; 13] = [
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
    7_350,
];

/// Bits a second of one channel.
const BIT_RATE: usize = 96_000;

/// Samples of a packet, where the encoder does not say.
const FRAME: usize = 1024;

/// How far time stamps may be from where the samples before them end: a part of a second. Many
/// containers round them; from there on they are believed.
const SLACK: i64 = 25;

/// Packets of any codec in, packets of AAC out.
pub(super) struct AacEncoder {
    decoder: SoundDecoder,
    resampler: Option<Context>,
    encoder: Encoder,
    rate: u32,
    base: TimeBase,
    layout: ChannelLayout,
    // The tick of the packets that come in, in seconds.
    tick: f64,
    // Samples of each channel that are not coded yet, and the place of the first.
    waiting: [VecDeque<f32>; 2],
    place: i64,
    has_begun: bool,
}

impl AacEncoder {
    /// One for `track`.
    pub(super) fn open(track: &SoundTrack) -> Result<Self, MediaError> {
        let decoder = SoundDecoder::open(track)?;
        let rate = RATES.into_iter().find(|it| *it <= decoder.rate());
        let rate = rate.unwrap_or(RATES[RATES.len() - 1]);
        let layout = match decoder.channels() {
            1 => ChannelLayout::MONO,
            _ => ChannelLayout::STEREO,
        };
        let open = || {
            let codec = encoder::find_by_name("aac").ok_or(Error::EncoderNotFound)?;
            let mut context = codec::Context::new_with_codec(codec);
            context.set_flags(Flags::GLOBAL_HEADER);
            let mut audio = context.encoder().audio()?;
            audio.set_rate(rate.cast_signed());
            audio.set_format(FORMAT);
            audio.set_channel_layout(layout);
            audio.set_bit_rate(BIT_RATE * usize::from(layout == ChannelLayout::STEREO) + BIT_RATE);
            audio.set_time_base(Rational(1, rate.cast_signed()));
            audio.open_as(codec)
        };
        Ok(Self {
            encoder: open().map_err(failed)?,
            decoder,
            resampler: None,
            base: TimeBase::new(1, rate.into()).ok_or_else(|| failed(Error::InvalidData))?,
            rate,
            layout,
            tick: track.base().ratio().to_f64(),
            waiting: Default::default(),
            place: 0,
            has_begun: false,
        })
    }

    /// What a muxer must know of it.
    pub(super) fn context(&self) -> &codec::Context {
        &self.encoder
    }

    /// The tick of the packets that it gives: a sample.
    pub(super) fn base(&self) -> TimeBase {
        self.base
    }

    /// Takes a packet in, on a clock that begins at `begin`, and puts what is ready into `ready`.
    pub(super) fn send(
        &mut self,
        packet: &Packet,
        begin: i64,
        ready: &mut VecDeque<Packet>,
    ) -> Result<(), MediaError> {
        self.decoder.send(packet);
        self.take_frames(begin, ready)
    }

    /// Puts all that is left into `ready`.
    pub(super) fn finish(&mut self, ready: &mut VecDeque<Packet>) -> Result<(), MediaError> {
        self.decoder.drain();
        self.take_frames(i64::MIN, ready)?;
        let left = self.waiting[0].len();
        if left > 0 {
            self.code(left.min(self.frame_size()), ready)?;
        }
        self.encoder.send_eof().map_err(failed)?;
        self.drain(ready);
        Ok(())
    }

    // What is still in a decoder when it is drained follows what came out before, as `i64::MIN` says.
    fn take_frames(&mut self, begin: i64, ready: &mut VecDeque<Packet>) -> Result<(), MediaError> {
        while let Some(mut frame) = self.decoder.receive() {
            if let Some(pts) = frame.pts().filter(|_| begin != i64::MIN) {
                let seconds = pts.saturating_sub(begin) as f64 * self.tick;
                self.go_on_at((seconds * f64::from(self.rate)).round() as i64, ready)?;
            }
            if let Ok(samples) = self.resampled(&mut frame) {
                self.put(&samples);
            }
            self.code_whole(ready)?;
        }
        Ok(())
    }

    // Puts silence where there is a gap; where time goes back, what comes again is left in.
    fn go_on_at(&mut self, place: i64, ready: &mut VecDeque<Packet>) -> Result<(), MediaError> {
        if !self.has_begun {
            self.has_begun = true;
            self.place = place;
            return Ok(());
        }
        let next = self.place.saturating_add(self.waiting[0].len() as i64);
        let mut missing = place.saturating_sub(next);
        if missing <= i64::from(self.rate) / SLACK {
            return Ok(());
        }
        while missing > 0 {
            let part = missing.min(FRAME as i64);
            let silence = vec![0.0; part as usize];
            self.waiting.iter_mut().for_each(|it| it.extend(&silence));
            missing -= part;
            self.code_whole(ready)?;
        }
        Ok(())
    }

    fn resampled(&mut self, frame: &mut Audio) -> Result<Audio, Error> {
        let known = frame.channel_layout();
        let layout = match known.channels() == i32::from(frame.channels()) {
            true => known,
            // What a file does not say of its channels is taken to be as usual.
            false => ChannelLayout::default(frame.channels().into()),
        };
        frame.set_channel_layout(layout);
        let fits = |context: &Context| {
            let input = context.input();
            (input.format, input.channel_layout, input.rate)
                == (frame.format(), layout, frame.rate())
        };
        let resampler = match self.resampler.take().filter(fits) {
            Some(fitting) => fitting,
            None => Context::get(
                frame.format(),
                layout,
                frame.rate(),
                FORMAT,
                self.layout,
                self.rate,
            )?,
        };
        let mut samples = Audio::empty();
        self.resampler.insert(resampler).run(frame, &mut samples)?;
        Ok(samples)
    }

    fn put(&mut self, samples: &Audio) {
        let first: &[f32] = samples.plane(0);
        let second: &[f32] = match samples.planes() {
            0 | 1 => first,
            _ => samples.plane(1),
        };
        let count = samples.samples();
        self.waiting[0].extend(first.iter().take(count));
        self.waiting[1].extend(second.iter().take(count));
    }

    fn frame_size(&self) -> usize {
        match self.encoder.frame_size() as usize {
            0 => FRAME,
            size => size,
        }
    }

    fn code_whole(&mut self, ready: &mut VecDeque<Packet>) -> Result<(), MediaError> {
        while self.waiting[0].len() >= self.frame_size() {
            self.code(self.frame_size(), ready)?;
        }
        Ok(())
    }

    fn code(&mut self, count: usize, ready: &mut VecDeque<Packet>) -> Result<(), MediaError> {
        let mut frame = Audio::new(FORMAT, count, self.layout);
        frame.set_rate(self.rate);
        frame.set_pts(Some(self.place));
        for (plane, waiting) in self.waiting.iter_mut().enumerate() {
            let samples = waiting.drain(..count.min(waiting.len()));
            if plane < frame.planes() {
                let to: &mut [f32] = frame.plane_mut(plane);
                to.iter_mut().zip(samples).for_each(|(to, from)| *to = from);
            }
        }
        self.place = self.place.saturating_add(count as i64);
        self.encoder.send_frame(&frame).map_err(failed)?;
        self.drain(ready);
        Ok(())
    }

    fn drain(&mut self, ready: &mut VecDeque<Packet>) {
        let mut packet = Packet::empty();
        while self.encoder.receive_packet(&mut packet).is_ok() {
            ready.push_back(std::mem::replace(&mut packet, Packet::empty()));
        }
    }
}

fn failed(error: Error) -> MediaError {
    let why = format!("AAC: {error}");
    MediaError::VideoEncoder { why }
}
