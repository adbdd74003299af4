//! `merge`: everything that was found in a video, by stage and in the order of its pictures.
//!
//! Only detections meet here, which are small, so one input may run ahead of another. Does not
//! know the format of the results.

use crate::engine::Fold;
use crate::engine::Folding;
use crate::item::Detections;
use crate::item::Item;
use crate::item::Record;
use crate::name::StageId;
use crate::name::VideoId;
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
    fn open(&self, video: VideoId) -> Box<dyn Folding> {
        let detections = self
            .detecting
            .iter()
            .map(|stage| (stage.clone(), Vec::new()))
            .collect();
        Box::new(Joining { video, detections })
    }
}

struct Joining {
    video: VideoId,
    detections: BTreeMap<StageId, Vec<Detections>>,
}

impl Folding for Joining {
    fn push(&mut self, item: Item) -> Vec<Item> {
        if let Item::Detections(found) = item {
            self.detections
                .entry(found.stage.clone())
                .or_default()
                .push(found);
        }
        Vec::new()
    }

    fn finish(&mut self) -> Vec<Item> {
        let mut detections = std::mem::take(&mut self.detections);
        for found in detections.values_mut() {
            found.sort_by_key(|found| found.moment.index);
        }
        vec![Item::Record(Box::new(Record {
            video: self.video,
            detections,
            transcripts: BTreeMap::new(),
        }))]
    }
}
