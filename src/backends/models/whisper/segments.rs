//! The tokens of a window as segments with times, and where the next window begins.
//!
//! Where segments end in pairs of times, what follows the last pair is heard again from there,
//! since its end lies beyond the window. A single time at the end says that nothing follows in the
//! window. Knows nothing of how tokens are found.

use crate::backends::models::whisper::profile::SpecialTokens;
use std::ops::Range;

/// Seconds from one time to the next.
const STEP: f64 = 0.02;

/// A segment of a window.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::backends) struct TimedTokens {
    /// Seconds from the beginning of the window; the end is not before the start.
    pub(in crate::backends) times: (f64, f64),
    /// Its tokens, those of its times among them, by their place in the window's tokens.
    pub(in crate::backends) tokens: Range<usize>,
}

/// The segments in the tokens of a window that has `seconds` of sound, and the seconds from which
/// on there is more to be heard: `None` if it was heard to its end.
pub(in crate::backends) fn segments(
    tokens: SpecialTokens,
    window: &[u32],
    seconds: f64,
) -> (Vec<TimedTokens>, Option<f64>) {
    let is_time = |place: usize| window.get(place).is_some_and(|&t| t >= tokens.first_time);
    let time = |place: usize| match window.get(place) {
        Some(&token) if token >= tokens.first_time => {
            Some((f64::from(token - tokens.first_time) * STEP).min(seconds))
        }
        _ => None,
    };
    let piece = |places: Range<usize>| {
        let start = time(places.start);
        // A begun segment without an end reaches to the end of the sound.
        let last = places
            .end
            .checked_sub(1)
            .filter(|&last| last > places.start);
        let end = last.and_then(time).unwrap_or(seconds);
        let start = start.unwrap_or(0.0);
        TimedTokens {
            times: (start, end.max(start)),
            tokens: places,
        }
    };
    let length = window.len();
    // The first places after the ends of segments.
    let pairs = (1..length).filter(|&place| is_time(place - 1) && is_time(place));
    let mut cuts: Vec<usize> = pairs.collect();
    let ends_whole = length > 1 && is_time(length - 1) && !is_time(length - 2);
    if cuts.is_empty() {
        return (vec![piece(0..length)], None);
    }
    if ends_whole {
        cuts.push(length);
    }
    let mut begin = 0;
    let mut pieces = Vec::with_capacity(cuts.len());
    for &cut in &cuts {
        pieces.push(piece(begin..cut));
        begin = cut;
    }
    let heard = cuts.last().and_then(|&cut| time(cut - 1));
    let next = heard.filter(|&heard| !ends_whole && heard > 0.0 && heard < seconds);
    (pieces, next)
}

#[cfg(test)]
mod tests {
    use super::TimedTokens;
    use super::segments;
    use crate::backends::models::whisper::profile::SpecialTokens;

    const TOKENS: SpecialTokens = SpecialTokens {
        end: 10,
        start: 11,
        previous: None,
        transcribe: None,
        translate: None,
        no_speech: None,
        no_times: 12,
        first_time: 100,
    };

    fn piece(start: f64, end: f64, tokens: std::ops::Range<usize>) -> TimedTokens {
        TimedTokens {
            times: (start, end),
            tokens,
        }
    }

    #[test]
    fn tokens_between_times_are_segments() {
        for (window, pieces, next) in [
            // Whole segments, heard to the end of the sound.
            (&[105, 1, 2, 150][..], vec![piece(0.1, 1.0, 0..4)], None),
            (
                &[100, 1, 150, 150, 2, 200],
                vec![piece(0.0, 1.0, 0..3), piece(1.0, 2.0, 3..6)],
                None,
            ),
            // The last one is heard again from where it begins.
            (
                &[100, 1, 150, 160, 2, 3],
                vec![piece(0.0, 1.0, 0..3)],
                Some(1.0),
            ),
            (&[100, 1, 150, 160], vec![piece(0.0, 1.0, 0..3)], Some(1.0)),
            // No end, no times, no text, nothing.
            (&[105, 1, 2], vec![piece(0.1, 5.0, 0..3)], None),
            (&[1, 2], vec![piece(0.0, 5.0, 0..2)], None),
            (&[100], vec![piece(0.0, 5.0, 0..1)], None),
            (&[], vec![piece(0.0, 5.0, 0..0)], None),
            // Times beyond the sound, and times that a model has made up.
            (&[100, 1, 600], vec![piece(0.0, 5.0, 0..3)], None),
            (&[150, 1, 120], vec![piece(1.0, 1.0, 0..3)], None),
            (&[600, 600, 1], vec![piece(5.0, 5.0, 0..1)], None),
        ] {
            assert_eq!(segments(TOKENS, window, 5.0), (pieces, next), "{window:?}");
        }
    }
}
