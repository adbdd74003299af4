//! What differs, in sentences and tables.
//!
//! A line a frame and a line a place of the sound, the first ones of many. Names and texts of the
//! files are shown short and without anything that a terminal would obey.

use crate::name::StageId;
use crate::output::compare::comparison::AnswerState;
use crate::output::compare::comparison::Change;
use crate::output::compare::comparison::ChangedPlace;
use crate::output::compare::comparison::Comparison;
use crate::output::compare::comparison::WhatChanged;
use crate::output::compare::shown::counted;
use crate::output::compare::shown::quoted;
use crate::output::compare::shown::shown;
use crate::output::compare::tally::Tally;
use crate::output::results::results::Object;
use serde_json::Value;
use std::fmt::Display;
use std::sync::Arc;

/// The most changes that are told of one frame.
const MOST_IN_FRAME: usize = 6;

/// Lines about the sound that are told even where frames alone would fill the page.
const SOUND_LINES: usize = 6;

/// The most classes in the table.
const MOST_CLASSES: usize = 12;

impl Comparison {
    /// What differs, a line each, of at most `most` lines: stages and whole transcripts first, then
    /// frames, then the sound, both in the order of time. Where there is more, that is said.
    pub fn lines(&self, most: usize) -> Vec<String> {
        let mut lines = whole(&self.changes);
        lines.extend(frames_of_one_side(&self.changes));
        let (frames, sound) = (frames(&self.changes), sound(&self.changes));
        let left = most.saturating_sub(lines.len());
        let for_sound = sound.len().min(SOUND_LINES);
        let for_frames = match frames.len() + sound.len() <= left {
            true => frames.len(),
            false => left.saturating_sub(for_sound),
        };
        let told = cut(frames, for_frames, "frames differ");
        let left = left.saturating_sub(told.len());
        lines.extend(told);
        lines.extend(cut(sound, left, "places in the sound differ"));
        cut(lines, most, "lines")
    }

    /// How much is the same: objects by class, and over time where something differs; then a line
    /// about all of it.
    pub fn summary(&self) -> String {
        let mut text = String::new();
        if !self.objects.all.is_same() {
            text += &self.table();
        }
        text += &self.verdict();
        text.push('\n');
        text
    }

    /// All of it in one line.
    pub fn verdict(&self) -> String {
        let frames = self.frames.both + self.frames.lost + self.frames.gained;
        let words = self.words;
        if self.is_same() && words.edits == 0 {
            let mut same = vec![];
            if frames > 0 {
                same.push(counted(frames, "frame"));
                same.push(counted(self.objects.all.both, "object"));
            }
            if words.old > 0 {
                same.push(counted(words.old, "word"));
            }
            return match same.is_empty() {
                true => "no difference".to_owned(),
                false => format!("no difference in {}", listed(&same)),
            };
        }
        let mut parts = Vec::new();
        if frames > 0 {
            let both = counted(self.frames.both, "frame");
            parts.push(differ(self.frames.different, &both));
        }
        let alone = self.frames.lost + self.frames.gained;
        if alone > 0 {
            parts.push(format!("{} in one of them alone", counted(alone, "frame")));
        }
        if words.edits > 0 {
            let told = differ(words.edits, &counted(words.old, "word"));
            parts.push(format!(
                "{told} (word error rate {:.3})",
                words.error_rate()
            ));
        }
        let (count, told) = (self.changes.len() as u64, parts.join("; "));
        match (self.is_same(), told.is_empty()) {
            (true, _) => format!("no difference beyond the tolerance: {told}"),
            (false, true) => counted(count, "difference"),
            (false, false) => format!("{}: {told}", counted(count, "difference")),
        }
    }

