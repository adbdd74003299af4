//! The best sight of each thing, for who looks at each thing once.
//!
//! From the frame on in which a thing has a track, so many frames are looked at; the sight of the
//! largest box times its confidence is `first`. Frames are held back while one of their sights may
//! be that, so at most so many; in their order.

use crate::item::Detection;
use crate::item::Detections;
use crate::item::Found;
use std::collections::BTreeMap;
use std::collections::VecDeque;

/// The frames that are held back, and the things that have not had their best sight.
pub(super) struct BestSights {
    // Frames in which a thing may have it.
    frames: u64,
    // The highest number of a thing; they are given in order.
    newest: u64,
    open: BTreeMap<u64, Contest>,
    held: VecDeque<Detections>,
}

// The best sight of a thing so far.
struct Contest {
    // The index of the frame from which on it is sought, and of that in which it is.
    since: u64,
    frame: u64,
    place: usize,
    worth: f64,
}

impl BestSights {
    /// Each the best in so many frames.
    pub(super) fn of(frames: u32) -> Self {
        Self {
            frames: frames.into(),
            newest: 0,
            open: BTreeMap::new(),
            held: VecDeque::new(),
        }
    }

    /// Takes the next frame; gives those of which all is known.
    pub(super) fn push(&mut self, found: Detections) -> Vec<Detections> {
        let index = found.moment.index;
        self.compare(index, &found.found);
        self.held.push_back(found);
        let frames = self.frames;
        self.decide(|contest| index - contest.since + 1 >= frames);
        let since = self.open.values().map(|it| it.since).min();
        let is_known = |it: &Detections| since.is_none_or(|since| it.moment.index < since);
        let known = self.held.iter().take_while(|it| is_known(it)).count();
        self.held.drain(..known).collect()
    }

    /// Gives what is left; no frame comes any more.
    pub(super) fn finish(&mut self) -> Vec<Detections> {
        self.decide(|_| true);
        self.held.drain(..).collect()
    }

    fn compare(&mut self, frame: u64, found: &Found) {
        let Found::Objects(objects) = found else {
            return;
        };
        let newest = self.newest;
        for (place, object) in objects.iter().enumerate() {
            let Some(sight) = &object.sight else { continue };
            let contest = Contest {
                since: frame,
                frame,
                place,
                worth: worth(object),
            };
            match self.open.get_mut(&sight.track) {
                Some(best) if contest.worth > best.worth => {
                    let since = best.since;
                    *best = Contest { since, ..contest };
                }
                None if sight.track > newest => {
                    self.open.insert(sight.track, contest);
                    self.newest = self.newest.max(sight.track);
                }
                _ => {}
            }
        }
    }

    // Notes the best sight of each thing whose time is over.
    fn decide(&mut self, is_over: impl Fn(&Contest) -> bool) {
        for contest in self.open.values().filter(|it| is_over(it)) {
            let mut held = self.held.iter_mut();
            let frame = held.find(|it| it.moment.index == contest.frame);
            if let Some(Found::Objects(objects)) = frame.map(|it| &mut it.found)
                && let Some(object) = objects.get_mut(contest.place)
                && let Some(sight) = &mut object.sight
            {
                sight.first = true;
            }
        }
        self.open.retain(|_, contest| !is_over(contest));
    }
}

fn worth(object: &Detection) -> f64 {
    let [x1, y1, x2, y2] = object.bbox.map(f64::from);
    (x2 - x1) * (y2 - y1) * f64::from(object.confidence)
}

#[cfg(test)]
mod tests {
    use super::BestSights;
    use crate::item::Detection;
    use crate::item::Detections;
    use crate::item::Found;
    use crate::item::Moment;
    use crate::item::Sight;
    use crate::name::VideoId;
    use crate::time::Pts;

    // The things in each frame, with the side of the box of each.
    type Frames = [&'static [(u64, f32)]];

    fn frame(index: u64, things: &[(u64, f32)]) -> Detections {
        let object = |&(track, side): &(u64, f32)| Detection {
            bbox: [0.0, 0.0, side, side],
            confidence: 0.5,
            sight: Some(Box::new(Sight {
                track,
                ..Sight::default()
            })),
            ..Detection::default()
        };
        Detections {
            stage: "track".into(),
            moment: Moment {
                video: VideoId(0),
                index,
                frame_number: index,
                pts: Pts(0),
                seconds: index as f64,
                samples: 1,
                part: None,
            },
            found: match things {
                [] => Found::Skipped("it repeats".to_owned()),
                things => Found::Objects(things.iter().map(object).collect()),
            },
            same_as: None,
        }
    }

    // What is given after each frame, and at the end: `3: 1` is thing 1 at its best in frame 3.
    fn given(of: u32, frames: &Frames) -> Vec<String> {
        let mut best = BestSights::of(of);
        let told = |given: Vec<Detections>| {
            let told = given.iter().map(|it| {
                let objects = match &it.found {
                    Found::Objects(objects) => objects.as_slice(),
                    _ => &[],
                };
                let sights = objects.iter().filter_map(|it| it.sight.as_ref());
                let first = sights.filter(|it| it.first).map(|it| it.track.to_string());
                let first: Vec<String> = first.collect();
                format!("{}: {}", it.moment.index, first.join(" "))
            });
            told.map(|it| it.trim().to_owned())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let mut all: Vec<String> = Vec::new();
        for (index, things) in (0..).zip(frames) {
            all.push(told(best.push(frame(index, things))));
        }
        all.push(told(best.finish()));
        all
    }

    #[test]
    fn the_best_of_so_many_sights_is_first_and_no_other() {
        let frames: &Frames = &[
            &[],
            &[(1, 10.0)],
            &[(1, 30.0)],
            &[(1, 20.0), (2, 10.0)],
            &[(1, 90.0), (2, 10.0)],
            &[(1, 90.0)],
            &[(1, 90.0)],
        ];
        assert_eq!(
            given(3, frames),
            ["0:", "", "", "1:, 2: 1", "", "3: 2, 4:, 5:", "6:", ""]
        );
        // At once.
        let at_once = ["0:", "1: 1", "2:", "3: 2", "4:", "5:", "6:", ""];
        assert_eq!(given(1, frames), at_once);
        // The end comes first.
        let [.., last] = given(100, frames)
            .try_into()
            .unwrap_or([const { String::new() }; 8]);
        assert_eq!(last, "1:, 2:, 3: 2, 4: 1, 5:, 6:");
    }

    #[test]
    fn what_is_held_back_is_bounded_whatever_comes() {
        let mut best = BestSights::of(5);
        for index in 0..2_000 {
            // New things all the time, each for a few frames, and two that come in one frame.
            let things = [(index + 2, 10.0), (index + 1, 20.0), (index, 5.0)];
            best.push(frame(index, if index % 7 == 0 { &[] } else { &things }));
            assert!(best.held.len() < 5, "{}", best.held.len());
        }
        assert_eq!(best.finish().len(), 4);
    }
}
