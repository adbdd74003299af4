//! Whether the text of a window is good enough, and higher temperatures where it is not.
//!
//! A text is not good enough where it repeats itself (it compresses too well) or the model is too
//! unsure of it (mean log-probability). Then the next temperature is tried. Where none is good
//! enough the text of the greatest log-probability is kept, among those that do not repeat
//! themselves if there is one. Thresholds are those of OpenAI's `transcribe`. Knows nothing of
//! networks or of segments.

use crate::backends::engine::network::EngineError;
use crate::backends::models::whisper::search::Hypothesis;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;

const TEMPERATURES: [f32; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
/// Text that compresses better than this repeats itself.
const MOST_COMPRESSION: f32 = 2.4;
/// Text whose tokens have a lower mean log-probability is a guess.
const LEAST_LOGPROB: f32 = -1.0;
/// The probability of no speech above which a guess is taken for silence.
const MOST_NO_SPEECH: f32 = 0.6;
/// Text decoded above this temperature is not given to the next window.
const MAX_CONTEXT_TEMPERATURE: f32 = 0.5;

/// The tokens of a window.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::backends) struct DecodedWindow {
    /// Text and times, without the prompt and the end.
    pub(in crate::backends) tokens: Vec<u32>,
    /// The mean log-probability of the tokens, the end among them.
    pub(in crate::backends) avg_logprob: f32,
    /// The probability that nobody speaks.
    pub(in crate::backends) no_speech: f32,
    /// The highest temperature that was tried.
    pub(in crate::backends) temperature: f32,
}

impl DecodedWindow {
    /// Whether there is nothing to be heard: silence is likely, and the text a guess.
    pub(in crate::backends) fn is_silence(&self) -> bool {
        self.no_speech > MOST_NO_SPEECH && self.avg_logprob <= LEAST_LOGPROB
    }

    /// Whether one of the two signs of silence is there.
    pub(in crate::backends) fn may_be_silence(&self) -> bool {
        self.no_speech > MOST_NO_SPEECH || self.avg_logprob <= LEAST_LOGPROB
    }

    /// Whether the next window may be told this text.
    pub(in crate::backends) fn is_certain(&self) -> bool {
        self.temperature <= MAX_CONTEXT_TEMPERATURE
    }
}

/// The first text that is good enough, else the best one. `decode` gives the text at a
/// temperature; `text` writes it.
pub(in crate::backends) fn decode_with_fallback(
    no_speech: f32,
    text: impl Fn(&[u32]) -> String,
    mut decode: impl FnMut(f32) -> Result<Hypothesis, EngineError>,
) -> Result<DecodedWindow, EngineError> {
    let mut best: Option<(bool, DecodedWindow)> = None;
    let mut tried = 0.0;
    for temperature in TEMPERATURES {
        let hypothesis = decode(temperature)?;
        let window = DecodedWindow {
            avg_logprob: hypothesis.avg_logprob(),
            tokens: hypothesis.tokens,
            no_speech,
            temperature,
        };
        let repeats = compression(text(&window.tokens).trim()) > MOST_COMPRESSION;
        let is_guess = window.avg_logprob < LEAST_LOGPROB;
        if (!repeats && !is_guess) || (is_guess && no_speech > MOST_NO_SPEECH) {
            return Ok(window);
        }
        tried = temperature;
        let is_better =
            best.as_ref()
                .is_none_or(|(best_repeats, best)| match (repeats, *best_repeats) {
                    (false, true) => true,
                    (true, false) => false,
                    _ => window.avg_logprob > best.avg_logprob,
                });
        if is_better {
            best = Some((repeats, window));
        }
    }
    let best = best.map(|(_, window)| DecodedWindow {
        temperature: tried,
        ..window
    });
    best.ok_or_else(|| EngineError::new("there is no temperature"))
}

/// How many bytes of text one byte of zlib stands for.
pub(in crate::backends) fn compression(text: &str) -> f32 {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Memory takes all that is written.
    let packed = encoder.write_all(text.as_bytes());
    let packed = packed.and_then(|()| encoder.finish()).unwrap_or_default();
    text.len() as f32 / packed.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::MOST_COMPRESSION;
    use super::compression;
    use super::decode_with_fallback;
    use crate::backends::models::whisper::search::Hypothesis;

    #[test]
    fn text_that_repeats_itself_compresses_too_well() {
        assert!(compression("The red circle moves left, and the blue square turns.") < 1.5);
        assert!(compression(&" you".repeat(40)) > MOST_COMPRESSION);
        assert!(compression("") < 1.0);
    }

    /// What comes of texts at temperatures 0.0, 0.2 and so on: whether each repeats itself, and its
    /// mean log-probability. The token of a text is its place; the second value is the number of
    /// tries.
    fn fallback(no_speech: f32, tries: &[(bool, f32)]) -> (u32, usize) {
        let mut count = 0;
        let window = decode_with_fallback(
            no_speech,
            |tokens| match tries[tokens[0] as usize].0 {
                true => " you".repeat(40),
                false => "The ferry leaves at nine.".to_owned(),
            },
            |temperature| {
                assert!((temperature - 0.2 * count as f32).abs() < 1e-6);
                count += 1;
                Ok(Hypothesis {
                    tokens: vec![count - 1],
                    logprob: 2.0 * tries[count as usize - 1].1,
                })
            },
        );
        (window.unwrap().tokens[0], count as usize)
    }

    #[test]
    fn the_first_good_text_is_taken_and_else_the_best() {
        let bad = (false, -1.5);
        assert_eq!(fallback(0.1, &[(false, -0.9)]), (0, 1));
        assert_eq!(fallback(0.1, &[(true, -0.1), bad, (false, -0.9)]), (2, 3));
        // Silence is no reason to try again.
        assert_eq!(fallback(0.7, &[bad]), (0, 1));
        // Never good enough: not the last, and not the one that repeats itself.
        let tries = [(true, -0.1), bad, (false, -1.2), bad, bad, (false, -4.25)];
        assert_eq!(fallback(0.1, &tries), (2, 6));
        let tries = [-0.6, -0.5, -0.3, -0.2, -0.8, -0.9].map(|logprob| (true, logprob));
        assert_eq!(fallback(0.1, &tries), (3, 6));
    }
}
