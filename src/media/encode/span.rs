//! The packets that show a part of a video, where they can be taken as they are: a decoder can begin
//! with the first of them, and none of them needs one that is left out.

use crate::facts::VideoFacts;
use crate::media::ffmpeg;
use crate::media::input::track::VideoTrack;
use crate::media::pixels::orientation::Orientation;
use crate::media::select::syntax::Syntax;
use crate::time::Pts;
use ffmpeg_next::Packet;
use ffmpeg_next::codec::Id;

/// What MP4 takes and browsers play. Anything else is of more use coded anew.
const COPIED: [Id; 3] = [Id::H264, Id::VP9, Id::AV1];

/// Packets that may come before one that is shown earlier: twice what any codec allows, for the fields
/// of interlaced frames.
const REORDERED: usize = 32;

/// The first frame may have been on screen for so many seconds when the part begins: what is copied
/// begins with all of it.
const MOST_EARLY: f64 = 0.04;

/// Packets that show a part of a video and nothing else.
pub(super) struct PacketSpan {
    /// The place of the first among all packets of the video.
    pub(super) begin: usize,
    /// Of each from there on whether it is one of them.
    pub(super) is_taken: Vec<bool>,
    /// The time stamp of the frame that is shown first.
    pub(super) first: Pts,
    /// The time stamp of the frame that is shown last.
    pub(super) last: Pts,
    /// The ticks from there to the end of the part.
    pub(super) left: i64,
    /// Whether the video goes on behind it.
    pub(super) goes_on: bool,
    /// The seconds from the first frame of the video to `first`.
    pub(super) seconds: f64,
}

/// What matters of a packet.
struct KnownPacket {
    pts: i64,
    dts: i64,
    // Its frame is shown.
    is_shown: bool,
    // A decoder can begin with it, and then needs nothing that came before.
    is_start: bool,
    // No other frame is predicted from it.
    is_leaf: bool,
}

impl PacketSpan {
    /// The packets of `track`, which is read from its beginning, that show what is on screen from `start`
    /// to `end`, in seconds since the first frame. `None` where no packets show exactly that, as a
    /// player shows the video.
    pub(super) fn find(
        mut track: VideoTrack,
        facts: &VideoFacts,
        (start, end): (f64, f64),
    ) -> Option<Self> {
        let (syntax, parameters) = (track.syntax()?, track.parameters());
        let is_upright = track.display().turn == Orientation::default();
        let is_square = facts.size == ffmpeg::coded_size(&parameters);
        if !(COPIED.contains(&parameters.id()) && is_upright && is_square) {
            return None;
        }
        let (base, tick) = (track.base(), track.base().ratio().to_f64());
        let read = std::iter::from_fn(|| track.next_packet());
        let mut read = read.map(|packet| KnownPacket::of(&syntax, &packet));
        let ahead: Option<Vec<KnownPacket>> = read.by_ref().take(REORDERED + 1).collect();
        let ahead = ahead?;
        let zero = match facts.first_frame {
            Some(first) => first.pts.0,
            None => first_shown(&ahead)?,
        };
        let from = zero.saturating_add((start / tick).floor() as i64);
        let until = zero.saturating_add((end / tick).ceil() as i64);
        let group = PacketGroup::of(ahead.into_iter().map(Some).chain(read), from, until)?;
        let (first, last) = group.shown_alone(from, until)?;
        let seconds = base.seconds_between(Pts(zero), Pts(first));
        let is_taken = group
            .packets
            .iter()
            .map(|it| (first..until).contains(&it.pts));
        (start - seconds <= MOST_EARLY).then(|| Self {
            begin: group.begin,
            is_taken: is_taken.collect(),
            first: Pts(first),
            last: Pts(last),
            left: until.saturating_sub(last),
            goes_on: group.goes_on,
            seconds,
        })
    }
}

// The packets from the one that a decoder begins with for a frame, to the last whose frame is shown
// before the end of a part.
struct PacketGroup {
    // The place of the first.
    begin: usize,
    packets: Vec<KnownPacket>,
    // Whether there are frames that are shown later.
    goes_on: bool,
}

impl KnownPacket {
    // `None` where it has no times, or changes what a decoder must know.
    fn of(syntax: &Syntax, packet: &Packet) -> Option<Self> {
        let data = packet.data().unwrap_or_default();
        let (is_key, is_disposable) = (packet.is_key(), ffmpeg::is_disposable(packet));
        let traits = syntax.read(data, is_key, is_disposable);
        if traits.has_parameters || ffmpeg::changes_parameters(packet) {
            return None;
        }
        Some(Self {
            pts: packet.pts()?,
            dts: packet.dts()?,
            is_shown: !ffmpeg::is_hidden(packet) && !traits.hidden,
            is_start: is_key && traits.refreshes,
            is_leaf: traits.unreferenced,
        })
    }
}

// The time stamp of the first frame of a video; `None` where a decoder alone can tell.
fn first_shown(beginning: &[KnownPacket]) -> Option<i64> {
    let start = beginning.first().filter(|it| it.is_start && it.is_shown)?;
    let is_first = beginning.iter().all(|it| it.pts >= start.pts);
    is_first.then_some(start.pts)
}

