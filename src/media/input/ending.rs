//! Whether a stream ends where its container says.

use crate::media::ffmpeg;
use crate::media::input::container;
use crate::media::input::container::UNREADABLE_LIMIT;
use crate::media::stop::StopFlag;
use crate::time::Pts;
use ffmpeg_next::Packet;
use ffmpeg_next::error::Error;
use ffmpeg_next::format::context::Input;
use std::fmt;
use std::fmt::Display;
use std::fmt::Formatter;
use std::path::Path;

/// Seconds that a stream may end before the stated end: headers round, and say nothing of what
/// an encoder put before the sound. Two frames where those are longer.
const ROUNDING: f64 = 0.5;

/// Where a stream ends whose packets were all read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::media) struct StreamEnd {
    /// The time stamp at which its last packet ends.
    pub(in crate::media) pts: Pts,
    /// That its container says otherwise.
    pub(in crate::media) early: Option<EarlyEnd>,
}

/// A stream that ends before its container says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EarlyEnd {
    /// Seconds from the start of the stream to its last packet's end.
    pub end: f64,
    /// Seconds from the start of the stream to the stated end.
    pub stated: f64,
}

impl Display for EarlyEnd {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "breaks off: it ends at {:.3} s of {:.3} s; the file was cut short or is damaged",
            self.end, self.stated
        )
    }
}

/// What was read of a stream.
pub(in crate::media) struct ReadStream<'a> {
    /// The file.
    pub(in crate::media) path: &'a Path,
    /// The same, open.
    pub(in crate::media) input: &'a Input,
    /// Its number in the file.
    pub(in crate::media) stream: usize,
    /// Ticks of it, where the container states them.
    pub(in crate::media) ticks: Option<i64>,
    /// The time stamp at which its last packet ends.
    pub(in crate::media) end: i64,
    /// Ticks of a usual packet.
    pub(in crate::media) usual: i64,
}

impl ReadStream<'_> {
    /// How much earlier it ends than the container states; `None` where it ends there, and
    /// where FFmpeg derived the duration from the packets or from the size of the file.
    pub(in crate::media) fn early_end(&self, stop: &StopFlag) -> Option<EarlyEnd> {
        if !ffmpeg::states_duration(self.input) {
            return None;
        }
        let stream = self.input.stream(self.stream)?;
        let tick = f64::from(stream.time_base());
        let end = self.end as f64 * tick;
        let slack = ROUNDING.max(2.0 * self.usual as f64 * tick);
        let own = self.ticks.filter(|ticks| *ticks > 0);
        let (start, stated) = match own {
            Some(ticks) => (
                stream.start_time().max(0) as f64 * tick,
                ticks as f64 * tick,
            ),
            None => whole(self.input)?,
        };
        if end + slack >= start + stated {
            return None;
        }
        // Another stream may be what lasts as long as the container states.
        if own.is_none() && latest_end(self.path, stop)? + slack >= start + stated {
            return None;
        }
        Some(EarlyEnd {
            end: (end - start).max(0.0),
            stated,
        })
    }
}

// Where the file starts and how long it is, in seconds.
fn whole(input: &Input) -> Option<(f64, f64)> {
    let seconds = |time: i64| time as f64 / f64::from(ffmpeg_next::ffi::AV_TIME_BASE);
    let length = input.duration();
    (length > 0).then(|| (seconds(ffmpeg::start_time(input)), seconds(length)))
}

// The end of the last packet of any stream, in seconds; reads all of them.
fn latest_end(path: &Path, stop: &StopFlag) -> Option<f64> {
    let mut input = container::open_file(path, stop).ok()?;
    let ticks: Vec<f64> = input.streams().map(|it| it.time_base().into()).collect();
    let mut latest: Option<f64> = None;
    let mut unreadable = 0;
    while !stop.is_set() && unreadable < UNREADABLE_LIMIT {
        let mut packet = Packet::empty();
        match packet.read(&mut input) {
            Ok(()) => {
                let end = packet.pts().zip(ticks.get(packet.stream()));
                let end = end
                    .map(|(pts, tick)| pts.saturating_add(packet.duration().max(0)) as f64 * tick);
                latest = end.into_iter().chain(latest).reduce(f64::max);
            }
            Err(Error::Eof) => break,
            Err(_) => unreadable += 1,
        }
    }
    latest
}