    fn table(&self) -> String {
        let objects = &self.objects;
        let mut classes: Vec<(&Arc<str>, &Tally)> = objects.by_class.iter().collect();
        classes
            .sort_by_key(|(name, tally)| (tally.is_same(), std::cmp::Reverse(size(tally)), *name));
        let more = classes.len().saturating_sub(MOST_CLASSES);
        classes.truncate(MOST_CLASSES);
        let row = |name: String, tally: &Tally| {
            let Tally {
                both,
                lost,
                gained,
                moved,
                confidence,
            } = tally;
            let counts = [both, lost, gained, moved, confidence];
            std::iter::once(name)
                .chain(counts.map(u64::to_string))
                .collect::<Vec<String>>()
        };
        let head = ["", "both", "lost", "gained", "moved", "confidence"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(classes.iter().map(|(name, tally)| row(shown(name), tally)));
        if more > 0 {
            rows.push(vec![counted(more as u64, "more class")]);
        }
        if classes.len() > 1 {
            rows.push(row("all".to_owned(), &objects.all));
        }
        rows.extend(objects.over_time.iter().map(|part| {
            let name = format!("{} s to {} s", part.start, part.end);
            row(name, &part.tally)
        }));
        aligned(&rows)
    }
}

fn whole(changes: &[Change]) -> Vec<String> {
    let whole = changes.iter().filter_map(|change| match change.place {
        ChangedPlace::Whole {} => Some(format!("{}: {}", subject(change), told(&change.what))),
        ChangedPlace::Frame { .. } | ChangedPlace::Sound { .. } => None,
    });
    whole.collect()
}

// What a change of a whole is about.
fn subject(change: &Change) -> String {
    match (&change.stage, &change.what) {
        (stage, WhatChanged::Things(_)) => format!("things{}", of_stage(stage.as_ref())),
        (None, _) => "speech".to_owned(),
        (Some(id), WhatChanged::StateChanged { .. }) => format!("speech of {}", shown(id.as_str())),
        (Some(id), _) => shown(id.as_str()),
    }
}

// Frames that the other results do not have, a line for all of a stage.
fn frames_of_one_side(changes: &[Change]) -> Vec<String> {
    let mut lines = Vec::new();
    let is_whole = |change: &&Change| {
        matches!(
            change.what,
            WhatChanged::FrameLost | WhatChanged::FrameGained
        )
    };
    let mut of_sides: Vec<&Change> = changes.iter().filter(is_whole).collect();
    let key = |change: &Change| {
        let is_gained = change.what == WhatChanged::FrameGained;
        (change.stage.clone(), is_gained)
    };
    of_sides.sort_by_key(|change| key(change));
    for chunk in of_sides.chunk_by(|a, b| key(a) == key(b)) {
        let (Some(first), Some(last)) = (chunk.first(), chunk.last()) else {
            continue;
        };
        let (stage, is_gained) = key(first);
        let side = if is_gained { "new" } else { "old" };
        let of = of_stage(stage.as_ref());
        lines.push(match chunk.len() {
            1 => format!("{}{of}: only in the {side} results", place(first)),
            count => format!(
                "{count} frames{of} only in the {side} results: {} to {}",
                place(first),
                place(last)
            ),
        });
    }
    lines
}

fn frames(changes: &[Change]) -> Vec<String> {
    let within = changes.iter().filter(|change| {
        matches!(change.place, ChangedPlace::Frame { .. })
            && !matches!(
                change.what,
                WhatChanged::FrameLost | WhatChanged::FrameGained
            )
    });
    let within: Vec<&Change> = within.collect();
    let one_frame = |a: &&Change, b: &&Change| a.stage == b.stage && a.place == b.place;
    let mut frames: Vec<&[&Change]> = within.chunk_by(one_frame).collect();
    // The stages of a frame, one after the other.
    frames.sort_by(|a, b| start(a).total_cmp(&start(b)));
    let line = |frame: &[&Change]| {
        let mut parts: Vec<String> = frame.iter().map(|it| told(&it.what)).collect();
        if parts.len() > MOST_IN_FRAME {
            let more = parts.len() - (MOST_IN_FRAME - 1);
            parts.truncate(MOST_IN_FRAME - 1);
            parts.push(format!("{more} more differences"));
        }
        let first = frame.first();
        let (place, of) = match first {
            Some(first) => (place(first), of_stage(first.stage.as_ref())),
            None => Default::default(),
        };
        format!("{place}{of}: {}", parts.join(", "))
    };
    frames.into_iter().map(line).collect()
}

fn sound(changes: &[Change]) -> Vec<String> {
    let sound = |change: &&Change| matches!(change.place, ChangedPlace::Sound { .. });
    let mut sound: Vec<&Change> = changes.iter().filter(sound).collect();
    sound.sort_by(|a, b| start(&[a]).total_cmp(&start(&[b])));
    let line = |change: &&Change| {
        let of = of_stage(change.stage.as_ref());
        format!("{}{of}: {}", place(change), told(&change.what))
    };
    sound.iter().map(line).collect()
}

fn start(changes: &[&Change]) -> f64 {
    match changes.first().map(|change| change.place) {
        Some(ChangedPlace::Frame { timestamp, .. }) => timestamp,
        Some(ChangedPlace::Sound { start, .. }) => start,
        Some(ChangedPlace::Whole {}) | None => 0.0,
    }
}

fn place(change: &Change) -> String {
    match change.place {
        ChangedPlace::Frame {
            frame_number,
            timestamp,
        } => format!("frame {frame_number} at {timestamp:.2} s"),
        ChangedPlace::Sound { start, end } => match change.what {
            WhatChanged::WordsChanged { .. } => format!("speech at {start:.2} s"),
            _ => format!("speech from {start:.2} s to {end:.2} s"),
        },
        ChangedPlace::Whole {} => String::new(),
    }
}

fn of_stage(stage: Option<&StageId>) -> String {
    stage.map_or_else(String::new, |id| format!(" of {}", shown(id.as_str())))
}

// Long because it is a table: a sentence a change.
fn told(what: &WhatChanged) -> String {
    match what {
        WhatChanged::ObjectLost { object } => sure(object, "lost"),
        WhatChanged::ObjectGained { object } => sure(object, "gained"),
        WhatChanged::ObjectMoved { old, new, .. } => moved(old, new),
        WhatChanged::ConfidenceChanged { old, new } => {
            let (name, old, new) = (shown(&new.class_name), old.confidence, new.confidence);
            format!("{name} of confidence {new:.2}, before {old:.2}")
        }
        WhatChanged::ClassChanged { old, new, .. } => {
            let (old, new) = (shown(&old.class_name), sure(new, ""));
            format!("{old} became {new}")
        }
        WhatChanged::StateChanged { old, new } => format!("{new}, before {old}"),
        WhatChanged::FrameLost | WhatChanged::StageLost => "only in the old results".to_owned(),
        WhatChanged::FrameGained | WhatChanged::StageGained => "only in the new results".to_owned(),
        WhatChanged::TimeChanged { old, new } => {
            format!("now at {new:.2} s, before at {old:.2} s")
        }
        WhatChanged::SamplesChanged { old, new } => {
            format!("stands for {}, before for {old}", counted(*new, "sample"))
        }
        WhatChanged::RepeatChanged { old, new } => {
            let repeats = |frame: &Option<u64>| match frame {
                Some(number) => format!("repeats frame {number}"),
                None => "repeats no frame".to_owned(),
            };
            format!("{}, before it {}", repeats(new), repeats(old))
        }
        WhatChanged::FieldChanged {
            crop,
            field,
            old,
            new,
        } => {
            let of = crop.map_or_else(String::new, |crop| format!("crop {crop}: "));
            let field = shown(field);
            match (old, new) {
                (Some(old), Some(new)) => {
                    format!("{of}{field} is {}, before {}", value(new), value(old))
                }
                (Some(old), None) => format!("{of}{field} is gone, before {}", value(old)),
                (None, new) => {
                    let new = new.as_ref().map_or_else(String::new, value);
                    format!("{of}{field} is new: {new}")
                }
            }
        }
        WhatChanged::CropLost { crop } => format!("crop {crop} lost"),
        WhatChanged::CropGained { crop } => format!("crop {crop} gained"),
        WhatChanged::WordsChanged { old, new } => match (old.as_str(), new.as_str()) {
            ("", new) => format!("{} put in", quoted(new)),
            (old, "") => format!("{} left out", quoted(old)),
            (old, new) => format!("{} became {}", quoted(old), quoted(new)),
        },
        WhatChanged::WordsShifted { words, seconds } => shifted(*words, *seconds),
        WhatChanged::LanguageChanged { old, new } => {
            let language = |code: &Option<String>| match code {
                Some(code) => shown(code),
                None => "not known".to_owned(),
            };
            format!("language {}, before {}", language(new), language(old))
        }
        WhatChanged::SoundLengthChanged { old, new } => {
            format!("{new:.2} s of sound, before {old:.2} s")
        }
        WhatChanged::GapLost { why } => format!("has an answer, before {why}"),
        WhatChanged::GapGained { why } => format!("{why}, before it had an answer"),
        WhatChanged::StageSkipped { old, new } => {
            let state = |why: &Option<String>| match why {
                Some(why) => AnswerState::Skipped(why.clone()).to_string(),
                None => "not skipped".to_owned(),
            };
            format!("{}, before {}", state(new), state(old))
        }
        WhatChanged::FailureLost { item, class } => {
            format!("{} does not fail any more ({class})", shown(item))
        }
        WhatChanged::FailureGained { item, class } => {
            format!("{} failed ({class})", shown(item))
        }
        WhatChanged::Things(changed) => changed.to_string(),
    }
}

impl Display for AnswerState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Objects(0) => f.write_str("nothing found"),
            Self::Objects(count) => f.write_str(&counted(*count as u64, "object")),
            Self::Record => f.write_str("a record"),
            Self::Crops(0) => f.write_str("no crops"),
            Self::Crops(count) => write!(f, "records of {}", counted(*count as u64, "crop")),
            Self::Transcript => f.write_str("a transcript"),
            Self::Error(class) => write!(f, "failed ({class})"),
            Self::Skipped(why) => write!(f, "skipped ({})", shown(why)),
            Self::Unknown => f.write_str("no answer"),
        }
    }
}

