//! One time for a whole file whose streams start theirs again: what is added from where on.
//!
//! Where files were joined end to end, frames go on where frames ended, and sound keeps its place
//! beside them. A jump forwards is a gap and stays one. All packets of both streams are read for
//! this, once, and none is decoded.

use crate::media::error::MediaError;
use crate::media::ffmpeg;
use crate::media::input::container;
use crate::media::input::restart::RestartDetector;
use crate::media::input::restart::WrapCounter;
use crate::media::stop::StopFlag;
use crate::time::TimeBase;
use ffmpeg_next::Packet;
use ffmpeg_next::codec::Id;
use ffmpeg_next::error::Error;
use std::path::Path;

/// Which of the two streams of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::media) enum StreamKind {
    /// Frames.
    Video = 0,
    /// Sound.
    Sound = 1,
}

/// Sound of the next part may begin so many milliseconds before that of the last one ends; then
/// it is cut off there. Encoders fill up the last packet.
const OVERLAP_MS: i128 = 200;

/// Streams without a jump go on where the next packet is no later than this.
const CONTIGUOUS_MS: i128 = 500;

/// A restart counts once so many packets have gone on from it: one time stamp may be damaged.
const CONFIRMED: u32 = 3;

/// What is added to the times of a file.
#[derive(Debug, Default, PartialEq)]
pub(in crate::media) struct Timeline {
    joins: Vec<Shift>,
}

/// From which packet of each stream on, and how many of its ticks.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Shift {
    first: [Option<u64>; 2],
    ticks: [i64; 2],
}

impl Timeline {
    /// Reads the packets of these streams of `path`, the video and the sound.
    pub(in crate::media) fn scan(
        path: &Path,
        streams: [Option<usize>; 2],
        stop: &StopFlag,
    ) -> Result<Self, MediaError> {
        let mut input = container::open_file(path, stop)?;
        ffmpeg::read_only(&mut input, &streams);
        let mut scan = Scan {
            streams: streams.map(|stream| StreamScan::new(&input, stream?)),
            furthest: -1,
            joins: Vec::new(),
        };
        let mut failures = 0;
        while !stop.is_set() && failures < container::UNREADABLE_LIMIT {
            let mut packet = Packet::empty();
            match packet.read(&mut input) {
                Ok(()) => {
                    failures = 0;
                    let medium = streams.iter().position(|it| *it == Some(packet.stream()));
                    let is_header = |medium: &usize| {
                        let stream = scan.streams[*medium].as_ref();
                        stream.is_some_and(|it| container::header(it.codec, &packet).is_some())
                    };
                    if let Some(medium) = medium.filter(|medium| !is_header(medium)) {
                        scan.take(medium, &packet);
                    }
                }
                Err(Error::Eof) => break,
                Err(_) => failures += 1,
            }
        }
        Ok(scan.timeline())
    }

    /// What is added to the times of packet `number` of a stream, counted from 0; `None` before
    /// the first join.
    pub(in crate::media) fn shift(&self, medium: StreamKind, number: u64) -> Option<i64> {
        let medium = medium as usize;
        let begun = |join: &&Shift| join.first[medium].is_some_and(|first| first <= number);
        let join = self.joins.iter().rfind(begun);
        join.map(|join| join.ticks[medium])
    }
}

struct Scan {
    streams: [Option<StreamScan>; 2],
    // The furthest place in the file that a packet was read from.
    furthest: i64,
    joins: Vec<Join>,
}

/// Where one part ends and the next begins.
struct Join {
    // The place in the file; as far as can be where packets are not in the order of the file.
    position: i64,
    first: [Option<u64>; 2],
    // Whether the times of the stream went back there.
    jumped: [bool; 2],
}

/// From when to when a part of a stream lasts.
#[derive(Clone, Copy)]
struct Span {
    start: i64,
    end: i64,
    // Likewise by the times of decoding. MPEG leaves out when some of its frames are shown.
    decoded: Option<(i64, i64)>,
    has_unknown: bool,
}

impl Span {
    // Where the last frame may have said nothing, frames are shown for as long as decoding took.
    fn end(&self) -> i64 {
        let by_decoding = self.decoded.filter(|_| self.has_unknown);
        let length = by_decoding.map_or(0, |(first, last)| last.saturating_sub(first));
        self.end.max(self.start.saturating_add(length))
    }
}

struct StreamScan {
    codec: Id,
    base: TimeBase,
    usual: i64,
    wrap: WrapCounter,
    detector: RestartDetector,
    packets: u64,
    position: i64,
    // From when to when each part lasts, as its packets say.
    spans: Vec<Option<Span>>,
    // What was before a restart that is not confirmed yet.
    unconfirmed: Option<(RestartDetector, u32)>,
}

