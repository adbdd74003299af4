//! A sound file in memory back to its samples.
//!
//! For files that this program wrote: they have no gaps and no clock of their own.

use crate::media::error::MediaError;
use crate::media::sound::decoder::SoundDecoder;
use crate::media::sound::resampler::Resampler;
use crate::media::sound::track::SoundTrack;
use bytes::Bytes;

/// The samples of `file`, which [`encode_sound`](crate::media::sound::encode_sound) wrote.
///
/// # Errors
///
/// Where this FFmpeg lacks the decoder, or it is no such file.
pub fn decode_sound(file: &Bytes) -> Result<Vec<i16>, MediaError> {
    let mut track = SoundTrack::in_memory(file)?;
    let mut decoder = SoundDecoder::open(&track)?;
    let mut resampler = None;
    let mut samples = Vec::new();
    let mut is_over = false;
    while !is_over {
        match track.next_packet() {
            Some(packet) => decoder.send(&packet),
            None => {
                decoder.drain();
                is_over = true;
            }
        }
        while let Some(frame) = decoder.receive() {
            let resampler = match &mut resampler {
                Some(resampler) => resampler,
                none => none.insert(Resampler::new(&frame).map_err(|_| MediaError::OddSound {
                    path: track.path().into(),
                    channels: frame.channels(),
                    rate: frame.rate(),
                })?),
            };
            samples.extend(resampler.take(&frame));
        }
    }
    samples.extend(resampler.map(Resampler::rest).unwrap_or_default());
    Ok(samples)
}
