//! What is looked for, and when each of it is there.

use crate::output::find::searched::SearchedFrame;
use crate::output::find::searched::SearchedResults;
use crate::output::playback::shown_until;
use crate::speech::has_space_between;
use crate::speech::is_unspaced;

/// What is looked for at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MomentQuery {
    /// Names of classes, case aside; an object of each is seen.
    pub seen: Vec<String>,
    /// Words, case and punctuation aside; each of these texts is said.
    pub said: Vec<String>,
    /// The least confidence of an object that counts.
    pub confidence: f64,
    /// Seconds within which all of it is there.
    pub within: f64,
}

/// When something is there, in seconds since the first frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Occurrence {
    pub(super) start: f64,
    pub(super) end: f64,
}

impl MomentQuery {
    /// A text of `said` that has no letters, and so cannot be heard.
    pub fn without_letters(&self) -> Option<&str> {
        let mut said = self.said.iter();
        said.find(|text| letters(text).is_empty())
            .map(String::as_str)
    }

    /// When each of it is there, in the order of time; what is seen first.
    pub(super) fn occurrences(&self, results: &SearchedResults) -> Vec<Vec<Occurrence>> {
        let spoken = SpokenText::of(results);
        let seen = self.seen.iter().map(|name| self.seen(results, name));
        let said = self.said.iter().map(|text| spoken.occurrences(text));
        seen.chain(said).collect()
    }

    fn seen(&self, results: &SearchedResults, name: &str) -> Vec<Occurrence> {
        let name: Vec<char> = name.chars().flat_map(char::to_lowercase).collect();
        let is_name = |class: &str| {
            let class = class.chars().flat_map(char::to_lowercase);
            class.eq(name.iter().copied())
        };
        let shows = |frame: &SearchedFrame| {
            let mut objects = frame.detections.iter();
            objects.any(|it| it.confidence >= self.confidence && is_name(&it.class_name))
        };
        let mut found = Vec::new();
        for frames in results.frames() {
            for (at, frame) in frames.iter().enumerate().filter(|(_, it)| shows(it)) {
                let next = frames.get(at + 1).map(|next| next.timestamp);
                let (start, apart) = (frame.timestamp, results.apart());
                let end = shown_until(start, frame.samples, next, apart);
                found.push(Occurrence { start, end });
            }
        }
        found.sort_by(|a, b| a.start.total_cmp(&b.start));
        found
    }
}

// All that is said, as the letters that are compared.
struct SpokenText {
    text: String,
    words: Vec<SpokenWord>,
}

struct SpokenWord {
    // Where it begins in the text.
    at: usize,
    when: Occurrence,
}

impl SpokenText {
    fn of(results: &SearchedResults) -> Self {
        let mut spoken = Self {
            text: String::new(),
            words: Vec::new(),
        };
        for segment in results.segments() {
            // Where words have no times, each may be said at any time of the segment.
            if segment.words.is_empty() {
                let when = Occurrence {
                    start: segment.start,
                    end: segment.end,
                };
                let words = segment.text.split_whitespace();
                words.for_each(|word| spoken.add(word, when));
            }
            for word in &segment.words {
                let when = Occurrence {
                    start: word.start,
                    end: word.end,
                };
                spoken.add(&word.word, when);
            }
        }
        spoken
    }

    fn add(&mut self, word: &str, when: Occurrence) {
        let word = letters(word);
        if word.is_empty() {
            return;
        }
        if has_space_between(&self.text, &word) {
            self.text.push(' ');
        }
        let at = self.text.len();
        self.words.push(SpokenWord { at, when });
        self.text += &word;
    }

    // When a text is said, in whole words; scripts without spaces have none.
    fn occurrences(&self, text: &str) -> Vec<Occurrence> {
        let text = letters(text);
        if text.is_empty() {
            return Vec::new();
        }
        let is_whole = |at: usize| {
            let (before, after) = self.text.split_at_checked(at).unwrap_or_default();
            let ends = [before.chars().next_back(), after.chars().next()];
            ends.contains(&None)
                || ends
                    .iter()
                    .flatten()
                    .any(|it| *it == ' ' || is_unspaced(*it))
        };
        let places = self.text.match_indices(&text);
        let places = places.map(|(at, found)| (at, at + found.len()));
        places
            .filter(|(at, end)| is_whole(*at) && is_whole(*end))
            .filter_map(|(at, end)| {
                let first = self.words.partition_point(|word| word.at <= at);
                let last = self.words.partition_point(|word| word.at < end);
                let first = self.words.get(first.checked_sub(1)?)?;
                let last = self.words.get(last.checked_sub(1)?)?;
                Some(Occurrence {
                    start: first.when.start,
                    end: last.when.end.max(first.when.start),
                })
            })
            .collect()
    }
}

// Letters and digits, case aside, with a space between words where their script has one.
fn letters(text: &str) -> String {
    let mut letters = String::new();
    for word in text.split_whitespace() {
        let word = word.chars().filter(|it| it.is_alphanumeric());
        let word: String = word.flat_map(char::to_lowercase).collect();
        if !word.is_empty() && has_space_between(&letters, &word) {
            letters.push(' ');
        }
        letters += &word;
    }
    letters
}
