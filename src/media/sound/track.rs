//! The sound streams of an open file: how many there are, and the packets of one.

use crate::media::error::MediaError;
use crate::media::ffmpeg;
use crate::media::input::choice;
use crate::media::input::choice::StreamChoice;
use crate::media::input::container;
use crate::media::input::container::UNREADABLE_LIMIT;
use crate::media::input::continuity::Continuity;
use crate::media::input::ending::EarlyEnd;
use crate::media::input::ending::ReadStream;
use crate::media::input::timeline::StreamKind;
use crate::media::stop::StopFlag;
use crate::time::Pts;
use crate::time::TimeBase;
use bytes::Bytes;
use ffmpeg_next::Packet;
use ffmpeg_next::codec::Id;
use ffmpeg_next::codec::Parameters;
use ffmpeg_next::error::Error;
use ffmpeg_next::format;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::context::StreamIo;
use ffmpeg_next::media::Type;
use std::io::Cursor;
use std::num::NonZero;
use std::path::Path;
use std::path::PathBuf;

/// One sound stream of an open file.
pub(in crate::media) struct SoundTrack {
    path: PathBuf,
    input: Input,
    stream: usize,
    codec_id: Id,
    instead_of: Option<String>,
    base: TimeBase,
    continuity: Continuity,
    stop: StopFlag,
    // The time stamps at which its first packet begins and its last one ends.
    start: Option<i64>,
    end: Option<i64>,
    is_read: bool,
    damaged: u64,
}

impl SoundTrack {
    /// Opens `path` and finds its sound: the track of this number, counted from 1, or the one
    /// that a player would choose. Reading ends early once `stop` is set.
    pub(in crate::media) fn open(
        path: &Path,
        number: Option<NonZero<usize>>,
        stop: StopFlag,
    ) -> Result<Self, MediaError> {
        Self::of(container::open_file(path, &stop)?, path, number, stop)
    }

    /// The sound of a file in memory that this program wrote itself.
    pub(super) fn in_memory(file: &Bytes) -> Result<Self, MediaError> {
        let path = Path::new("sound in memory");
        let open = || {
            let io = StreamIo::from_read_seek(Cursor::new(file.clone()))?;
            format::input_from_stream(io, None, None)
        };
        let input = open().map_err(|_: Error| MediaError::NoSound { path: path.into() })?;
        Self::of(input, path, None, StopFlag::default())
    }

