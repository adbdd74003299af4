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
        let mut sums = [0.0; LANES];
        if greatest > f32::NEG_INFINITY {
            let (lanes, rest) = logits.as_chunks();
            for logits in lanes {
                add_exponentials(&mut sums, logits, greatest);
            }
            let mut last = [f32::NEG_INFINITY; LANES];
            last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            add_exponentials(&mut sums, &last, greatest);
        }
        let sum = sums.iter().sum();
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

/// Numbers that are computed side by side: compilers make vectors of them.
const LANES: usize = 16;

/// The greatest of these logits.
pub(in crate::backends) fn greatest(logits: &[f32]) -> f32 {
    let more = |a: f32, b: f32| if b > a { b } else { a };
    let (lanes, rest) = logits.as_chunks::<LANES>();
    let mut best = [f32::NEG_INFINITY; LANES];
    for logits in lanes {
        for (best, &logit) in best.iter_mut().zip(logits) {
            *best = more(*best, logit);
        }
    }
    best.iter()
        .chain(rest)
        .copied()
        .fold(f32::NEG_INFINITY, more)
}

fn add_exponentials(sums: &mut [f32; LANES], logits: &[f32; LANES], greatest: f32) {
    for (sum, &logit) in sums.iter_mut().zip(logits) {
        *sum += exponential(logit - greatest);
    }
}

/// The exponential of a number up to 0, within 3e-7 of its value; below -87 it is next to nothing.
/// Polynomial and reduction are those of Cephes' `expf` (Moshier, 1987).
fn exponential(power: f32) -> f32 {
    /// Adding it leaves a whole number in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let power = power.max(-87.0);
    let rounded = power * std::f32::consts::LOG2_E + ROUND;
    let whole = rounded - ROUND;
    // The logarithm of 2 in two parts, of which the first has few bits.
    let rest = power - whole * (355.0 / 512.0) + whole * 2.121_944_4e-4;
    let coefficients = [
        1.398_199_9e-3,
        8.333_452e-3,
        4.166_579_6e-2,
        1.666_666_5e-1,
        0.5,
    ];
    let times = |sum: f32, coefficient: f32| sum * rest + coefficient;
    let curve = coefficients.into_iter().fold(1.987_569_1e-4, times);
    let scale = f32::from_bits((rounded.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    (curve * rest * rest + rest + 1.0) * scale
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

#[cfg(test)]
mod tests {
    use super::Softmax;
    use super::exponential;
    use super::greatest;

    #[test]
    fn exponentials_are_those_of_the_standard_library() {
        for step in 0..87_000 {
            let power = -0.001 * step as f32;
            let (ours, right) = (f64::from(exponential(power)), f64::from(power).exp());
            assert!(
                (ours / right - 1.0).abs() < 3e-7,
                "{power}: {ours}, {right}"
            );
        }
        assert!(exponential(f32::NEG_INFINITY) < 1e-37);
        assert!(exponential(f32::NAN) < 1e-37);
    }

    #[test]
    fn logarithms_of_sums_are_right_at_any_length() {
        let none = f32::NEG_INFINITY;
        for length in [1, 15, 16, 17, 1_000] {
            // As many equal ones: the logarithm of their number.
            let mut logits = vec![7.5; length];
            let softmax = Softmax::of(&logits);
            let expected = -(length as f32).ln();
            assert!((softmax.log_probability(7.5) - expected).abs() < 1e-5);
            logits.extend([none, f32::NAN, none]);
            assert_eq!(greatest(&logits), 7.5);
            let same = Softmax::of(&logits).log_probability(7.5);
            assert!((same - expected).abs() < 1e-5, "{length}");
        }
        assert_eq!(greatest(&[]), none);
        assert_eq!(Softmax::of(&[none; 20]).log_sum(), none);
    }
}
