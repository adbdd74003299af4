//! Window after window of a sound, each told what was said before.
//!
//! As OpenAI's `transcribe` has it: a window that leaves something over is gone on from there until
//! the sound is over, and what has been said since the model was last unsure stands before the next
//! window's prompt. In noise, a hum or clicks the model may be sure of a word, so that one sign of
//! silence is enough where the sound has no syllable. A window in which nothing is audible is passed over. Where no language is given
//! it is found out anew for a window that follows a pause; another one than before is believed
//! where the model is sure. Knows nothing of networks.

use crate::backends::engine::network::EngineError;
use crate::backends::models::whisper::fallback::DecodedWindow;
use crate::backends::models::whisper::fallback::compression;
use crate::backends::models::whisper::heard::HeardSegment;
use crate::backends::models::whisper::languages::SURE;
use crate::backends::models::whisper::languages::change;
use crate::backends::models::whisper::languages::is_other;
use crate::backends::models::whisper::mel::RATE;
use crate::backends::models::whisper::pauses::has_syllable;
use crate::backends::models::whisper::profile::SpecialTokens;
use crate::backends::models::whisper::segments::TimedTokens;
use crate::backends::models::whisper::segments::segments;
use crate::speech::Recognition;
use crate::speech::Segment;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::ops::Range;

/// Sound shorter than this, in samples, is not listened to: 0.1 s.
const SHORTEST: usize = RATE / 10;
/// A window whose language is less likely than this may hold two.
const DOUBTFUL: f32 = 0.9;
/// How far from a pause, in samples, a window may begin that follows it: 0.3 s.
const NEAR: usize = RATE * 3 / 10;
/// The loudest sample of what nobody can hear: 4 of 32,768.
const INAUDIBLE: f32 = 4.0 / 32_768.0;

/// What the loop asks of a model, and tells.
pub(in crate::backends) trait WindowDecoder {
    /// Encodes this window; the other methods then work on it.
    fn encode(&mut self, window: &[f32]) -> Result<(), EngineError>;
    /// The likeliest language of the window, and its probability.
    fn language(&mut self) -> Result<(String, f32), EngineError>;
    /// The same of other samples; the encoded window stays.
    fn language_of(&mut self, samples: &[f32]) -> Result<(String, f32), EngineError>;
    /// The tokens of the window in a language, after those of what was said before.
    fn decode(
        &mut self,
        language: Option<&str>,
        previous: &[u32],
    ) -> Result<DecodedWindow, EngineError>;
    /// The text of tokens, without times.
    fn text(&self, tokens: &[u32]) -> String;
    /// Is told the segments of a window, and up to which second all is heard; says whether to go on.
    fn heard(&mut self, segments: &[HeardSegment], until: f64) -> ControlFlow<()>;
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
struct Progress {
    segments: Vec<HeardSegment>,
    /// How many of them have been told.
    told: usize,
    /// Tokens of what has been said since the model was last unsure.
    previous: Vec<u32>,
    language: Option<String>,
    /// A window whose language is less likely than this may hold two; one that did not is the
    /// measure from then on.
    doubtful: f32,
    /// By language: the samples in it, and its probability in each window that it was found in.
    languages: BTreeMap<String, (usize, Vec<f32>)>,
}

/// A sound, and where in it nobody speaks.
#[derive(Clone, Copy)]
pub(in crate::backends) struct Recording<'a> {
    /// Samples at 16 kHz, from -1 to 1.
    pub(in crate::backends) samples: &'a [f32],
    /// The places of pauses, in order.
    pub(in crate::backends) pauses: &'a [Range<usize>],
}

impl Recording<'_> {
    /// Whether nobody speaks before or around this place; times that models give are not exact.
    fn is_at_pause(&self, place: usize) -> bool {
        let is_near = |pause: &Range<usize>| {
            pause.start.saturating_sub(NEAR) <= place && place < pause.end + NEAR
        };
        self.pauses.iter().any(is_near)
    }

    fn part(&self, range: Range<usize>) -> &[f32] {
        self.samples.get(range).unwrap_or_default()
    }
}

