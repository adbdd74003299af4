//! What is odd about boxes and times, so that things are not tracked as one would think; told once
//! each.

use crate::item::Detections;
use crate::item::Found;
use crate::stages::notice::VIDEO;

// Seconds between two frames that are no usual sampling where they come all at once.
const JUMP: f64 = 3600.0;

// How many times as long as any before.
const LONGER: f64 = 10.0;

/// What was odd so far in one video.
#[derive(Default)]
pub(super) struct Oddities {
    // The time of the last frame, and the longest between two.
    last: Option<f64>,
    longest: f64,
    has_no_size: bool,
    stands_still: bool,
    jumps: bool,
}

impl Oddities {
    /// What is odd about the next frame and was not about one before, in which [`VIDEO`] stands for
    /// the path of the video.
    pub(super) fn look(&mut self, found: &Detections) -> Vec<String> {
        let (seconds, number) = (found.moment.seconds, found.moment.frame_number);
        let mut told = Vec::new();
        let mut tell = |was_told: &mut bool, is_odd: bool, text: String| {
            if is_odd && !*was_told {
                *was_told = true;
                told.push(text);
            }
        };
        let is_unsized = |[x1, y1, x2, y2]: [f32; 4]| !(x2 > x1 && y2 > y1);
        let has_no_size = match &found.found {
            Found::Objects(objects) => objects.iter().any(|it| is_unsized(it.bbox)),
            Found::Fields(_) | Found::Error(_) | Found::Skipped(_) => false,
        };
        tell(
            &mut self.has_no_size,
            has_no_size,
            format!("{VIDEO}: boxes of no size are not tracked; the first is in frame {number}"),
        );
        let passed = self.last.map(|last| seconds - last);
        self.last = Some(seconds);
        let Some(passed) = passed else { return told };
        tell(
            &mut self.stands_still,
            passed <= 0.0 || passed.is_nan(),
            format!(
                "{VIDEO}: frame {number} is not later than the one before; things are tracked as \
                 if no time had passed"
            ),
        );
        let is_jump = passed > JUMP && self.longest > 0.0 && passed > LONGER * self.longest;
        tell(
            &mut self.jumps,
            is_jump,
            format!(
                "{VIDEO}: times jump by {:.1} hours at frame {number}; no thing is followed over \
                 that",
                passed / 3600.0
            ),
        );
        self.longest = self.longest.max(passed);
        told
    }
}
