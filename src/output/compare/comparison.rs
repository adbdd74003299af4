//! What a comparison finds: each change with its place, and the counts beside them.
//!
//! Holds no rule: when two things are the same is said by the files that compare them.

use crate::failure::Class;
use crate::name::StageId;
use crate::output::compare::tally::Tallies;
use crate::output::compare::things_changed::ThingsChanged;
use crate::output::compare::tolerance::Tolerance;
use crate::output::results::results::Object;
use serde::Serialize;
use serde_json::Value;

/// What differs between two results.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// How far apart things may be and still be the same.
    pub tolerance: Tolerance,
    /// What was asked differently, a line each: another video, model or setting. Decides nothing.
    pub asked: Vec<String>,
    /// What differs beyond the tolerance, by stage and in the order of time.
    pub changes: Vec<Change>,
    /// Frames.
    pub frames: FrameCount,
    /// Objects, by class and over time.
    pub objects: Tallies,
    /// Words; of all transcripts together.
    pub words: WordCount,
}

impl Comparison {
    /// Whether nothing differs beyond the tolerance.
    pub fn is_same(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Frames that were compared; one that several stages looked at counts once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FrameCount {
    /// In both results.
    pub both: u64,
    /// In the old ones alone.
    pub lost: u64,
    /// In the new ones alone.
    pub gained: u64,
    /// Of those in both, how many differ.
    pub different: u64,
}

/// Words that were compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct WordCount {
    /// In the old results.
    pub old: u64,
    /// In the new ones.
    pub new: u64,
    /// How many were put in, left out or replaced by another, by the least that turns the one into
    /// the other.
    pub edits: u64,
}

impl WordCount {
    /// Words that differ, as a share of the old ones.
    pub fn error_rate(&self) -> f64 {
        match (self.edits, self.old) {
            (0, _) => 0.0,
            (edits, old) => edits as f64 / old.max(1) as f64,
        }
    }
}

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The stage that found it; `None` for what stands at the top of results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<StageId>,
    /// Where in the video.
    #[serde(flatten)]
    pub place: ChangedPlace,
    /// What.
    #[serde(flatten)]
    pub what: WhatChanged,
}

/// Where in a video something differs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum ChangedPlace {
    /// In a frame, as the old results number it, or the new ones where it is in these alone.
    Frame {
        /// The index of the frame in its source.
        frame_number: u64,
        /// Seconds.
        timestamp: f64,
    },
    /// In the sound.
    Sound {
        /// Seconds.
        start: f64,
        /// Seconds.
        end: f64,
    },
    /// In the whole of it.
    Whole {},
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum WhatChanged {
    /// An object is not found any more.
    ObjectLost {
        /// It.
        object: Object,
    },
    /// An object is found that was not.
    ObjectGained {
        /// It.
        object: Object,
    },
    /// An object is somewhere else, or of another size.
    ObjectMoved {
        /// Where it was.
        old: Object,
        /// Where it is.
        new: Object,
        /// Their overlap, as intersection over union.
        iou: f64,
    },
    /// A model is more or less sure of an object.
    ConfidenceChanged {
        /// As it was.
        old: Object,
        /// As it is.
        new: Object,
    },
    /// An object is of another class.
    ClassChanged {
        /// As it was.
        old: Object,
        /// As it is.
        new: Object,
        /// Their overlap, as intersection over union.
        iou: f64,
    },
    /// A frame, or all of a transcript, has an answer of another kind.
    StateChanged {
        /// As it was.
        old: AnswerState,
        /// As it is.
        new: AnswerState,
    },
    /// A frame is in the old results alone.
    FrameLost,
    /// A frame is in the new results alone.
    FrameGained,
    /// A frame is at another time.
    TimeChanged {
        /// Seconds.
        old: f64,
        /// Seconds.
        new: f64,
    },
    /// A frame stands for another number of samples.
    SamplesChanged {
        /// How many.
        old: u64,
        /// How many.
        new: u64,
    },
    /// A frame repeats another one than before, or does no more.
    RepeatChanged {
        /// The number of the frame that it repeated.
        old: Option<u64>,
        /// The number of the frame that it repeats.
        new: Option<u64>,
    },
    /// A field of a record differs.
    FieldChanged {
        /// What the record is of, where that is a crop: which object, from 0.
        #[serde(skip_serializing_if = "Option::is_none")]
        crop: Option<u32>,
        /// The field, such as `plate` or `people[1].name`.
        field: String,
        /// Its value; `None` where there was no such field.
        old: Option<Value>,
        /// Its value; `None` where there is no such field.
        new: Option<Value>,
    },
    /// A crop has no record any more.
    CropLost {
        /// Which object it was cut around, from 0.
        crop: u32,
    },
    /// A crop has a record that had none.
    CropGained {
        /// Which object it was cut around, from 0.
        crop: u32,
    },
    /// Words differ.
    WordsChanged {
        /// What was said; empty where words were put in.
        old: String,
        /// What is said; empty where words are left out.
        new: String,
    },
    /// Words are said at another time.
    WordsShifted {
        /// How many, one after the other.
        words: u64,
        /// The most that one of them is later, in seconds; negative where they are earlier.
        seconds: f64,
    },
    /// The language differs.
    LanguageChanged {
        /// ISO 639-1 code.
        old: Option<String>,
        /// ISO 639-1 code.
        new: Option<String>,
    },
    /// There is more or less sound.
    SoundLengthChanged {
        /// Seconds.
        old: f64,
        /// Seconds.
        new: f64,
    },
    /// A part of the sound that had no answer has one.
    GapLost {
        /// Why it had none.
        why: AnswerState,
    },
    /// A part of the sound has no answer any more.
    GapGained {
        /// Why.
        why: AnswerState,
    },
    /// A stage is in the old results alone.
    StageLost,
    /// A stage is in the new results alone.
    StageGained,
    /// A stage has something to look at now, or has not any more.
    StageSkipped {
        /// Why it was skipped, where it was.
        old: Option<String>,
        /// Why it is skipped, where it is.
        new: Option<String>,
    },
    /// Something other than a frame or a part of the sound failed, and does no more.
    FailureLost {
        /// What it was, such as `video`.
        item: String,
        /// The kind of failure.
        class: Class,
    },
    /// Something other than a frame or a part of the sound fails.
    FailureGained {
        /// What it is, such as `video`.
        item: String,
        /// The kind of failure.
        class: Class,
    },
    /// Something about things that are tracked.
    #[serde(untagged)]
    Things(ThingsChanged),
}

/// What became of a frame or of sound. Nothing found, not looked at and failed are three.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AnswerState {
    /// So many objects were found.
    Objects(usize),
    /// There is a record.
    Record,
    /// There are records of so many crops.
    Crops(usize),
    /// There is a transcript.
    Transcript,
    /// There is no answer, because of such a failure.
    Error(Class),
    /// Nobody looked or listened, for this reason.
    Skipped(String),
    /// There is no answer, and nobody says why.
    Unknown,
}
