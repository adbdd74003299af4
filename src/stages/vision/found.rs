//! What one stage found in a frame, taken by another: cut out, or the whole frame.
//!
//! A frame waits until its boxes are there. As many are on their way as the steps before have room
//! for.

use crate::engine::Fold;
use crate::engine::FoldState;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Detection;
use crate::item::Detections;
use crate::item::Found;
use crate::item::Frame;
use crate::item::Item;
use crate::item::Moment;
use crate::item::Repeat;
use crate::item::Saved;
use crate::name::StageId;
use crate::name::VideoId;
use crate::plan::FoundForm;
use crate::plan::FoundTaken;
use crate::plan::FrameSelection;
use crate::recipe::StageKind;
use crate::recipe::TakeSpec;
use crate::recipe::filter_values;
use crate::stages::vision::crops::crops_of;
use crate::stages::vision::drawn::with_boxes;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Takes for `stage`, which is of the kind `taker`, what of the selected frames is `taken`.
pub fn take_found(
    stage: &StageId,
    taker: StageKind,
    selection: &FrameSelection,
    taken: &FoundTaken,
) -> Arc<dyn Fold> {
    Arc::new(Take {
        stage: stage.clone(),
        taker,
        selection: selection.clone(),
        taken: taken.clone(),
    })
}

#[derive(Clone)]
struct Take {
    stage: StageId,
    taker: StageKind,
    selection: FrameSelection,
    taken: FoundTaken,
}

impl Fold for Take {
    fn open(&self, _: VideoId) -> Box<dyn FoldState> {
        Box::new(Taking {
            take: self.clone(),
            frames: BTreeMap::new(),
            found: BTreeMap::new(),
        })
    }
}

// Frames without their boxes and boxes without their frame, by the index of the frame.
struct Taking {
    take: Take,
    frames: BTreeMap<u64, Frame>,
    found: BTreeMap<u64, Found>,
}

impl FoldState for Taking {
    fn push(&mut self, item: Item) -> Vec<Item> {
        match item {
            Item::Frame(frame) => {
                let index = frame.moment.index;
                if let Some(why) = self.take.selection.skip_reason(&frame.moment) {
                    return vec![self.take.without(&frame.moment, Found::Skipped(why))];
                }
                match self.found.remove(&index) {
                    Some(found) => self.take.of(&frame, found),
                    None => {
                        self.frames.insert(index, frame);
                        Vec::new()
                    }
                }
            }
            Item::Repeat(repeat) => vec![self.take.repeat(repeat)],
            // What is found in a repeat is what is found in the frame that it repeats.
            Item::Detections(Detections {
                same_as: Some(_), ..
            }) => Vec::new(),
            Item::Detections(detections) => {
                let moment = &detections.moment;
                if self.take.selection.skip_reason(moment).is_some() {
                    return Vec::new();
                }
                match self.frames.remove(&moment.index) {
                    Some(frame) => self.take.of(&frame, detections.found),
                    None => {
                        self.found.insert(moment.index, detections.found);
                        Vec::new()
                    }
                }
            }
            _ => Vec::new(),
        }
    }

    fn finish(&mut self) -> Vec<Item> {
        let why = || Found::Skipped(format!("`{}` has no answer for it", self.take.taken.of));
        let left = std::mem::take(&mut self.frames);
        left.values()
            .map(|frame| self.take.without(&frame.moment, why()))
            .collect()
    }
}

impl Take {
    fn saves(&self) -> bool {
        self.taker == StageKind::Save
    }

    fn repeat(&self, repeat: Repeat) -> Item {
        match self.saves() {
            true => Item::Repeat(repeat),
            false => Item::Detections(Detections::of_repeat(&self.stage, &repeat)),
        }
    }

    // What is said of a frame of which nothing is taken.
    fn without(&self, moment: &Moment, found: Found) -> Item {
        let (stage, moment) = (self.stage.clone(), moment.clone());
        if !self.saves() {
            return Item::Detections(Detections {
                stage,
                moment,
                found,
                same_as: None,
            });
        }
        let failure = match found {
            Found::Error(failure) => failure,
            Found::Skipped(why) => Failure::new(Class::Stopped, why),
            Found::Objects(_) | Found::Fields(_) => Failure::new(Class::Stopped, ""),
        };
        Item::Saved(Saved {
            stage,
            moment,
            file: Err(failure),
            same_as: None,
        })
    }

    fn of(&self, frame: &Frame, found: Found) -> Vec<Item> {
        let of = &self.taken.of;
        let taken = match found {
            Found::Objects(objects) => taken_of(&self.taken, frame, &objects),
            // A stage of the recipe whose finds are taken finds boxes.
            Found::Fields(_) | Found::Error(_) => {
                Err(Found::Skipped(format!("`{of}` has no answer for it")))
            }
            Found::Skipped(why) => Err(Found::Skipped(format!("`{of}` skipped it: {why}"))),
        };
        match taken {
            Ok(frames) => frames.into_iter().map(Item::Frame).collect(),
            Err(found) => vec![self.without(&frame.moment, found)],
        }
    }
}

/// What `taken` is of `frame`, in which these `objects` were found; or what is said where that is
/// nothing.
pub(in crate::stages) fn taken_of(
    taken: &FoundTaken,
    frame: &Frame,
    objects: &[Detection],
) -> Result<Vec<Frame>, Found> {
    let FoundTaken {
        of,
        form,
        take,
        draws,
    } = taken;
    match form {
        FoundForm::Crops => crops_of(of, take, frame, objects),
        FoundForm::Frames => {
            let passes = wanted(of, take, frame, objects)?;
            if !passes.contains(&true) {
                return Err(none_wanted(of));
            }
            let drawn = objects.iter().zip(passes);
            let drawn = drawn
                .filter(|(_, passes)| *passes)
                .map(|(object, _)| object);
            match draws {
                true => Ok(vec![with_boxes(frame, drawn).map_err(Found::Error)?]),
                false => Ok(vec![frame.clone()]),
            }
        }
    }
}

/// Which of the `objects` that `of` found in `frame` `take` wants; or what is said where there are none.
pub(in crate::stages) fn wanted(
    of: &StageId,
    take: &TakeSpec,
    frame: &Frame,
    objects: &[Detection],
) -> Result<Vec<bool>, Found> {
    if objects.is_empty() {
        return Err(Found::Skipped(format!("`{of}` found nothing in it")));
    }
    let values = objects
        .iter()
        .map(|object| filter_values(object, frame.source));
    match &take.filter {
        None => Ok(vec![true; objects.len()]),
        Some(filter) => filter
            .each(values)
            .map_err(|fault| Found::Error(Failure::new(Class::BadAnswer, fault.message))),
    }
}

/// What is said where none of the objects that `of` found is wanted.
pub(in crate::stages) fn none_wanted(of: &StageId) -> Found {
    Found::Skipped(format!(
        "`{of}` found nothing in it that `filter` lets through"
    ))
}
