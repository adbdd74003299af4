//! The search for the tokens of a window: greedy, sampled or by beams.
//!
//! As OpenAI's `decoding.py` has it: a beam search keeps the likeliest continuations of all its
//! texts together and ends when as many texts have ended; of several texts the one with the
//! greatest log-probability a token is taken. Samples come from a generator that starts anew with
//! each window, so equal sound has equal text. Knows nothing of networks or of segments.

use crate::backends::engine::network::EngineError;
use crate::backends::models::whisper::logit_filter::LogitFilter;
use crate::backends::models::whisper::logit_filter::Softmax;
use crate::backends::models::whisper::logit_filter::greatest;
use crate::backends::models::whisper::networks::Logits;
use std::cmp::Ordering;

/// Takes the next token of the logits, with its logit; `None` where none may follow.
type Choice<'a> = dyn FnMut(&[f32]) -> Option<(u32, f32)> + 'a;

/// Where the logits after a text come from. Texts are rows; all have the same length.
pub(in crate::backends) trait Continuation {
    /// Replaces the texts by those at `rows`, each continued by a token, and gives the logits
    /// after each.
    fn step(&mut self, rows: &[usize], tokens: &[u32]) -> Result<Logits, EngineError>;
}

/// A text and how likely it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::backends) struct Hypothesis {
    /// Its tokens, without the end.
    pub(in crate::backends) tokens: Vec<u32>,
    /// The sum of the log-probabilities of its tokens, the end among them.
    pub(in crate::backends) logprob: f32,
}

impl Hypothesis {
    /// The mean log-probability of the tokens, the end among them.
    pub(in crate::backends) fn avg_logprob(&self) -> f32 {
        self.logprob / (self.tokens.len() as f32 + 1.0)
    }

    /// What hypotheses are ranked by: the log-probability for each token but the end.
    fn score(&self) -> f32 {
        self.logprob / (self.tokens.len() as f32).max(1.0)
    }

    fn with(&self, token: u32, logprob: f32) -> Self {
        let mut tokens = self.tokens.clone();
        tokens.push(token);
        Self {
            tokens,
            logprob: self.logprob + logprob,
        }
    }
}

/// How to search.
#[derive(Debug)]
pub(in crate::backends) enum Strategy<'a> {
    /// So many texts at once, the likeliest continuations of all; one is the likeliest token each
    /// time.
    Beam(usize),
    /// Tokens by their probability at a temperature.
    Sample(f32, &'a mut Sampler),
}

/// What a search is bound by.
pub(in crate::backends) struct Search<'a> {
    pub(in crate::backends) filter: LogitFilter<'a>,
    /// The most tokens of a text.
    pub(in crate::backends) longest: usize,
}

