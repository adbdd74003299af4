//! Playback: which objects are on screen at any moment of a video of which some frames were looked
//! at.
//!
//! What was found in a frame stays until the next frame that was looked at, as long as frames are
//! sampled apart. A thing that is tracked moves in a straight line from sight to sight, also over
//! a frame or two in which it was not seen. Pure.

use crate::output::results::results::Entry;
use crate::output::results::results::Object;
use crate::output::results::results::Results;
use crate::output::results::results::Seen;

/// Frames in a row in which a thing may not be seen while it is still shown on its way.
const MOST_MISSED: usize = 2;

/// The next frame that was looked at may be so much later than it was due: a sample is the frame on
/// screen, which may have come long before.
const LATE: f64 = 1.5;

/// Objects on the clock of a video.
#[derive(Clone, Copy, Debug)]
pub struct Playback<'a> {
    entries: &'a [Entry],
    /// Seconds between two samples.
    apart: f64,
}

/// An object, and where it is shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShownObject<'a> {
    /// What was found.
    pub object: &'a Object,
    /// `[x1, y1, x2, y2]` in pixels of the source.
    pub bbox: [f64; 4],
}

impl<'a> Playback<'a> {
    /// That of `entries`, which stand in `results` in the order of their frames.
    pub fn new(results: &Results, entries: &'a [Entry]) -> Self {
        let apart = apart(results, entries);
        Self { entries, apart }
    }

    /// What is shown on the frame of this number, so many seconds after the first; the most
    /// confident last, which goes over the others.
    pub fn at(&self, frame_number: u64, seconds: f64) -> Vec<ShownObject<'a>> {
        let before = (self.entries).partition_point(|entry| entry.frame_number <= frame_number);
        let Some(now) = before.checked_sub(1) else {
            return Vec::new();
        };
        let mut shown = Vec::new();
        for from in (now.saturating_sub(MOST_MISSED)..=now).rev() {
            let is_held = from == now && seconds < self.end(now);
            for object in objects(&self.entries[from]) {
                let bbox = match object.track {
                    Some(track) => self.on_its_way((from, now), track, object, seconds),
                    None => None,
                };
                let bbox = bbox.or_else(|| is_held.then_some(object.bbox));
                shown.extend(bbox.map(|bbox| ShownObject { object, bbox }));
            }
        }
        shown.reverse();
        shown
    }

    // When what was found in an entry is not shown any more.
    fn end(&self, at: usize) -> f64 {
        let entry = &self.entries[at];
        let next = self.entries.get(at + 1).map(|next| next.timestamp);
        shown_until(entry.timestamp, entry.samples, next, self.apart)
    }

    // Where a thing is between its last sight, in entry `from`, and the next one behind `now`.
    fn on_its_way(
        &self,
        (from, now): (usize, usize),
        track: u64,
        object: &Object,
        seconds: f64,
    ) -> Option<[f64; 4]> {
        let sight = |entry: &'a Entry| objects(entry).iter().find(|it| it.track == Some(track));
        let since = self.entries.get(from + 1..=now)?;
        if since.iter().any(|entry| sight(entry).is_some()) {
            return None;
        }
        let last = (from + 1 + MOST_MISSED).min(self.entries.len() - 1);
        let ahead = self.entries.get(now + 1..=last)?;
        let (entry, next) = ahead
            .iter()
            .find_map(|entry| Some((entry, sight(entry)?)))?;
        let begin = self.entries[from].timestamp;
        let share = (seconds - begin) / (entry.timestamp - begin);
        let share = if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.0
        };
        let mut bbox = object.bbox;
        for (side, to) in bbox.iter_mut().zip(next.bbox) {
            *side += (to - *side) * share;
        }
        Some(bbox)
    }
}

/// Seconds between two samples, of which `entries` stand in `results`.
pub(super) fn apart(results: &Results, entries: &[Entry]) -> f64 {
    let sampled = results.config.fps.filter(|fps| *fps > 0.0);
    let usual = || {
        let (first, last) = (entries.first()?, entries.last()?);
        let gaps = entries.len().checked_sub(1).filter(|it| *it > 0)?;
        Some((last.timestamp - first.timestamp) / gaps as f64)
    };
    sampled.map(f64::recip).or_else(usual).unwrap_or(1.0)
}

