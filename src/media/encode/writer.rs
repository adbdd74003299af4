//! Frames, sound and captions to one MP4 file, put together in the order of time.
//!
//! Memory is bounded by what the encoders hold and by ten seconds of packets.

use crate::facts::VideoFacts;
use crate::item::Frame;
use crate::item::Size;
use crate::media::encode::captions;
use crate::media::encode::captions::TimedText;
use crate::media::encode::picture;
use crate::media::encode::picture::PictureEncoder;
use crate::media::encode::sound::SoundCopy;
use crate::media::encode::sound::SoundFeed;
use crate::media::error::MediaError;
use crate::media::input::container;
use crate::media::sound::SoundTrack;
use crate::media::stop::StopFlag;
use crate::time::Pts;
use crate::time::Ratio;
use crate::time::TimeBase;
use ffmpeg_next::Packet;
use ffmpeg_next::Rational;
use ffmpeg_next::error::Error;
use ffmpeg_next::format;
use ffmpeg_next::format::context::Output;
use ffmpeg_next::format::context::StreamIo;
use ffmpeg_next::util::error::EINVAL;
use std::collections::VecDeque;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Which video a file is written of, and which part of its time.
#[derive(Clone, Copy, Debug)]
pub struct VideoOrigin<'a> {
    /// The video.
    pub facts: &'a VideoFacts,
    /// The tick of its frames.
    pub base: TimeBase,
    /// Where the clock of the new file begins, in seconds since the first frame; negative where
    /// sound comes before that.
    pub begin: f64,
    /// Where the file ends, likewise; with the video where that is `None`.
    pub end: Option<f64>,
}

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodedVideo {
    /// Frames.
    pub frames: u64,
    /// The size of each.
    pub size: Size,
    /// FFmpeg's name of the encoder.
    pub encoder: &'static str,
    /// What became of the sound.
    pub sound: SoundCopy,
    /// Packets of sound that are damaged, and not in it.
    pub lost_sound: u64,
    /// Captions.
    pub captions: u64,
}

/// A video file that grows, frame by frame.
pub struct VideoWriter {
    output: Output,
    picture: PictureEncoder,
    base: TimeBase,
    begin: f64,
    sound: Option<(SoundFeed, usize)>,
    copy: SoundCopy,
    // Packets of sound that MP4 cannot take.
    refused: u64,
    captions: Option<(VecDeque<TimedText>, usize)>,
    caption_count: u64,
    // The time stamp in the source of the first frame, and its time in the file.
    first: Option<(i64, i64)>,
    // The time of the frame that came last.
    last: Option<i64>,
    // Times of frames whose packets have not come yet.
    times: VecDeque<i64>,
    // A packet is written when it is known how long its frame is shown.
    held: Option<(Packet, i64)>,
    frames: u64,
}

const VIDEO_STREAM: usize = 0;

/// The comment in the metadata of what is written, by which it is known again.
const MARK: (&str, &str) = ("comment", "written by vpipe");

/// Whether the file at `path` is a video that a [`VideoWriter`] wrote.
pub fn is_own_video(path: &Path) -> bool {
    let (key, mark) = MARK;
    let input = container::open_file(path, &StopFlag::default());
    input.is_ok_and(|input| input.metadata().get(key) == Some(mark))
}

