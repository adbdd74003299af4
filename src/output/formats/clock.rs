//! When each letter of a segment is said: by its words where they have times, else by its share
//! of the segment.

use crate::output::results::transcription::SegmentEntry;
use crate::speech::align;
use std::ops::Range;

/// How far outside its segment a word may lie before its times are not believed, in seconds.
const TOLERANCE: f64 = 1.0;

/// The times of the letters of a text.
pub(super) struct LetterClock {
    // The byte at which each letter begins.
    letters: Vec<usize>,
    // Without gaps between their letters, in order of letters and of time.
    spans: Vec<LetterSpan>,
}

// Some letters, and the time in which they are said at an even pace.
struct LetterSpan {
    letters: Range<usize>,
    start: f64,
    end: f64,
}

impl LetterClock {
    /// The clock of `text`, which is that of `segment` with other spaces.
    pub(super) fn new(segment: &SegmentEntry, text: &str) -> Self {
        let positions = |counts: fn(char) -> bool| -> Vec<usize> {
            let counted = text.char_indices().filter(|(_, c)| counts(*c));
            counted.map(|(at, _)| at).collect()
        };
        let mut letters = positions(char::is_alphanumeric);
        if letters.is_empty() {
            letters = positions(|c| !c.is_whitespace());
        }
        let spans = spans(segment, text, &letters);
        Self { letters, spans }
    }

    /// When what stands at these bytes begins and ends, in seconds.
    pub(super) fn times(&self, bytes: Range<usize>) -> (f64, f64) {
        let (first, end) = (self.letter(bytes.start), self.letter(bytes.end));
        let begins = self.spans.partition_point(|span| span.letters.end <= first);
        let ends = self.spans.partition_point(|span| span.letters.start < end);
        let start = self.spans.get(begins).or(self.spans.last());
        let start = start.map_or(0.0, |span| span.at(first));
        let end = self
            .spans
            .get(ends.saturating_sub(1))
            .map_or(start, |span| span.at(end));
        (start, end.max(start))
    }

    fn letter(&self, byte: usize) -> usize {
        self.letters.partition_point(|at| *at < byte)
    }
}

impl LetterSpan {
    fn at(&self, letter: usize) -> f64 {
        let letter = letter.clamp(self.letters.start, self.letters.end);
        let share = (letter - self.letters.start) as f64 / self.letters.len().max(1) as f64;
        self.start + (self.end - self.start) * share
    }
}

fn spans(segment: &SegmentEntry, text: &str, letters: &[usize]) -> Vec<LetterSpan> {
    let believed = segment.start - TOLERANCE..=segment.end + TOLERANCE;
    let words = segment.words.iter();
    let words = words.filter(|word| believed.contains(&word.start) && believed.contains(&word.end));
    let words: Vec<_> = words.collect();
    let places = align(text, words.iter().map(|word| word.word.as_str()));
    let letter = |byte: usize| letters.partition_point(|at| *at < byte);
    let mut spans: Vec<LetterSpan> = Vec::new();
    for (word, place) in words.into_iter().zip(places) {
        let Some(place) = place else { continue };
        let told = letter(place.start)..letter(place.end);
        let (before, time) = end_of(&spans).unwrap_or((0, segment.start.min(word.start)));
        let start = word.start.max(time);
        if before < told.start {
            // Letters that no word has: in the time between its neighbours.
            spans.push(LetterSpan {
                letters: before..told.start,
                start: time,
                end: start,
            });
        }
        spans.push(LetterSpan {
            letters: told,
            start,
            end: word.end.max(start),
        });
    }
    let (before, time) = end_of(&spans).unwrap_or((0, segment.start));
    if before < letters.len() {
        spans.push(LetterSpan {
            letters: before..letters.len(),
            start: time,
            end: segment.end.max(time),
        });
    }
    spans
}

fn end_of(spans: &[LetterSpan]) -> Option<(usize, f64)> {
    spans.last().map(|span| (span.letters.end, span.end))
}
