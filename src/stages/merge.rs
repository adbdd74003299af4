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

/// Joins the detections of these stages into one record a video.
pub fn merge(detecting: &[StageId]) -> Arc<dyn Fold> {
    Arc::new(Join {
        detecting: detecting.to_vec(),
    })
}

struct Join {
    detecting: Vec<StageId>,
}

impl Fold for Join {
    fn open(&self, video: VideoId) -> Box<dyn FoldState> {
        let detections = self
            .detecting
            .iter()
            .map(|stage| (stage.clone(), Vec::new()))
            .collect();
        Box::new(Joining {
            video,
            detections,
            saved: BTreeMap::new(),
            transcripts: BTreeMap::new(),
        })
    }
}

struct Joining {
    video: VideoId,
    detections: BTreeMap<StageId, Vec<Detections>>,
    saved: BTreeMap<StageId, Vec<Saved>>,
    transcripts: BTreeMap<StageId, StageTranscript>,
}

impl FoldState for Joining {
    fn push(&mut self, item: Item) -> Vec<Item> {
        match item {
            Item::Detections(found) => {
                let of_stage = self.detections.entry(found.stage.clone()).or_default();
                of_stage.push(found);
            }
            Item::Transcript(transcript) => {
                let stage = transcript.stage.clone();
                self.transcripts.insert(stage, *transcript);
            }
            Item::Saved(saved) => {
                let of_stage = self.saved.entry(saved.stage.clone()).or_default();
                of_stage.push(saved);
            }
            _ => {}
        }
        Vec::new()
    }

    fn finish(&mut self) -> Vec<Item> {
        let mut detections = std::mem::take(&mut self.detections);
        for frames in detections.values_mut() {
            frames.sort_by_key(|frame| frame.moment.index);
            fill_repeats(frames, |it| (&it.moment, it.same_as, &mut it.found));
        }
        let mut saved = std::mem::take(&mut self.saved);
        for frames in saved.values_mut() {
            frames.sort_by_key(|frame| frame.moment.index);
            fill_repeats(frames, |it| (&it.moment, it.same_as, &mut it.file));
        }
        vec![Item::Record(Box::new(Record {
            video: self.video,
            detections,
            transcripts: std::mem::take(&mut self.transcripts),
            saved,
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
