//! The rules of Whisper's text: which tokens may follow those that are there.
//!
//! As OpenAI's decoding and Transformers' logits processors have them: never tokens of prompts;
//! times in pairs, one segment's end and the next one's beginning, that never go back; a time
//! first; and a time wherever all times together are likelier than the likeliest word. Knows
//! nothing of networks.

use crate::backends::models::whisper::profile::Profile;

/// The rules of one window.
pub(in crate::backends) struct Rules<'a> {
    /// The model.
    pub(in crate::backends) profile: &'a Profile,
    /// Whether the text has times.
    pub(in crate::backends) times: bool,
}

impl Rules<'_> {
    /// Takes away what may not follow `text`: its logits become negative infinity.
    pub(in crate::backends) fn apply(&self, text: &[u32], logits: &mut [f32]) {
        let tokens = self.profile.tokens;
        let first = tokens.first_time as usize;
        forbid(logits, self.profile.suppressed.iter().copied());
        forbid(logits, [tokens.no_times]);
        if text.is_empty() {
            forbid(logits, self.profile.never_first.iter().copied());
        }
        if !self.times {
            clear(logits, first, usize::MAX);
            return;
        }
        self.pair(text, logits);
        if text.is_empty() {
            clear(logits, 0, first);
            let last = first + self.profile.latest_begin as usize;
            clear(logits, last + 1, usize::MAX);
        }
        let chances = Chances::of(logits);
        let times = logits.get(first..).unwrap_or_default();
        let times: f32 = times.iter().map(|&logit| chances.at(logit)).sum();
        let words = logits.get(..first).unwrap_or_default();
        let word = words.iter().map(|&logit| chances.at(logit));
        if times > word.fold(0.0, f32::max) {
            clear(logits, 0, first);
        }
    }

    /// Times come in pairs and do not go back.
    fn pair(&self, text: &[u32], logits: &mut [f32]) {
        let tokens = self.profile.tokens;
        let first = tokens.first_time as usize;
        let is_time = |token: &u32| *token >= tokens.first_time;
        let ends_in_time = text.last().is_some_and(is_time);
        let is_pair = text.len() < 2 || text.iter().nth_back(1).is_some_and(is_time);
        if ends_in_time && is_pair {
            clear(logits, first, usize::MAX);
        } else if ends_in_time {
            clear(logits, 0, tokens.end as usize);
        }
        if let Some(&last) = text.iter().rfind(|token| is_time(token)) {
            // A segment may begin where the last one ended, and takes some time.
            let open = ends_in_time && !is_pair;
            clear(logits, first, last as usize + usize::from(!open));
        }
    }
}

/// From logits to probabilities.
pub(in crate::backends) struct Chances {
    most: f32,
    sum: f32,
}

impl Chances {
    /// For these logits.
    pub(in crate::backends) fn of(logits: &[f32]) -> Self {
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum = logits.iter().map(|logit| (logit - most).exp()).sum();
        Self { most, sum }
    }

    /// The probability of one of them.
    pub(in crate::backends) fn at(&self, logit: f32) -> f32 {
        (logit - self.most).exp() / self.sum
    }

    /// The logarithm of the probability of one of them.
    pub(in crate::backends) fn log(&self, logit: f32) -> f32 {
        logit - self.most - self.sum.ln()
    }
}

fn forbid(logits: &mut [f32], tokens: impl IntoIterator<Item = u32>) {
    for token in tokens {
        if let Some(logit) = logits.get_mut(token as usize) {
            *logit = f32::NEG_INFINITY;
        }
    }
}

/// Forbids the tokens from `from` up to but not including `to`.
fn clear(logits: &mut [f32], from: usize, to: usize) {
    let to = to.min(logits.len());
    if let Some(logits) = logits.get_mut(from.min(to)..to) {
        logits.fill(f32::NEG_INFINITY);
    }
}
