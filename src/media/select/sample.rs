//! Which samples each frame shows, told frame by frame in the order of display.

use crate::time::Pts;
use crate::time::SamplingRules;

/// Where in the source a frame is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::media) struct FramePosition {
    /// Its index in the order of display, from 0.
    pub(in crate::media) number: u64,
    /// Its time stamp.
    pub(in crate::media) pts: Pts,
    /// Seconds since the first frame.
    pub(in crate::media) seconds: f64,
}

/// A frame that shows samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::media) struct SampleTarget {
    /// Where it is.
    pub(in crate::media) place: FramePosition,
    /// The number of samples it shows, at least 1.
    pub(in crate::media) samples: u64,
    /// The first sample after those.
    pub(in crate::media) next_sample: u64,
    /// Whether nobody needs to see it.
    pub(in crate::media) is_known: bool,
}

/// Deals the samples of a stream out to its frames.
#[derive(Clone, Debug)]
pub(in crate::media) struct Sampler {
    rules: SamplingRules,
    // The first sample that has no frame yet, and the first that is not wanted any more.
    next: u64,
    end: u64,
}

impl Sampler {
    /// A sampler for all samples of `rules`.
    pub(in crate::media) fn new(rules: SamplingRules) -> Self {
        Self {
            next: 0,
            end: rules.count(),
            rules,
        }
    }

    /// The same, where the samples before `next` have their frames already.
    pub(in crate::media) fn after(mut self, next: u64) -> Self {
        self.next = self.next.max(next);
        self
    }

    /// Where a frame is.
    pub(in crate::media) fn place(&self, number: u64, pts: Pts) -> FramePosition {
        FramePosition {
            number,
            pts,
            seconds: self.rules.seconds_at(pts),
        }
    }

    /// The first sample that has no frame yet.
    pub(in crate::media) fn next_sample(&self) -> u64 {
        self.next
    }

    /// The number of samples that fall on the frame which the one at `next` replaces.
    pub(in crate::media) fn shown_before(&mut self, next: Pts) -> u64 {
        self.take(self.rules.first_due_from(next))
    }

    /// The number of samples that are nearer to the frame at `this` than to the one at `next`.
    pub(in crate::media) fn nearer_to(&mut self, this: Pts, next: Pts) -> u64 {
        self.take(self.rules.first_nearer_to(this, next))
    }

    /// The number of samples that fall on the last frame of a stream that ends at `end`.
    pub(in crate::media) fn shown_last(&mut self, end: Pts) -> u64 {
        self.take(self.rules.count_until(end))
    }

    /// Whether all samples that are wanted have their frame.
    pub(in crate::media) fn is_done(&self) -> bool {
        self.next >= self.end
    }

    fn take(&mut self, due: u64) -> u64 {
        let due = due.min(self.end);
        let taken = due.saturating_sub(self.next);
        self.next = self.next.max(due);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::Sampler;
    use crate::time::Pts;
    use crate::time::Ratio;
    use crate::time::SamplingRules;
    use crate::time::TimeBase;
    use crate::time::TimeRange;
    use crate::time::TimeRanges;
    use std::time::Duration;

    #[test]
    fn the_end_falls_between_samples_exactly() {
        let at_most = |start, end, fps| {
            let fps = Ratio::from_decimal(fps).unwrap();
            let range = TimeRange {
                start: Duration::from_secs_f64(start),
                end: Some(Duration::from_secs_f64(end)),
            };
            let base = TimeBase::new(1, 1000).unwrap();
            SamplingRules::new(fps, &range.into(), base, Pts(0)).count()
        };
        assert_eq!(at_most(0.0, 30.0, 1.0), 30);
        assert_eq!(at_most(0.0, 0.3, 10.0), 3);
        assert_eq!(at_most(0.0, 0.31, 10.0), 4);
        assert_eq!(at_most(0.0, 1.0, 29.97), 30);
        assert_eq!(at_most(0.1, 0.3, 10.0), 2);
        assert_eq!(at_most(5.0, 3.0, 10.0), 0);
    }

    #[test]
    fn the_nearer_of_two_frames_gets_the_sample() {
        let (fps, base) = (Ratio::ONE, TimeBase::new(1, 10).unwrap());
        let rules = SamplingRules::new(fps, &TimeRanges::default(), base, Pts(7));
        let mut sampler = Sampler::new(rules);
        // Samples at ticks 7, 17, 27...; the middle of 7 and 52 is at 29.5.
        assert_eq!(sampler.nearer_to(Pts(7), Pts(52)), 3);
        // The one at 57 is as near to both: the later frame gets it.
        assert_eq!(sampler.nearer_to(Pts(52), Pts(62)), 2);
        assert_eq!(sampler.next_sample(), 5);
    }
}
