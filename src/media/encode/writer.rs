//! Frames that are coded anew, with sound and captions, to one MP4 file.
//!
//! Memory is bounded by what the encoders hold and by ten seconds of packets.

use crate::facts::VideoFacts;
use crate::item::Frame;
use crate::item::Size;
use crate::media::encode::captions::TimedText;
use crate::media::encode::mp4::Mp4File;
use crate::media::encode::mp4::PictureSource;
use crate::media::encode::picture;
use crate::media::encode::picture::PictureEncoder;
use crate::media::encode::sound::SoundCopy;
use crate::media::error::MediaError;
use crate::time::Ratio;
use crate::time::TimeBase;
use ffmpeg_next::Packet;
use std::collections::VecDeque;
use std::fs::File;
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
    file: Mp4File,
    picture: PictureEncoder,
    base: TimeBase,
    begin: f64,
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
        Self::of(picture, file, origin, captions, stop)
    }

    /// The same with an encoder that is chosen.
    pub(super) fn of(
        picture: PictureEncoder,
        file: File,
        origin: &VideoOrigin<'_>,
        captions: Vec<TimedText>,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, MediaError> {
        let pictures = PictureSource::Coded(picture.context());
        Ok(Self {
            file: Mp4File::create(file, pictures, origin, captions, stop)?,
            picture,
            base: origin.base,
            begin: origin.begin,
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
            self.write(packet, at, end.saturating_sub(at).max(1))?;
        }
        let beside = self.file.finish()?;
        Ok(EncodedVideo {
            frames: self.frames,
            size: picture::even(self.picture.size()),
            encoder: self.picture.name,
            sound: beside.sound,
            lost_sound: beside.lost_sound,
            captions: beside.captions,
        })
    }

    fn take_packets(&mut self) -> Result<(), MediaError> {
        while let Some(packet) = self.picture.receive() {
            // One a frame, in their order: no frame is predicted from a later one.
            let Some(at) = self.times.pop_front() else {
                continue;
            };
            if let Some((before, since)) = self.held.replace((packet, at)) {
                self.write(before, since, at.saturating_sub(since))?;
            }
        }
        Ok(())
    }

    fn write(&mut self, mut packet: Packet, at: i64, shown: i64) -> Result<(), MediaError> {
        packet.set_pts(Some(at));
        packet.set_dts(Some(at));
        packet.set_duration(shown);
        self.file.add(packet)
    }
}
