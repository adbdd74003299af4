//! Which samples each frame shows, told frame by frame in the order of display.

use crate::media::VideoSelection;
use crate::time::Pts;
use crate::time::Sampling;
use crate::time::TimeBase;

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
#[derive(Clone, Copy, Debug)]
pub(in crate::media) struct Sampler {
    rule: Sampling,
    // The first sample that has no frame yet, and the first that is not wanted any more.
    next: u64,
    end: u64,
}

impl Sampler {
    /// A sampler for the samples that `wanted` asks for.
    pub(in crate::media) fn new(rule: Sampling, wanted: &VideoSelection) -> Self {
        Self {
            rule,
            next: 0,
            end: wanted.samples_at_most(),
        }
    }

    /// The same, where the samples before `next` have their frames already.
    pub(in crate::media) fn after(mut self, next: u64) -> Self {
        self.next = self.next.max(next);
        self
    }

    /// Where a frame is.
    pub(in crate::media) fn place(&self, number: u64, pts: Pts) -> FramePosition {
        let seconds = self.rule.base.seconds_between(self.rule.first, pts);
        FramePosition {
            number,
            pts,
            seconds,
        }
    }

    /// The first sample that has no frame yet.
    pub(in crate::media) fn next_sample(&self) -> u64 {
        self.next
    }

    /// The number of samples that fall on the frame which the one at `next` replaces.
    pub(in crate::media) fn shown_before(&mut self, next: Pts) -> u64 {
        self.take(self.rule.first_due_from(next))
    }

    /// The number of samples that are nearer to the frame at `this` than to the one at `next`.
    pub(in crate::media) fn nearer_to(&mut self, this: Pts, next: Pts) -> u64 {
        let Sampling { base, first, .. } = self.rule;
        // The middle between two time stamps need not be a tick: half ticks hold it.
        let tick = base.ratio();
        let halves = tick.den().checked_mul(2);
        let half = halves.and_then(|den| TimeBase::new(tick.num(), den));
        let due = half.map_or(u64::MAX, |base| {
            let first = Pts(first.0.saturating_mul(2));
            let middle = Pts(this.0.saturating_add(next.0));
            let rule = Sampling {
                base,
                first,
                ..self.rule
            };
            rule.first_due_from(middle)
        });
        self.take(due.min(self.rule.first_due_from(next)))
    }

    /// The number of samples that fall on the last frame of a stream that ends at `end`.
    pub(in crate::media) fn shown_last(&mut self, end: Pts) -> u64 {
        self.take(self.rule.count_until(end))
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
    use crate::item::PixelFormat;
    use crate::media::VideoSelection;
    use crate::time::Pts;
    use crate::time::Ratio;
    use crate::time::Sampling;
    use crate::time::TimeBase;
    use std::time::Duration;

    #[test]
    fn the_end_falls_between_samples_exactly() {
        let at_most = |start, end, fps| {
            let fps = Ratio::from_decimal(fps).unwrap();
            let mut wanted = VideoSelection::new(fps, 64, PixelFormat::I420);
            wanted.start = Duration::from_secs_f64(start);
            wanted.end = Some(Duration::from_secs_f64(end));
            wanted.samples_at_most()
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
        let fps = Ratio::new(1, 1).unwrap();
        let rule = Sampling {
            fps,
            base: TimeBase::new(1, 10).unwrap(),
            first: Pts(7),
            start: Duration::ZERO,
        };
        let mut sampler = Sampler::new(rule, &VideoSelection::new(fps, 64, PixelFormat::I420));
        // Samples at ticks 7, 17, 27...; the middle of 7 and 52 is at 29.5.
        assert_eq!(sampler.nearer_to(Pts(7), Pts(52)), 3);
        // The one at 57 is as near to both: the later frame gets it.
        assert_eq!(sampler.nearer_to(Pts(52), Pts(62)), 2);
        assert_eq!(sampler.next_sample(), 5);
    }
}
