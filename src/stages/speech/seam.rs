//! Transcripts of chunks to what each of them answers for, in seconds of the video.
//!
//! Neighbours share some sound where it was cut within speech. A word belongs to the one in whose
//! own sound its centre lies; where an answer has no times of words, the centre of its segment
//! decides, and the seam is marked. Does not know how transcripts come.

use crate::speech::AudioSpan;
use crate::speech::Recognition;
use crate::speech::Segment;
use crate::speech::Word;
use crate::speech::align;
use crate::speech::join;
use crate::speech::seconds;
use std::ops::Range;
use std::ops::RangeInclusive;

/// The segments that a chunk counts for.
#[derive(Debug, Default, PartialEq)]
pub(super) struct TrimmedSegments {
    /// Segments with the times of the video.
    pub(super) segments: Vec<Segment>,
    /// Borders, in seconds of the video, at which words may be doubled or missing.
    pub(super) seams: Vec<f64>,
}

/// What was recognised in `span`, without what its neighbours count for.
pub(super) fn trim(span: &AudioSpan, recognition: &Recognition) -> TrimmedSegments {
    let shared_before = span.range.start < span.own.start;
    let shared_after = span.own.end < span.range.end;
    // Where nothing is shared, no neighbour has what a model places a little outside.
    let bounds = Bounds {
        from: shared_before.then(|| seconds(span.own.start)),
        to: shared_after.then(|| seconds(span.own.end)),
    };
    let offset = seconds(span.range.start);
    let length = seconds(span.range.end) - offset;
    let mut own = TrimmedSegments::default();
    let mut has_times = true;
    for segment in &recognition.segments {
        has_times &= !segment.words.is_empty() || segment.text.trim().is_empty();
        own.segments
            .extend(bounds.keep(moved(segment, offset, length)));
    }
    if !has_times {
        own.seams.extend(bounds.from);
        own.seams.extend(bounds.to);
    }
    own
}

// Times of the video; a model may place something a little beyond the sound that it got.
fn moved(segment: &Segment, offset: f64, length: f64) -> Segment {
    let place = |seconds: f64| offset + seconds.clamp(0.0, length);
    let word = |word: &Word| Word {
        start: place(word.start),
        end: place(word.end.max(word.start)),
        ..word.clone()
    };
    Segment {
        start: place(segment.start),
        end: place(segment.end.max(segment.start)),
        words: segment.words.iter().map(word).collect(),
        ..segment.clone()
    }
}

struct Bounds {
    from: Option<f64>,
    to: Option<f64>,
}

impl Bounds {
    fn holds(&self, time: Range<f64>) -> bool {
        let centre = f64::midpoint(time.start, time.end);
        self.from.is_none_or(|from| from <= centre) && self.to.is_none_or(|to| centre < to)
    }

    // What of a segment lies within.
    fn keep(&self, segment: Segment) -> Option<Segment> {
        if segment.words.is_empty() {
            return self.holds(segment.start..segment.end).then_some(segment);
        }
        let is_held = |word: &Word| self.holds(word.start..word.end);
        if segment.words.iter().all(is_held) {
            return Some(segment);
        }
        let first = segment.words.iter().position(is_held)?;
        let last = segment.words.iter().rposition(is_held)?;
        let text = excerpt(&segment.text, &segment.words, first..=last);
        let words = segment.words.get(first..=last)?.to_vec();
        Some(Segment {
            start: words.first()?.start,
            end: words.last()?.end,
            text,
            words,
            ..segment
        })
    }
}

