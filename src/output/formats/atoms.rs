//! Atoms: the parts of a text between which a line may end.
//!
//! Where that is follows UAX #14, and dictionaries for the scripts that write no spaces; how good a
//! place it is follows sentences, punctuation and words. Width is that on a screen:
//! a Chinese, Japanese or Korean letter takes two columns.

use crate::speech::is_unspaced;
use crate::speech::sentences;
use icu_segmenter::GraphemeClusterSegmenter;
use icu_segmenter::LineSegmenter;
use icu_segmenter::WordSegmenter;
use std::collections::BTreeSet;
use std::ops::Range;
use unicode_width::UnicodeWidthStr;

/// How good a place to end a caption or a line, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BreakQuality {
    /// After a sentence.
    Sentence,
    /// After a comma or the like.
    Clause,
    /// Between words.
    Word,
    /// Within a word.
    Within,
}

/// A part of a text that is never broken.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Atom {
    /// Its bytes, without the space after it.
    pub(super) bytes: Range<usize>,
    /// Columns.
    pub(super) width: usize,
    /// Whether a space follows it in its line.
    pub(super) has_space: bool,
    /// What the place after it is.
    pub(super) quality: BreakQuality,
}

/// The atoms of `text`, which is one line without spaces at its ends; none is wider than
/// `line_width`, but for a single letter that is.
pub(super) fn atoms(text: &str, line_width: usize) -> Vec<Atom> {
    let sentences: BTreeSet<usize> = sentences(text).into_iter().map(|it| it.end).collect();
    let words: BTreeSet<usize> = WordSegmenter::new_dictionary(Default::default())
        .segment_str(text)
        .collect();
    let lines = LineSegmenter::new_dictionary(Default::default());
    let mut atoms = Vec::new();
    let mut start = 0;
    for end in lines.segment_str(text).skip(1) {
        let whole = text.get(start..end).unwrap_or_default();
        let shown = whole.trim_end();
        let quality = if sentences.contains(&end) && ends_clause(shown) {
            BreakQuality::Sentence
        } else if ends_clause(shown) {
            BreakQuality::Clause
        } else if shown.len() < whole.len() || is_between_words(text, end, &words) {
            BreakQuality::Word
        } else {
            BreakQuality::Within
        };
        let atom = Atom {
            bytes: start..start + shown.len(),
            width: shown.width(),
            has_space: shown.len() < whole.len(),
            quality,
        };
        if atom.width > line_width {
            atoms.extend(pieces(text, &atom, line_width));
        } else if atom.width > 0 {
            atoms.push(atom);
        }
        start = end;
    }
    atoms
}

// Whether a place in a script without spaces is a good one between two words: not before one that
// belongs to the word before it.
fn is_between_words(text: &str, at: usize, words: &BTreeSet<usize>) -> bool {
    const PARTICLES: &str = "的了着过得地吗呢吧啊们はがをにへともので";
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let is_particle = after
        .chars()
        .next()
        .is_some_and(|next| PARTICLES.contains(next) && words.contains(&(at + next.len_utf8())));
    words.contains(&at) && before.ends_with(is_unspaced) && !is_particle
}

// An atom that is wider than a line, in pieces that are not.
fn pieces(text: &str, atom: &Atom, line_width: usize) -> Vec<Atom> {
    let whole = text.get(atom.bytes.clone()).unwrap_or_default();
    let mut pieces: Vec<Atom> = Vec::new();
    let mut start = 0;
    for end in GraphemeClusterSegmenter::new().segment_str(whole).skip(1) {
        let width = whole.get(start..end).unwrap_or_default().width();
        let bytes = atom.bytes.start + start..atom.bytes.start + end;
        match pieces.last_mut() {
            Some(piece) if piece.width + width <= line_width => {
                piece.bytes.end = bytes.end;
                piece.width += width;
            }
            _ => pieces.push(Atom {
                bytes,
                width,
                has_space: false,
                quality: BreakQuality::Within,
            }),
        }
        start = end;
    }
    if let Some(last) = pieces.last_mut() {
        last.has_space = atom.has_space;
        last.quality = atom.quality;
    }
    pieces
}

fn ends_clause(text: &str) -> bool {
    let last = text.trim_end_matches(is_closing).chars().next_back();
    last.is_some_and(|last| ".!?…,;:–—،؛、，；：。！？｡؟۔।॥".contains(last))
}

// What may stand between a sentence and the space after it.
fn is_closing(c: char) -> bool {
    "\"'’”»›)]}」』）】〉》".contains(c)
}
