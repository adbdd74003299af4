//! Window after window of a sound, each told what was said before.
//!
//! As OpenAI's `transcribe` has it: a window that leaves something over is gone on from there until
//! the sound is over, and what has been said since the model was last unsure stands before the next
//! window's prompt. A window in which nothing is audible is passed over. Where no language is given
//! it is found out anew for a window that follows a pause; another one than before is believed
//! where the model is sure. Knows nothing of networks.

use crate::backends::engine::network::EngineError;
use crate::backends::models::whisper::fallback::DecodedWindow;
use crate::backends::models::whisper::mel::RATE;
use crate::backends::models::whisper::profile::SpecialTokens;
use crate::backends::models::whisper::segments::TimedTokens;
use crate::backends::models::whisper::segments::segments;
use crate::speech::Heard;
use crate::speech::Segment;
use std::collections::BTreeMap;
use std::ops::Range;

/// Sound shorter than this, in samples, is not listened to: 0.1 s.
const SHORTEST: usize = RATE / 10;
/// How likely another language than before must be to be believed.
const SURE: f32 = 0.5;
/// The loudest sample of what nobody can hear: 4 of 32,768.
const INAUDIBLE: f32 = 4.0 / 32_768.0;

/// What the loop asks of a model.
pub(in crate::backends) trait WindowDecoder {
    /// Takes up the window of these samples: the rest is about it.
    fn encode(&mut self, window: &[f32]) -> Result<(), EngineError>;
    /// The likeliest language of the window, and its probability.
    fn language(&mut self) -> Result<(String, f32), EngineError>;
    /// The tokens of the window in a language, after those of what was said before.
    fn decode(
        &mut self,
        language: Option<&str>,
        previous: &[u32],
    ) -> Result<DecodedWindow, EngineError>;
    /// The text of tokens, without times.
    fn text(&self, tokens: &[u32]) -> String;
}

/// How to go through a sound.
#[derive(Clone, Copy, Debug)]
pub(in crate::backends) struct Windows<'a> {
    /// The model's special tokens.
    pub(in crate::backends) tokens: SpecialTokens,
    /// Samples of a window.
    pub(in crate::backends) length: usize,
    /// The language that is given.
    pub(in crate::backends) language: Option<&'a str>,
    /// Whether a window is told what was said before.
    pub(in crate::backends) condition_on_previous_text: bool,
}

/// What has been found so far.
#[derive(Default)]
struct Progress {
    segments: Vec<Segment>,
    /// Tokens of what has been said since the model was last unsure.
    previous: Vec<u32>,
    language: Option<String>,
    /// By language: the samples in it, and its probability in each window that it was found in.
    languages: BTreeMap<String, (usize, Vec<f32>)>,
}

impl Windows<'_> {
    /// What is said in the `spans` of `samples`. A window begins and ends within one span; `pauses`
    /// are where nobody speaks.
    pub(in crate::backends) fn run(
        &self,
        samples: &[f32],
        spans: &[Range<usize>],
        pauses: &[Range<usize>],
        decoder: &mut dyn WindowDecoder,
    ) -> Result<Heard, EngineError> {
        let mut progress = Progress::default();
        for span in spans {
            let mut at = span.start;
            while span.end.saturating_sub(at) >= SHORTEST {
                let window = at..span.end.min(at + self.length);
                let sound = samples.get(window.clone()).unwrap_or_default();
                at = if sound.iter().all(|sample| sample.abs() <= INAUDIBLE) {
                    window.end
                } else {
                    let after_pause = pauses.iter().any(|pause| pause.contains(&at));
                    decoder.encode(sound)?;
                    self.window(window, after_pause, &mut progress, decoder)?
                };
            }
        }
        Ok(self.heard(progress))
    }

    /// Decodes a window: where the next one begins.
    fn window(
        &self,
        window: Range<usize>,
        after_pause: bool,
        progress: &mut Progress,
        decoder: &mut dyn WindowDecoder,
    ) -> Result<usize, EngineError> {
        if self.language.is_none() && (after_pause || progress.language.is_none()) {
            progress.found(decoder.language()?);
        }
        let language = self.language.or(progress.language.as_deref());
        let decoded = decoder.decode(language, &progress.previous)?;
        if let Some((samples, _)) = language.and_then(|it| progress.languages.get_mut(it)) {
            *samples += window.len();
        }
        if decoded.is_silence() {
            return Ok(window.end);
        }
        let seconds = window.len() as f64 / RATE as f64;
        let (pieces, more) = segments(self.tokens, &decoded.tokens, seconds);
        let begin = window.start as f64 / RATE as f64;
        for piece in pieces {
            progress.add(begin, &piece, &decoded, decoder);
        }
        if !self.condition_on_previous_text || !decoded.is_certain() {
            progress.previous.clear();
        }
        Ok(match more {
            Some(more) => window.start + ((more * RATE as f64) as usize).max(1),
            None => window.end,
        })
    }

    fn heard(&self, progress: Progress) -> Heard {
        let most = progress.languages.into_iter().max_by_key(|it| it.1.0);
        let found = most.map(|(language, (_, probabilities))| {
            let sum: f32 = probabilities.iter().sum();
            (language, sum / (probabilities.len() as f32).max(1.0))
        });
        let (language, probability) = found.unzip();
        Heard {
            language: self.language.map(str::to_owned).or(language),
            language_probability: probability,
            segments: progress.segments,
        }
    }
}

impl Progress {
    /// A window is in this language, by the model.
    fn found(&mut self, (language, probability): (String, f32)) {
        let is_other = self.language.as_ref().is_some_and(|it| *it != language);
        if is_other && probability < SURE {
            return;
        }
        if is_other {
            // What was said in another language is no help.
            self.previous.clear();
        }
        let (_, probabilities) = self.languages.entry(language.clone()).or_default();
        probabilities.push(probability);
        self.language = Some(language);
    }

    fn add(
        &mut self,
        begin: f64,
        piece: &TimedTokens,
        decoded: &DecodedWindow,
        decoder: &dyn WindowDecoder,
    ) {
        let tokens = decoded.tokens.get(piece.tokens.clone()).unwrap_or_default();
        let text = decoder.text(tokens);
        let (start, end) = piece.times;
        // What takes no time has not been said.
        if text.trim().is_empty() || start >= end {
            return;
        }
        self.previous.extend_from_slice(tokens);
        self.segments.push(Segment {
            start: begin + start,
            end: begin + end,
            text,
            avg_logprob: Some(decoded.avg_logprob),
            no_speech_prob: Some(decoded.no_speech),
            words: Vec::new(),
        });
    }
}

#[cfg(test)]
mod tests;