/// When what was found in a frame is not shown any more: the frame shows so many samples, which are so
/// many seconds apart, and another may have been looked at `next`.
pub(super) fn shown_until(timestamp: f64, samples: u64, next: Option<f64>, apart: f64) -> f64 {
    let due = apart * samples.max(1) as f64;
    match next {
        Some(next) if next - timestamp <= due * LATE => next,
        _ => timestamp + due,
    }
}

fn objects(entry: &Entry) -> &[Object] {
    match &entry.seen {
        Seen::Objects { detections, .. } => detections,
        Seen::Record { .. } | Seen::Crops { .. } | Seen::Error { .. } | Seen::Skipped { .. } => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::Playback;
    use crate::output::results::rare::Rare;
    use crate::output::results::results::Entry;
    use crate::output::results::results::Object;
    use crate::output::results::results::Seen;

    const FPS: f64 = 10.0;

    // An entry a sampled frame of a video of ten frames a second: what is seen, as the left edge of a
    // box and the thing that it is.
    fn entry(frame_number: u64, seen: &[(f64, Option<u64>)]) -> Entry {
        let object = |(left, track): &(f64, Option<u64>)| Object {
            bbox: [*left, 0.0, *left + 10.0, 10.0],
            class: 0,
            class_name: "ball".into(),
            confidence: 0.5,
            parent: None,
            track: *track,
            crossed: Rare::default(),
            entered: Rare::default(),
        };
        let detections: Vec<Object> = seen.iter().map(object).collect();
        Entry {
            timestamp: frame_number as f64 / FPS,
            frame_number,
            samples: 1,
            same_as: None,
            saved: None,
            seen: Seen::Objects {
                count: detections.len(),
                detections,
            },
        }
    }

    // The left edges that are shown on each of these frames, where one frame a second is sampled.
    fn shown(entries: &[Entry], frames: &[u64]) -> Vec<Vec<f64>> {
        let playback = Playback {
            entries,
            apart: 1.0,
        };
        let at = |number: &u64| {
            let shown = playback.at(*number, *number as f64 / FPS);
            shown.iter().map(|it| it.bbox[0].round()).collect()
        };
        frames.iter().map(at).collect()
    }

    #[test]
    fn a_box_stays_until_the_next_sample() {
        let entries = [
            entry(0, &[(1.0, None)]),
            entry(9, &[(2.0, None)]),
            entry(20, &[]),
            entry(30, &[(3.0, None)]),
            entry(60, &[(4.0, None)]),
        ];
        let frames = [0, 8, 9, 19, 20, 29, 30, 39, 40, 59, 60, 69, 70];
        let left: Vec<Vec<f64>> = [
            1.0, 1.0, 2.0, 2.0, 0.0, 0.0, 3.0, 3.0, 0.0, 0.0, 4.0, 4.0, 0.0,
        ]
        .iter()
        .map(|it| Vec::from_iter((*it > 0.0).then_some(*it)))
        .collect();
        assert_eq!(shown(&entries, &frames), left);
        assert_eq!(
            shown(&entries[1..], &[0, 8]),
            [Vec::<f64>::new(), Vec::new()],
            "nothing before the first"
        );
        assert_eq!(shown(&[], &[0]), [Vec::<f64>::new()]);
    }

    #[test]
    fn a_thing_moves_from_sight_to_sight() {
        let entries = [
            entry(0, &[(0.0, Some(1)), (500.0, Some(2))]),
            entry(10, &[(100.0, Some(1))]),
            entry(20, &[]),
            entry(30, &[(300.0, Some(1))]),
            entry(40, &[]),
        ];
        let of = |frame| shown(&entries, &[frame]).remove(0);
        // The second thing is seen once, and stays a second.
        assert_eq!(of(5), [500.0, 50.0]);
        assert_eq!(of(10), [100.0]);
        assert_eq!(of(15), [150.0]);
        assert_eq!(of(20), [200.0], "it was missed there, and is on its way");
        assert_eq!(of(29), [290.0]);
        assert_eq!(of(35), [300.0]);
        assert_eq!(of(40), [0.0; 0]);
    }

    #[test]
    fn a_thing_that_was_long_away_does_not_float() {
        let entries = [
            entry(0, &[(0.0, Some(1))]),
            entry(10, &[]),
            entry(20, &[]),
            entry(30, &[]),
            entry(40, &[(400.0, Some(1))]),
        ];
        let of = |frame| shown(&entries, &[frame]).remove(0);
        assert_eq!(of(9), [0.0]);
        assert_eq!(of(10), [0.0; 0]);
        assert_eq!(of(35), [0.0; 0]);
        assert_eq!(of(45), [400.0]);
    }
}
