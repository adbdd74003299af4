//! Transcripts: what is said, and when.
//!
//! Words are compared over the whole of a transcript, so where its segments begin changes nothing.
//! Times are compared where both have the same one: of a word that both have, else of the first and
//! the last word of a segment in both.

use crate::name::StageId;
use crate::output::compare::comparison::AnswerState;
use crate::output::compare::comparison::Change;
use crate::output::compare::comparison::ChangedPlace;
use crate::output::compare::comparison::WhatChanged;
use crate::output::compare::comparison::WordCount;
use crate::output::compare::tolerance::Tolerance;
use crate::output::compare::words::Alignment;
use crate::output::compare::words::align;
use crate::output::compare::words::words;
use crate::output::results::transcription::GapEntry;
use crate::output::results::transcription::SegmentEntry;
use crate::output::results::transcription::TranscriptEntry;
use crate::output::results::transcription::Transcription;
use crate::speech::join;

/// Compares what one stage heard, and counts its words.
pub(super) fn compare(
    stage: Option<&StageId>,
    (old, new): (&Transcription, &Transcription),
    tolerance: &Tolerance,
    changes: &mut Vec<Change>,
    count: &mut WordCount,
) {
    let mut changed = |place, what| {
        changes.push(Change {
            stage: stage.cloned(),
            place,
            what,
        });
    };
    match (old, new) {
        (Transcription::Transcribed(old), Transcription::Transcribed(new)) => {
            transcripts(old, new, tolerance, count, &mut changed);
        }
        (old, new) if state(old) != state(new) => {
            let (old, new) = (state(old), state(new));
            changed(
                ChangedPlace::Whole {},
                WhatChanged::StateChanged { old, new },
            );
        }
        _ => {}
    }
}

type Changed<'a> = dyn FnMut(ChangedPlace, WhatChanged) + 'a;

fn transcripts(
    old: &TranscriptEntry,
    new: &TranscriptEntry,
    tolerance: &Tolerance,
    count: &mut WordCount,
    changed: &mut Changed<'_>,
) {
    if old.language != new.language {
        let what = WhatChanged::LanguageChanged {
            old: old.language.clone(),
            new: new.language.clone(),
        };
        changed(ChangedPlace::Whole {}, what);
    }
    if !tolerance.is_one_time(old.duration, new.duration) {
        let what = WhatChanged::SoundLengthChanged {
            old: old.duration,
            new: new.duration,
        };
        changed(ChangedPlace::Whole {}, what);
    }
    let (olds, news) = (spoken(&old.segments), spoken(&new.segments));
    let alignment = align(&letters(&olds), &letters(&news));
    let own = WordCount {
        old: olds.len() as u64,
        new: news.len() as u64,
        edits: alignment.edits as u64,
    };
    count.old += own.old;
    count.new += own.new;
    count.edits += own.edits;
    if !tolerance.is_one_text(own.error_rate()) {
        words_changed(&olds, &news, &alignment, changed);
    }
    words_shifted(&olds, &news, &alignment, tolerance, changed);
    gaps(&old.gaps, &new.gaps, tolerance, changed);
}

fn state(transcription: &Transcription) -> AnswerState {
    match transcription {
        Transcription::Transcribed(_) => AnswerState::Transcript,
        Transcription::Error { error } => AnswerState::Error(*error),
        Transcription::Skipped { skipped } => AnswerState::Skipped(skipped.clone()),
    }
}

// A word of a transcript.
struct Spoken<'a> {
    written: &'a str,
    letters: String,
    // Of its segment, in seconds.
    segment: (f64, f64),
    is_first: bool,
    is_last: bool,
    // Its own, where the model gives one.
    time: Option<(f64, f64)>,
}

impl Spoken<'_> {
    fn start(&self) -> f64 {
        self.time.unwrap_or(self.segment).0
    }

    fn end(&self) -> f64 {
        self.time.unwrap_or(self.segment).1
    }
}

fn spoken(segments: &[SegmentEntry]) -> Vec<Spoken<'_>> {
    segments.iter().flat_map(of_segment).collect()
}

fn of_segment(segment: &SegmentEntry) -> Vec<Spoken<'_>> {
    let text: Vec<(&str, String)> = words(&segment.text).collect();
    let timed = segment.words.iter().flat_map(|entry| {
        let time = (entry.start, entry.end);
        words(&entry.word).map(move |(_, letters)| (letters, time))
    });
    let timed: Vec<(String, (f64, f64))> = timed.collect();
    let is_timed = timed
        .iter()
        .map(|(letters, _)| letters)
        .eq(text.iter().map(|(_, it)| it));
    let last = text.len().saturating_sub(1);
    let words = text.into_iter().enumerate();
    words
        .map(|(at, (written, letters))| Spoken {
            written,
            letters,
            segment: (segment.start, segment.end),
            is_first: at == 0,
            is_last: at == last,
            time: timed.get(at).map(|(_, time)| *time).filter(|_| is_timed),
        })
        .collect()
}