impl StreamScan {
    fn new(input: &ffmpeg_next::format::context::Input, index: usize) -> Option<Self> {
        let stream = input.stream(index)?;
        let base = stream.time_base();
        let base = TimeBase::new(base.numerator().into(), base.denominator().into())?;
        let reorders = ffmpeg::reorders(&stream.parameters());
        Some(Self {
            codec: stream.parameters().id(),
            base,
            usual: container::usual_ticks(&stream, base),
            wrap: WrapCounter::new(base, ffmpeg::wrap_bits(&stream)),
            detector: RestartDetector::new(base, reorders),
            packets: 0,
            position: -1,
            spans: vec![None],
            unconfirmed: None,
        })
    }

    // The part that is being read, from 0.
    fn part(&self) -> usize {
        self.spans.len() - 1
    }

    fn note(&mut self, pts: Option<i64>, packet: &Packet) {
        let duration = packet.duration();
        let duration = if duration > 0 { duration } else { self.usual };
        let dts = packet.dts().zip(pts.or(self.detector.latest()));
        let dts = dts.map(|(dts, near)| self.wrap.unwrap_near(near, dts));
        let Some(span) = self.spans.last_mut() else {
            return;
        };
        if let Some(pts) = pts {
            let end = pts.saturating_add(duration);
            let known = span.get_or_insert(Span {
                start: pts,
                end,
                decoded: None,
                has_unknown: false,
            });
            known.start = known.start.min(pts);
            known.end = known.end.max(end);
        }
        if let Some(span) = span {
            span.has_unknown |= pts.is_none();
            if let Some(dts) = dts {
                let (first, last) = span.decoded.unwrap_or((dts, dts));
                let last = last.max(dts.saturating_add(duration));
                span.decoded = Some((first.min(dts), last));
            }
        }
    }
}

impl Scan {
    fn take(&mut self, medium: usize, packet: &Packet) {
        let Some(stream) = &mut self.streams[medium] else {
            return;
        };
        let number = stream.packets;
        stream.packets += 1;
        let Some(pts) = packet.pts() else {
            return stream.note(None, packet);
        };
        let pts = stream.wrap.unwrap(pts);
        if let Ok(position) = i64::try_from(packet.position())
            && position >= 0
        {
            stream.position = position;
        }
        // What lies behind a join that the other stream showed belongs to the next part as well.
        while let Some(join) = self.joins.get_mut(stream.part())
            && stream.position >= join.position
        {
            join.first[medium] = Some(number);
            join.jumped[medium] = stream.detector.is_earlier(pts);
            stream.detector.begin_anew();
            stream.spans.push(None);
            stream.unconfirmed = None;
        }
        self.heed_damage(medium, pts);
        let Some(stream) = &mut self.streams[medium] else {
            return;
        };
        let before = stream.detector.clone();
        if stream.detector.restarts(pts, packet.is_key()) {
            let part = stream.part();
            let position = stream.position;
            if part == self.joins.len() {
                let is_ahead = position > self.furthest;
                self.joins.push(Join {
                    position: if is_ahead { position } else { i64::MAX },
                    first: [None; 2],
                    jumped: [false; 2],
                });
            }
            if let Some(join) = self.joins.get_mut(part) {
                if join.position < i64::MAX {
                    join.position = join.position.min(position);
                }
                join.first[medium] = Some(number);
                join.jumped[medium] = true;
            }
            stream.spans.push(None);
            stream.unconfirmed = Some((before, CONFIRMED));
        }
        stream.note(Some(pts), packet);
        self.furthest = self.furthest.max(stream.position);
    }

    // A time that goes back for a packet or two and then on where it was is damaged.
    fn heed_damage(&mut self, medium: usize, pts: i64) {
        let Some(stream) = &mut self.streams[medium] else {
            return;
        };
        let Some((before, left)) = &mut stream.unconfirmed else {
            return;
        };
        *left -= 1;
        let is_back_again = !before.is_earlier(pts);
        let is_confirmed = *left == 0;
        let alone = |join: &Join| join.first[1 - medium].is_none();
        if is_back_again && self.joins.last().is_some_and(alone) {
            stream.detector = before.clone();
            stream.unconfirmed = None;
            stream.spans.pop();
            self.joins.pop();
        } else if is_confirmed {
            stream.unconfirmed = None;
        }
    }

