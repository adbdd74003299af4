//! The packets of one stream with continuous times, whatever the file does to them.
//!
//! Costs nothing until times go back; then the whole file is looked through, once.

use crate::media::ffmpeg;
use crate::media::input::container;
use crate::media::input::restart;
use crate::media::input::restart::RestartDetector;
use crate::media::input::restart::WrapCounter;
use crate::media::input::timeline::StreamKind;
use crate::media::input::timeline::Timeline;
use crate::media::stop::StopFlag;
use crate::time::TimeBase;
use ffmpeg_next::Packet;
use ffmpeg_next::format::context::Input;
use std::path::Path;
use std::path::PathBuf;

/// In a broadcast, a stream that is silent for longer than this, in milliseconds, may be one that
/// ended before a join.
const SUSPICIOUS_MS: i64 = 1000;

/// Makes the times of one stream continuous.
pub(in crate::media) struct Continuity {
    path: PathBuf,
    // The video and the sound of the file, and which of them this is.
    streams: [Option<usize>; 2],
    medium: StreamKind,
    wrap: WrapCounter,
    detector: RestartDetector,
    // Ticks of a suspicious gap; `None` where none is.
    suspicious: Option<i64>,
    packets: u64,
    timeline: Option<Timeline>,
}

impl Continuity {
    /// For the stream of `streams`, the video and the sound of the file at `path`, that is of
    /// this medium.
    pub(in crate::media) fn new(
        path: &Path,
        input: &Input,
        streams: [Option<usize>; 2],
        medium: StreamKind,
        base: TimeBase,
    ) -> Self {
        let stream = streams[medium as usize].and_then(|index| input.stream(index));
        let bits = stream.as_ref().map_or(64, ffmpeg::wrap_bits);
        let reorders = stream.is_some_and(|it| ffmpeg::reorders(&it.parameters()));
        Self {
            path: path.into(),
            streams,
            medium,
            wrap: WrapCounter::new(base, bits),
            detector: RestartDetector::new(base, reorders),
            suspicious: container::is_broadcast(input).then(|| restart::ticks(base, SUSPICIOUS_MS)),
            packets: 0,
            timeline: None,
        }
    }

    /// Gives the next packet of the stream its continuous times.
    pub(in crate::media) fn mend(&mut self, packet: &mut Packet, stop: &StopFlag) {
        let number = self.packets;
        self.packets += 1;
        let pts = packet.pts().map(|pts| self.wrap.unwrap(pts));
        let dts = packet.dts().map(|dts| match pts {
            Some(pts) => self.wrap.unwrap_near(pts, dts),
            None => dts,
        });
        if self.timeline.is_none() && pts.is_some_and(|pts| self.is_odd(pts, packet.is_key())) {
            let scanned = Timeline::scan(&self.path, self.streams, stop);
            self.timeline = Some(scanned.unwrap_or_default());
        }
        let timeline = self.timeline.as_ref();
        let shift = timeline.and_then(|timeline| timeline.shift(self.medium, number));
        if shift.is_some() {
            // What a container hides is counted by times that mean the first part.
            ffmpeg::show(packet);
        }
        let shifted = |time: i64| time.saturating_add(shift.unwrap_or(0));
        packet.set_pts(pts.map(shifted));
        packet.set_dts(dts.map(shifted));
    }

    fn is_odd(&mut self, pts: i64, is_key: bool) -> bool {
        let is_late = |(latest, gap): (i64, i64)| pts.saturating_sub(latest) > gap;
        let gap = self.detector.latest().zip(self.suspicious);
        let is_late = gap.is_some_and(is_late);
        self.detector.restarts(pts, is_key) || is_late
    }
}
