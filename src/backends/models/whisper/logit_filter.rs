//! Which tokens may follow a text: filters on logits.
//!
//! As OpenAI's decoding and Transformers' logits processors have them: never tokens of prompts;
//! times in pairs, one segment's end and the next one's beginning, that never go back; a time
//! first; and a time wherever all times together are likelier than the likeliest word. Knows
//! nothing of networks.

use crate::backends::models::whisper::profile::SpeechProfile;

/// The filters of one window.
#[derive(Clone, Copy)]
pub(in crate::backends) struct LogitFilter<'a> {
    /// The model.
    pub(in crate::backends) profile: &'a SpeechProfile,
    /// Whether the text has times.
    pub(in crate::backends) times: bool,
}

impl LogitFilter<'_> {
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
        let (words, times) = logits.split_at(first.min(logits.len()));
        // One sum for all, so that it cancels out.
        if Softmax::of(times).log_sum() > greatest(words) {
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
pub(in crate::backends) struct Softmax {
    greatest: f32,
    sum: f32,
}

impl Softmax {
    /// Of these logits.
    pub(in crate::backends) fn of(logits: &[f32]) -> Self {
        let greatest = greatest(logits);
        let allowed = logits.iter().filter(|logit| **logit > f32::NEG_INFINITY);
        let sum = allowed.map(|logit| (logit - greatest).exp()).sum();
        Self { greatest, sum }
    }

    /// The probability of one of them.
    pub(in crate::backends) fn probability(&self, logit: f32) -> f32 {
        (logit - self.greatest).exp() / self.sum
    }

    /// The logarithm of the probability of one of them.
    pub(in crate::backends) fn log_probability(&self, logit: f32) -> f32 {
        logit - self.log_sum()
    }

    /// The logarithm of the sum of their exponentials.
    fn log_sum(&self) -> f32 {
        self.greatest + self.sum.ln()
    }
}

fn greatest(logits: &[f32]) -> f32 {
    logits.iter().copied().fold(f32::NEG_INFINITY, f32::max)
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
