//! `merge`: everything that was found in a video, by stage and in the order of its frames.
//!
//! A frame that repeats another is given here what was found in that one.
//!
//! Only detections and transcripts meet here, which are small, so one input may run ahead of
//! another. Does not know the format of the results.

use crate::engine::Fold;
use crate::engine::FoldState;
use crate::item::Detections;
use crate::item::Item;
use crate::item::Moment;
use crate::item::Record;
use crate::item::Saved;
use crate::name::StageId;
use crate::name::VideoId;
use crate::speech::StageTranscript;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Joins the detections of `detecting` into one record a video. Where `parts` is given, each frame
/// leaves by itself too, in order, once so many stages have said something of it.
pub fn merge(detecting: &[StageId], parts: Option<usize>) -> Arc<dyn Fold> {
    Arc::new(Join {
        detecting: detecting.to_vec(),
        parts,
    })
}

struct Join {
    detecting: Vec<StageId>,
    parts: Option<usize>,
}

impl Fold for Join {
    fn open(&self, video: VideoId) -> Box<dyn FoldState> {
        let detecting = self.detecting.iter();
        Box::new(Joining {
            video,
            parts: self.parts,
            next: 0,
            indices: BTreeMap::new(),
            detections: detecting
                .map(|stage| (stage.clone(), BTreeMap::new()))
                .collect(),
            saved: BTreeMap::new(),
            transcripts: BTreeMap::new(),
        })
    }
}

struct Joining {
    video: VideoId,
    parts: Option<usize>,
    // The index of the frame that leaves next by itself.
    next: u64,
    // Of the frames that have left, by their numbers.
    indices: BTreeMap<u64, u64>,
    // By the index of the frame.
    detections: BTreeMap<StageId, BTreeMap<u64, Detections>>,
    saved: BTreeMap<StageId, BTreeMap<u64, Saved>>,
    transcripts: BTreeMap<StageId, StageTranscript>,
}

impl Joining {
    // The frames that are complete and have nothing before them that is not.
    fn complete(&mut self) -> Vec<Item> {
        let mut frames = Vec::new();
        while let Some(record) = self.parts.and_then(|parts| self.frame(parts)) {
            frames.push(Item::FrameRecord(Box::new(record)));
            self.next += 1;
        }
        frames
    }

    fn frame(&mut self, parts: usize) -> Option<Record> {
        let found = self.detections.values().filter_map(|it| it.get(&self.next));
        let saved = self.saved.values().filter_map(|it| it.get(&self.next));
        let complete = found.clone().count() + saved.clone().count() == parts;
        let moments = found.map(|it| &it.moment).chain(saved.map(|it| &it.moment));
        let number = moments.map(|it| it.frame_number).next();
        let number = number.filter(|_| complete && parts > 0)?;
        self.indices.insert(number, self.next);
        let detections = self.detections.iter().filter_map(|(stage, frames)| {
            let kept = |it: &Detections| self.indices.get(&it.same_as?).copied();
            let frame = alone(frames, self.next, kept, |it| {
                (&it.moment, it.same_as, &mut it.found)
            });
            Some((stage.clone(), vec![frame?]))
        });
        let saved = self.saved.iter().filter_map(|(stage, frames)| {
            let kept = |it: &Saved| self.indices.get(&it.same_as?).copied();
            let frame = alone(frames, self.next, kept, |it| {
                (&it.moment, it.same_as, &mut it.file)
            });
            Some((stage.clone(), vec![frame?]))
        });
        Some(Record {
            video: self.video,
            detections: detections.collect(),
            saved: saved.collect(),
            transcripts: BTreeMap::new(),
        })
    }
}

// The frame at `index`, with the answer of the one that it repeats, whose index `kept` gives.
fn alone<T: Clone, A: Clone>(
    frames: &BTreeMap<u64, T>,
    index: u64,
    kept: impl Fn(&T) -> Option<u64>,
    parts: impl Fn(&mut T) -> (&Moment, Option<u64>, &mut A),
) -> Option<T> {
    let frame = frames.get(&index)?;
    let kept = kept(frame).and_then(|index| frames.get(&index));
    let mut both: Vec<T> = kept.into_iter().chain([frame]).cloned().collect();
    fill_repeats(&mut both, parts);
    both.pop()
}

impl FoldState for Joining {
    fn push(&mut self, item: Item) -> Vec<Item> {
        match item {
            Item::Detections(found) => {
                let of_stage = self.detections.entry(found.stage.clone()).or_default();
                of_stage.insert(found.moment.index, found);
            }
            Item::Transcript(transcript) => {
                let stage = transcript.stage.clone();
                self.transcripts.insert(stage, *transcript);
            }
            Item::Saved(saved) => {
                let of_stage = self.saved.entry(saved.stage.clone()).or_default();
                of_stage.insert(saved.moment.index, saved);
            }
            _ => {}
        }
        self.complete()
    }

    fn finish(&mut self) -> Vec<Item> {
        let detections = std::mem::take(&mut self.detections).into_iter();
        let detections = detections.map(|(stage, frames)| {
            let mut frames: Vec<_> = frames.into_values().collect();
            fill_repeats(&mut frames, |it| (&it.moment, it.same_as, &mut it.found));
            (stage, frames)
        });
        let saved = std::mem::take(&mut self.saved).into_iter();
        let saved = saved.map(|(stage, frames)| {
            let mut frames: Vec<_> = frames.into_values().collect();
            fill_repeats(&mut frames, |it| (&it.moment, it.same_as, &mut it.file));
            (stage, frames)
        });
        vec![Item::Record(Box::new(Record {
            video: self.video,
            detections: detections.collect(),
            transcripts: std::mem::take(&mut self.transcripts),
            saved: saved.collect(),
        }))]
    }
}

// Gives each frame that repeats an earlier one what that one has. `parts` gives the moment
// of a frame, the frame it repeats, and its answer.
fn fill_repeats<T, A: Clone>(
    frames: &mut [T],
    parts: impl Fn(&mut T) -> (&Moment, Option<u64>, &mut A),
) {
    let mut kept: BTreeMap<u64, Option<A>> = BTreeMap::new();
    for frame in frames.iter_mut() {
        let (_, same_as, _) = parts(frame);
        kept.extend(same_as.map(|number| (number, None)));
    }
    for frame in frames {
        let (moment, same_as, answer) = parts(frame);
        match same_as.and_then(|number| kept.get(&number)) {
            Some(Some(found)) => *answer = found.clone(),
            Some(None) => {}
            None => {
                if let Some(place) = kept.get_mut(&moment.frame_number) {
                    *place = Some(answer.clone());
                }
            }
        }
    }
}
