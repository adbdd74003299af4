//! Captions: the text of segments in pieces that can be read, and when each is shown.
//!
//! A caption shows the segment's own text, and goes by the times of its words where they have
//! some; else the time of the segment is shared by length. Segments that follow each other closely
//! meet on one caption only where one of them is too short to be read.

use super::atoms::atoms;
use super::caption::Caption;
use super::caption::CaptionLayout;
use super::caption::TimedAtom;
use super::clock::LetterClock;
use super::schedule::schedule;
use super::split::lines;
use super::split::split;
use super::text::milliseconds;
use super::text::one_line;
use crate::output::results::transcription::SegmentEntry;
use crate::speech::has_space_between;

/// Segments further apart than this are never on one caption, in seconds.
const APART: f64 = 0.5;

/// The captions of `segments` of a sound of so many seconds, in order of time; no two are shown at
/// once.
pub(super) fn captions(
    segments: &[SegmentEntry],
    duration: f64,
    layout: CaptionLayout,
) -> Vec<Caption> {
    let mut segments: Vec<&SegmentEntry> = segments.iter().collect();
    segments.sort_by(|a, b| a.start.total_cmp(&b.start));
    let runs = runs(segments.iter().map(|segment| timed(segment, layout)));
    let mut captions = Vec::new();
    for (at, run) in runs.iter().enumerate() {
        let next = runs.get(at + 1).and_then(|run| run.first());
        let until = next.map_or(f64::INFINITY, |atom| atom.start);
        for part in split(run, until, layout) {
            captions.extend(caption(run.get(part).unwrap_or_default(), layout));
        }
    }
    schedule(&mut captions, milliseconds(duration));
    captions
}

fn caption(atoms: &[TimedAtom], layout: CaptionLayout) -> Option<Caption> {
    let start = milliseconds(atoms.first()?.start);
    Some(Caption {
        start,
        end: milliseconds(atoms.last()?.end).max(start + 1),
        lines: lines(atoms, layout),
    })
}

// Segments that follow each other closely, as one text.
fn runs(segments: impl Iterator<Item = Vec<TimedAtom>>) -> Vec<Vec<TimedAtom>> {
    let mut runs: Vec<Vec<TimedAtom>> = Vec::new();
    for atoms in segments.filter(|atoms| !atoms.is_empty()) {
        let gap = |last: &TimedAtom| atoms.first().map(|first| first.start - last.end);
        let run = runs.last_mut();
        let gap = run.as_ref().and_then(|run| gap(run.last()?));
        match run.zip(gap.filter(|gap| (-0.01..APART).contains(gap))) {
            Some((run, _)) => {
                if let (Some(last), Some(first)) = (run.last_mut(), atoms.first()) {
                    last.has_space = has_space_between(&last.text, &first.text);
                }
                run.extend(atoms);
            }
            None => runs.push(atoms),
        }
    }
    runs
}

fn timed(segment: &SegmentEntry, layout: CaptionLayout) -> Vec<TimedAtom> {
    let text = one_line(&segment.text);
    let clock = LetterClock::new(segment, &text);
    let atoms = atoms(&text, layout.line_width);
    let timed = atoms.into_iter().map(|atom| {
        let (start, end) = clock.times(atom.bytes.clone());
        TimedAtom {
            text: text.get(atom.bytes).unwrap_or_default().to_owned(),
            width: atom.width,
            has_space: atom.has_space,
            quality: atom.quality,
            start,
            end,
            ends_segment: false,
            segment_length: segment.end - segment.start,
        }
    });
    let mut timed: Vec<TimedAtom> = timed.collect();
    if let Some(last) = timed.last_mut() {
        last.ends_segment = true;
    }
    timed
}
