//! Which part of a text goes on which caption, and on which of its lines.
//!
//! Every way to cut a text has a price, and the cheapest is taken: captions end after sentences
//! rather than clauses, and after clauses rather than words; nothing of a sentence stands on the
//! caption before it unless it ends there; none is gone before it can be read.

use super::atoms::BreakQuality;
use super::caption::CaptionLayout;
use super::caption::TimedAtom;
use std::ops::Range;

/// The shortest time that a caption can be read in, in seconds.
pub(super) const SHORTEST: f64 = 0.8;

/// The longest pause in a caption that costs nothing, in seconds.
const PAUSE: f64 = 1.0;

// Prices.
const CAPTION: f64 = 25.0;
const CLAUSE: f64 = 30.0;
const WORD: f64 = 60.0;
const WITHIN: f64 = 200.0;
const SENTENCE_BEFORE: f64 = 300.0;
const SENTENCE_BEFORE_AT_SEGMENT: f64 = 60.0;
const TOO_SHORT: f64 = 150.0;
const RAGGED: f64 = 60.0;
const SEGMENTS: f64 = 120.0;
const SHORT_SEGMENTS: f64 = 10.0;
const PAUSE_SECOND: f64 = 40.0;
const LINE_WORD: f64 = 15.0;
const LINE_WITHIN: f64 = 100.0;
const LINE_RAGGED: f64 = 80.0;

/// Cuts `atoms`, which follow each other in time, into captions. Nothing else is shown until
/// `until`, in seconds.
pub(super) fn split(atoms: &[TimedAtom], until: f64, layout: CaptionLayout) -> Vec<Range<usize>> {
    // The price of the best way to show all atoms before each, and where its last caption begins.
    let mut best = vec![(f64::INFINITY, 0); atoms.len() + 1];
    if let Some(first) = best.first_mut() {
        first.0 = 0.0;
    }
    for start in 0..atoms.len() {
        let before = best.get(start).map_or(f64::INFINITY, |best| best.0);
        let mut caption = Draft::new(start, layout);
        for atom in atoms.get(start..).unwrap_or_default() {
            if !caption.push(atom) {
                break;
            }
            let next = atoms.get(caption.end).map_or(until, |next| next.start);
            let price = before + caption.price(next);
            if let Some(best) = best.get_mut(caption.end).filter(|best| price < best.0) {
                *best = (price, start);
            }
        }
    }
    let mut captions = Vec::new();
    let mut end = atoms.len();
    while end > 0 {
        let start = best.get(end).map_or(0, |best| best.1);
        captions.push(start..end);
        end = start;
    }
    captions.reverse();
    captions
}

// A caption that may come to be.
struct Draft<'a> {
    layout: CaptionLayout,
    end: usize,
    first: Option<&'a TimedAtom>,
    last: Option<&'a TimedAtom>,
    lines: usize,
    // Columns of the last line, and of all.
    line: usize,
    width: usize,
    has_sentence_end: bool,
    // What its inside costs.
    inside: f64,
}

impl<'a> Draft<'a> {
    fn new(start: usize, layout: CaptionLayout) -> Self {
        Self {
            layout,
            end: start,
            first: None,
            last: None,
            lines: 1,
            line: 0,
            width: 0,
            has_sentence_end: false,
            inside: 0.0,
        }
    }

    // Takes in the next atom; false where there is no room.
    fn push(&mut self, atom: &'a TimedAtom) -> bool {
        let Some(last) = self.last else {
            self.first = Some(atom);
            self.last = Some(atom);
            (self.line, self.width) = (atom.width, atom.width);
            self.end += 1;
            return true;
        };
        let space = usize::from(last.has_space);
        if self.line + space + atom.width <= self.layout.line_width {
            self.line += space + atom.width;
        } else {
            self.lines += 1;
            self.line = atom.width;
        }
        if self.lines > self.layout.line_count {
            return false;
        }
        self.width += space + atom.width;
        self.has_sentence_end |= last.quality == BreakQuality::Sentence;
        self.inside += (atom.start - last.end - PAUSE).max(0.0) * PAUSE_SECOND;
        if last.ends_segment {
            let is_short = |atom: &TimedAtom| atom.segment_length < SHORTEST;
            let continues = last.quality != BreakQuality::Sentence;
            self.inside += match continues && (is_short(last) || is_short(atom)) {
                true => SHORT_SEGMENTS,
                false => SEGMENTS,
            };
        }
        self.last = Some(atom);
        self.end += 1;
        true
    }

