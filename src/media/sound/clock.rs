//! The clock of a video in samples: where a time stamp of its sound lies.
//!
//! Exact to the nearest sample, however long a video is.

use crate::speech::RATE;
use crate::time::Pts;
use crate::time::TimeBase;

/// From the time stamps of a sound stream to places on the clock of a video.
#[derive(Clone, Copy, Debug)]
pub(super) struct SoundClock {
    /// The tick of the sound.
    pub(super) base: TimeBase,
    /// The first frame, or the first sample where there are no frames.
    pub(super) origin: (Pts, TimeBase),
    /// The number of samples from where a player's clock begins to there.
    pub(super) lead: i64,
}

impl SoundClock {
    /// The place of a time stamp: negative for what no player plays.
    pub(super) fn place(&self, pts: Pts) -> i64 {
        let (origin, base) = self.origin;
        let place = i128::from(samples(pts, self.base)) - i128::from(samples(origin, base))
            + i128::from(self.lead);
        i64::try_from(place).unwrap_or(if place > 0 { i64::MAX } else { i64::MIN })
    }
}

// The nearest sample since time 0; what is out of all reason is as far as numbers go.
fn samples(pts: Pts, base: TimeBase) -> i64 {
    let ratio = base.ratio();
    let (num, den) = (
        i128::from(ratio.num()) * i128::from(RATE),
        i128::from(ratio.den()),
    );
    let nearest = i128::from(pts.0)
        .checked_mul(num)
        .map(|ticks| (2 * ticks + den).div_euclid(2 * den));
    let limit = i64::MAX / 4;
    nearest.map_or(limit, |nearest| {
        nearest.clamp(-i128::from(limit), i128::from(limit)) as i64
    })
}

#[cfg(test)]
mod tests {
    use super::SoundClock;
    use crate::time::Pts;
    use crate::time::TimeBase;

    #[test]
    fn places_are_exact_after_a_day() {
        let base = |num, den| TimeBase::new(num, den).unwrap();
        let clock = SoundClock {
            base: base(1, 44_100),
            origin: (Pts(9_000), base(1, 90_000)),
            lead: 0,
        };
        assert_eq!(clock.place(Pts(4_410)), 0);
        assert_eq!(clock.place(Pts(0)), -1_600);
        let day = 24 * 3600;
        assert_eq!(clock.place(Pts(44_100 * day)), 16_000 * day - 1_600);
        assert!(clock.place(Pts(i64::MAX)) > 0);
        assert!(clock.place(Pts(i64::MIN)) < 0);
    }
}
