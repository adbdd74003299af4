//! Where somebody speaks and where nobody does, by the loudness of the sound.
//!
//! The level of every 20 ms is compared with a line between the quiet and the loud of the same
//! sound, so neither gain nor steady noise matter. Knows nothing of models.

use crate::backends::models::whisper::mel::RATE;
use std::ops::Range;

/// Samples of a level.
const STEP: usize = RATE / 50;
/// Levels that must lie below the line to make a pause: 0.24 s.
const PAUSE: usize = 12;
/// Levels that are kept around speech: soft beginnings and endings.
const MARGIN: usize = 6;
/// How far the line lies above the quiet, as a share of what is between it and the loud.
const LINE: f32 = 0.3;
/// The quiet is taken to be at most this much below the loud, in dB.
const RANGE: f32 = 50.0;
/// Sound in which less lies between them, in dB, is steady.
const STEADY: f32 = 3.0;
/// Where less lies between them, in dB, nothing is taken for a pause.
const LEAST_RANGE: f32 = 6.0;

/// The spans of `samples` between pauses, each with a margin; all of it where there is no telling.
pub(in crate::backends) fn spoken(samples: &[f32]) -> Vec<Range<usize>> {
    let levels: Vec<f32> = samples.chunks(STEP).map(level).collect();
    let mut sorted = levels.clone();
    sorted.sort_by(f32::total_cmp);
    let part = |hundredths: usize| sorted.get(sorted.len() * hundredths / 100).copied();
    let (Some(quiet), Some(loud)) = (part(10), part(95)) else {
        return Vec::new();
    };
    let quiet = quiet.max(loud - RANGE);
    if loud - quiet < LEAST_RANGE {
        let all = 0..samples.len();
        return vec![all];
    }
    let line = quiet + LINE * (loud - quiet);
    let mut found: Vec<Range<usize>> = Vec::new();
    for (place, _) in levels
        .iter()
        .enumerate()
        .filter(|(_, level)| **level > line)
    {
        match found.last_mut() {
            Some(last) if place - last.end < PAUSE => last.end = place + 1,
            _ => found.push(place..place + 1),
        }
    }
    found
        .into_iter()
        .map(|speech| {
            let end = (speech.end + MARGIN) * STEP;
            speech.start.saturating_sub(MARGIN) * STEP..end.min(samples.len())
        })
        .collect()
}

/// Whether samples are as loud all along as no speech is: noise, a hum or a tone.
pub(in crate::backends) fn is_steady(samples: &[f32]) -> bool {
    let mut levels: Vec<f32> = samples.chunks_exact(STEP).map(level).collect();
    levels.sort_by(f32::total_cmp);
    let part = |hundredths: usize| levels.get(levels.len() * hundredths / 100);
    // Of 30 s, speech of 0.3 s is seen.
    matches!((part(10), part(99)), (Some(quiet), Some(loud)) if loud - quiet < STEADY)
}

/// The pauses before, between and after the `spoken` spans of `length` samples, the margins of the
/// spans among them.
pub(in crate::backends) fn between(spoken: &[Range<usize>], length: usize) -> Vec<Range<usize>> {
    let margin = MARGIN * STEP;
    let starts = std::iter::once(0).chain(spoken.iter().map(|it| it.end.saturating_sub(margin)));
    let ends = spoken.iter().map(|it| it.start + margin);
    starts
        .zip(ends.chain([length]))
        .map(|(start, end)| start..end.max(start))
        .collect()
}

/// The power of samples, in dB.
fn level(samples: &[f32]) -> f32 {
    let power = samples.iter().map(|sample| sample * sample).sum::<f32>();
    10.0 * (power / samples.len() as f32).max(1e-12).log10()
}

#[cfg(test)]
mod tests {
    use super::between;
    use super::is_steady;
    use super::spoken;
    use crate::backends::models::whisper::mel::RATE;

    /// Tones with these seconds of near silence and of tone in turns, over a noise.
    fn sound(noise: f32, turns: &[f32]) -> Vec<f32> {
        let mut samples = Vec::new();
        let mut state = 1_u32;
        for (turn, seconds) in turns.iter().enumerate() {
            for n in 0..(seconds * RATE as f32) as usize {
                state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
                let loud = if turn % 2 == 1 { 0.3 } else { 0.0 };
                let random = (state >> 16) as f32 / 65_536.0 - 0.5;
                samples.push(loud * (n as f32 * 0.2).sin() + noise * random);
            }
        }
        samples
    }

    fn seconds(samples: &[f32]) -> Vec<(f32, f32)> {
        let second = |sample| (sample as f32 / RATE as f32 * 100.0).round() / 100.0;
        let found = spoken(samples).into_iter();
        found.map(|s| (second(s.start), second(s.end))).collect()
    }

    #[test]
    fn speech_is_cut_at_pauses() {
        for noise in [0.0, 0.001, 0.05] {
            let turns = sound(noise, &[0.5, 1.0, 0.4, 2.0, 0.1, 1.0, 0.5]);
            assert_eq!(seconds(&turns), [(0.38, 1.62), (1.78, 5.12)], "{noise}");
        }
    }

    #[test]
    fn what_lies_between_speech_is_a_pause() {
        let samples = sound(0.001, &[0.5, 1.0, 0.4, 2.0, 0.1, 1.0, 0.5]);
        let spoken = spoken(&samples);
        let pauses = between(&spoken, samples.len());
        let tenths = |place: usize| place * 10 / RATE;
        let found: Vec<_> = pauses
            .iter()
            .map(|pause| (tenths(pause.start), tenths(pause.end)))
            .collect();
        assert_eq!(found, [(0, 5), (15, 19), (50, 55)]);
    }

    #[test]
    fn noise_and_tones_are_steady_and_a_short_word_is_not() {
        assert!(is_steady(&sound(0.1, &[10.0])));
        assert!(is_steady(&sound(0.001, &[0.0, 10.0])));
        assert!(!is_steady(&sound(0.01, &[5.0, 0.4, 5.0])));
        assert!(!is_steady(&[]));
    }

    #[test]
    fn where_there_is_no_telling_all_is_kept() {
        assert_eq!(seconds(&sound(0.1, &[2.0])), [(0.0, 2.0)]);
        assert_eq!(seconds(&[0.0; 16_000]), [(0.0, 1.0)]);
        assert_eq!(seconds(&[0.0; 7]), [(0.0, 0.0)]);
        assert_eq!(seconds(&[]), []);
    }
}