    fn timeline(&self) -> Timeline {
        // Ticks of both streams in one unit, which is a whole number of neither.
        let den = |medium: usize| {
            let stream = self.streams[medium].as_ref();
            stream.map_or(1, |stream| i128::from(stream.base.ratio().den()))
        };
        let second = den(0) * den(1);
        let tick = [0, 1].map(|medium| {
            let stream = self.streams[medium].as_ref();
            let num = stream.map_or(1, |stream| i128::from(stream.base.ratio().num()));
            num * den(1 - medium)
        });
        let span = |medium: usize, part: usize| {
            let stream = self.streams[medium].as_ref()?;
            let span = (*stream.spans.get(part)?)?;
            let tick = tick[medium];
            Some((i128::from(span.start) * tick, i128::from(span.end()) * tick))
        };
        let mut ends = [0, 1].map(|medium| span(medium, 0).map(|(_, end)| end));
        let mut shift = [0; 2];
        let mut joins = Vec::new();
        for (part, join) in (1..).zip(&self.joins) {
            let spans = [span(0, part), span(1, part)];
            let starts = spans.map(|span| span.map(|(start, _)| start));
            shift = shifts(shift, ends, starts, join.jumped, second);
            for medium in [0, 1] {
                let end = spans[medium].map(|(_, end)| end + shift[medium]);
                ends[medium] = ends[medium].max(end);
            }
            joins.push(Shift {
                first: join.first,
                ticks: [0, 1].map(|medium| rounded(shift[medium], tick[medium])),
            });
        }
        Timeline { joins }
    }
}

// What is added to the times of a part whose streams begin at `starts`, where the last part ended
// at `ends` and had `before` added.
fn shifts(
    before: [i128; 2],
    ends: [Option<i128>; 2],
    starts: [Option<i128>; 2],
    jumped: [bool; 2],
    second: i128,
) -> [i128; 2] {
    let on = |medium: usize| Some(ends[medium]? - starts[medium]?);
    let (video, sound) = (on(0), on(1));
    let is_contiguous = |medium: usize| {
        let gap = on(medium).map(|shift| before[medium] - shift);
        let limit = second * CONTIGUOUS_MS / 1000;
        !jumped[medium] && gap.is_some_and(|gap| gap.abs() < limit)
    };
    match (video, sound) {
        // One encoder restarted and the other did not: it has nothing to catch up with.
        (Some(video), Some(_)) if jumped[0] && is_contiguous(1) => [video, before[1]],
        (Some(_), Some(sound)) if jumped[1] && is_contiguous(0) => [before[0], sound],
        (Some(video), Some(sound)) => {
            let overlap = sound - video;
            let limit = second * OVERLAP_MS / 1000;
            [if overlap > limit { sound } else { video }; 2]
        }
        (Some(video), None) => [video; 2],
        (None, _) => {
            let end = ends.into_iter().flatten().max();
            let start = starts.into_iter().flatten().min();
            end.zip(start)
                .map_or(before, |(end, start)| [end - start; 2])
        }
    }
}

fn rounded(units: i128, tick: i128) -> i64 {
    let ticks = (2 * units + tick).div_euclid(2 * tick.max(1));
    i64::try_from(ticks).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::shifts;

    // Times in milliseconds, of video and of sound.
    fn shifted(ends: (i128, i128), starts: (i128, i128), jumped: [bool; 2]) -> [i128; 2] {
        let both = |(video, sound)| [Some(video), Some(sound)];
        shifts([0; 2], both(ends), both(starts), jumped, 1000)
    }

    #[test]
    fn frames_go_on_and_sound_keeps_its_place() {
        let both = [true; 2];
        assert_eq!(shifted((5_533, 5_248), (1_533, 1_486), both), [4_000; 2]);
        // A little sound more than frames is cut off; much of it is waited for.
        assert_eq!(shifted((4_000, 4_087), (0, 0), both), [4_000; 2]);
        assert_eq!(shifted((4_000, 9_000), (0, 0), both), [9_000; 2]);
        // Sound that begins before the frames of its part.
        assert_eq!(shifted((4_000, 4_000), (2_000, 0), both), [4_000; 2]);
        // Sound that had ended long before the join.
        assert_eq!(
            shifted((4_000, 1_000), (2_000, 2_000), [true, false]),
            [2_000; 2]
        );
    }

    #[test]
    fn a_lone_restart_moves_nothing_else() {
        assert_eq!(
            shifted((9_000, 9_000), (0, 9_010), [true, false]),
            [9_000, 0]
        );
        assert_eq!(
            shifted((9_000, 9_000), (9_040, 0), [false, true]),
            [0, 9_000]
        );
    }

    #[test]
    fn what_has_no_other_stream_goes_on_by_itself() {
        let jumped = [true; 2];
        let alone = |ends, starts| shifts([0; 2], ends, starts, jumped, 1000);
        assert_eq!(alone([None, Some(3_000)], [None, Some(0)]), [3_000; 2]);
        assert_eq!(alone([Some(3_000), None], [Some(40), None]), [2_960; 2]);
        // Frames end with the first part, and sound comes with the second.
        assert_eq!(alone([Some(3_000), None], [None, Some(1_000)]), [2_000; 2]);
    }
}