    // What it costs to end it here, where the next one begins at `next`.
    fn price(&self, next: f64) -> f64 {
        let (Some(first), Some(last)) = (self.first, self.last) else {
            return f64::INFINITY;
        };
        let pauses = next - last.end > 0.4;
        let border = match last.quality {
            BreakQuality::Sentence => 0.0,
            _ if last.ends_segment && self.has_sentence_end => SENTENCE_BEFORE_AT_SEGMENT,
            _ if last.ends_segment => 0.0,
            quality => {
                let before = if self.has_sentence_end {
                    SENTENCE_BEFORE
                } else {
                    0.0
                };
                let price = match quality {
                    BreakQuality::Sentence | BreakQuality::Clause => CLAUSE,
                    BreakQuality::Word => WORD,
                    BreakQuality::Within => WITHIN,
                };
                before + if pauses { price / 2.0 } else { price }
            }
        };
        let shown = (next - first.start).max(last.end - first.start);
        let too_short = (1.0 - shown / SHORTEST).clamp(0.0, 1.0) * TOO_SHORT;
        let room = (self.layout.line_width * self.layout.line_count).max(1) as f64;
        let ragged = (1.0 - self.width as f64 / room).max(0.0).powi(2) * RAGGED;
        CAPTION + border + self.inside + too_short + ragged
    }
}

/// The lines of a caption: as few as it takes, each about as long, broken where it is best.
pub(super) fn lines(atoms: &[TimedAtom], layout: CaptionLayout) -> Vec<String> {
    let mut draft = Draft::new(0, layout);
    let fits = atoms.iter().all(|atom| draft.push(atom));
    let count = if fits { draft.lines } else { layout.line_count };
    // For each number of lines: the price of the best way to end one before each atom.
    let mut best = vec![(0.0, 0)];
    best.resize(atoms.len() + 1, (f64::INFINITY, 0));
    let mut rows = Vec::new();
    for _ in 0..count {
        let row = next_row(atoms, layout, &best);
        rows.push(std::mem::replace(&mut best, row));
    }
    rows.push(best);
    let mut lines = Vec::new();
    let mut end = atoms.len();
    for row in rows.iter().skip(1).rev() {
        let start = row.get(end).map_or(0, |best| best.1);
        lines.push(line(atoms.get(start..end).unwrap_or_default()));
        end = start;
    }
    lines.reverse();
    lines.retain(|line| !line.is_empty());
    lines
}

// One line more than in `before`.
fn next_row(
    atoms: &[TimedAtom],
    layout: CaptionLayout,
    before: &[(f64, usize)],
) -> Vec<(f64, usize)> {
    let mut row = vec![(f64::INFINITY, 0); atoms.len() + 1];
    for (start, (price, _)) in before.iter().enumerate() {
        let mut width = 0;
        for (end, atom) in (start + 1..).zip(atoms.get(start..).unwrap_or_default()) {
            width += atom.width;
            if width > layout.line_width && end > start + 1 {
                break;
            }
            let border = match atom.quality {
                _ if end == atoms.len() => 0.0,
                BreakQuality::Sentence | BreakQuality::Clause => 0.0,
                BreakQuality::Word => LINE_WORD,
                BreakQuality::Within => LINE_WITHIN,
            };
            let share = width as f64 / layout.line_width.max(1) as f64;
            let price = price + border + share.powi(2) * LINE_RAGGED;
            if let Some(best) = row.get_mut(end).filter(|best| price < best.0) {
                *best = (price, start);
            }
            width += usize::from(atom.has_space);
        }
    }
    row
}

fn line(atoms: &[TimedAtom]) -> String {
    let mut line = String::new();
    for atom in atoms {
        line.push_str(&atom.text);
        line.push_str(if atom.has_space { " " } else { "" });
    }
    line.trim_end().to_owned()
}
