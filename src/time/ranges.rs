//! Ranges of a video, and which samples fall into them.

use crate::time::Pts;
use crate::time::Ratio;
use crate::time::Sampling;
use crate::time::TimeBase;
use std::sync::Arc;
use std::time::Duration;

/// A part of a video, counted from its first frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeRange {
    /// Its first moment.
    pub start: Duration,
    /// The moment after its last; `None` where that is the end of the video.
    pub end: Option<Duration>,
}

impl TimeRange {
    /// How long it is in a video of `length`.
    pub fn length_in(&self, length: Duration) -> Duration {
        let end = self.end.map_or(length, |end| end.min(length));
        end.saturating_sub(self.start)
    }
}

/// The parts of a video that are wanted, in order and apart from each other; at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeRanges(Arc<[TimeRange]>);

impl Default for TimeRanges {
    /// All of a video.
    fn default() -> Self {
        Self::from(TimeRange::default())
    }
}

impl From<TimeRange> for TimeRanges {
    fn from(range: TimeRange) -> Self {
        Self([range].into())
    }
}

impl TimeRanges {
    /// `ranges` in order; `None` where there is none, one is empty, or two have a moment in common.
    pub fn new(mut ranges: Vec<TimeRange>) -> Option<Self> {
        ranges.sort_by_key(|range| range.start);
        let is_empty = |range: &TimeRange| range.end.is_some_and(|end| end <= range.start);
        let meet = |two: &[TimeRange]| match two {
            [one, next] => one.end.is_none_or(|end| end > next.start),
            _ => false,
        };
        let are_apart = !ranges.iter().any(is_empty) && !ranges.windows(2).any(meet);
        (are_apart && !ranges.is_empty()).then(|| Self(ranges.into()))
    }

    /// Each of them, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = TimeRange> {
        self.0.iter().copied()
    }

    /// Whether they are all of a video.
    pub fn are_all(&self) -> bool {
        *self.0 == [TimeRange::default()]
    }

    /// Where the first of them begins.
    pub fn start(&self) -> Duration {
        self.0.first().map_or(Duration::ZERO, |first| first.start)
    }

    /// Where the last of them ends; `None` where that is the end of the video.
    pub fn end(&self) -> Option<Duration> {
        self.0.last().and_then(|last| last.end)
    }

    /// The first `length` of what they hold, one after the other.
    #[must_use]
    pub fn first(&self, length: Duration) -> Self {
        let mut left = length;
        let mut taken = Vec::new();
        for range in self.iter() {
            let most = range.start.saturating_add(left);
            let end = range.end.map_or(most, |end| end.min(most));
            taken.push(TimeRange {
                end: Some(end),
                ..range
            });
            left = left.saturating_sub(end.saturating_sub(range.start));
            if left.is_zero() {
                break;
            }
        }
        Self(taken.into())
    }

    /// Those that begin at `length` or later, which a video of that length knows nothing of.
    pub fn beyond(&self, length: Duration) -> impl Iterator<Item = TimeRange> {
        // A start of nothing is that of every video.
        let begins = move |range: &TimeRange| range.start >= length && !range.start.is_zero();
        self.iter().filter(begins)
    }
}

/// The sampling rules of ranges: their samples are numbered on from one range to the next.
#[derive(Clone, Debug)]
pub struct SamplingRules {
    base: TimeBase,
    first: Pts,
    rules: Arc<[RangeRule]>,
}

#[derive(Clone, Copy, Debug)]
struct RangeRule {
    rule: Sampling,
    // The number of samples of those before it.
    before: u64,
    // The number of its own, at most.
    most: u64,
}

impl SamplingRules {
    /// The rules of `ranges` in a stream with ticks of `base` and this first frame.
    pub fn new(fps: Ratio, ranges: &TimeRanges, base: TimeBase, first: Pts) -> Self {
        let mut before = 0_u64;
        let rules = ranges.iter().map(|TimeRange { start, end }| {
            let count = |end| Sampling::count_in(fps, start, end);
            let one = RangeRule {
                rule: Sampling {
                    fps,
                    base,
                    first,
                    start,
                },
                before,
                most: end.map_or(u64::MAX, count),
            };
            before = before.saturating_add(one.most);
            one
        });
        Self {
            base,
            first,
            rules: rules.collect(),
        }
    }

    /// The number of samples of `ranges` in a video of `length`.
    pub fn count_in(fps: Ratio, ranges: &TimeRanges, length: Duration) -> u64 {
        let count = |range: TimeRange| {
            let end = range.end.map_or(length, |end| end.min(length));
            Sampling::count_in(fps, range.start, end)
        };
        ranges.iter().map(count).fold(0, u64::saturating_add)
    }

    /// Seconds since the first frame.
    pub fn seconds_at(&self, pts: Pts) -> f64 {
        self.base.seconds_between(self.first, pts)
    }

