//! What is looked for, and when each of it is there.

use crate::output::find::searched::SearchedFrame;
use crate::output::find::searched::SearchedResults;
use crate::output::find::searched::SearchedSegment;
use crate::output::find::words::is_same;
use crate::output::find::words::push_words;
use crate::output::playback::shown_until;

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
    /// A name of `seen` that is empty, and so is that of no class.
    pub fn without_name(&self) -> Option<&str> {
        let mut seen = self.seen.iter().map(String::as_str);
        seen.find(|name| name.trim().is_empty())
    }

    /// A text of `said` that has no letters, and so cannot be heard.
    pub fn without_letters(&self) -> Option<&str> {
        let has_none = |text: &&str| {
            let mut words = String::new();
            push_words(text, &mut words);
            words.is_empty()
        };
        self.said.iter().map(String::as_str).find(has_none)
    }

    /// When each of it is there, in the order of time; what is seen first.
    pub(super) fn occurrences(&self, results: &SearchedResults) -> Vec<Vec<Occurrence>> {
        let spoken: Vec<SpokenText> = match self.said.is_empty() {
            true => Vec::new(),
            false => results.speeches().map(SpokenText::of).collect(),
        };
        let seen = self.seen.iter().map(|name| self.seen(results, name));
        let said = self.said.iter().map(|text| {
            let said = spoken.iter().flat_map(|it| it.occurrences(text));
            in_order(said.collect())
        });
        seen.chain(said).collect()
    }

    fn seen(&self, results: &SearchedResults, name: &str) -> Vec<Occurrence> {
        let shows = |frame: &SearchedFrame| {
            let mut objects = frame.detections.iter();
            objects.any(|it| it.confidence >= self.confidence && is_same(&it.class_name, name))
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
        in_order(found)
    }
}

fn in_order(mut found: Vec<Occurrence>) -> Vec<Occurrence> {
    found.sort_by(|a, b| a.start.total_cmp(&b.start));
    found
}

// One transcript as the words that are compared, each between two spaces.
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
    fn of(segments: &[SearchedSegment]) -> Self {
        let mut spoken = Self {
            text: " ".to_owned(),
            words: Vec::new(),
        };
        for segment in segments {
            // Where words have no times, each may be said at any time of the segment.
            if segment.words.is_empty() {
                let (start, end) = (segment.start, segment.end);
                spoken.add(&segment.text, Occurrence { start, end });
            }
            for word in &segment.words {
                let (start, end) = (word.start, word.end);
                spoken.add(&word.word, Occurrence { start, end });
            }
        }
        spoken
    }

    fn add(&mut self, text: &str, when: Occurrence) {
        let mut at = self.text.len();
        push_words(text, &mut self.text);
        while let Some(length) = self.text.get(at..).and_then(|rest| rest.find(' ')) {
            self.words.push(SpokenWord { at, when });
            at += length + 1;
        }
    }

    // When a text is said, in whole words. What is found may begin within what was found before: in
    // "no no no" there is "no no" twice.
    fn occurrences(&self, text: &str) -> Vec<Occurrence> {
        let mut wanted = " ".to_owned();
        push_words(text, &mut wanted);
        let mut found = Vec::new();
        if wanted == " " {
            return found;
        }
        let mut from = 0;
        while let Some(ahead) = self.text.get(from..).and_then(|rest| rest.find(&wanted)) {
            let at = from + ahead + 1;
            let end = at + wanted.len() - 1;
            let first = self.words.partition_point(|word| word.at < at);
            let last = self.words.partition_point(|word| word.at < end);
            let words = self.words.get(first..last).unwrap_or_default();
            if let (Some(first), Some(last)) = (words.first(), words.last()) {
                found.push(Occurrence {
                    start: first.when.start,
                    end: last.when.end.max(first.when.start),
                });
            }
            from = at;
        }
        found
    }
}