fn letters(words: &[Spoken<'_>]) -> Vec<String> {
    words.iter().map(|word| word.letters.clone()).collect()
}

fn words_changed(
    olds: &[Spoken<'_>],
    news: &[Spoken<'_>],
    alignment: &Alignment,
    changed: &mut Changed<'_>,
) {
    for run in alignment.runs.iter().filter(|run| !run.is_equal) {
        let old = olds.get(run.old.clone()).unwrap_or_default();
        let new = news.get(run.new.clone()).unwrap_or_default();
        let place = match old {
            [] => place(new),
            old => place(old),
        };
        let text = |words: &[Spoken<'_>]| join(words.iter().map(|word| word.written));
        let (old, new) = (text(old), text(new));
        changed(place, WhatChanged::WordsChanged { old, new });
    }
}

fn place(words: &[Spoken<'_>]) -> ChangedPlace {
    match (words.first(), words.last()) {
        (Some(first), Some(last)) => ChangedPlace::Sound {
            start: first.start(),
            end: last.end(),
        },
        _ => ChangedPlace::Whole {},
    }
}

// Words that are shifted in one direction, one after the other.
struct Shift {
    start: f64,
    end: f64,
    words: u64,
    seconds: f64,
}

fn words_shifted(
    olds: &[Spoken<'_>],
    news: &[Spoken<'_>],
    alignment: &Alignment,
    tolerance: &Tolerance,
    changed: &mut Changed<'_>,
) {
    let pairs = alignment.runs.iter().filter(|run| run.is_equal);
    let pairs = pairs.flat_map(|run| run.old.clone().zip(run.new.clone()));
    let mut shifts: Vec<Shift> = Vec::new();
    let mut goes_on = false;
    for (old, new) in pairs.filter_map(|(old, new)| Some((olds.get(old)?, news.get(new)?))) {
        let Some(seconds) = shift(old, new, tolerance) else {
            continue;
        };
        if seconds == 0.0 {
            goes_on = false;
            continue;
        }
        match shifts.last_mut() {
            Some(last) if goes_on && last.seconds.signum() == seconds.signum() => {
                last.end = old.end();
                last.words += 1;
                last.seconds = further(last.seconds, seconds);
            }
            _ => shifts.push(Shift {
                start: old.start(),
                end: old.end(),
                words: 1,
                seconds,
            }),
        }
        goes_on = true;
    }
    for shift in shifts {
        let (start, end) = (shift.start, shift.end);
        let what = WhatChanged::WordsShifted {
            words: shift.words,
            seconds: shift.seconds,
        };
        changed(ChangedPlace::Sound { start, end }, what);
    }
}

// How much later a word is, 0 where that is within the tolerance; `None` where no time can be
// compared.
fn shift(old: &Spoken<'_>, new: &Spoken<'_>, tolerance: &Tolerance) -> Option<f64> {
    let times = match (old.time, new.time) {
        (Some(old), Some(new)) => [Some((old.0, new.0)), Some((old.1, new.1))],
        _ => {
            let (a, b) = (old.segment, new.segment);
            let first = (old.is_first && new.is_first).then_some((a.0, b.0));
            let last = (old.is_last && new.is_last).then_some((a.1, b.1));
            [first, last]
        }
    };
    let seconds =
        times
            .into_iter()
            .flatten()
            .map(|(old, new)| match tolerance.is_one_time(old, new) {
                true => 0.0,
                false => new - old,
            });
    seconds.reduce(further)
}

fn further(a: f64, b: f64) -> f64 {
    if b.abs() > a.abs() { b } else { a }
}

fn gaps(old: &[GapEntry], new: &[GapEntry], tolerance: &Tolerance, changed: &mut Changed<'_>) {
    let is_one = |a: &GapEntry, b: &GapEntry| {
        tolerance.is_one_time(a.start, b.start)
            && tolerance.is_one_time(a.end, b.end)
            && why(a) == why(b)
    };
    let place = |gap: &GapEntry| ChangedPlace::Sound {
        start: gap.start,
        end: gap.end,
    };
    for gap in old.iter().filter(|a| !new.iter().any(|b| is_one(a, b))) {
        changed(place(gap), WhatChanged::GapLost { why: why(gap) });
    }
    for gap in new.iter().filter(|b| !old.iter().any(|a| is_one(a, b))) {
        changed(place(gap), WhatChanged::GapGained { why: why(gap) });
    }
}

fn why(gap: &GapEntry) -> AnswerState {
    match (gap.error, &gap.skipped) {
        (Some(class), _) => AnswerState::Error(class),
        (None, Some(why)) => AnswerState::Skipped(why.clone()),
        (None, None) => AnswerState::Unknown,
    }
}
