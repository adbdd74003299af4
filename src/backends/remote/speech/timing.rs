//! Times of segments and words as a server states them, as seconds of the sound that was sent.
//!
//! A time that is not stated is NaN until it is filled in: what lies between two times that are
//! known is shared by length.

use super::units::parts_of_a_second;
use crate::failure::Class;
use crate::failure::Failure;
use crate::speech::Segment;
use crate::speech::Word;
use crate::speech::align;

/// Something that is said, with times that may be NaN.
trait Spoken {
    fn times(&mut self) -> [&mut f64; 2];
    fn text(&self) -> &str;
}

impl Spoken for Segment {
    fn times(&mut self) -> [&mut f64; 2] {
        [&mut self.start, &mut self.end]
    }

    fn text(&self) -> &str {
        &self.text
    }
}

impl Spoken for Word {
    fn times(&mut self) -> [&mut f64; 2] {
        [&mut self.start, &mut self.end]
    }

    fn text(&self) -> &str {
        &self.word
    }
}

/// Makes one transcript of sound of so many `seconds` of `segments`, whose times may be NaN or in
/// another unit, and of `words` that are listed beside them: in order, with every time known, and
/// each word in the segment that says it.
///
/// # Errors
///
/// Of class `bad-answer` where the times are in no unit that is known.
pub(in crate::backends::remote) fn settle(
    mut segments: Vec<Segment>,
    mut words: Vec<Word>,
    seconds: f64,
) -> Result<Vec<Segment>, Failure> {
    let of_segments = segments.iter_mut().flat_map(|segment| {
        let own = segment.words.iter_mut().flat_map(Spoken::times);
        own.chain([&mut segment.start, &mut segment.end])
    });
    let times: Vec<&mut f64> = of_segments
        .chain(words.iter_mut().flat_map(Spoken::times))
        .collect();
    // As far before the sound as behind it is as wrong.
    let latest = times
        .iter()
        .fold(0.0_f64, |latest, time| latest.max(time.abs()));
    let parts = parts_of_a_second(latest, seconds).ok_or_else(|| odd(latest, seconds))?;
    for time in times {
        *time /= parts;
    }
    fill(&mut segments, 0.0, seconds);
    segments.sort_by(|a, b| a.start.total_cmp(&b.start));
    if segments.iter().all(|segment| segment.words.is_empty()) && has_times(&words) {
        fill(&mut words, 0.0, seconds);
        give(&mut segments, words);
    }
    for segment in &mut segments {
        if has_times(&segment.words) {
            fill(&mut segment.words, segment.start, segment.end);
        } else {
            segment.words.clear();
        }
    }
    Ok(segments)
}

fn odd(latest: f64, seconds: f64) -> Failure {
    let message = format!(
        "the answer cannot be used: it places speech at {latest}, and {seconds:.1} s of sound were \
         sent; that is neither in seconds nor in any other unit that is known"
    );
    Failure::new(Class::BadAnswer, message)
}

fn has_times(words: &[Word]) -> bool {
    words
        .iter()
        .any(|word| !word.start.is_nan() || !word.end.is_nan())
}

// Gives every time that is NaN a place between its neighbours, by the length of what is said; the
// first may be at `from`, the last at `to`. Nothing ends before it begins.
fn fill(spoken: &mut [impl Spoken], from: f64, to: f64) {
    // Each time with the letters that are said before it.
    let mut letters = 0;
    let mut times: Vec<(f64, &mut f64)> = Vec::new();
    for one in spoken.iter_mut() {
        let length = one.text().chars().count().max(1);
        let [start, end] = one.times();
        times.push((letters as f64, start));
        letters += length;
        times.push((letters as f64, end));
    }
    let mut next = (letters as f64, to);
    let after: Vec<(f64, f64)> = times
        .iter()
        .rev()
        .map(|(place, time)| {
            if !time.is_nan() {
                next = (*place, **time);
            }
            next
        })
        .collect();
    let mut last = (0.0, from);
    for ((place, time), next) in times.into_iter().zip(after.into_iter().rev()) {
        if time.is_nan() {
            let share = match next.0 - last.0 {
                length if length > 0.0 => (place - last.0) / length,
                _ => 0.0,
            };
            *time = last.1 + (next.1 - last.1).max(0.0) * share;
        }
        last = (place, *time);
    }
    for one in spoken {
        let [start, end] = one.times();
        *end = end.max(*start);
    }
}

// Each word to the segment whose text has it; where the texts differ, to the one in which it is,
// or the last that began before it.
fn give(segments: &mut [Segment], words: Vec<Word>) {
    let mut text = String::new();
    let ends: Vec<usize> = segments
        .iter()
        .map(|segment| {
            text.push_str(&segment.text);
            text.push('\n');
            text.len()
        })
        .collect();
    let places = align(&text, words.iter().map(|word| word.word.as_str()));
    let mut last = None;
    for (word, place) in words.into_iter().zip(places) {
        let told = place.map(|place| ends.partition_point(|end| *end <= place.start));
        let is_letterless = !word.word.chars().any(char::is_alphanumeric);
        let at = told.or(last.filter(|_| is_letterless)).unwrap_or_else(|| {
            let centre = f64::midpoint(word.start, word.end);
            let after = segments.partition_point(|segment| segment.start <= centre);
            after.saturating_sub(1)
        });
        last = Some(at);
        if let Some(segment) = segments.get_mut(at) {
            segment.words.push(word);
        }
    }
}