fn sure(object: &Object, what: &str) -> String {
    let name = shown(&object.class_name);
    let space = if what.is_empty() { "" } else { " " };
    format!("{name}{space}{what} ({:.2})", object.confidence)
}

fn moved(old: &Object, new: &Object) -> String {
    let name = shown(&new.class_name);
    let [a, b] = [old, new].map(|it| it.bbox);
    let size = |[x1, y1, x2, y2]: [f64; 4]| (x2 - x1, y2 - y1);
    let ((w1, h1), (w2, h2)) = (size(a), size(b));
    let centre = |[x1, y1, x2, y2]: [f64; 4]| (f64::midpoint(x1, x2), f64::midpoint(y1, y2));
    let ((x1, y1), (x2, y2)) = (centre(a), centre(b));
    let (distance, growth) = (
        (x2 - x1).hypot(y2 - y1),
        (w2 - w1).abs().max((h2 - h1).abs()),
    );
    // A box that grows at one side has its centre half as far away.
    match distance > growth / 2.0 + 0.01 {
        true if distance < 10.0 => format!("{name} moved {distance:.1} px"),
        true => format!("{name} moved {distance:.0} px"),
        false => format!("{name} is {w2:.0} x {h2:.0} px large, before {w1:.0} x {h1:.0} px"),
    }
}

