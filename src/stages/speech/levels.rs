//! How loud sound is, 20 ms at a time: where it pauses, and where somebody may speak.
//!
//! The level of a frame is the root mean square of its samples, in dB below full scale. A frame
//! is quiet where its level is below a threshold that follows from the levels around it:
//!
//! ```text
//! max(-60, min(p10 + 6, p95 - 12))      p10, p95: the levels that 10 and 95 % are below
//! ```
//!
//! In clean speech that is just above the noise between words; in speech that never pauses it is
//! below nearly all of it, so that little counts as quiet; and what is below -60 dB always does.
//! So whatever is in doubt counts as speech: a pause that is missed costs an overlap, speech that
//! is missed is lost. Does not know chunks.

use crate::speech::RATE;
use std::ops::Range;

/// Samples of a frame.
pub(super) const FRAME: usize = RATE as usize / 50;

/// Frames that must be quiet in a row for a pause: 300 ms, more than the closure of any
/// consonant.
const PAUSE: usize = 15;

/// Frames of the place that is looked for where there is no pause: 100 ms.
const QUIETEST: usize = 5;

/// What counts as quiet in any sound, in dB.
const SILENCE: f32 = -60.0;

/// The level of digital silence, in dB: below that of the least sound.
const NOTHING: f32 = -96.0;

/// The levels of some sound.
pub(super) struct Levels {
    frames: Vec<f32>,
    threshold: f32,
}

impl Levels {
    /// Those of `samples`, from their first on; a frame that is not full counts as one.
    pub(super) fn of(samples: &[i16]) -> Self {
        let frames: Vec<f32> = samples.chunks(FRAME).map(level).collect();
        let threshold = threshold(&frames);
        Self { frames, threshold }
    }

    /// Where in `within` to cut, in frames: in the middle of the longest pause, or of the quietest
    /// 100 ms but for the last `margin` frames; and whether it is a pause.
    pub(super) fn border(&self, within: Range<usize>, margin: usize) -> (usize, bool) {
        match self.longest_pause(within.clone()) {
            Some(frame) => (frame, true),
            None => {
                let end = within.end.saturating_sub(margin);
                (self.quietest(within.start..end), false)
            }
        }
    }

    /// The middle of the longest pause whose middle is in `within`, in frames.
    fn longest_pause(&self, within: Range<usize>) -> Option<usize> {
        let mut longest: Option<Range<usize>> = None;
        let mut start = None;
        for index in 0..=self.frames.len() {
            match (self.is_quiet(index), start) {
                (true, None) => start = Some(index),
                (false, Some(first)) => {
                    let pause = first..index;
                    let middle = usize::midpoint(first, index);
                    let longer = longest.as_ref().is_none_or(|it| it.len() < pause.len());
                    if pause.len() >= PAUSE && within.contains(&middle) && longer {
                        longest = Some(pause);
                    }
                    start = None;
                }
                _ => {}
            }
        }
        longest.map(|pause| usize::midpoint(pause.start, pause.end))
    }

    /// The middle of the quietest 100 ms in `within`, in frames.
    fn quietest(&self, within: Range<usize>) -> usize {
        let loudest = |start: &usize| {
            let frames = self.frames.get(*start..start + QUIETEST);
            let loudest = |a: f32, b: &f32| a.max(*b);
            frames.unwrap_or_default().iter().fold(NOTHING, loudest)
        };
        let starts = within.start..within.end.saturating_sub(QUIETEST).max(within.start + 1);
        let quietest = starts.min_by(|a, b| loudest(a).total_cmp(&loudest(b)));
        quietest.unwrap_or(within.start) + QUIETEST / 2
    }

    /// The frames from the first in which somebody may speak to the last; `None` where nobody
    /// can.
    pub(super) fn speech(&self) -> Option<Range<usize>> {
        let is_loud = |index: &usize| !self.is_quiet(*index);
        let first = (0..self.frames.len()).find(is_loud)?;
        let last = (0..self.frames.len()).rfind(is_loud)?;
        Some(first..last + 1)
    }

