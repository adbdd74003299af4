//! One window to tokens: greedily, and again with some chance where the outcome looks wrong.
//!
//! An outcome looks wrong where its text repeats itself (it compresses too well) or the model is
//! too unsure of it (mean log-probability). Then the next temperature is tried; the last one
//! stands whatever it gives. Thresholds are those of OpenAI's `transcribe`. Draws are made by a
//! generator that starts anew with each window, so equal sound has equal text. Knows nothing of
//! segments.

use crate::backends::engine::network::EngineError;
use crate::backends::engine::network::Tensor;
use crate::backends::models::whisper::networks::Ears;
use crate::backends::models::whisper::networks::Memory;
use crate::backends::models::whisper::profile::Profile;
use crate::backends::models::whisper::rules::Chances;
use crate::backends::models::whisper::rules::Rules;
use crate::backends::models::whisper::vocabulary::Vocabulary;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use std::io::Write;
use std::sync::Arc;

const TEMPERATURES: [f32; 6] = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0];
/// Text that compresses better than this repeats itself.
const MOST_COMPRESSION: f32 = 2.4;
/// Text whose tokens have a lower mean log-probability is a guess.
const LEAST_LOGPROB: f32 = -1.0;
/// The probability of no speech above which a guess is taken for silence.
const MOST_NO_SPEECH: f32 = 0.6;

/// The tokens of a window.
#[derive(Clone, Debug)]
pub(in crate::backends) struct Decoded {
    /// Text and times, without the prompt and the end.
    pub(in crate::backends) tokens: Vec<u32>,
    /// The mean log-probability of the tokens, the end among them.
    pub(in crate::backends) avg_logprob: f32,
    /// The probability that nobody speaks.
    pub(in crate::backends) no_speech: f32,
}

impl Decoded {
    /// Whether there is nothing to be heard: silence is likely, and the text a guess.
    pub(in crate::backends) fn is_silence(&self) -> bool {
        self.no_speech > MOST_NO_SPEECH && self.avg_logprob < LEAST_LOGPROB
    }
}

/// What is decoded with.
pub(in crate::backends) struct Decoding<'a> {
    pub(in crate::backends) ears: &'a mut Ears,
    pub(in crate::backends) rules: Rules<'a>,
    pub(in crate::backends) vocabulary: &'a Vocabulary,
}

impl Decoding<'_> {
    /// The tokens of the window that the encoder has made `sound` of, after `prompt`.
    pub(in crate::backends) fn window(
        &mut self,
        sound: &Arc<Tensor>,
        prompt: &[u32],
    ) -> Result<Decoded, EngineError> {
        let (logits, memory) = self.ears.begin(sound, prompt)?;
        let start = self.rules.profile.tokens.start;
        let at_start = prompt.iter().position(|&token| token == start);
        let no_speech = at_start
            .and_then(|place| logits.get(place))
            .map_or(0.0, |logits| no_speech(self.rules.profile, logits));
        let last = logits.into_iter().next_back().unwrap_or_default();
        let mut draws = Draws::new();
        let mut decoded = None;
        for temperature in TEMPERATURES {
            let (tokens, avg_logprob) =
                self.text(last.clone(), memory.clone(), temperature, &mut draws)?;
            let attempt = Decoded {
                tokens,
                avg_logprob,
                no_speech,
            };
            let silent = attempt.is_silence();
            let fails = attempt.avg_logprob < LEAST_LOGPROB
                || compression(&self.vocabulary.text(&attempt.tokens)) > MOST_COMPRESSION;
            decoded = Some(attempt);
            if silent || !fails {
                break;
            }
        }
        decoded.ok_or_else(|| EngineError::new("there is no temperature"))
    }

    /// The tokens that follow, the first by these logits, and their mean log-probability.
    pub(in crate::backends) fn text(
        &mut self,
        mut logits: Vec<f32>,
        mut memory: Memory,
        temperature: f32,
        draws: &mut Draws,
    ) -> Result<(Vec<u32>, f32), EngineError> {
        let profile = self.rules.profile;
        let end = profile.tokens.end;
        let (mut text, mut sum) = (Vec::new(), 0.0);
        // As much again may come from a prompt.
        while text.len() < profile.positions / 2 {
            self.rules.apply(&text, &mut logits);
            let token = match temperature > 0.0 {
                true => draws.token(&logits, temperature),
                false => likeliest(&logits),
            };
            let Some((token, logit)) = token else {
                // Nothing may follow.
                break;
            };
            sum += Chances::of(&logits).log(logit);
            if token == end {
                break;
            }
            text.push(token);
            logits = self.ears.go_on(&mut memory, token)?;
        }
        let count = text.len() as f32 + 1.0;
        Ok((text, sum / count))
    }
}

