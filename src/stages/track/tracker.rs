//! The tracks of one video: which of its boxes are one thing, frame by frame in order.
//!
//! A track begins with a box that nothing else explains. It has an id from the frame on in which it
//! was seen `min_frames` times, and ends when it was not seen for `buffer` seconds. What is held are
//! the tracks that have not ended, so it does not grow with the length of a video.

use crate::item::Detection;
use crate::item::Sight;
use crate::item::Size;
use crate::recipe::ClassRef;
use crate::recipe::TrackMethod;
use crate::recipe::TrackSpec;
use crate::stages::track::assign::Pair;
use crate::stages::track::assign::assign;
use crate::stages::track::bytetrack::Bytetrack;
use crate::stages::track::model::Elapsed;
use crate::stages::track::model::Likeness;
use crate::stages::track::model::Model;
use crate::stages::track::model::Outline;
use crate::stages::track::model::Round;
use crate::stages::track::motion::Motion;
use crate::stages::track::passage::Passage;
use crate::stages::track::passage::Passed;
use crate::stages::track::passage::Places;

// A track without an id ends after so many frames in a row without a box. ByteTrack has none.
const PATIENCE: u32 = 2;

/// The tracks of one video.
pub struct Tracker {
    spec: TrackSpec,
    places: Places,
    tracks: Vec<Track>,
    // The id of the next thing.
    next: u64,
    // Seconds of the video that have passed; what is told of times may stand still or go back.
    now: f64,
    // The last frame: its index among the sampled ones, and its time; and what had passed by then.
    last: Option<(u64, f64)>,
    elapsed: Elapsed,
}

// A thing that has been seen.
struct Track {
    id: Option<u64>,
    class: u32,
    model: Model,
    // When it was seen first.
    since: f64,
    passage: Passage,
    // When it was seen last, and where.
    seen: f64,
    outline: Outline,
    // The frames it was seen in.
    frames: u32,
    // The frames since then that were looked at.
    unseen: u32,
}

// A box that may be of a thing.
struct Seen {
    place: usize,
    outline: Outline,
    class: u32,
    confidence: f64,
}

impl Tracker {
    /// No tracks yet, in a video with frames of this size.
    pub fn new(spec: &TrackSpec, frame: Size) -> Self {
        Self {
            spec: spec.clone(),
            places: Places::new(spec, frame),
            tracks: Vec::new(),
            next: 1,
            now: 0.0,
            last: None,
            elapsed: Elapsed::default(),
        }
    }

    /// What is known of the thing in each of the boxes of the next frame, which is the `index`th of
    /// the sampled ones, at `seconds`: `None` for a box that is of none, or of one that has no id
    /// yet. Which sight of a thing is the best is not known here.
    pub fn frame(&mut self, index: u64, seconds: f64, boxes: &[Detection]) -> Vec<Option<Sight>> {
        self.pass(index, seconds);
        let mut sights = vec![None; boxes.len()];
        let mut sure = self.seen(boxes, self.spec.high, f32::INFINITY);
        let unsure = self.seen(boxes, self.spec.low, self.spec.high);
        for track in &mut self.tracks {
            track.unseen += 1;
        }
        for round in [Round::Sure, Round::Unsure, Round::New] {
            let boxes = match round {
                Round::Sure | Round::New => &sure,
                Round::Unsure => &unsure,
            };
            let pairs = self.pairs(round, boxes);
            let mut taken = Vec::new();
            for pair in assign(&pairs) {
                let (place, sight) = self.see(pair.track, &boxes[pair.place]);
                sights[place] = sight;
                taken.push(place);
            }
            sure.retain(|seen| !taken.contains(&seen.place));
        }
        let patience = match self.spec.method {
            TrackMethod::Auto | TrackMethod::Motion => PATIENCE,
            TrackMethod::Bytetrack => 0,
        };
        self.tracks
            .retain(|track| track.id.is_some() || track.unseen <= patience);
        for seen in sure {
            if seen.confidence >= f64::from(self.spec.new) {
                sights[seen.place] = self.begin(&seen);
            }
        }
        sights
    }

