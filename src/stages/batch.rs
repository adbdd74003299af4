//! `batch`: frames into requests, cut where the count or the bytes of a request are reached.
//!
//! Frames come in order and leave in order. A frame that could not be read travels with the
//! others, so that it keeps its place. One that every stage which takes the batches has an answer
//! for goes on alone, so that requests stay full. Does not know what the requests are for.

use crate::answer::Extent;
use crate::engine::Fold;
use crate::engine::FoldState;
use crate::item::Batch;
use crate::item::Frame;
use crate::item::Item;
use crate::name::VideoId;
use crate::recipe::BatchSpec;
use crate::stages::takers::Takers;
use std::sync::Arc;

/// Batches for `takers`, of at most `spec.size` frames whose JPEGs are at most `max_bytes` together.
pub fn batch(spec: &BatchSpec, max_bytes: usize, takers: Takers) -> Arc<dyn Fold> {
    Arc::new(Cut {
        size: spec.size,
        max_bytes,
        takers,
    })
}

/// The two halves of a batch; `None` for a single frame.
pub fn halves(item: &Item) -> Option<(Item, Item)> {
    match item {
        Item::Batch(batch) => cut(item, batch.frames.len() / 2),
        _ => None,
    }
}

/// The first `at` frames of a batch and the others; `None` where either would be empty.
pub(super) fn cut(item: &Item, at: usize) -> Option<(Item, Item)> {
    let Item::Batch(batch) = item else {
        return None;
    };
    let (first, second) = batch.frames.split_at_checked(at)?;
    let part = |frames: &[Frame]| {
        (!frames.is_empty()).then(|| {
            Item::Batch(Batch {
                video: batch.video,
                frames: frames.to_vec(),
            })
        })
    };
    part(first).zip(part(second))
}

struct Cut {
    size: usize,
    max_bytes: usize,
    takers: Takers,
}

impl Fold for Cut {
    fn open(&self, video: VideoId) -> Box<dyn FoldState> {
        let (size, max_bytes) = (self.size, self.max_bytes);
        Box::new(Collecting {
            video,
            size,
            max_bytes,
            takers: self.takers.clone(),
            frames: Vec::new(),
            bytes: 0,
        })
    }
}

struct Collecting {
    video: VideoId,
    size: usize,
    max_bytes: usize,
    takers: Takers,
    frames: Vec<Frame>,
    bytes: usize,
}

impl Collecting {
    fn is_known(&self, frame: &Frame) -> bool {
        frame.content.is_ok()
            && self
                .takers
                .know(self.video, Extent::of_moment(&frame.moment))
    }

    fn cut(&mut self) -> Vec<Item> {
        self.bytes = 0;
        let frames = std::mem::take(&mut self.frames);
        if frames.is_empty() {
            return Vec::new();
        }
        vec![Item::Batch(Batch {
            video: self.video,
            frames,
        })]
    }
}

impl FoldState for Collecting {
    fn push(&mut self, item: Item) -> Vec<Item> {
        let frame = match item {
            Item::Frame(frame) if self.is_known(&frame) => return vec![Item::Frame(frame)],
            Item::Frame(frame) => frame,
            // Nothing of it is sent, so it takes no place in a request.
            Item::Repeat(_) => return vec![item],
            _ => return Vec::new(),
        };
        let bytes = match &frame.content {
            Ok(content) => content.jpeg.as_ref().map_or(0, bytes::Bytes::len),
            Err(_) => 0,
        };
        let too_many_bytes = self.bytes.saturating_add(bytes) > self.max_bytes;
        let mut complete = if too_many_bytes {
            self.cut()
        } else {
            Vec::new()
        };
        self.bytes = self.bytes.saturating_add(bytes);
        self.frames.push(frame);
        if self.frames.len() == self.size {
            complete.extend(self.cut());
        }
        complete
    }

    fn finish(&mut self) -> Vec<Item> {
        self.cut()
    }
}
