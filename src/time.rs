//! Time in a video: ticks, fractions and the sampling rule, without rounding.
//!
//! Everything is a fraction of integers until it is printed. Knows nothing of containers,
//! codecs or clocks on the wall.

mod ranges;

pub use ranges::SamplingRules;
pub use ranges::TimeRange;
pub use ranges::TimeRanges;

use serde::Deserialize;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// A fraction with a positive denominator, in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ratio {
    num: i64,
    den: i64,
}

impl Ratio {
    /// One.
    pub const ONE: Self = Self { num: 1, den: 1 };

    /// A thousand million: so many samples a second that each frame of a video shows one.
    pub const MILLIARD: Self = Self {
        num: NANOSECONDS,
        den: 1,
    };

    /// `num / den` in lowest terms; `None` where `den` is zero or a part is `i64::MIN`.
    pub fn new(num: i64, den: i64) -> Option<Self> {
        if den == 0 || num == i64::MIN || den == i64::MIN {
            return None;
        }
        let sign = den.signum();
        let divisor = gcd(num.unsigned_abs(), den.unsigned_abs())
            .max(1)
            .cast_signed();
        Some(Self {
            num: sign * num / divisor,
            den: den.abs() / divisor,
        })
    }

    /// The fraction that a decimal number reads as: 29.97 is 2997/100, not its nearest binary
    /// neighbour. `None` for what is not finite or needs more than 18 digits.
    pub fn from_decimal(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let text = format!("{value}");
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let den = 10_i64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        let num: i64 = format!("{whole}{fraction}").parse().ok()?;
        Self::new(num, den)
    }

    /// The numerator.
    pub fn num(self) -> i64 {
        self.num
    }

    /// The denominator, always positive.
    pub fn den(self) -> i64 {
        self.den
    }