    /// The next frame shows what the last one did that was looked at: what was seen there still is
    /// where it was.
    pub fn repeat(&mut self, index: u64, seconds: f64) {
        self.pass(index, seconds);
        for track in self.tracks.iter_mut().filter(|track| track.unseen == 0) {
            track.model.update(&track.outline);
            track.seen = self.now;
        }
    }

    // Moves all tracks to the time of a frame, and ends those that were not seen for too long.
    fn pass(&mut self, index: u64, seconds: f64) {
        let (last, then) = self.last.unwrap_or((index, seconds));
        let passed = (seconds - then).max(0.0);
        let elapsed = Elapsed {
            seconds: if passed.is_finite() { passed } else { 0.0 },
            frames: index.saturating_sub(last),
        };
        self.last = Some((index, seconds));
        self.elapsed = elapsed;
        self.now += elapsed.seconds;
        let (now, buffer) = (self.now, self.spec.buffer.as_secs_f64());
        self.tracks.retain(|track| now - track.seen <= buffer);
        for track in &mut self.tracks {
            track.model.predict(elapsed, track.unseen > 0);
        }
    }

    // The boxes from one confidence up to another.
    fn seen(&self, boxes: &[Detection], from: f32, below: f32) -> Vec<Seen> {
        let classes = &self.spec.classes;
        let boxes = boxes.iter().enumerate();
        let seen = boxes.filter_map(|(place, found)| {
            let is_one = |class: &ClassRef| class.is(found.class, &found.class_name);
            let is_wanted = classes.is_empty() || classes.iter().any(is_one);
            let is_within = found.confidence >= from && found.confidence < below;
            let outline =
                Outline::of(found.bbox, self.places.frame).filter(|_| is_wanted && is_within)?;
            Some(Seen {
                place,
                outline,
                class: found.class,
                confidence: f64::from(found.confidence),
            })
        });
        seen.collect()
    }

    // The tracks that have their turn, and what they may take of `boxes`.
    fn pairs(&self, round: Round, boxes: &[Seen]) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for (number, track) in self.tracks.iter().enumerate() {
            let has_turn = track.unseen > 0 && track.id.is_none() == (round == Round::New);
            for (place, seen) in boxes.iter().enumerate() {
                if !has_turn || track.class != seen.class {
                    continue;
                }
                let likeness = Likeness {
                    round,
                    most: f64::from(self.spec.r#match),
                    confidence: seen.confidence,
                    is_lost: track.unseen > 1,
                };
                let worth = track.model.worth(&seen.outline, &likeness);
                pairs.extend(worth.map(|worth| Pair {
                    track: number,
                    place,
                    worth,
                }));
            }
        }
        pairs
    }

    // Notes that a track was seen; gives which of the boxes of the frame that is, and what is known
    // of the thing if it has an id.
    fn see(&mut self, number: usize, seen: &Seen) -> (usize, Option<Sight>) {
        let track = &mut self.tracks[number];
        track.model.update(&seen.outline);
        track.seen = self.now;
        track.outline = seen.outline;
        track.frames = track.frames.saturating_add(1);
        track.unseen = 0;
        if track.id.is_none() && track.frames >= self.spec.min_frames {
            track.id = Some(self.next);
            self.next += 1;
        }
        let sight = track.id.map(|id| {
            let Passed { crossed, entered } = track.passage.step(&self.places, &seen.outline);
            Sight {
                track: id,
                age: self.now - track.since,
                speed: track.model.speed(self.elapsed),
                first: false,
                crossed,
                entered,
            }
        });
        (seen.place, sight)
    }

    // A track of a thing that was not there before; gives what is known of it, if it has an id already.
    fn begin(&mut self, seen: &Seen) -> Option<Sight> {
        let model = match self.spec.method {
            TrackMethod::Auto | TrackMethod::Motion => Model::Motion(Motion::new(&seen.outline)),
            TrackMethod::Bytetrack => Model::Bytetrack(Bytetrack::new(&seen.outline)),
        };
        self.tracks.push(Track {
            id: None,
            class: seen.class,
            model,
            since: self.now,
            passage: Passage::new(&self.places, &seen.outline),
            seen: self.now,
            outline: seen.outline,
            frames: 0,
            unseen: 0,
        });
        self.see(self.tracks.len() - 1, seen).1
    }

    /// How many things are looked for.
    pub fn held(&self) -> usize {
        self.tracks.len()
    }
}
