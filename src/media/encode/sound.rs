//! The sound of a video beside frames that are written anew: its packets where MP4 takes them and
//! players know them, else AAC.

use crate::media::encode::aac::AacEncoder;
use crate::media::encode::captions::for_other_container;
use crate::media::error::MediaError;
use crate::media::ffmpeg::codec_data;
use crate::media::sound::SoundTrack;
use crate::time::TimeBase;
use ffmpeg_next::Packet;
use ffmpeg_next::codec::Id;
use ffmpeg_next::error::Error;
use ffmpeg_next::format::context::Output;
use std::collections::VecDeque;

/// What became of the sound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SoundCopy {
    /// There is none.
    None,
    /// Its packets are those of the source.
    Packets {
        /// FFmpeg's name of the codec.
        codec: String,
    },
    /// It was coded anew as AAC.
    Coded {
        /// FFmpeg's name of the codec that it had.
        codec: String,
    },
    /// It cannot be decoded, and is left out.
    LeftOut {
        /// Why.
        why: String,
    },
}

// Of what MP4 takes, what players play. FLAC is none of it: before FFmpeg 6 it is an experiment.
const PLAYED: [Id; 6] = [Id::AAC, Id::MP3, Id::AC3, Id::EAC3, Id::OPUS, Id::ALAC];

/// A decoder must hear so many seconds before the first sample that is right; players leave them out.
const LEAD: f64 = 0.05;

/// The packets of the sound of a video, on the clock of a new file.
pub(super) struct SoundFeed {
    track: SoundTrack,
    encoder: Option<AacEncoder>,
    // The time stamps, in ticks of the track, at which the new file begins and at which it ends.
    begin: i64,
    end: i64,
    // What ends before this time stamp is left out.
    lead: i64,
    ready: VecDeque<Packet>,
    is_over: bool,
    // AAC whose packets say themselves how they are coded, as in MPEG-TS.
    is_framed: bool,
    unframed: u64,
}

impl SoundFeed {
    /// The sound of `track` from `begin` to `end`, in seconds on the clock of the track.
    pub(super) fn open(
        track: SoundTrack,
        begin: f64,
        end: Option<f64>,
    ) -> Result<Self, MediaError> {
        let is_played = PLAYED.contains(&track.parameters().id());
        let encoder = match is_played {
            true => None,
            false => Some(AacEncoder::open(&track)?),
        };
        let tick = track.base().ratio().to_f64();
        let ticks = |seconds: f64| (seconds / tick).round() as i64;
        let parameters = track.parameters();
        let is_framed = parameters.id() == Id::AAC && codec_data(&parameters).is_empty();
        Ok(Self {
            is_framed,
            unframed: 0,
            begin: ticks(begin),
            lead: ticks(begin - LEAD),
            end: end.map_or(i64::MAX, ticks),
            track,
            encoder,
            ready: VecDeque::new(),
            is_over: false,
        })
    }

    /// What becomes of it.
    pub(super) fn copy(&self) -> SoundCopy {
        let codec = self.track.codec();
        match self.encoder {
            None => SoundCopy::Packets { codec },
            Some(_) => SoundCopy::Coded { codec },
        }
    }

    /// The tick of the packets that it gives.
    pub(super) fn base(&self) -> TimeBase {
        match &self.encoder {
            None => self.track.base(),
            Some(encoder) => encoder.base(),
        }
    }

    /// Packets that were left out so far, since their beginning is damaged. MP4 takes the frame off
    /// each packet only where the first one that it gets has one.
    pub(super) fn unframed(&self) -> u64 {
        self.unframed
    }

    /// Adds its stream to a file.
    pub(super) fn add_stream(&self, output: &mut Output) -> Result<usize, Error> {
        match &self.encoder {
            Some(encoder) => Ok(output.add_stream_with(encoder.context())?.index()),
            None => {
                let mut stream = output.add_stream(None::<ffmpeg_next::Codec>)?;
                stream.set_parameters(for_other_container(self.track.parameters()));
                Ok(stream.index())
            }
        }
    }

    /// The next packet that begins before `until`, in seconds of the new file.
    pub(super) fn next_before(&mut self, until: f64) -> Result<Option<Packet>, MediaError> {
        let tick = self.base().ratio().to_f64();
        loop {
            if let Some(packet) = self.ready.front() {
                let is_due = packet.pts().is_none_or(|pts| pts as f64 * tick < until);
                return Ok(if is_due { self.ready.pop_front() } else { None });
            }
            if self.is_over {
                return Ok(None);
            }
            self.read()?;
        }
    }

    fn read(&mut self) -> Result<(), MediaError> {
        let packet = self.track.next_packet();
        let packet = packet.filter(|it| it.pts().is_none_or(|pts| pts < self.end));
        self.is_over = packet.is_none();
        let Some(mut packet) = packet else {
            if let Some(encoder) = &mut self.encoder {
                encoder.finish(&mut self.ready)?;
            }
            return Ok(());
        };
        let ends = |pts: i64| pts.saturating_add(packet.duration());
        if packet.pts().is_some_and(|pts| ends(pts) <= self.lead) {
            return Ok(());
        }
        match &mut self.encoder {
            Some(encoder) => encoder.send(&packet, self.begin, &mut self.ready),
            None if self.is_framed && !has_frame(&packet) => {
                self.unframed += 1;
                Ok(())
            }
            None => {
                let moved = |ticks: Option<i64>| Some(ticks?.saturating_sub(self.begin));
                let (pts, dts) = (moved(packet.pts()), moved(packet.dts()));
                packet.set_pts(pts);
                packet.set_dts(dts);
                self.ready.push_back(packet);
                Ok(())
            }
        }
    }
}

// Whether a packet begins with the twelve bits of an ADTS header.
fn has_frame(packet: &Packet) -> bool {
    matches!(packet.data(), Some([0xff, second, ..]) if second >> 4 == 0xf)
}
