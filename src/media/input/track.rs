//! The video stream of an open file: what its headers say, and its packets in file order.

use crate::item::Size;
use crate::media::decode::memory::MOST_PIXELS;
use crate::media::error::MediaError;
use crate::media::ffmpeg;
use crate::media::input::choice;
use crate::media::input::choice::StreamChoice;
use crate::media::input::container;
use crate::media::input::container::Header;
use crate::media::input::container::UNREADABLE_LIMIT;
use crate::media::input::continuity::Continuity;
use crate::media::input::ending::ReadStream;
use crate::media::input::ending::StreamEnd;
use crate::media::input::photograph;
use crate::media::input::timeline::StreamKind;
use crate::media::pixels::display::Display;
use crate::media::pixels::display::PixelAspect;
use crate::media::pixels::orientation::Orientation;
use crate::media::select::syntax::Syntax;
use crate::media::stop::StopFlag;
use crate::time::Pts;
use crate::time::Ratio;
use crate::time::TimeBase;
use ffmpeg_next::Packet;
use ffmpeg_next::Stream;
use ffmpeg_next::codec::Id;
use ffmpeg_next::codec::Parameters;
use ffmpeg_next::codec::packet::side_data;
use ffmpeg_next::error::Error;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::media::Type;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::OnceLock;

/// The video stream of an open file.
pub(in crate::media) struct VideoTrack {
    path: PathBuf,
    input: Input,
    stream: usize,
    codec_id: Id,
    instead_of: Option<String>,
    base: TimeBase,
    continuity: Continuity,
    stop: StopFlag,
    end: Option<i64>,
    stream_end: Arc<OnceLock<StreamEnd>>,
    damaged: u64,
}

impl VideoTrack {
    /// Opens `path` and finds its video stream. Reading ends early once `stop` is set.
    pub(in crate::media) fn open(path: &Path, stop: StopFlag) -> Result<Self, MediaError> {
        let mut input = container::open_file(path, &stop)?;
        let StreamChoice {
            index: stream,
            instead_of,
        } = choice::video(&input).ok_or_else(|| MediaError::NoVideoStream { path: path.into() })?;
        ffmpeg::read_only(&mut input, &[Some(stream)]);
        let base = input.stream(stream).and_then(|it| {
            let base = it.time_base();
            TimeBase::new(base.numerator().into(), base.denominator().into())
        });
        let base = base.ok_or_else(|| container::not_video(path, "its time base is invalid"))?;
        let codec_id = input.stream(stream).map(|it| it.parameters().id());
        let streams = [Some(stream), choice::sound(&input).map(|it| it.index)];
        Ok(Self {
            path: path.into(),
            base,
            continuity: Continuity::new(path, &input, streams, StreamKind::Video, base),
            input,
            stream,
            codec_id: codec_id.unwrap_or(Id::None),
            instead_of,
            stop,
            end: None,
            stream_end: Arc::default(),
            damaged: 0,
        })
    }

    /// The file.
    pub(in crate::media) fn path(&self) -> &Path {
        &self.path
    }

    /// The codec of the stream that a player would have chosen, where FFmpeg cannot decode that.
    pub(in crate::media) fn instead_of(&self) -> Option<&str> {
        self.instead_of.as_deref()
    }

    /// The tick of its time stamps.
    pub(in crate::media) fn base(&self) -> TimeBase {
        self.base
    }

    /// What a decoder must know.
    pub(in crate::media) fn parameters(&self) -> Parameters {
        let parameters = self.stream().map(|stream| stream.parameters());
        parameters.unwrap_or_default()
    }

    /// Whether its headers may come again, which only a decoder on one thread takes.
    pub(in crate::media) fn repeats_headers(&self) -> bool {
        self.codec_id == Id::THEORA
    }

    /// Whether it is of a kind that is cut and joined anywhere.
    pub(in crate::media) fn is_broadcast(&self) -> bool {
        container::is_broadcast(&self.input)
    }

    /// FFmpeg's name of the codec.
    pub(in crate::media) fn codec(&self) -> String {
        ffmpeg::codec_name(&self.parameters())
    }