/// The probability, by the logits after the start, that nobody speaks.
pub(in crate::backends) fn no_speech(profile: &Profile, logits: &[f32]) -> f32 {
    let token = profile.tokens.no_speech.map(|token| token as usize);
    let logit = token.and_then(|token| logits.get(token));
    logit.map_or(0.0, |&logit| Chances::of(logits).at(logit))
}

/// The likeliest token that may follow, the first of several, with its logit.
fn likeliest(logits: &[f32]) -> Option<(u32, f32)> {
    let mut best = None;
    for (&logit, token) in logits.iter().zip(0..) {
        if logit > best.map_or(f32::NEG_INFINITY, |(_, logit)| logit) {
            best = Some((token, logit));
        }
    }
    best
}

/// A SplitMix64 generator: Steele, Lea and Flood, 2014.
pub(in crate::backends) struct Draws(u64);

impl Draws {
    /// The same draws each time.
    pub(in crate::backends) fn new() -> Self {
        Self(1)
    }

    /// A number from 0 up to but not including 1.
    fn number(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 40) as f32 / (1_u32 << 24) as f32
    }

    /// A token that may follow, by its probability at a temperature, with its logit.
    fn token(&mut self, logits: &[f32], temperature: f32) -> Option<(u32, f32)> {
        let warm: Vec<f32> = logits.iter().map(|logit| logit / temperature).collect();
        let chances = Chances::of(&warm);
        let mut left = self.number();
        for (token, (&logit, &warm)) in (0..).zip(logits.iter().zip(&warm)) {
            let chance = chances.at(warm);
            if chance > left {
                return Some((token, logit));
            }
            left -= chance;
        }
        // Rounding may leave a little.
        likeliest(logits)
    }
}

/// How many bytes of text one byte of zlib stands for.
fn compression(text: &str) -> f32 {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    // Memory takes all that is written.
    let packed = encoder.write_all(text.as_bytes());
    let packed = packed.and_then(|()| encoder.finish()).unwrap_or_default();
    text.len() as f32 / packed.len().max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::Draws;
    use super::MOST_COMPRESSION;
    use super::compression;
    use super::likeliest;

    #[test]
    fn text_that_repeats_itself_compresses_too_well() {
        assert!(compression("The red circle moves left, and the blue square turns.") < 1.5);
        assert!(compression(&" you".repeat(40)) > MOST_COMPRESSION);
        assert!(compression("") < 1.0);
    }

    #[test]
    fn the_likeliest_may_follow() {
        let none = f32::NEG_INFINITY;
        assert_eq!(likeliest(&[none, 1.0, 3.0, 3.0]), Some((2, 3.0)));
        assert_eq!(likeliest(&[none, none]), None);
        assert_eq!(likeliest(&[f32::NAN]), None);
        assert_eq!(likeliest(&[]), None);
    }

    #[test]
    fn draws_follow_the_probabilities_and_the_rules() {
        let logits = [
            f32::NEG_INFINITY,
            0.0,
            1.0_f32.exp().ln(),
            f32::NEG_INFINITY,
        ];
        let mut draws = Draws::new();
        let mut counts = [0; 4];
        for _ in 0..10_000 {
            counts[draws.token(&logits, 1.0).unwrap().0 as usize] += 1;
        }
        assert_eq!((counts[0], counts[3]), (0, 0));
        // e to 1.
        assert!((7_050..7_570).contains(&counts[2]), "{counts:?}");
        let cold = (0..100).filter(|_| draws.token(&logits, 0.05).unwrap().0 == 2);
        assert_eq!(cold.count(), 100);
    }
}