    fn is_quiet(&self, index: usize) -> bool {
        let level = self.frames.get(index);
        level.is_some_and(|level| *level < self.threshold)
    }
}

fn level(samples: &[i16]) -> f32 {
    let squares: i64 = samples.iter().map(|it| i64::from(*it).pow(2)).sum();
    let mean = squares as f64 / samples.len().max(1) as f64;
    let full = f64::from(i16::MAX).powi(2);
    (10.0 * (mean / full).log10()).max(NOTHING.into()) as f32
}

fn threshold(frames: &[f32]) -> f32 {
    let mut sorted = frames.to_vec();
    sorted.sort_by(f32::total_cmp);
    let below = |percent: usize| sorted.get(sorted.len() * percent / 100).copied();
    match (below(10), below(95)) {
        (Some(low), Some(high)) => (low + 6.0).min(high - 12.0).max(SILENCE),
        _ => SILENCE,
    }
}

#[cfg(test)]
mod tests {
    use super::FRAME;
    use super::Levels;

    // Frames of these levels, as square waves.
    fn levels(frames: &[f32]) -> Levels {
        let frame = |level: &f32| {
            let height = (10_f32.powf(level / 20.0) * 32_767.0) as i16;
            (0..FRAME).map(move |at| if at % 2 == 0 { height } else { -height })
        };
        Levels::of(&frames.iter().flat_map(frame).collect::<Vec<_>>())
    }

    // `level` for so many frames, one after the other.
    fn runs(runs: &[(f32, usize)]) -> Vec<f32> {
        let run = |(level, count): &(f32, usize)| vec![*level; *count];
        runs.iter().flat_map(run).collect()
    }

    #[test]
    fn a_pause_is_found_above_noise_and_not_within_speech() {
        let noisy = runs(&[
            (-20.0, 100),
            (-45.0, 20),
            (-20.0, 100),
            (-45.0, 30),
            (-18.0, 9),
        ]);
        assert_eq!(levels(&noisy).longest_pause(0..259), Some(235));
        assert_eq!(levels(&noisy).longest_pause(0..200), Some(110));
        let short = runs(&[(-20.0, 100), (-70.0, 14), (-20.0, 100)]);
        assert_eq!(levels(&short).longest_pause(0..214), None);
        // Speech that never pauses, with quieter syllables.
        let steady = runs(&[
            (-20.0, 50),
            (-27.0, 16),
            (-18.0, 50),
            (-25.0, 20),
            (-20.0, 50),
        ]);
        assert_eq!(levels(&steady).longest_pause(0..186), None);
        assert_eq!(levels(&[-90.0; 40]).longest_pause(0..40), Some(20));
    }

    #[test]
    fn without_a_pause_the_quietest_place_is_taken() {
        let steady = runs(&[
            (-20.0, 50),
            (-30.0, 4),
            (-20.0, 50),
            (-27.0, 6),
            (-20.0, 50),
        ]);
        let found = levels(&steady).quietest(0..160);
        assert!((104..110).contains(&found), "{found}");
        let found = levels(&steady).quietest(120..160);
        assert!((120..160).contains(&found), "{found}");
    }

    #[test]
    fn what_may_be_speech_is_kept() {
        let quiet = runs(&[
            (-80.0, 50),
            (-55.0, 10),
            (-80.0, 5),
            (-40.0, 3),
            (-80.0, 50),
        ]);
        assert_eq!(levels(&quiet).speech(), Some(50..68));
        assert_eq!(levels(&[-70.0; 100]).speech(), None);
        assert_eq!(levels(&[]).speech(), None);
        // A hum all along is no silence.
        assert_eq!(levels(&[-50.0; 100]).speech(), Some(0..100));
    }
}