    /// The nearest floating-point number, for printing and for estimates.
    pub fn to_f64(self) -> f64 {
        self.num as f64 / self.den as f64
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.den == 1 {
            write!(f, "{}", self.num)
        } else {
            write!(f, "{}/{}", self.num, self.den)
        }
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// A presentation time stamp, in ticks of its stream's [`TimeBase`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pts(pub i64);

/// The length of a tick in seconds; always positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TimeBase(Ratio);

impl TimeBase {
    /// A thousand millionth of a second.
    pub const NANOSECOND: Self = Self(Ratio {
        num: 1,
        den: NANOSECONDS,
    });

    /// The time base `num / den`; `None` unless it is positive.
    pub fn new(num: i64, den: i64) -> Option<Self> {
        Ratio::new(num, den).filter(|ratio| ratio.num > 0).map(Self)
    }

    /// The length of a tick.
    pub fn ratio(self) -> Ratio {
        self.0
    }

    /// The seconds between two time stamps.
    pub fn seconds_between(self, from: Pts, to: Pts) -> f64 {
        let ticks = i128::from(to.0) - i128::from(from.0);
        (ticks * i128::from(self.0.num)) as f64 / self.0.den as f64
    }
}

/// The sampling rule: sample `k` is the frame on screen `start + k / fps` seconds after the
/// first.
///
/// The frame on screen at `t` is the last one whose time stamp is at most `t`, the choice of
/// FFmpeg's `fps=N:round=up`. `d` seconds of video have `ceil(d x fps)` samples.
#[derive(Clone, Copy, Debug)]
pub struct Sampling {
    /// Samples a second.
    pub fps: Ratio,
    /// The tick of the video stream.
    pub base: TimeBase,
    /// The time stamp of the first frame.
    pub first: Pts,
    /// From there to sample 0.
    pub start: Duration,
}

impl Sampling {
    /// The number of samples in the first `length` of a video.
    pub fn count_in(fps: Ratio, start: Duration, length: Duration) -> u64 {
        let rule = Self {
            fps,
            base: TimeBase::NANOSECOND,
            first: Pts(0),
            start,
        };
        rule.count_until(Pts(nanoseconds(length)))
    }

    /// The first sample that is due at `pts` or later.
    pub fn first_due_from(&self, pts: Pts) -> u64 {
        let per_sample = self.per_sample();
        let k = self.scaled(pts).div_euclid(per_sample)
            + i128::from(self.scaled(pts).rem_euclid(per_sample) != 0);
        u64::try_from(k.max(0)).unwrap_or(u64::MAX)
    }

    /// The first sample that is as near to the frame at `next` as to the one at `this`, or nearer.
    pub fn first_nearer_to(&self, this: Pts, next: Pts) -> u64 {
        // The middle between two time stamps need not be a tick: half ticks hold it.
        let tick = self.base.ratio();
        let halves = tick.den().checked_mul(2);
        let half = halves.and_then(|den| TimeBase::new(tick.num(), den));
        let due = half.map_or(u64::MAX, |base| {
            let rule = Self {
                base,
                first: Pts(self.first.0.saturating_mul(2)),
                ..*self
            };
            rule.first_due_from(Pts(this.0.saturating_add(next.0)))
        });
        due.min(self.first_due_from(next))
    }

    /// The number of samples in a stream that ends at `end` (its last time stamp plus that
    /// frame's duration): `ceil((end - first - start) x fps)`. At least one where sampling
    /// starts with the first frame, whatever its duration; none in a stream that ends before
    /// `start`.
    pub fn count_until(&self, end: Pts) -> u64 {
        let least = u64::from(self.start.is_zero());
        self.first_due_from(end).max(least)
    }

    // Both sides of `k / fps <= (pts - first) x base - start`, multiplied by
    // `fps.num x base.den` and a thousand million. Saturating, for time stamps that are not of
    // this world.
    fn per_sample(&self) -> i128 {
        product([self.fps.den, self.base.0.den, NANOSECONDS])
    }

    fn scaled(&self, pts: Pts) -> i128 {
        let ticks = i128::from(pts.0) - i128::from(self.first.0);
        let since_first = product([self.base.0.num, self.fps.num, NANOSECONDS]);
        let start = product([nanoseconds(self.start), self.fps.num, self.base.0.den]);
        ticks.saturating_mul(since_first).saturating_sub(start)
    }
}

/// In a second.
const NANOSECONDS: i64 = 1_000_000_000;

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

fn product(factors: [i64; 3]) -> i128 {
    let factors = factors.map(i128::from);
    factors.into_iter().fold(1, i128::saturating_mul)
}

#[cfg(test)]
mod tests {
    use super::Pts;
    use super::Ratio;
    use super::Sampling;
    use super::TimeBase;
    use std::time::Duration;

    fn sampling(fps: f64, base: (i64, i64)) -> Sampling {
        Sampling {
            fps: Ratio::from_decimal(fps).unwrap(),
            base: TimeBase::new(base.0, base.1).unwrap(),
            first: Pts(0),
            start: Duration::ZERO,
        }
    }

    #[test]
    fn decimals_are_read_as_written() {
        assert_eq!(Ratio::from_decimal(29.97), Ratio::new(2997, 100));
        assert_eq!(Ratio::from_decimal(0.5), Ratio::new(1, 2));
        assert_eq!(Ratio::from_decimal(1e-9), Ratio::new(1, 1_000_000_000));
        assert_eq!(Ratio::from_decimal(f64::NAN), None);
        assert_eq!(Ratio::from_decimal(1e300), None);
    }

    #[test]
    fn a_video_of_574_seconds_has_574_samples_at_one_a_second() {
        let rule = sampling(1.0, (1, 30));
        assert_eq!(rule.count_until(Pts(574 * 30)), 574);
        assert_eq!(rule.count_until(Pts(574 * 30 + 1)), 575);
        assert_eq!(rule.count_until(Pts(7 * 30 + 18)), 8);
        assert_eq!(rule.count_until(Pts(1)), 1);
    }

    #[test]
    fn the_frame_on_screen_is_the_last_one_at_or_before_the_sample() {
        let rule = sampling(1.0, (1, 30));
        assert_eq!(rule.first_due_from(Pts(30)), 1);
        assert_eq!(rule.first_due_from(Pts(31)), 2);
    }

    #[test]
    fn samples_count_from_the_start() {
        let rule = Sampling {
            start: Duration::from_millis(1500),
            ..sampling(2.0, (1, 10))
        };
        // Due at ticks 15, 20, 25...
        assert_eq!(rule.first_due_from(Pts(0)), 0);
        assert_eq!(rule.first_due_from(Pts(15)), 0);
        assert_eq!(rule.first_due_from(Pts(16)), 1);
        assert_eq!(rule.count_until(Pts(10)), 0, "it ends before the start");
        assert_eq!(rule.count_until(Pts(15)), 0);
        assert_eq!(rule.count_until(Pts(21)), 2);
        assert_eq!(
            rule.first_due_from(Pts(i64::MAX)),
            1_844_674_407_370_955_159
        );
    }

    #[test]
    fn ntsc_does_not_drift() {
        let rule = sampling(29.97, (1001, 30000));
        assert_eq!(rule.count_until(Pts(30_000)), 29_999 + 1);
    }
}
