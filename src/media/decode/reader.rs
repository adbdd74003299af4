//! The reader of a stream: its packets in file order, planned, and given to a sink.

use crate::media::VideoSelection;
use crate::media::decode::budget::PacketBudget;
use crate::media::decode::decoder::Decoder;
use crate::media::decode::decoder::DecoderOutput;
use crate::media::decode::memory;
use crate::media::decode::reorder::ReorderBuffer;
use crate::media::decode::worker::FrameOutcome;
use crate::media::decode::worker::Gop;
use crate::media::decode::worker::QueuedPart;
use crate::media::ffmpeg;
use crate::media::input::track::VideoTrack;
use crate::media::select::plan::GopPart;
use crate::media::select::plan::PacketInfo;
use crate::media::select::plan::Planner;
use crate::media::select::plan::Unplannable;
use crate::media::select::syntax::Syntax;
use crate::time::Pts;
use ffmpeg_next::Packet;
use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::sync::mpsc::sync_channel;

/// Frames that are shown before a stream's first packet come within this many.
const REORDERED: usize = 32;

/// A stream that begins badly for longer than this many packets is left to the plain way.
const LONGEST_BEGINNING: usize = 600;

/// Parts of a group that may wait for its decoder. A part is hundreds of packets, and those of
/// most groups are one.
const PARTS_WAITING: usize = 4;

/// Reads a stream, and gives its parts to a sink.
pub(in crate::media) struct PacketReader<T> {
    track: VideoTrack,
    syntax: Syntax,
    wanted: VideoSelection,
    sink: T,
    // The first frame, and whether all packets behind it were read.
    first: Option<Pts>,
    is_read: bool,
    // Packets that were read ahead to find the first frame.
    ahead: VecDeque<Arc<Packet>>,
}

/// A sink for the parts of a stream as they are planned.
pub(in crate::media) trait GopSink {
    /// Takes the next part.
    fn take(&mut self, part: GopPart<Arc<Packet>>) -> Result<(), ReadEnd>;
}

/// The queue of groups to the decoders.
pub(in crate::media) struct GopQueue {
    groups: SyncSender<Gop>,
    buffer: Arc<ReorderBuffer<FrameOutcome>>,
    budget: Arc<PacketBudget>,
    // Groups that were begun.
    count: u64,
    // The rest of the one that was begun last.
    open: Option<SyncSender<QueuedPart>>,
}

impl GopQueue {
    /// A queue to the decoders at the other end of `groups`, for packets of `budget`.
    pub(in crate::media) fn new(
        groups: SyncSender<Gop>,
        buffer: Arc<ReorderBuffer<FrameOutcome>>,
        budget: Arc<PacketBudget>,
    ) -> Self {
        Self {
            groups,
            buffer,
            budget,
            count: 0,
            open: None,
        }
    }

    // What follows is to be left to the plain way.
    fn give_up(&mut self) {
        self.buffer.put(self.count, FrameOutcome::Mistaken);
        self.buffer.complete(self.count);
        self.count += 1;
    }
}

impl GopSink for GopQueue {
    fn take(&mut self, part: GopPart<Arc<Packet>>) -> Result<(), ReadEnd> {
        if part.opens {
            let (sender, parts) = sync_channel(PARTS_WAITING);
            let number = self.count;
            self.open = Some(sender);
            let sent = self.groups.send(Gop { number, parts });
            sent.map_err(|_| ReadEnd::Abandoned)?;
            self.count += 1;
        }
        let bytes = part.packets.iter().map(|packet| packet.size()).sum();
        let reservation = self.budget.reserve(bytes).ok_or(ReadEnd::Abandoned)?;
        let closes = part.closes;
        if let Some(open) = &self.open {
            let sent = open.send(QueuedPart { part, reservation });
            sent.map_err(|_| ReadEnd::Abandoned)?;
        }
        if closes {
            self.open = None;
        }
        Ok(())
    }
}

/// The packets that a stream begins with, as far as not all of their frames are shown.
struct Beginning {
    /// The time stamp of the first frame that is shown.
    first: Pts,
    /// The number of packets.
    packets: usize,
    /// The time stamps of their frames that are shown.
    shown: BTreeSet<Pts>,
}

impl Beginning {
    fn shows(&self, index: usize, pts: Pts) -> bool {
        pts >= self.first && (index >= self.packets || self.shown.contains(&pts))
    }
}

fn take_shown(decoder: &mut Decoder, shown: &mut BTreeSet<Pts>) {
    while let DecoderOutput::Frame(frame) = decoder.receive() {
        shown.extend(frame.pts().map(Pts));
    }
}

/// Why reading ended early.
pub(in crate::media) enum ReadEnd {
    /// The packets do not say what must be decoded.
    Unplannable,
    /// Nobody takes any more.
    Abandoned,
}

impl From<Unplannable> for ReadEnd {
    fn from(Unplannable: Unplannable) -> Self {
        Self::Unplannable
    }
}

impl PacketReader<GopQueue> {
    /// Reads to the end, or to where the rest must be left to the plain way.
    pub(in crate::media) fn read(mut self) {
        if let Err(ReadEnd::Unplannable) = self.plan() {
            self.sink.give_up();
        }
        self.sink.buffer.end(self.sink.count);
    }
}

