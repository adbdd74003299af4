//! An MP4 file that grows: the packets of its frames, and beside them sound and captions, in the order
//! of time.
//!
//! Memory is bounded by ten seconds of packets.

use crate::media::encode::captions;
use crate::media::encode::captions::TimedText;
use crate::media::encode::captions::for_other_container;
use crate::media::encode::sound::SoundCopy;
use crate::media::encode::sound::SoundFeed;
use crate::media::encode::writer::VideoOrigin;
use crate::media::error::MediaError;
use crate::media::input::container;
use crate::media::sound::SoundTrack;
use crate::media::stop::StopFlag;
use crate::time::Pts;
use crate::time::TimeBase;
use ffmpeg_next::Packet;
use ffmpeg_next::Rational;
use ffmpeg_next::codec;
use ffmpeg_next::codec::Parameters;
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

/// Where the packets of the frames come from.
pub(super) enum PictureSource<'a> {
    /// An encoder.
    Coded(&'a codec::Context),
    /// A stream of another file.
    Copied(Parameters),
}

/// An MP4 file that grows.
pub(super) struct Mp4File {
    output: Output,
    base: TimeBase,
    sound: Option<(SoundFeed, usize)>,
    copy: SoundCopy,
    // Packets of sound that MP4 cannot take.
    refused: u64,
    captions: Option<(VecDeque<TimedText>, usize)>,
    caption_count: u64,
}

/// What is in a file beside its frames.
pub(super) struct Accompaniment {
    /// What became of the sound.
    pub(super) sound: SoundCopy,
    /// Packets of sound that are damaged, and not in it.
    pub(super) lost_sound: u64,
    /// Captions.
    pub(super) captions: u64,
}

const VIDEO_STREAM: usize = 0;

/// The comment in the metadata of what is written, by which it is known again.
const MARK: (&str, &str) = ("comment", "written by vpipe");

/// Whether the file at `path` is a video that this program wrote.
pub fn is_own_video(path: &Path) -> bool {
    let (key, mark) = MARK;
    let input = container::open_file(path, &StopFlag::default());
    input.is_ok_and(|input| input.metadata().get(key) == Some(mark))
}

impl Mp4File {
    /// Begins one in `file`, with the sound of `origin` and `captions`, which are in the order of time.
    /// Once `stop` is set, no more sound is read.
    pub(super) fn create(
        file: File,
        pictures: PictureSource<'_>,
        origin: &VideoOrigin<'_>,
        captions: Vec<TimedText>,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, MediaError> {
        let (sound, mut copy) = sound(origin, stop)?;
        let begin = || {
            let io = StreamIo::from_write_seek(file)?;
            let mut output = format::output_to_stream(io, None, Some("mp4"))?;
            add_pictures(&mut output, pictures, origin.base)?;
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
            base: origin.base,
            sound,
            copy,
            refused: 0,
            caption_count: captions.len() as u64,
            captions: index.map(|index| (captions.into(), index)),
        })
    }

    /// Adds the packet of a frame, whose times are ticks of the origin on the clock of the file, behind
    /// all that begins before it is decoded.
    pub(super) fn add(&mut self, packet: Packet) -> Result<(), MediaError> {
        let ticks = packet.dts().unwrap_or(0);
        self.add_beside(ticks as f64 * self.base.ratio().to_f64())?;
        put(&mut self.output, packet, VIDEO_STREAM, rational(self.base)).map_err(failed)
    }

    /// Ends the file.
    pub(super) fn finish(mut self) -> Result<Accompaniment, MediaError> {
        self.add_beside(f64::INFINITY)?;
        self.output.write_trailer().map_err(failed)?;
        let unframed = self.sound.map_or(0, |(feed, _)| feed.unframed());
        Ok(Accompaniment {
            sound: self.copy,
            lost_sound: self.refused + unframed,
            captions: self.caption_count,
        })
    }

    // Sound and captions that begin before `until`, in seconds of the file.
    fn add_beside(&mut self, until: f64) -> Result<(), MediaError> {
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
                let (packet, base) = (captions::packet(&text), Rational(1, captions::TICKS));
                put(&mut self.output, packet, *index, base).map_err(failed)?;
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

fn add_pictures(
    output: &mut Output,
    pictures: PictureSource<'_>,
    base: TimeBase,
) -> Result<(), Error> {
    let mut stream = match pictures {
        PictureSource::Coded(context) => output.add_stream_with(context)?,
        PictureSource::Copied(parameters) => {
            let mut stream = output.add_stream(None::<ffmpeg_next::Codec>)?;
            stream.set_parameters(for_other_container(parameters));
            stream
        }
    };
    stream.set_time_base(rational(base));
    Ok(())
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
