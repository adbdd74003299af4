//! Which samples each frame shows, told frame by frame in the order of display.
//!
//! Knows nothing of where frames come from.

use crate::media::Wanted;
use crate::time::Pts;
use crate::time::Ratio;
use crate::time::Sampling;

/// Deals the samples of a stream out to its frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picker {
    rule: Sampling,
    // The first sample that has no frame yet, and the first that is not wanted any more.
    next: u64,
    end: u64,
}

impl Picker {
    /// A picker for the samples that `wanted` asks for.
    pub(super) fn new(rule: Sampling, wanted: &Wanted) -> Self {
        Self {
            rule,
            next: wanted.from.map_or(0, |from| first_at(from, rule.fps)),
            end: wanted
                .until
                .map_or(u64::MAX, |until| first_at(until, rule.fps)),
        }
    }

    /// The number of samples that fall on the frame which the one at `next` replaces.
    pub(super) fn shown_before(&mut self, next: Pts) -> u64 {
        self.take(self.rule.first_due_from(next))
    }

    /// The number of samples that fall on the last frame of a stream that ends at `end`.
    pub(super) fn shown_last(&mut self, end: Pts) -> u64 {
        self.take(self.rule.count_until(end))
    }

    /// Whether all samples that are wanted have their frame.
    pub(super) fn is_done(&self) -> bool {
        self.next >= self.end
    }

    fn take(&mut self, due: u64) -> u64 {
        let due = due.min(self.end);
        let taken = due.saturating_sub(self.next);
        self.next = self.next.max(due);
        taken
    }
}

// The first sample at `seconds` or later.
fn first_at(seconds: f64, fps: Ratio) -> u64 {
    let Some(time) = Ratio::from_decimal(seconds) else {
        return (seconds * fps.to_f64()).ceil() as u64;
    };
    let num = i128::from(time.num()) * i128::from(fps.num());
    let den = i128::from(time.den()) * i128::from(fps.den());
    let due = num.div_euclid(den) + i128::from(num.rem_euclid(den) != 0);
    u64::try_from(due.max(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::first_at;
    use crate::time::Ratio;

    #[test]
    fn limits_fall_between_samples_exactly() {
        let fps = |num, den| Ratio::new(num, den).unwrap();
        assert_eq!(first_at(30.0, fps(1, 1)), 30);
        assert_eq!(first_at(0.3, fps(10, 1)), 3);
        assert_eq!(first_at(0.31, fps(10, 1)), 4);
        assert_eq!(first_at(1.0, fps(2997, 100)), 30);
        assert_eq!(first_at(-1.0, fps(1, 1)), 0);
    }
}
