//! Frames of any rate, layout and sample format to samples of 16 kHz on one channel.
//!
//! The second file with `unsafe`: FFmpeg's crate has frames converted only where their layout of
//! channels is known.
#![expect(
    unsafe_code,
    reason = "FFmpeg is C, and its crate does not wrap this call"
)]

use crate::speech::RATE;
use ffmpeg_next::ChannelLayout;
use ffmpeg_next::error::Error;
use ffmpeg_next::ffi;
use ffmpeg_next::format::Sample;
use ffmpeg_next::format::sample::Type;
use ffmpeg_next::frame::Audio;
use ffmpeg_next::software::resampling::Context;
use std::ffi::c_int;
use std::ptr;

const OUT: Sample = Sample::I16(Type::Packed);

/// What a resampler takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SampleLayout {
    format: Sample,
    channels: u16,
    /// Samples a second.
    pub(super) rate: u32,
}

impl SampleLayout {
    /// That of `frame`.
    pub(super) fn of(frame: &Audio) -> Self {
        Self {
            format: frame.format(),
            channels: frame.channels(),
            rate: frame.rate(),
        }
    }
}

/// Resamples what has no gaps.
pub(super) struct Resampler {
    context: Context,
    shape: SampleLayout,
}

impl Resampler {
    /// A resampler for frames like this one.
    pub(super) fn new(frame: &Audio) -> Result<Self, Error> {
        let shape = SampleLayout::of(frame);
        let known = frame.channel_layout();
        let is_whole = !known.is_empty() && known.channels() == i32::from(shape.channels);
        let layout = if is_whole {
            known
        } else {
            // What a file does not say of its channels is taken to be as usual.
            ChannelLayout::default(shape.channels.into())
        };
        if layout.channels() != i32::from(shape.channels) || shape.rate == 0 {
            return Err(Error::InvalidData);
        }
        let mono = ChannelLayout::MONO;
        let context = Context::get(shape.format, layout, shape.rate, OUT, mono, RATE)?;
        Ok(Self { context, shape })
    }

    /// What it takes.
    pub(super) fn shape(&self) -> SampleLayout {
        self.shape
    }

    /// The samples that are ready once `frame` is taken in; nothing where it is of another shape.
    pub(super) fn take(&mut self, frame: &Audio) -> Vec<i16> {
        if SampleLayout::of(frame) != self.shape {
            return Vec::new();
        }
        let count = c_int::try_from(frame.samples()).unwrap_or(0);
        // SAFETY: the frame has the format and number of channels that the context was made for,
        // `count` samples on each, and outlives the call.
        unsafe { self.convert((*frame.as_ptr()).extended_data.cast(), count) }
    }

    /// The samples that were held back. Nothing may follow.
    pub(super) fn rest(mut self) -> Vec<i16> {
        // SAFETY: no input is allowed to be null: it asks for what is left.
        unsafe { self.convert(ptr::null_mut(), 0) }
    }

    // SAFETY: `planes` is null, or points to as many pointers to samples as the context has
    // planes, each to `count` samples.
    unsafe fn convert(&mut self, planes: *mut *const u8, count: c_int) -> Vec<i16> {
        // SAFETY: the context is valid; the bound is on what the call below writes, and it is told
        // how much room there is.
        unsafe {
            let context = self.context.as_mut_ptr();
            let room = ffi::swr_get_out_samples(context, count).max(0);
            let mut samples = vec![0_i16; room.unsigned_abs() as usize];
            let mut out = samples.as_mut_ptr().cast::<u8>();
            let written = ffi::swr_convert(context, &raw mut out, room, planes.cast(), count);
            samples.truncate(written.max(0).unsigned_abs() as usize);
            samples
        }
    }
}
