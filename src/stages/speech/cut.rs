//! Sound into chunks, which are transcribed one at a time, each within the length that is allowed.
//!
//! A chunk ends at the longest pause of its last fifth. Where there is none it ends at the
//! quietest tenth of a second there, and the next one begins half a second earlier than this one
//! answers for, as this one ends half a second later: a word on the border is whole in one of
//! them. Holds one chunk at a time. Does not know models.

use crate::engine::Fold;
use crate::engine::FoldState;
use crate::facts::VideoFacts;
use crate::item::Item;
use crate::media;
use crate::name::VideoId;
use crate::plan::ChunkLength;
use crate::speech::AudioData;
use crate::speech::AudioSpan;
use crate::speech::Chunk;
use crate::speech::RATE;
use crate::speech::Sound;
use crate::stages::extract::extract::Videos;
use crate::stages::speech::levels::FRAME;
use crate::stages::speech::levels::Levels;
use std::ops::Range;
use std::sync::Arc;

/// Samples that two chunks share on each side of a cut within speech, at most.
const SHARED: usize = RATE as usize / 2;

/// Silence that is left before and after speech where silence is dropped: 0.4 s.
const MARGIN: usize = RATE as usize * 2 / 5;

/// A silence between two pieces that is longer than this is in no chunk: 10 s.
const LONGEST_GAP: u64 = 10 * RATE as u64;

/// Less than a tenth of a second says nothing, and servers refuse it.
const SHORTEST: usize = RATE as usize / 10;

/// The loudest sample that is inaudible.
const INAUDIBLE: u16 = 4;

/// Chunks of at most `length`. With `drop_silence`, what is silent at the ends of a chunk is not
/// listened to.
pub(in crate::stages) fn cut(
    length: ChunkLength,
    drop_silence: bool,
    videos: &Arc<Videos>,
) -> Arc<dyn Fold> {
    Arc::new(Cut {
        length,
        drop_silence,
        videos: Arc::clone(videos),
    })
}

struct Cut {
    length: ChunkLength,
    drop_silence: bool,
    videos: Arc<Videos>,
}

impl Fold for Cut {
    fn open(&self, video: VideoId) -> Box<dyn FoldState> {
        let facts = self.videos.get(&video).map(|(_, facts)| facts);
        let wanted = facts.map(|it| media::sample_ranges(&it.wanted, it.start_offset()));
        let wanted = wanted.unwrap_or_default();
        let start = wanted.first().map_or(0, |first| first.start);
        Box::new(Cutting {
            ends: wanted.into_iter().map(|range| range.end).collect(),
            video,
            longest: self.length.of(facts.and_then(VideoFacts::heard)),
            drop_silence: self.drop_silence,
            samples: Vec::new(),
            start,
            own: start,
        })
    }
}

struct Cutting {
    // Where the parts that are wanted end: no chunk is of two.
    ends: Vec<u64>,
    video: VideoId,
    longest: usize,
    drop_silence: bool,
    // The sound that is in no chunk yet, or is shared with the last one.
    samples: Vec<i16>,
    // Where it begins, and from where on the next chunk answers for it.
    start: u64,
    own: u64,
}

impl Cutting {
    fn take(&mut self, sound: &Sound) -> Vec<Item> {
        let mut chunks = Vec::new();
        let gap = sound.start.saturating_sub(self.end());
        let between = self.end()..=sound.start;
        let is_elsewhere = self.ends.iter().any(|end| between.contains(end));
        if gap > LONGEST_GAP || is_elsewhere {
            chunks.extend(self.rest());
            self.samples.clear();
            self.start = sound.start;
            self.own = sound.start;
        } else {
            let silence = usize::try_from(gap).unwrap_or(0);
            self.samples.resize(self.samples.len() + silence, 0);
        }
        self.samples.extend_from_slice(&sound.samples);
        while self.samples.len() >= self.longest {
            chunks.push(self.next());
        }
        chunks
    }

    fn end(&self) -> u64 {
        self.start + self.samples.len() as u64
    }

    // A chunk that is as long as it may be.
    fn next(&mut self) -> Item {
        let whole = self.samples.get(..self.longest).unwrap_or(&self.samples);
        let levels = Levels::of(whole);
        let within = self.longest / 5 * 4 / FRAME..self.longest / FRAME;
        let shared = shared(self.longest);
        let (frame, is_pause) = levels.border(within, shared.div_ceil(FRAME));
        let (cut, shared) = (frame * FRAME, if is_pause { 0 } else { shared });
        let own = self.own..self.start + cut as u64;
        let chunk = self.chunk(0..cut + shared, own);
        self.own = self.start + cut as u64;
        self.start += (cut - shared) as u64;
        self.samples.drain(..cut - shared);
        chunk
    }

    // What is left at the end.
    fn rest(&mut self) -> Option<Item> {
        let own = self.own..self.end();
        (!own.is_empty()).then(|| self.chunk(0..self.samples.len(), own))
    }

    fn chunk(&mut self, range: Range<usize>, own: Range<u64>) -> Item {
        let audible = self.audible(range.clone());
        let data = match self.samples.get(audible.clone()) {
            Some(samples) if !samples.is_empty() => AudioData::Samples(samples.into()),
            _ => AudioData::Silence,
        };
        let range = match data {
            AudioData::Silence => range,
            _ => audible,
        };
        let span = AudioSpan {
            video: self.video,
            range: self.start + range.start as u64..self.start + range.end as u64,
            own,
        };
        Item::Chunk(Chunk {
            span,
            content: Ok(data),
        })
    }

    // The part of a range that goes into a chunk; empty where nothing is audible.
    fn audible(&self, range: Range<usize>) -> Range<usize> {
        let samples = self.samples.get(range.clone()).unwrap_or_default();
        let is_audible = samples.iter().any(|it| it.unsigned_abs() > INAUDIBLE);
        if samples.len() < SHORTEST || !is_audible {
            return range.start..range.start;
        }
        if !self.drop_silence {
            return range;
        }
        match Levels::of(samples).speech() {
            Some(speech) => {
                let start = (speech.start * FRAME).saturating_sub(MARGIN);
                let end = (speech.end * FRAME + MARGIN).min(samples.len());
                // A lonely click is too short to be sent.
                let start = start.min(end.saturating_sub(SHORTEST));
                range.start + start..range.start + end
            }
            None => range.start..range.start,
        }
    }
}

impl FoldState for Cutting {
    fn push(&mut self, item: Item) -> Vec<Item> {
        match item {
            Item::Sound(sound) => self.take(&sound),
            _ => Vec::new(),
        }
    }

    fn finish(&mut self) -> Vec<Item> {
        self.rest().into_iter().collect()
    }
}

/// The samples that two chunks share on each side of a cut within speech, where they come of so
/// many.
pub(super) fn shared(whole: usize) -> usize {
    SHARED.min(whole / 10)
}

#[cfg(test)]
mod tests;
