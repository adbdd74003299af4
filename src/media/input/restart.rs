//! Where the times of a stream start again, and where they only wrap.
//!
//! Files joined end to end and devices that restart count from the beginning again; MPEG counts in
//! 33 bits, which are full after 26 hours.

use crate::time::TimeBase;
use std::collections::VecDeque;

/// Packets that may come before one that is shown earlier: twice what any codec allows, for the
/// fields of interlaced frames.
const REORDERED: usize = 32;

/// Times may go back by less than this, in milliseconds: badly written streams do.
const SLACK_MS: i64 = 100;

/// A wrap that skips more seconds than this is a restart.
const WRAP_GAP: i64 = 60;

/// Follows the times of a stream, packet by packet in the order of the file.
#[derive(Clone, Debug)]
pub(super) struct RestartDetector {
    window: usize,
    slack: i64,
    recent: VecDeque<i64>,
    // The latest of the times that are older than `recent`, of all times, and of keyframes.
    settled: Option<i64>,
    latest: Option<i64>,
    latest_key: Option<i64>,
}

impl RestartDetector {
    /// A detector for a stream with ticks of `base`, whose frames may be shown in another order
    /// than that of the file.
    pub(super) fn new(base: TimeBase, reorders: bool) -> Self {
        Self {
            window: if reorders { REORDERED } else { 0 },
            slack: ticks(base, SLACK_MS),
            recent: VecDeque::new(),
            settled: None,
            latest: None,
            latest_key: None,
        }
    }

    /// The latest time since the last restart.
    pub(super) fn latest(&self) -> Option<i64> {
        self.latest
    }

    /// Whether `pts` is earlier than what was there already.
    pub(super) fn is_earlier(&self, pts: i64) -> bool {
        self.is_before(pts, self.latest)
    }

    /// Takes the time of the next packet, and says whether time starts again with it.
    pub(super) fn restarts(&mut self, pts: i64, is_key: bool) -> bool {
        // A keyframe is shown after the one before it, however frames are ordered.
        let is_earlier_key = is_key && self.latest_key.is_some_and(|key| pts <= key);
        let restarts = self.is_before(pts, self.settled) || is_earlier_key && self.is_earlier(pts);
        if restarts {
            self.begin_anew();
        }
        self.latest = self.latest.max(Some(pts));
        if is_key {
            self.latest_key = Some(pts);
        }
        self.recent.push_back(pts);
        if self.recent.len() > self.window {
            self.settled = self.settled.max(self.recent.pop_front());
        }
        restarts
    }

    /// Forgets what was before.
    pub(super) fn begin_anew(&mut self) {
        self.recent.clear();
        self.settled = None;
        self.latest = None;
        self.latest_key = None;
    }

    fn is_before(&self, pts: i64, time: Option<i64>) -> bool {
        time.is_some_and(|time| pts.saturating_add(self.slack) < time)
    }
}

/// The ticks of `base` in so many milliseconds.
pub(super) fn ticks(base: TimeBase, milliseconds: i64) -> i64 {
    let ratio = base.ratio();
    let ticks =
        i128::from(milliseconds) * i128::from(ratio.den()) / (1000 * i128::from(ratio.num()));
    i64::try_from(ticks).unwrap_or(i64::MAX)
}

/// Counts on where a counter of few bits wraps.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrapCounter {
    // `None` where the counter is wide enough for ever.
    period: Option<i64>,
    gap: i64,
    last: Option<i64>,
}

impl WrapCounter {
    /// A counter for times of so many bits.
    pub(super) fn new(base: TimeBase, bits: u32) -> Self {
        Self {
            period: (bits < 63).then(|| 1 << bits),
            gap: ticks(base, WRAP_GAP * 1000),
            last: None,
        }
    }

    /// The time that is meant by `time`. The first one is taken as it is: FFmpeg has all streams
    /// of a file begin on the same side of a wrap.
    pub(super) fn unwrap(&mut self, time: i64) -> i64 {
        let unwrapped = match (self.period, self.last) {
            (Some(period), Some(last)) => self.count_on(period, last, time),
            _ => time,
        };
        self.last = Some(unwrapped);
        unwrapped
    }