impl Windows<'_> {
    /// What is said in the `spans` of a recording, or as much of it as the decoder wants to hear. A
    /// window begins and ends within one span.
    pub(in crate::backends) fn run(
        &self,
        recording: Recording<'_>,
        spans: &[Range<usize>],
        decoder: &mut dyn WindowDecoder,
    ) -> Result<Recognition, EngineError> {
        let mut progress = Progress::new();
        for span in spans {
            let mut at = span.start;
            while span.end.saturating_sub(at) >= SHORTEST {
                let window = at..span.end.min(at + self.length);
                let sound = recording.part(window.clone());
                at = if sound.iter().all(|sample| sample.abs() <= INAUDIBLE) {
                    window.end
                } else {
                    decoder.encode(sound)?;
                    let window = self.detect(window, recording, &mut progress, decoder)?;
                    self.decode(window, recording, &mut progress, decoder)?
                };
                if progress.tell(at, decoder).is_break() {
                    return Ok(self.heard(progress));
                }
            }
        }
        Ok(self.heard(progress))
    }

    /// Detects the language of a window that follows a pause: the window, or what of it is in one
    /// language.
    fn detect(
        &self,
        window: Range<usize>,
        recording: Recording<'_>,
        progress: &mut Progress,
        decoder: &mut dyn WindowDecoder,
    ) -> Result<Range<usize>, EngineError> {
        let is_due = progress.language.is_none() || recording.is_at_pause(window.start);
        if self.language.is_some() || !is_due {
            return Ok(window);
        }
        let found = decoder.language()?;
        if found.1 < progress.doubtful {
            let detect = |part: Range<usize>| decoder.language_of(recording.part(part));
            if let Some(end) = change(&window, recording.pauses, &found.0, detect)? {
                let window = window.start..end;
                decoder.encode(recording.part(window.clone()))?;
                progress.found(decoder.language()?);
                return Ok(window);
            }
            progress.doubtful = found.1.max(SURE);
        }
        progress.found(found);
        Ok(window)
    }

    /// Decodes a window: where the next one begins.
    fn decode(
        &self,
        window: Range<usize>,
        recording: Recording<'_>,
        progress: &mut Progress,
        decoder: &mut dyn WindowDecoder,
    ) -> Result<usize, EngineError> {
        let language = self.language.or(progress.language.as_deref());
        let decoded = decoder.decode(language, &progress.previous)?;
        if let Some((samples, _)) = language.and_then(|it| progress.languages.get_mut(it)) {
            *samples += window.len();
        }
        let has_syllable = || has_syllable(recording.part(window.clone()));
        if decoded.is_silence() || (decoded.may_be_silence() && !has_syllable()) {
            return Ok(window.end);
        }
        let seconds = window.len() as f64 / RATE as f64;
        let (pieces, more) = segments(self.tokens, &decoded.tokens, seconds);
        let text = decoder.text(&decoded.tokens);
        let window_text = WindowText {
            begin: window.start,
            compression_ratio: compression(text.trim()),
            decoded: &decoded,
        };
        for piece in pieces {
            progress.add(&window_text, &piece, decoder);
        }
        if !self.condition_on_previous_text || !decoded.is_certain() {
            progress.previous.clear();
        }
        Ok(match more {
            Some(more) => window.start + ((more * RATE as f64) as usize).max(1),
            None => window.end,
        })
    }

    fn heard(&self, progress: Progress) -> Recognition {
        let most = progress.languages.into_iter().max_by_key(|it| it.1.0);
        let found = most.map(|(language, (_, probabilities))| {
            let sum: f32 = probabilities.iter().sum();
            (language, sum / (probabilities.len() as f32).max(1.0))
        });
        let (language, probability) = found.unzip();
        Recognition {
            language: self.language.map(str::to_owned).or(language),
            language_probability: probability,
            segments: progress.segments.into_iter().map(|it| it.segment).collect(),
        }
    }
}

impl Progress {
    fn new() -> Self {
        Self {
            segments: Vec::new(),
            told: 0,
            previous: Vec::new(),
            language: None,
            doubtful: DOUBTFUL,
            languages: BTreeMap::new(),
        }
    }

    /// A window is in this language, by the model.
    fn found(&mut self, found: (String, f32)) {
        if let Some(current) = self.language.as_deref()
            && current != found.0
        {
            if !is_other(current, &found) {
                return;
            }
            // What was said in another language is no help.
            self.previous.clear();
        }
        let (language, probability) = found;
        let (_, probabilities) = self.languages.entry(language.clone()).or_default();
        probabilities.push(probability);
        self.language = Some(language);
    }

    fn add(&mut self, window: &WindowText<'_>, piece: &TimedTokens, decoder: &dyn WindowDecoder) {
        let decoded = window.decoded;
        let tokens = decoded.tokens.get(piece.tokens.clone()).unwrap_or_default();
        let text = decoder.text(tokens);
        let (start, end) = piece.times;
        // What takes no time has not been said.
        if text.trim().is_empty() || start >= end {
            return;
        }
        self.previous.extend_from_slice(tokens);
        let begin = window.begin as f64 / RATE as f64;
        self.segments.push(HeardSegment {
            segment: Segment {
                start: begin + start,
                end: begin + end,
                text,
                avg_logprob: Some(decoded.avg_logprob),
                no_speech_prob: Some(decoded.no_speech),
                words: Vec::new(),
            },
            seek: (window.begin / (RATE / 100)) as u64,
            tokens: tokens.to_vec(),
            temperature: decoded.temperature,
            compression_ratio: window.compression_ratio,
        });
    }

    /// Tells what has come since the last time; all up to the sample `until` is heard.
    fn tell(&mut self, until: usize, decoder: &mut dyn WindowDecoder) -> ControlFlow<()> {
        let new = self.segments.get(self.told..).unwrap_or_default();
        self.told = self.segments.len();
        decoder.heard(new, until as f64 / RATE as f64)
    }
}

/// The text of one window.
struct WindowText<'a> {
    /// Its first sample.
    begin: usize,
    compression_ratio: f32,
    decoded: &'a DecodedWindow,
}

#[cfg(test)]
mod tests;