impl Search<'_> {
    /// The best text that begins with a token of the logits `first`.
    pub(in crate::backends) fn run(
        &self,
        first: &[f32],
        texts: &mut dyn Continuation,
        strategy: Strategy<'_>,
    ) -> Result<Hypothesis, EngineError> {
        match strategy {
            Strategy::Beam(..=1) => self.single(first, texts, &mut |logits| likeliest(logits)),
            Strategy::Sample(temperature, sampler) => self.single(first, texts, &mut |logits| {
                sampler.token(logits, temperature)
            }),
            Strategy::Beam(size) => self.beam(first, texts, size),
        }
    }

    /// One text, of the tokens that `choose` takes.
    fn single(
        &self,
        first: &[f32],
        texts: &mut dyn Continuation,
        choose: &mut Choice<'_>,
    ) -> Result<Hypothesis, EngineError> {
        let mut text = Hypothesis::default();
        let mut logits = first.to_vec();
        while text.tokens.len() < self.longest {
            self.filter.apply(&text.tokens, &mut logits);
            let Some((token, logit)) = choose(&logits) else {
                // Nothing may follow.
                break;
            };
            text.logprob += Softmax::of(&logits).log_probability(logit);
            if token == self.filter.profile.tokens.end {
                break;
            }
            text.tokens.push(token);
            if text.tokens.len() < self.longest {
                logits = texts.step(&[0], &[token])?.before(0).to_vec();
            }
        }
        Ok(text)
    }

    fn beam(
        &self,
        first: &[f32],
        texts: &mut dyn Continuation,
        size: usize,
    ) -> Result<Hypothesis, EngineError> {
        let end = self.filter.profile.tokens.end;
        let mut ended: Vec<Hypothesis> = Vec::new();
        let mut open = vec![Hypothesis::default()];
        let mut candidates = Vec::new();
        self.extend(0, &open[0], &mut first.to_vec(), size, &mut candidates);
        loop {
            // A stable sort: of equally likely ones, the first.
            candidates.sort_by(|a, b| b.1.logprob.total_cmp(&a.1.logprob));
            let (mut rows, mut tokens, mut kept) = (Vec::new(), Vec::new(), Vec::new());
            for (row, mut text) in candidates.drain(..) {
                match text.tokens.last() {
                    Some(&token) if token == end => {
                        text.tokens.pop();
                        if ended.len() < size {
                            ended.push(text);
                        }
                    }
                    Some(&token) => {
                        rows.push(row);
                        tokens.push(token);
                        kept.push(text);
                    }
                    None => {}
                }
                if kept.len() == size {
                    break;
                }
            }
            open = kept;
            let is_full = open
                .first()
                .is_none_or(|text| text.tokens.len() >= self.longest);
            if ended.len() >= size || is_full {
                break;
            }
            let mut logits = texts.step(&rows, &tokens)?;
            for (row, (text, logits)) in open.iter().zip(logits.rows_mut()).enumerate() {
                self.extend(row, text, logits, size, &mut candidates);
            }
        }
        // Texts that were cut off count where too few have ended.
        let missing = size.saturating_sub(ended.len());
        ended.extend(open.into_iter().take(missing));
        let best =
            ended
                .into_iter()
                .reduce(|best, text| match text.score().total_cmp(&best.score()) {
                    Ordering::Greater => text,
                    _ => best,
                });
        Ok(best.unwrap_or_default())
    }

    /// Adds the likeliest continuations of a text, one more than there are beams, since one of
    /// them may end it.
    fn extend(
        &self,
        row: usize,
        text: &Hypothesis,
        logits: &mut [f32],
        size: usize,
        candidates: &mut Vec<(usize, Hypothesis)>,
    ) {
        self.filter.apply(&text.tokens, logits);
        let softmax = Softmax::of(logits);
        for (token, logit) in most_likely(logits, size + 1) {
            candidates.push((row, text.with(token, softmax.log_probability(logit))));
        }
    }
}

/// The likeliest token that may follow, the first of several, with its logit.
fn likeliest(logits: &[f32]) -> Option<(u32, f32)> {
    most_likely(logits, 1).into_iter().next()
}

/// Logits that are looked at together.
const PART: usize = 64;

/// The `count` likeliest tokens that may follow with their logits, the likeliest first.
fn most_likely(logits: &[f32], count: usize) -> Vec<(u32, f32)> {
    let mut best: Vec<(u32, f32)> = Vec::with_capacity(count + 1);
    let mut least = f32::NEG_INFINITY;
    for (part, begin) in logits.chunks(PART).zip((0..).step_by(PART)) {
        // Nearly all parts hold nothing that counts, and are gone through at once.
        if greatest(part) <= least {
            continue;
        }
        for (&logit, token) in part.iter().zip(begin..) {
            if logit > least {
                let place = best.partition_point(|&(_, other)| other >= logit);
                best.insert(place, (token, logit));
                best.truncate(count);
                if let (true, Some(&(_, last))) = (best.len() == count, best.last()) {
                    least = last;
                }
            }
        }
    }
    best
}

/// Draws tokens by their probability: a SplitMix64 generator (Steele, Lea and Flood, 2014).
#[derive(Debug)]
pub(in crate::backends) struct Sampler(u64);

impl Sampler {
    /// One that draws the same each time.
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
        let scaled: Vec<f32> = logits.iter().map(|logit| logit / temperature).collect();
        let softmax = Softmax::of(&scaled);
        let mut left = self.number();
        for (token, (&logit, &scaled)) in (0..).zip(logits.iter().zip(&scaled)) {
            let probability = softmax.probability(scaled);
            if probability > left {
                return Some((token, logit));
            }
            left -= probability;
        }
        // Rounding may leave a little.
        likeliest(logits)
    }
}

#[cfg(test)]
mod tests {
    use super::Continuation;
    use super::Hypothesis;
    use super::Sampler;
    use super::Search;
    use super::Strategy;
    use super::likeliest;
    use super::most_likely;
    use crate::backends::engine::network::EngineError;
    use crate::backends::models::whisper::logit_filter::LogitFilter;
    use crate::backends::models::whisper::networks::Logits;
    use crate::backends::models::whisper::profile::SpecialTokens;
    use crate::backends::models::whisper::profile::SpeechProfile;
    use std::collections::BTreeMap;