impl VideoWriter {
    /// Begins a video of frames of `size` in `file`, with the sound of `origin` and `captions`, which
    /// are in the order of time. Once `stop` is set, no more sound is read.
    ///
    /// # Errors
    ///
    /// Where this FFmpeg has no encoder for it, or nothing can be written.
    pub fn create(
        file: File,
        size: Size,
        origin: &VideoOrigin<'_>,
        captions: Vec<TimedText>,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, MediaError> {
        let rate = origin.facts.fps.map(Ratio::to_f64);
        let picture = PictureEncoder::open(size, origin.base, rate)?;
        let (sound, mut copy) = sound(origin, stop)?;
        let begin = || {
            let io = StreamIo::from_write_seek(file)?;
            let mut output = format::output_to_stream(io, None, Some("mp4"))?;
            let mut stream = output.add_stream_with(picture.context())?;
            stream.set_time_base(rational(origin.base));
            let sound = match sound {
                Some(feed) => {
                    let index = feed.add_stream(&mut output)?;
                    set_base(&mut output, index, rational(feed.base()));
                    Some((feed, index))
                }
                None => None,
            };
            let index = match captions.is_empty() {
                true => None,
                false => Some(add_captions(&mut output)?),
            };
            output.set_metadata([MARK].into_iter().collect());
            output.write_header()?;
            Ok((output, sound, index))
        };
        let (output, sound, index) = begin().map_err(failed)?;
        if let Some((feed, _)) = &sound {
            copy = feed.copy();
        }
        Ok(Self {
            output,
            picture,
            base: origin.base,
            begin: origin.begin,
            sound,
            copy,
            refused: 0,
            caption_count: captions.len() as u64,
            captions: index.map(|index| (captions.into(), index)),
            first: None,
            last: None,
            times: VecDeque::new(),
            held: None,
            frames: 0,
        })
    }

    /// Adds a frame, which keeps its own time; one that is no later than those before is left out.
    ///
    /// # Errors
    ///
    /// Where it cannot be coded or written.
    pub fn add(&mut self, frame: &Frame) -> Result<(), MediaError> {
        let content = frame.content.as_ref().ok();
        let pixels = content.and_then(|content| content.pixels.as_ref());
        let pixels = pixels.ok_or(MediaError::NotDrawable { size: frame.size })?;
        let pts = frame.moment.pts.0;
        let seconds = (frame.moment.seconds - self.begin) / self.base.ratio().to_f64();
        let (from, at) = *self.first.get_or_insert((pts, seconds.round() as i64));
        // The frame on screen when the file begins may have come before.
        let ticks = at.saturating_add(pts.saturating_sub(from)).max(0);
        if self.last.replace(ticks).is_some_and(|last| ticks <= last) {
            return Ok(());
        }
        self.picture.send(pixels, frame.size, ticks)?;
        self.times.push_back(ticks);
        self.frames += 1;
        self.take_packets()
    }

    /// Ends the file; the last frame is shown until `end`, in seconds since the first frame of the
    /// source.
    ///
    /// # Errors
    ///
    /// Where what is left cannot be coded or written.
    pub fn finish(mut self, end: f64) -> Result<EncodedVideo, MediaError> {
        self.picture.end()?;
        self.take_packets()?;
        if let Some((packet, at)) = self.held.take() {
            let end = ((end - self.begin) / self.base.ratio().to_f64()).round() as i64;
            self.write_picture(packet, at, end.saturating_sub(at).max(1))?;
        }
        self.write_beside(f64::INFINITY)?;
        self.output.write_trailer().map_err(failed)?;
        let unframed = self.sound.map_or(0, |(feed, _)| feed.unframed());
        Ok(EncodedVideo {
            frames: self.frames,
            size: picture::even(self.picture.size()),
            encoder: self.picture.name,
            sound: self.copy,
            lost_sound: self.refused + unframed,
            captions: self.caption_count,
        })
    }

    fn take_packets(&mut self) -> Result<(), MediaError> {
        while let Some(packet) = self.picture.receive() {
            // One a frame, in their order: no frame is predicted from a later one.
            let Some(at) = self.times.pop_front() else {
                continue;
            };
            if let Some((before, since)) = self.held.replace((packet, at)) {
                self.write_picture(before, since, at.saturating_sub(since))?;
            }
        }
        Ok(())
    }

    fn write_picture(&mut self, mut packet: Packet, at: i64, shown: i64) -> Result<(), MediaError> {
        packet.set_pts(Some(at));
        packet.set_dts(Some(at));
        packet.set_duration(shown);
        self.write_beside(at as f64 * self.base.ratio().to_f64())?;
        write(&mut self.output, packet, VIDEO_STREAM, rational(self.base))
    }

    // Sound and captions that begin before `until`, in seconds of the file.
    fn write_beside(&mut self, until: f64) -> Result<(), MediaError> {
        if let Some((feed, index)) = &mut self.sound {
            let base = rational(feed.base());
            while let Some(packet) = feed.next_before(until)? {
                match put(&mut self.output, packet, *index, base) {
                    Err(error) if is_damage(error) => self.refused += 1,
                    written => written.map_err(failed)?,
                }
            }
        }
        if let Some((captions, index)) = &mut self.captions {
            let is_due = |text: &mut TimedText| text.start as f64 / 1e3 < until;
            while let Some(text) = captions.pop_front_if(is_due) {
                let packet = captions::packet(&text);
                write(
                    &mut self.output,
                    packet,
                    *index,
                    Rational(1, captions::TICKS),
                )?;
            }
        }
        Ok(())
    }
}

// The sound of the video, on the clock that the new file begins with. Sound that cannot be decoded
// is no reason to write no video.
fn sound(
    origin: &VideoOrigin<'_>,
    stop: Arc<AtomicBool>,
) -> Result<(Option<SoundFeed>, SoundCopy), MediaError> {
    let Some(first) = origin.facts.first_frame.filter(|_| origin.facts.has_sound) else {
        return Ok((None, SoundCopy::None));
    };
    let zero = first.base.seconds_between(Pts(0), first.pts);
    let track = match SoundTrack::open(&origin.facts.path, None, StopFlag::new(stop)) {
        Ok(track) => track,
        Err(MediaError::NoSound { .. }) => return Ok((None, SoundCopy::None)),
        Err(error) => return Err(error),
    };
    let end = origin.end.map(|end| zero + end);
    match SoundFeed::open(track, zero + origin.begin, end) {
        Ok(feed) => Ok((Some(feed), SoundCopy::None)),
        Err(error) => {
            let why = error.to_string();
            Ok((None, SoundCopy::LeftOut { why }))
        }
    }
}

fn add_captions(output: &mut Output) -> Result<usize, Error> {
    let parameters = captions::parameters().ok_or(Error::Unknown)?;
    let mut stream = output.add_stream(None::<ffmpeg_next::Codec>)?;
    stream.set_parameters(parameters);
    let index = stream.index();
    set_base(output, index, Rational(1, captions::TICKS));
    Ok(index)
}

fn set_base(output: &mut Output, index: usize, base: Rational) {
    if let Some(mut stream) = output.stream_mut(index) {
        stream.set_time_base(base);
    }
}

fn write(
    output: &mut Output,
    packet: Packet,
    stream: usize,
    base: Rational,
) -> Result<(), MediaError> {
    put(output, packet, stream, base).map_err(failed)
}

fn put(
    output: &mut Output,
    mut packet: Packet,
    stream: usize,
    base: Rational,
) -> Result<(), Error> {
    packet.set_stream(stream);
    packet.set_position(-1);
    if let Some(to) = output.stream(stream).map(|it| it.time_base()) {
        packet.rescale_ts(base, to);
    }
    packet.write_interleaved(output)
}

// Whether a packet of a source was refused for what is in it, or for a time that goes back; a disk
// that takes no more says neither.
fn is_damage(error: Error) -> bool {
    match error {
        Error::InvalidData | Error::PatchWelcome => true,
        Error::Other { errno } => errno == EINVAL,
        _ => false,
    }
}

fn rational(base: TimeBase) -> Rational {
    let part = |value: i64| i32::try_from(value).unwrap_or(i32::MAX);
    let ratio = base.ratio();
    Rational(part(ratio.num()), part(ratio.den()))
}

fn failed(error: Error) -> MediaError {
    let why = error.to_string();
    MediaError::VideoEncoder { why }
}