impl PacketGroup {
    fn of(
        packets: impl Iterator<Item = Option<KnownPacket>>,
        from: i64,
        until: i64,
    ) -> Option<Self> {
        let mut group = Self {
            begin: 0,
            packets: Vec::new(),
            goes_on: false,
        };
        let mut behind = 0;
        for (place, packet) in packets.enumerate() {
            let packet = packet?;
            if packet.is_start && packet.pts <= from {
                group.begin = place;
                group.packets.clear();
            }
            behind = if packet.pts < until { 0 } else { behind + 1 };
            group.goes_on |= behind > 0;
            group.packets.push(packet);
            if behind > REORDERED {
                break;
            }
        }
        let last = group.packets.iter().rposition(|it| it.pts < until)?;
        group.packets.truncate(last + 1);
        Some(group)
    }

    // The time stamps of the first and the last frame, where the first is on screen at `from` and all up
    // to `until` need nothing else: what else is among the packets is needed by none.
    fn shown_alone(&self, from: i64, until: i64) -> Option<(i64, i64)> {
        let first = self.packets.first();
        let first = first.filter(|it| it.is_start && it.pts <= from)?.pts;
        let is_shown = |it: &&KnownPacket| (first..until).contains(&it.pts);
        let is_whole = self.packets.iter().all(|it| match is_shown(&it) {
            true => it.is_shown && it.dts <= it.pts && (it.pts > from || it.pts == first),
            false => it.is_leaf,
        });
        let shown = self.packets.iter().filter(is_shown);
        let is_in_order = shown.clone().is_sorted_by(|one, next| one.dts < next.dts);
        let mut times: Vec<i64> = shown.map(|it| it.pts).collect();
        times.sort_unstable();
        let is_each_once = times.is_sorted_by(|one, next| one < next);
        let last = *times.last()?;
        (is_whole && is_in_order && is_each_once).then_some((first, last))
    }
}

#[cfg(test)]
mod tests {
    use super::KnownPacket;
    use super::PacketGroup;

    // A packet a word, in the order of the file, by its kind and the time of its frame: `K` one that a
    // decoder can begin with, `p` one that others need, `b` one that none does.
    fn packets(words: &str) -> Vec<KnownPacket> {
        let words = words.split_whitespace().zip(0..);
        let packet = |(word, place): (&str, i64)| KnownPacket {
            pts: word
                .trim_start_matches(char::is_alphabetic)
                .parse()
                .unwrap(),
            dts: place - 4,
            is_shown: true,
            is_start: word.starts_with('K'),
            is_leaf: word.starts_with('b'),
        };
        words.map(packet).collect()
    }

    // The place and time of the first packet, and how many there are, for what is shown from one time
    // to another.
    fn found(words: &str, from: i64, until: i64) -> Option<(usize, i64, usize)> {
        let group = PacketGroup::of(packets(words).into_iter().map(Some), from, until)?;
        let (first, _) = group.shown_alone(from, until)?;
        Some((group.begin, first, group.packets.len()))
    }

    #[test]
    fn packets_that_show_a_part_begin_with_a_key_and_need_no_other() {
        const CLOSED: &str = "K0 p4 p2 b1 b3 K5 p9 p7 b6 b8 K10 p12 b11";
        let table = [
            (5, 10, Some((5, 5, 5))),
            (0, 5, Some((0, 0, 5))),
            (0, 13, Some((0, 0, 13))),
            // Begins between two keys.
            (6, 10, None),
            // Ends where frames need one that is shown later.
            (5, 8, None),
            (5, 9, None),
            // All that is needed is shown.
            (10, 13, Some((10, 10, 3))),
            (10, 11, Some((10, 10, 1))),
        ];
        for (from, until, expected) in table {
            assert_eq!(found(CLOSED, from, until), expected, "{from} to {until}");
        }
        // What is shown later and needed by none is left out.
        assert_eq!(found("K0 p1 b3 p2", 0, 3), Some((0, 0, 4)));
        // Frames before the key that come behind it, needed by others and by none.
        assert_eq!(found("K0 p2 b1 K6 p4 b3 b5 p8 b7", 6, 9), None);
        assert_eq!(found("K0 p2 b1 K5 b3 b4 p7 b6", 5, 8), Some((3, 5, 5)));
        assert_eq!(found("p0 p1 K2", 0, 2), None);
        assert_eq!(found("", 0, 2), None);
    }

    #[test]
    fn what_does_not_say_enough_is_not_copied() {
        let with = |change: fn(&mut KnownPacket)| {
            let mut packets = packets("K0 p1 p2 K3 p4 p5");
            change(&mut packets[4]);
            let group = PacketGroup::of(packets.into_iter().map(Some), 3, 6)?;
            assert!(!group.goes_on);
            group.shown_alone(3, 6)
        };
        assert_eq!(with(|_| ()), Some((3, 5)));
        assert_eq!(with(|it| it.is_shown = false), None);
        assert_eq!(with(|it| it.dts = -9), None);
        assert_eq!(with(|it| it.dts = 5), None);
        assert_eq!(with(|it| it.pts = 3), None);
        assert!(PacketGroup::of([None].into_iter(), 0, 2).is_none());
    }
}