    /// The number of samples in all, where they have an end.
    pub fn count(&self) -> u64 {
        self.sum(|_| u64::MAX)
    }

    /// The first sample that is due at `pts` or later.
    pub fn first_due_from(&self, pts: Pts) -> u64 {
        self.sum(|rule| rule.first_due_from(pts))
    }

    /// The first sample that is as near to the frame at `next` as to the one at `this`, or nearer.
    pub fn first_nearer_to(&self, this: Pts, next: Pts) -> u64 {
        self.sum(|rule| rule.first_nearer_to(this, next))
    }

    /// The number of samples in a stream that ends at `end`.
    pub fn count_until(&self, end: Pts) -> u64 {
        self.sum(|rule| rule.count_until(end))
    }

    // What `count` says of the first range that is not full, behind those that are.
    fn sum(&self, count: impl Fn(&Sampling) -> u64) -> u64 {
        let is_full = |it: &RangeRule| count(&it.rule) >= it.most;
        let full = self.rules.partition_point(is_full);
        match (self.rules.get(full), self.rules.last()) {
            (Some(it), _) => it.before.saturating_add(count(&it.rule)),
            (None, Some(last)) => last.before.saturating_add(last.most),
            (None, None) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::SamplingRules;
    use super::TimeRange;
    use super::TimeRanges;
    use crate::time::Pts;
    use crate::time::Ratio;
    use crate::time::TimeBase;
    use std::time::Duration;

    fn range(start: f64, end: f64) -> TimeRange {
        let end = end.is_finite().then(|| Duration::from_secs_f64(end));
        TimeRange {
            start: Duration::from_secs_f64(start),
            end,
        }
    }

    fn ranges(all: &[(f64, f64)]) -> Option<TimeRanges> {
        TimeRanges::new(all.iter().map(|&(start, end)| range(start, end)).collect())
    }

    #[test]
    fn ranges_are_in_order_and_apart() {
        let endless = f64::INFINITY;
        let two = ranges(&[(5.0, 6.0), (1.0, 2.0)]).unwrap();
        assert_eq!(two, ranges(&[(1.0, 2.0), (5.0, 6.0)]).unwrap());
        assert!(ranges(&[(1.0, 2.0), (2.0, endless)]).is_some());
        assert!(ranges(&[(0.0, endless)]).unwrap().are_all());
        let bad: [&[(f64, f64)]; 5] = [
            &[],
            &[(1.0, 1.0)],
            &[(2.0, 1.0)],
            &[(1.0, 3.0), (2.0, 4.0)],
            &[(1.0, endless), (5.0, 6.0)],
        ];
        for bad in bad {
            assert_eq!(ranges(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_first_of_them_is_taken_range_by_range() {
        let two = ranges(&[(1.0, 3.0), (10.0, 20.0)]).unwrap();
        let first = |seconds| two.first(Duration::from_secs_f64(seconds));
        assert_eq!(first(1.5), ranges(&[(1.0, 2.5)]).unwrap());
        assert_eq!(first(2.0), ranges(&[(1.0, 3.0)]).unwrap());
        assert_eq!(first(5.0), ranges(&[(1.0, 3.0), (10.0, 13.0)]).unwrap());
        assert_eq!(first(99.0), two);
        let all = TimeRanges::default().first(Duration::from_secs(4));
        assert_eq!(all, ranges(&[(0.0, 4.0)]).unwrap());
        let length = |seconds| {
            let parts = two
                .iter()
                .map(|it| it.length_in(Duration::from_secs_f64(seconds)));
            parts.sum::<Duration>().as_secs_f64()
        };
        assert_eq!([0.5, 2.0, 12.0, 99.0].map(length), [0.0, 1.0, 4.0, 12.0]);
    }

    #[test]
    fn each_range_has_a_grid_of_its_own() {
        let fps = Ratio::new(1, 2).unwrap();
        let wanted = ranges(&[(1.0, 4.0), (10.5, 15.0)]).unwrap();
        // Due at 1, 3, 10.5, 12.5 and 14.5 s.
        let rules = SamplingRules::new(fps, &wanted, TimeBase::new(1, 10).unwrap(), Pts(100));
        assert_eq!(rules.count(), 5);
        let due = |ticks: i64| rules.first_due_from(Pts(100 + ticks));
        assert_eq!([0, 10, 11, 31].map(due), [0, 0, 1, 2]);
        assert_eq!([105, 106, 126, 146, 9_999].map(due), [2, 3, 4, 5, 5]);
        assert_eq!(rules.count_until(Pts(100 + 110)), 3, "it ends at 11 s");
        let count =
            |seconds| SamplingRules::count_in(fps, &wanted, Duration::from_secs_f64(seconds));
        assert_eq!([0.5, 4.0, 11.0, 99.0].map(count), [0, 2, 3, 5]);
    }
}