fn shifted(words: u64, seconds: f64) -> String {
    let up_to = if words == 1 { "" } else { "up to " };
    let direction = if seconds > 0.0 { "later" } else { "earlier" };
    format!("{up_to}{:.2} s {direction}", seconds.abs())
}

fn value(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        value => shown(&value.to_string()),
    }
}

fn size(tally: &Tally) -> u64 {
    tally.both + tally.lost + tally.gained
}

fn differ(count: u64, all: &str) -> String {
    let verb = if count == 1 { "differs" } else { "differ" };
    format!("{count} of {all} {verb}")
}

fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

// The first of `lines`; the last of so many says how many more there are.
fn cut(mut lines: Vec<String>, most: usize, what: &str) -> Vec<String> {
    if lines.len() > most {
        let more = lines.len() - most.saturating_sub(1);
        lines.truncate(most.saturating_sub(1));
        if most > 0 {
            lines.push(format!("... {more} more {what}"));
        }
    }
    lines
}

// Columns under each other: the first to the left, the others to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().enumerate().map(|(column, cell)| match column {
            0 => format!("{cell:<0$}", width(column)),
            _ => format!("{cell:>0$}", width(column)),
        });
        let line = cells.collect::<Vec<_>>().join("  ");
        text += line.trim_end();
        text.push('\n');
    }
    text
}