    /// The transfer of a high dynamic range, `PQ` or `HLG`, where it has one.
    pub(in crate::media) fn high_range(&self) -> Option<&'static str> {
        ffmpeg::high_range(&self.parameters())
    }

    fn coded_size(&self) -> Size {
        ffmpeg::coded_size(&self.parameters())
    }

    /// Refuses a video whose headers state larger frames than are decoded.
    pub(in crate::media) fn refuse_large(&self) -> Result<(), MediaError> {
        let size = self.coded_size();
        match size.pixels() > MOST_PIXELS {
            true => Err(MediaError::too_large(&self.path, size, MOST_PIXELS)),
            false => Ok(()),
        }
    }

    /// How its frames are displayed. The container's word on the shape of pixels goes before that
    /// of the frames, as players have it.
    pub(in crate::media) fn display(&self) -> Display {
        let [(num, den), _] = ffmpeg::pixel_aspect(&self.input, self.stream);
        Display {
            aspect: PixelAspect::new(num, den),
            turn: self.turn(),
        }
    }

    /// Width and height as shown, as far as the headers say.
    pub(in crate::media) fn size(&self) -> Size {
        let [_, (num, den)] = ffmpeg::pixel_aspect(&self.input, self.stream);
        let display = self.display();
        let aspect = display.aspect.or(PixelAspect::new(num, den));
        Display { aspect, ..display }.size(self.coded_size())
    }

    fn turn(&self) -> Orientation {
        let read = |stream: Stream<'_>| {
            stream
                .side_data()
                .find(|data| data.kind() == side_data::Type::DisplayMatrix)
                .map(|data| Orientation::from_display_matrix(data.data()))
        };
        let is_photograph = || ["webp", "apng"].contains(&self.codec().as_str());
        let photographed = || is_photograph().then(|| photograph::turn_of_file(&self.path));
        let stated = self.stream().and_then(read);
        stated.or_else(photographed).unwrap_or_default()
    }

    /// What its packets say of themselves; `None` where that is not to be relied on.
    pub(in crate::media) fn syntax(&self) -> Option<Syntax> {
        let parameters = self.parameters();
        let is_intra_only = ffmpeg::is_intra_only(&parameters);
        let data = ffmpeg::codec_data(&parameters);
        Syntax::new(&self.codec(), &data, is_intra_only)
    }

    /// Frames a second on average, where the headers say or imply it.
    pub(in crate::media) fn frame_rate(&self) -> Option<Ratio> {
        container::frame_rate(&self.stream()?)
    }

    /// Ticks of the stream as its headers have them; those of the container where only it says.
    pub(in crate::media) fn duration(&self) -> Option<i64> {
        // Where a container knows none of a stream's own, FFmpeg fills in that of the whole
        // file, which may have a longer sound track: so the tag comes first.
        let filled = || self.stream().map(|stream| stream.duration());
        let tagged = self
            .stream()
            .and_then(|stream| container::tagged_ticks(&stream, self.base));
        tagged.or_else(filled).filter(|ticks| *ticks > 0)
    }

    /// Whether the file also has a sound track.
    pub(in crate::media) fn has_sound(&self) -> bool {
        self.input
            .streams()
            .any(|stream| stream.parameters().medium() == Type::Audio)
    }

    /// A frame's usual time on screen, in ticks; at least one.
    pub(in crate::media) fn usual_ticks(&self) -> i64 {
        let stream = self.stream();
        stream.map_or(1, |stream| container::usual_ticks(&stream, self.base))
    }

    /// The time stamp at which the stream ends, as far as it was read: the latest of those
    /// that are shown, and that frame's time on screen. `None` while no packet had one.
    pub(in crate::media) fn end(&self) -> Option<i64> {
        self.end
    }

    /// Is set once all packets were read.
    pub(in crate::media) fn stream_end(&self) -> Arc<OnceLock<StreamEnd>> {
        Arc::clone(&self.stream_end)
    }

    /// The number of times that the container could not be read.
    pub(in crate::media) fn damaged(&self) -> u64 {
        self.damaged
    }

    /// The next packet of the stream; `None` at the end of the file, or when asked to stop.
    pub(in crate::media) fn next_packet(&mut self) -> Option<Packet> {
        let mut unreadable = 0;
        while !self.stop.is_set() && unreadable < UNREADABLE_LIMIT {
            let mut packet = Packet::empty();
            match packet.read(&mut self.input) {
                Ok(()) if packet.stream() == self.stream => {
                    match container::header(self.codec_id, &packet) {
                        None => {}
                        Some(Header::Comment) => continue,
                        Some(Header::Setup) => {
                            ffmpeg::hide(&mut packet);
                            packet.set_pts(None);
                            packet.set_dts(None);
                            return Some(packet);
                        }
                    }
                    self.continuity.mend(&mut packet, &self.stop);
                    self.note_end(&packet);
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
        self.note_stream_end();
        None
    }

    fn note_stream_end(&self) {
        if self.stop.is_set() || self.stream_end.get().is_some() {
            return;
        }
        if let Some(end) = self.end {
            let read = ReadStream {
                path: &self.path,
                input: &self.input,
                stream: self.stream,
                ticks: self.duration(),
                end,
                usual: self.usual_ticks(),
            };
            let early = read.early_end(&self.stop);
            let pts = Pts(end);
            self.stream_end.get_or_init(|| StreamEnd { pts, early });
        }
    }

    fn note_end(&mut self, packet: &Packet) {
        let Some(pts) = packet.pts().filter(|_| !ffmpeg::is_hidden(packet)) else {
            return;
        };
        let ticks = match packet.duration() {
            ticks if ticks > 0 => ticks,
            _ => self.usual_ticks(),
        };
        self.end = self.end.max(Some(pts.saturating_add(ticks)));
    }

    /// Seconds from where a player's clock begins, with the earliest stream, to this time.
    pub(in crate::media) fn since_start(&self, pts: Pts) -> f64 {
        let streams = self.input.streams();
        let streams = streams.filter(|stream| {
            matches!(stream.parameters().medium(), Type::Video | Type::Audio)
                && stream.start_time() != i64::MIN
                && !stream.disposition().contains(Disposition::ATTACHED_PIC)
        });
        let since = streams.filter_map(|stream| {
            let base = stream.time_base();
            let base = TimeBase::new(base.numerator().into(), base.denominator().into())?;
            let start = base.seconds_between(Pts(0), Pts(stream.start_time()));
            let since = self.base.seconds_between(Pts(0), pts) - start;
            // One of the two may have wrapped already.
            let turn = 2_f64.powi(ffmpeg::wrap_bits(&stream).cast_signed()) * base.ratio().to_f64();
            Some(since - (since / turn).round() * turn)
        });
        since.fold(0.0, f64::max)
    }

    fn stream(&self) -> Option<Stream<'_>> {
        self.input.stream(self.stream)
    }
}
