//! A sound file of each chunk that leaves the machine; its samples are let go of.
//!
//! Does not know where it goes.

use crate::answer::Extent;
use crate::engine::Map;
use crate::engine::MapState;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Item;
use crate::media;
use crate::speech::AudioData;
use crate::speech::Chunk;
use crate::speech::Codec;
use crate::stages::takers::Takers;
use std::sync::Arc;

/// Codes chunks as `codec`, but for those that `takers` have an answer for.
pub(in crate::stages) fn code(codec: Codec, takers: Takers) -> Arc<dyn Map> {
    Arc::new(Code { codec, takers })
}

#[derive(Clone)]
struct Code {
    codec: Codec,
    takers: Takers,
}

impl Map for Code {
    fn state(&self) -> Result<Box<dyn MapState>, Failure> {
        Ok(Box::new(self.clone()))
    }

    // A chunk that could not be coded goes on as a gap and keeps its place.
    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        match item {
            Item::Chunk(chunk) => vec![Item::Chunk(Chunk {
                span: chunk.span.clone(),
                content: Err(failure.clone()),
            })],
            _ => Vec::new(),
        }
    }
}

impl MapState for Code {
    fn map(&mut self, item: &Item) -> Result<Vec<Item>, Failure> {
        let Item::Chunk(chunk) = item else {
            return Ok(Vec::new());
        };
        let Ok(AudioData::Samples(samples)) = &chunk.content else {
            return Ok(vec![item.clone()]);
        };
        if self.takers.know(item.video(), Extent::of_span(&chunk.span)) {
            return Ok(vec![item.clone()]);
        }
        let file = media::encode_sound(samples, self.codec)
            // What this machine lacks for one chunk it lacks for all.
            .map_err(|error| Failure::new(Class::Model, error.to_string()))?;
        Ok(vec![Item::Chunk(Chunk {
            span: chunk.span.clone(),
            content: Ok(AudioData::File {
                codec: self.codec,
                file,
            }),
        })])
    }
}
