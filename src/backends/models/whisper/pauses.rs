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
/// What is not this much louder than the quiet, in dB, is as steady as noise.
const STEADY: f32 = 4.0;
/// Levels of the shortest syllable: 0.08 s.
const SYLLABLE: usize = 4;
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

/// Whether some sound stands out from what is steady in `samples` for as long as a syllable does.
/// Nothing does in noise, a hum, a tone or clicks.
///
/// Levels are those of about 400 to 1,700 Hz, where a vowel is loud: there noise that is mostly low
/// is as even as white noise, and speech 5 dB below white noise still stands out.
pub(in crate::backends) fn has_syllable(samples: &[f32]) -> bool {
    let sum = |samples: &[f32]| samples.iter().sum::<f32>() / 4.0;
    let band = samples.windows(12).map(|it| sum(&it[8..]) - sum(&it[..4]));
    let band: Vec<f32> = band.collect();
    let levels: Vec<f32> = band.chunks_exact(STEP).map(level).collect();
    let mut sorted = levels.clone();
    sorted.sort_by(f32::total_cmp);
    let (Some(quiet), Some(loudest)) = (sorted.get(sorted.len() / 10), sorted.last()) else {
        return false;
    };
    let line = quiet.max(loudest - RANGE) + STEADY;
    let stands_out = |levels: &[f32]| levels.iter().all(|&level| level > line);
    levels.windows(SYLLABLE).any(stands_out)
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
    use super::has_syllable;
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
    fn noise_tones_and_clicks_have_no_syllable_and_a_short_word_has() {
        let mut state = 1_u32;
        let mut noise = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let length = 10 * RATE;
        let white: Vec<f32> = (0..length).map(|_| noise() * 0.05).collect();
        let mut last = 0.0;
        let brown = white.iter().map(|sample| {
            last = last * 0.999 + sample * 0.1;
            last
        });
        let brown: Vec<f32> = brown.collect();
        let tone = |hertz: f32| -> Vec<f32> {
            let turn = std::f32::consts::TAU * hertz / RATE as f32;
            (0..RATE).map(|at| 0.3 * (turn * at as f32).sin()).collect()
        };
        let clicks = (0..length).map(|at| if at % 24_000 < 40 { noise() } else { 0.0 });
        let clicks: Vec<f32> = clicks.collect();
        for steady in [
            &white,
            &brown,
            &tone(50.0),
            &tone(60.0),
            &tone(440.0),
            &clicks,
        ] {
            assert!(!has_syllable(steady));
        }
        // A vowel of 0.12 s (harmonics of 125 Hz up to 1 kHz), no louder than the noise around it.
        let mut word = white.clone();
        let spoken = word.iter_mut().skip(3 * RATE).take(RATE * 12 / 100);
        for (at, sample) in (0_u16..).zip(spoken) {
            let turn = std::f32::consts::TAU * 125.0 * f32::from(at) / RATE as f32;
            *sample += (3..9)
                .map(|it| 0.016 * (turn * it as f32).sin())
                .sum::<f32>();
        }
        assert!(has_syllable(&word));
        assert!(!has_syllable(&[]));
    }

    #[test]
    fn where_there_is_no_telling_all_is_kept() {
        assert_eq!(seconds(&sound(0.1, &[2.0])), [(0.0, 2.0)]);
        assert_eq!(seconds(&[0.0; 16_000]), [(0.0, 1.0)]);
        assert_eq!(seconds(&[0.0; 7]), [(0.0, 0.0)]);
        assert_eq!(seconds(&[]), []);
    }
}