// The part of a text in which some of its words are said, with the punctuation around it.
fn excerpt(text: &str, words: &[Word], kept: RangeInclusive<usize>) -> String {
    let places = align(text, words.iter().map(|word| word.word.as_str()));
    let start_of = |index: usize| {
        let start = places.get(index..)?.iter().flatten().next()?.start;
        // What opens a word stands before it, without a space between.
        let before = text.get(..start)?;
        let opening = before.trim_end_matches(|c: char| !c.is_alphanumeric() && !c.is_whitespace());
        let is_apart = opening.is_empty() || opening.ends_with(char::is_whitespace);
        Some(if is_apart { opening.len() } else { start })
    };
    let first = match *kept.start() {
        0 => Some(0),
        first => start_of(first),
    };
    let end = start_of(kept.end() + 1).unwrap_or(text.len());
    let is_told = places
        .get(kept.clone())
        .is_some_and(|it| it.iter().any(Option::is_some));
    match first.and_then(|first| text.get(first..end)) {
        Some(part) if is_told => part.trim_end().to_owned(),
        // The text has none of them.
        _ => {
            let words = words.get(kept).unwrap_or_default();
            join(words.iter().map(|word| word.word.as_str()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TrimmedSegments;
    use super::trim;
    use crate::name::VideoId;
    use crate::speech::AudioSpan;
    use crate::speech::Recognition;
    use crate::speech::Segment;
    use crate::speech::Word;
    use crate::speech::join;

    fn span(range: (u64, u64), own: (u64, u64)) -> AudioSpan {
        let place = |(from, to): (u64, u64)| from * 16_000..to * 16_000;
        AudioSpan {
            video: VideoId(0),
            range: place(range),
            own: place(own),
        }
    }

    fn segment(start: f64, end: f64, words: &[(f64, f64, &str)]) -> Segment {
        let word = |(start, end, word): &(f64, f64, &str)| Word {
            start: *start,
            end: *end,
            word: (*word).to_owned(),
            probability: None,
        };
        Segment {
            start,
            end,
            text: join(words.iter().map(|(.., word)| *word)),
            words: words.iter().map(word).collect(),
            ..Segment::default()
        }
    }

    fn recognition(segments: Vec<Segment>) -> Recognition {
        Recognition {
            segments,
            ..Recognition::default()
        }
    }

    fn told(own: &TrimmedSegments) -> Vec<(f64, f64, &str)> {
        let segments = own.segments.iter();
        segments
            .map(|it| (it.start, it.end, it.text.as_str()))
            .collect()
    }

    #[test]
    fn a_word_on_the_border_belongs_to_one_side() {
        let said = segment(
            0.0,
            9.8,
            &[(0.0, 1.0, " one"), (8.0, 8.9, " two"), (8.9, 9.8, " three")],
        );
        let before = trim(&span((10, 20), (10, 19)), &recognition(vec![said]));
        assert_eq!(told(&before), [(10.0, 18.9, "one two")]);
        assert_eq!(before.seams, [0.0; 0]);
        let said = segment(
            0.0,
            2.0,
            &[(0.1, 0.9, "two"), (0.9, 1.8, "three"), (1.9, 2.0, "four")],
        );
        let after = trim(&span((18, 30), (19, 30)), &recognition(vec![said]));
        assert_eq!(told(&after), [(18.9, 20.0, "three four")]);
        let beyond = segment(0.0, 0.5, &[(0.0, 0.5, " two")]);
        assert_eq!(
            told(&trim(&span((18, 30), (19, 30)), &recognition(vec![beyond]))),
            []
        );
    }

    #[test]
    fn a_part_of_a_segment_keeps_its_own_text() {
        let words = [
            (0.0, 1.0, "It"),
            (1.0, 2.0, "moves"),
            (8.0, 8.9, "40"),
            (8.9, 9.8, "steps"),
        ];
        for (text, before, after) in [
            ("It moves -- \"40 steps\".", "It moves -- \"40", "steps\"."),
            ("It moves, 40, steps.", "It moves, 40,", "steps."),
            ("It moves forty steps.", "It moves forty", "steps."),
        ] {
            let said = Segment {
                text: text.to_owned(),
                ..segment(0.0, 9.8, &words)
            };
            let first = trim(&span((0, 10), (0, 9)), &recognition(vec![said.clone()]));
            assert_eq!(told(&first)[0].2, before);
            let second = trim(&span((0, 10), (9, 10)), &recognition(vec![said]));
            // Both halves share the chunk here, so the second has what begins after 9 s.
            assert_eq!(told(&second)[0].2, after);
        }
        let signs = [
            (0.0, 1.0, "红"),
            (8.0, 8.9, "色"),
            (8.9, 9.8, "的"),
            (9.8, 9.9, "圆"),
        ];
        let said = Segment {
            text: "红色的圆。".to_owned(),
            ..segment(0.0, 9.9, &signs)
        };
        let first = trim(&span((0, 10), (0, 9)), &recognition(vec![said]));
        assert_eq!(told(&first)[0].2, "红色");
    }

    #[test]
    fn without_times_of_words_the_seam_is_marked() {
        let bare = |start, end| Segment {
            text: "words".to_owned(),
            ..segment(start, end, &[])
        };
        let parts = recognition(vec![bare(0.0, 1.8), bare(1.8, 9.0), bare(8.9, 9.9)]);
        let found = trim(&span((10, 20), (11, 19)), &parts);
        assert_eq!(told(&found), [(11.8, 19.0, "words")]);
        assert_eq!(found.seams, [11.0, 19.0]);
        let at_pauses = trim(&span((11, 19), (11, 19)), &parts);
        assert_eq!(at_pauses.segments.len(), 3);
        assert_eq!(at_pauses.seams, [0.0; 0]);
    }

    #[test]
    fn times_beyond_the_sound_are_brought_back() {
        let said = segment(-1.0, 99.0, &[(-1.0, 2.0, " a"), (98.0, 97.0, " b")]);
        let found = trim(&span((5, 10), (5, 10)), &recognition(vec![said]));
        assert_eq!(told(&found), [(5.0, 10.0, "a b")]);
        let words = &found.segments[0].words;
        assert_eq!((words[1].start, words[1].end), (10.0, 10.0));
    }
}