    fn of(
        mut input: Input,
        path: &Path,
        number: Option<NonZero<usize>>,
        stop: StopFlag,
    ) -> Result<Self, MediaError> {
        let stream = match number {
            None => choice::sound(&input),
            Some(number) => streams(&input)
                .nth(number.get() - 1)
                .map(|index| StreamChoice {
                    index,
                    instead_of: None,
                }),
        };
        let chosen = stream.ok_or_else(|| match (number, streams(&input).count()) {
            (_, 0) | (None, _) => MediaError::NoSound { path: path.into() },
            (Some(number), count) => MediaError::NoSuchTrack {
                path: path.into(),
                number: number.get(),
                count,
            },
        })?;
        let StreamChoice {
            index: stream,
            instead_of,
        } = chosen;
        ffmpeg::read_only(&mut input, &[Some(stream)]);
        let base = input.stream(stream).and_then(|it| {
            let base = it.time_base();
            TimeBase::new(base.numerator().into(), base.denominator().into())
        });
        let base = base.ok_or_else(|| MediaError::NoSound { path: path.into() })?;
        let codec_id = input.stream(stream).map(|it| it.parameters().id());
        let streams = [choice::video(&input).map(|it| it.index), Some(stream)];
        Ok(Self {
            path: path.into(),
            base,
            continuity: Continuity::new(path, &input, streams, StreamKind::Sound, base),
            input,
            stream,
            codec_id: codec_id.unwrap_or(Id::None),
            instead_of,
            stop,
            start: None,
            end: None,
            is_read: false,
            damaged: 0,
        })
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The codec of the stream that a player would have chosen, where FFmpeg cannot decode that.
    pub(super) fn instead_of(&self) -> Option<&str> {
        self.instead_of.as_deref()
    }

    /// The tick of its time stamps.
    pub(in crate::media) fn base(&self) -> TimeBase {
        self.base
    }

    /// What a decoder must know.
    pub(in crate::media) fn parameters(&self) -> Parameters {
        let stream = self.input.stream(self.stream);
        stream.map(|stream| stream.parameters()).unwrap_or_default()
    }

    /// FFmpeg's name of the codec.
    pub(in crate::media) fn codec(&self) -> String {
        ffmpeg::codec_name(&self.parameters())
    }

    /// Seconds of the stream, as far as the headers say.
    pub(in crate::media) fn duration(&self) -> Option<f64> {
        let ticks = self.input.stream(self.stream)?.duration();
        if ticks > 0 {
            let seconds = ticks as f64 * self.base.ratio().to_f64();
            return Some(seconds);
        }
        // FFmpeg's own clock, which containers are measured in, counts microseconds.
        let whole = self.input.duration();
        (whole > 0).then(|| whole as f64 / f64::from(ffmpeg_next::ffi::AV_TIME_BASE))
    }

    /// Seconds of the stream, as its packets say; reads all of them.
    pub(in crate::media) fn read_length(mut self) -> Option<f64> {
        while self.next_packet().is_some() {}
        self.length()
    }

    /// The same, where all of them were read.
    pub(super) fn length(&self) -> Option<f64> {
        let (start, end) = self.start.zip(self.end).filter(|_| self.is_read)?;
        Some(self.base.seconds_between(Pts(start), Pts(end)))
    }

    /// The time stamp of its end, where all of its packets were read.
    pub(super) fn read_end(&self) -> Option<i64> {
        self.end.filter(|_| self.is_read)
    }

    /// The number of times that the container could not be read.
    pub(super) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// The next packet of the stream; `None` at the end of the file, or when asked to stop.
    pub(in crate::media) fn next_packet(&mut self) -> Option<Packet> {
        let mut unreadable = 0;
        while !self.stop.is_set() && unreadable < UNREADABLE_LIMIT {
            let mut packet = Packet::empty();
            match packet.read(&mut self.input) {
                Ok(()) if packet.stream() == self.stream && !self.is_header(&packet) => {
                    self.continuity.mend(&mut packet, &self.stop);
                    let length = packet.duration().max(0);
                    let end = packet.pts().map(|pts| pts.saturating_add(length));
                    self.start = packet.pts().into_iter().chain(self.start).min();
                    self.end = self.end.max(end);
                    return Some(packet);
                }
                Ok(()) => {}
                Err(Error::Eof) => break,
                Err(_) => {
                    unreadable += 1;
                    self.damaged += 1;
                }
            }
        }
        self.is_read = !self.stop.is_set();
        None
    }

    /// That it ends before the container says, where all its packets were read.
    pub(super) fn early_end(&self) -> Option<EarlyEnd> {
        let read = ReadStream {
            path: &self.path,
            input: &self.input,
            stream: self.stream,
            ticks: self.stated_ticks(),
            end: self.read_end()?,
            usual: 0,
        };
        read.early_end(&self.stop)
    }

    fn is_header(&self, packet: &Packet) -> bool {
        container::header(self.codec_id, packet).is_some()
    }

    fn stated_ticks(&self) -> Option<i64> {
        let stream = self.input.stream(self.stream)?;
        container::tagged_ticks(&stream, self.base).or(Some(stream.duration()))
    }
}

fn streams(input: &Input) -> impl Iterator<Item = usize> {
    let is_sound = |stream: &ffmpeg_next::Stream<'_>| stream.parameters().medium() == Type::Audio;
    input
        .streams()
        .filter(is_sound)
        .map(|stream| stream.index())
}