impl<T: GopSink> PacketReader<T> {
    /// A reader for the samples of `track` that are wanted.
    pub(in crate::media) fn new(
        track: VideoTrack,
        syntax: Syntax,
        wanted: &VideoSelection,
        sink: T,
    ) -> Self {
        Self {
            track,
            syntax,
            wanted: wanted.clone(),
            sink,
            first: None,
            is_read: false,
            ahead: VecDeque::new(),
        }
    }

    /// Reads to the end and gives back who took all of it, and how many seconds it is where all
    /// of the stream was wanted; `None` where the packets do not say what must be decoded.
    pub(in crate::media) fn read_all(mut self) -> Option<(T, Option<f64>)> {
        self.plan().ok()?;
        let span = self.first.zip(self.track.end().filter(|_| self.is_read));
        let base = self.track.base();
        let length = span.map(|(first, end)| base.seconds_between(first, Pts(end)));
        Some((self.sink, length))
    }

    fn plan(&mut self) -> Result<(), ReadEnd> {
        let beginning = self.find_beginning()?;
        self.first = Some(beginning.first);
        let rules = self.wanted.rules(self.track.base(), beginning.first);
        let reorders = ffmpeg::reorders(&self.track.parameters());
        let mut planner = Planner::new(rules, &self.wanted, reorders);
        let mut index = 0;
        while !planner.is_done()
            && let Some(packet) = self.next_packet()
        {
            let mut entry = self.describe(packet)?;
            entry.is_shown &= beginning.shows(index, entry.pts);
            index += 1;
            self.hand_out(planner.push(entry)?)?;
        }
        self.is_read = !planner.is_done();
        let end = self.track.end().map(Pts);
        self.hand_out(planner.end(end)?)
    }

    fn next_packet(&mut self) -> Option<Arc<Packet>> {
        let ahead = self.ahead.pop_front();
        ahead.or_else(|| self.track.next_packet().map(Arc::new))
    }

    fn read_ahead(&mut self) -> Option<Arc<Packet>> {
        let packet = Arc::new(self.track.next_packet()?);
        self.ahead.push_back(Arc::clone(&packet));
        Some(packet)
    }

    fn describe(&self, packet: Arc<Packet>) -> Result<PacketInfo<Arc<Packet>>, ReadEnd> {
        let data = packet.data().unwrap_or_default();
        let (is_key, is_disposable) = (packet.is_key(), ffmpeg::is_disposable(&packet));
        let traits = self.syntax.read(data, is_key, is_disposable);
        if traits.has_parameters || ffmpeg::changes_parameters(&packet) {
            return Err(ReadEnd::Unplannable);
        }
        Ok(PacketInfo {
            bytes: data.len(),
            pts: packet.pts().map(Pts).ok_or(ReadEnd::Unplannable)?,
            is_shown: !ffmpeg::is_hidden(&packet) && !traits.hidden,
            is_start: is_key && traits.intra,
            is_leaf: traits.unreferenced,
            packet,
        })
    }

    // Which frames a decoder shows of the beginning. Where the stream begins as it should, all
    // of them; where it was cut out of another, only a decoder can tell.
    fn find_beginning(&mut self) -> Result<Beginning, ReadEnd> {
        let mut start = None;
        let mut first: Option<Pts> = None;
        let mut is_whole = true;
        for index in 0..=REORDERED {
            let Some(packet) = self.read_ahead() else {
                break;
            };
            let entry = self.describe(packet)?;
            let start = *start.get_or_insert(entry.pts);
            is_whole &= entry.pts >= start && (index > 0 || entry.is_start);
            if entry.is_shown {
                first = Some(first.map_or(entry.pts, |first| first.min(entry.pts)));
            }
        }
        match first {
            Some(first) if is_whole => Ok(Beginning {
                first,
                packets: 0,
                shown: BTreeSet::new(),
            }),
            _ => self.decode_beginning(),
        }
    }

    // Decodes up to the second packet that decoding can begin with: from there on everything
    // that comes out is whole.
    fn decode_beginning(&mut self) -> Result<Beginning, ReadEnd> {
        let (parameters, base) = (self.track.parameters(), self.track.base());
        let most = memory::most_pixels(self.wanted.decoders);
        let decoder = Decoder::open(parameters, base, 1, most, self.track.path());
        let mut decoder = decoder.map_err(|_| ReadEnd::Unplannable)?;
        let mut shown = BTreeSet::new();
        let (mut packets, mut starts) = (0, 0);
        loop {
            let known = self.ahead.get(packets).map(Arc::clone);
            let Some(packet) = known.or_else(|| self.read_ahead()) else {
                break;
            };
            starts += u32::from(self.describe(Arc::clone(&packet))?.is_start);
            if starts > 1 {
                break;
            }
            decoder.send(&packet);
            packets += 1;
            take_shown(&mut decoder, &mut shown);
            if packets > LONGEST_BEGINNING {
                return Err(ReadEnd::Unplannable);
            }
        }
        decoder.drain();
        take_shown(&mut decoder, &mut shown);
        let first = *shown.first().ok_or(ReadEnd::Unplannable)?;
        Ok(Beginning {
            first,
            packets,
            shown,
        })
    }

    fn hand_out(&mut self, parts: Vec<GopPart<Arc<Packet>>>) -> Result<(), ReadEnd> {
        parts.into_iter().try_for_each(|part| self.sink.take(part))
    }
}