    /// The time nearest to `near` that is meant by `time`.
    pub(super) fn unwrap_near(&self, near: i64, time: i64) -> i64 {
        match self.period {
            Some(period) => near.saturating_add(nearest(period, near, time)),
            None => time,
        }
    }

    fn count_on(&self, period: i64, last: i64, time: i64) -> i64 {
        let step = nearest(period, last, time);
        let unwrapped = last.saturating_add(step);
        let turn = last.div_euclid(period);
        let wraps = unwrapped.div_euclid(period) > turn;
        if wraps && step > self.gap {
            return time.rem_euclid(period) + turn * period;
        }
        unwrapped
    }
}

// The shortest way from `from` to any time that looks like `to`.
fn nearest(period: i64, from: i64, to: i64) -> i64 {
    let ahead = i128::from(to) - i128::from(from);
    let ahead = ahead.rem_euclid(i128::from(period)) as i64;
    if ahead > period / 2 {
        ahead - period
    } else {
        ahead
    }
}

#[cfg(test)]
mod tests {
    use super::RestartDetector;
    use super::WrapCounter;
    use crate::time::TimeBase;

    fn base(den: i64) -> TimeBase {
        TimeBase::new(1, den).unwrap()
    }

    // A capital is a keyframe; a number is a time in tenths of a second.
    fn restarts(reorders: bool, packets: &str) -> Vec<usize> {
        let mut detector = RestartDetector::new(base(10), reorders);
        let packets = packets.split_whitespace().enumerate();
        let found = packets.filter(|(_, packet)| {
            let (kind, time) = packet.split_at(1);
            detector.restarts(time.parse().unwrap(), kind == "K")
        });
        found.map(|(index, _)| index).collect()
    }

    #[test]
    fn reordered_frames_are_no_restart_and_an_earlier_keyframe_is() {
        assert_eq!(restarts(true, "K0 p4 p2 p1 p3 K8 p6 p5 p7 p12 p10"), [0; 0]);
        assert_eq!(restarts(true, "K0 p4 p2 p1 p3 K0 p4 p2 p1 p3 K0"), [5, 10]);
        assert_eq!(restarts(true, "K90 p92 K3 p5"), [2]);
        // Two fields of one frame.
        assert_eq!(restarts(true, "K0 K0 p1 p1 K2 K2"), [0; 0]);
        let long: String = (0..60).map(|time| format!("p{time} ")).collect();
        assert_eq!(restarts(true, &format!("{long} p0 p1 p2")), [60]);
        assert_eq!(restarts(false, "K5 K6 K7 K6 K7 K8 K2 K3"), [6]);
    }

    #[test]
    fn a_wrap_goes_on_and_a_restart_goes_back() {
        // Ten bits of seconds.
        let unwrapped = |times: &[i64]| -> Vec<i64> {
            let mut counter = WrapCounter::new(base(1), 10);
            times.iter().map(|time| counter.unwrap(*time)).collect()
        };
        assert_eq!(
            unwrapped(&[1000, 1020, 1019, 3, 1023, 5]),
            [1000, 1020, 1019, 1027, 1023, 1029]
        );
        assert_eq!(unwrapped(&[700, 900, 200]), [700, 900, 200]);
        assert_eq!(unwrapped(&[-20, -1, 3, 9]), [-20, -1, 3, 9]);
        assert_eq!(unwrapped(&[5, 9, 1010]), [5, 9, -14]);
        // FFmpeg adds a turn to what is earlier than the beginning.
        assert_eq!(
            unwrapped(&[300, 310, 1025, 1124, 101]),
            [300, 310, 1, 100, 101]
        );
        let counter = WrapCounter::new(base(1), 10);
        assert_eq!(counter.unwrap_near(1027, 1), 1025);
        assert_eq!(counter.unwrap_near(1027, 1022), 1022);
    }
}