    /// Words 0 to 2 and the end, 3.
    fn profile() -> SpeechProfile {
        SpeechProfile {
            bands: 80,
            frames: 3000,
            width: 1,
            decoder: (1, 1, 1),
            takes_positions: false,
            positions: 448,
            tokens: SpecialTokens {
                end: 3,
                start: 4,
                previous: None,
                transcribe: None,
                translate: None,
                no_speech: None,
                no_times: 5,
                first_time: 6,
            },
            languages: BTreeMap::new(),
            suppressed: Vec::new(),
            never_first: Vec::new(),
            latest_begin: 50,
            ends_at_pauses: false,
        }
    }

    const FIRST: [f32; 4] = [0.5, 0.4, 0.1, 0.0];
    /// The probabilities of each token after each word.
    const AFTER: [[f32; 4]; 3] = [
        [0.1, 0.3, 0.2, 0.4],
        [0.05, 0.0, 0.05, 0.9],
        [0.0, 0.0, 0.0, 1.0],
    ];

    struct Table(Vec<Vec<u32>>);

    impl Continuation for Table {
        fn step(&mut self, rows: &[usize], tokens: &[u32]) -> Result<Logits, EngineError> {
            let text = |(&row, &token): (&usize, &u32)| [&self.0[row][..], &[token]].concat();
            self.0 = rows.iter().zip(tokens).map(text).collect();
            let last = self.0.iter().map(|text| text[text.len() - 1] as usize);
            Ok(Logits::of(
                last.map(|word| AFTER[word].map(f32::ln).to_vec()),
            ))
        }
    }

    fn search(size: usize, longest: usize) -> Hypothesis {
        let profile = profile();
        let filter = LogitFilter {
            profile: &profile,
            times: false,
        };
        let mut texts = Table(vec![Vec::new()]);
        let search = Search { filter, longest };
        let first = FIRST.map(f32::ln);
        let strategy = Strategy::Beam(size);
        search.run(&first, &mut texts, strategy).unwrap()
    }

    #[test]
    fn a_beam_finds_what_the_likeliest_token_misses() {
        let check = |found: Hypothesis, tokens: &[u32], probability: f32| {
            assert_eq!(found.tokens, tokens);
            assert!((found.logprob - probability.ln()).abs() < 1e-5, "{found:?}");
        };
        // 0 is likelier than 1 and ends with 0.4; 1 ends with 0.9.
        check(search(1, 10), &[0], 0.5 * 0.4);
        check(search(2, 10), &[1], 0.4 * 0.9);
        // Cut off after one token: no end is counted.
        check(search(1, 1), &[0], 0.5);
        check(search(2, 1), &[0], 0.5);
        let average = search(2, 10).avg_logprob();
        assert!((average - 0.36_f32.ln() / 2.0).abs() < 1e-5);
    }

    #[test]
    fn the_likeliest_may_follow() {
        let none = f32::NEG_INFINITY;
        assert_eq!(likeliest(&[none, 1.0, 3.0, 3.0]), Some((2, 3.0)));
        assert_eq!(likeliest(&[none, none]), None);
        assert_eq!(likeliest(&[f32::NAN]), None);
        assert_eq!(likeliest(&[]), None);
        let some = most_likely(&[1.0, 4.0, none, 2.0, 4.0, 3.0], 3);
        assert_eq!(some, [(1, 4.0), (4, 4.0), (5, 3.0)]);
        assert_eq!(most_likely(&[none, 2.0], 3), [(1, 2.0)]);
    }

    #[test]
    fn samples_follow_the_probabilities_and_the_filter() {
        let none = f32::NEG_INFINITY;
        let logits = [none, 0.0, 1.0, none];
        let mut sampler = Sampler::new();
        let mut counts = [0; 4];
        for _ in 0..10_000 {
            counts[sampler.token(&logits, 1.0).unwrap().0 as usize] += 1;
        }
        assert_eq!((counts[0], counts[3]), (0, 0));
        // e to 1.
        assert!((7_050..7_570).contains(&counts[2]), "{counts:?}");
        let cold = (0..100).filter(|_| sampler.token(&logits, 0.05).unwrap().0 == 2);
        assert_eq!(cold.count(), 100);
    }
}
