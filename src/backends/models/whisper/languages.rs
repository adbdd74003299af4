//! Where in a window another language begins.
//!
//! A window has one language, so one that holds two is cut between them. What lies between pauses
//! is looked at from the end of the window on, for as long as it is in another language. Knows
//! nothing of networks.

use crate::backends::engine::network::EngineError;
use crate::backends::models::whisper::mel::RATE;
use std::ops::Range;

/// Less sound than this, in samples, has no language that can be relied on: 3 s.
const LEAST: usize = 3 * RATE;
/// How likely another language than before must be to be believed.
pub(in crate::backends) const SURE: f32 = 0.5;

/// Whether another language than `current` is believed.
pub(in crate::backends) fn is_other(current: &str, found: &(String, f32)) -> bool {
    found.0 != current && found.1 >= SURE
}

/// The place in `window` from which on another language than `current` is spoken; `None` where
/// there is none. `detect` gives the language of some samples and its probability.
pub(in crate::backends) fn change(
    window: &Range<usize>,
    pauses: &[Range<usize>],
    current: &str,
    mut detect: impl FnMut(Range<usize>) -> Result<(String, f32), EngineError>,
) -> Result<Option<usize>, EngineError> {
    let mut change = None;
    let mut end = window.end;
    for pause in pauses.iter().rev() {
        let middle = usize::midpoint(pause.start, pause.end);
        if middle + LEAST > end {
            continue;
        }
        if middle < window.start + LEAST || !is_other(current, &detect(middle..end)?) {
            break;
        }
        change = Some(middle);
        end = middle;
    }
    Ok(change)
}

#[cfg(test)]
mod tests {
    use super::RATE;
    use super::change;

    #[test]
    fn a_window_is_cut_where_another_language_begins() {
        // Seconds of pauses; until when English is spoken; the cut and how often was detected.
        for (pauses, english, expected, detections) in [
            (&[5, 12, 18, 25][..], 18, Some(18), 3),
            (&[5, 12, 18, 25], 40, None, 1),
            (&[5, 12, 18, 25], 5, Some(5), 4),
            // Too short to be told apart: a pause is passed over.
            (&[12, 17, 18, 25, 28], 18, Some(18), 3),
            (&[2, 28], 2, None, 0),
            (&[], 12, None, 0),
        ] {
            let middle = |second: &usize| second * RATE - 10..second * RATE + 10;
            let pauses: Vec<_> = pauses.iter().map(middle).collect();
            let mut count = 0;
            let found = change(&(0..30 * RATE), &pauses, "en", |part| {
                count += 1;
                let language = if part.start < english * RATE {
                    "en"
                } else {
                    "de"
                };
                Ok((language.to_owned(), 0.8))
            });
            assert_eq!(found.unwrap(), expected.map(|second: usize| second * RATE));
            assert_eq!(count, detections, "{expected:?}");
        }
        let unsure = change(
            &(0..30 * RATE),
            std::slice::from_ref(&(15 * RATE..15 * RATE)),
            "en",
            |_| Ok(("de".to_owned(), 0.4)),
        );
        assert_eq!(unsure.unwrap(), None);
    }
}
