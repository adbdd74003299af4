//! The iterator over the sampled pictures of one input.
//!
//! Knows nothing of stages or of who wants the pictures.

use crate::facts::VideoFacts;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Content;
use crate::item::Moment;
use crate::item::Picture;
use crate::item::PixelFormat;
use crate::item::Size;
use crate::media::error::MediaError;
use crate::media::full::Full;
use crate::media::full::Sampled;
use crate::media::input::Input;
use crate::media::shape::Shaper;
use crate::media::stills;
use crate::media::track::Track;
use crate::media::turn::Turn;
use crate::name::VideoId;
use crate::time::Pts;
use crate::time::Ratio;
use crate::time::TimeBase;
use ffmpeg_next::frame::Video;
use std::iter::Enumerate;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::vec;

/// What to take from an input.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// Pictures a second of video; positive. Means nothing for picture files.
    pub fps: Ratio,
    /// The longest side, in pixels, that a picture may have; longer ones are scaled down.
    pub max_side: u32,
    /// The layout of the pixels.
    pub format: PixelFormat,
    /// Samples earlier than this many seconds after the first frame are left out.
    pub from: Option<f64>,
    /// Samples this many seconds after the first frame or later are left out.
    pub until: Option<f64>,
}

impl Wanted {
    /// All of an input at `fps`.
    pub fn new(fps: Ratio, max_side: u32, format: PixelFormat) -> Self {
        Self {
            fps,
            max_side,
            format,
            from: None,
            until: None,
        }
    }
}

/// The most pictures that a [`Pictures`] holds at a time, the one it is about to give included.
pub const PICTURES_HELD: usize = 2;

/// The sampled pictures of one input, in order. Blocks while it reads; dropping it between two
/// pictures ends the work.
pub struct Pictures {
    source: Source,
    shaper: Shaper,
    video: VideoId,
    size: Size,
    path: PathBuf,
    next_index: u64,
    stop: Arc<AtomicBool>,
}

enum Source {
    Video { full: Box<Full>, base: TimeBase },
    Stills(Enumerate<vec::IntoIter<PathBuf>>),
    Ended,
}

/// Opens `input` for its pictures. Once `stop` is set the iterator ends, within a packet, even
/// where no picture is due for long.
///
/// A picture that cannot be decoded is not the end: it is given with the reason as its content.
///
/// # Errors
///
/// Where the input cannot be opened or this FFmpeg cannot decode it.
pub fn pictures(
    input: &Input,
    facts: &VideoFacts,
    wanted: &Wanted,
    stop: Arc<AtomicBool>,
) -> Result<Pictures, MediaError> {
    let mut turn = Turn::default();
    let source = match input {
        Input::Video(path) => {
            let track = Track::open(path, Arc::clone(&stop))?;
            turn = track.turn();
            let base = track.base();
            let full = Box::new(Full::new(track, wanted, 1)?);
            Source::Video { full, base }
        }
        Input::Pictures { files, .. } => Source::Stills(files.clone().into_iter().enumerate()),
    };
    Ok(Pictures {
        source,
        shaper: Shaper::new(wanted.format, wanted.max_side, turn),
        video: facts.id,
        size: facts.size,
        path: facts.path.clone(),
        next_index: 0,
        stop,
    })
}

impl Pictures {
    /// The number of packets, so far, that were damaged and left out.
    pub fn damaged(&self) -> u64 {
        match &self.source {
            Source::Video { full, .. } => full.damaged(),
            Source::Stills(_) | Source::Ended => 0,
        }
    }

    fn of_video(&mut self, sampled: Sampled, base: TimeBase) -> Picture {
        let Sampled {
            place,
            samples,
            frame,
        } = sampled;
        let seconds = base.seconds_between(place.first, place.pts);
        let content = frame.ok_or_else(|| format!("the frame at {seconds:.3} s is damaged"));
        let moment = Moment {
            video: self.video,
            index: self.take_index(),
            frame_number: place.number,
            pts: place.pts,
            seconds,
            samples,
        };
        self.picture(moment, content)
    }

    fn of_file(&mut self, number: usize, path: &Path) -> Picture {
        let moment = Moment {
            video: self.video,
            index: self.take_index(),
            frame_number: number as u64,
            pts: Pts(number as i64),
            seconds: number as f64,
            samples: 1,
        };
        let frame = stills::decode(path).map(|still| still.frame);
        self.picture(moment, frame)
    }

    fn picture(&mut self, moment: Moment, frame: Result<Video, String>) -> Picture {
        let shaped = frame.and_then(|frame| {
            let shaped = self.shaper.shape(&frame);
            shaped.ok_or_else(|| {
                format!(
                    "pixels of the layout {:?} cannot be converted",
                    frame.format()
                )
            })
        });
        match shaped {
            Ok(shaped) => Picture {
                moment,
                source: shaped.source,
                size: shaped.size,
                content: Ok(Content {
                    pixels: Some(shaped.pixels),
                    jpeg: None,
                }),
            },
            Err(why) => Picture {
                moment,
                source: self.size,
                size: self.size,
                content: Err(Failure::new(Class::Media, why)),
            },
        }
    }

    fn take_index(&mut self) -> u64 {
        self.next_index += 1;
        self.next_index - 1
    }
}

impl Iterator for Pictures {
    type Item = Result<Picture, MediaError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.stop.load(Ordering::Relaxed) {
            return None;
        }
        match &mut self.source {
            Source::Video { full, base } => {
                let base = *base;
                if let Some(sampled) = full.next_sampled() {
                    return Some(Ok(self.of_video(sampled, base)));
                }
                let nothing = !full.has_decoded() && !self.stop.load(Ordering::Relaxed);
                nothing.then(|| {
                    self.source = Source::Ended;
                    Err(MediaError::NothingDecodes {
                        path: self.path.clone(),
                    })
                })
            }
            Source::Stills(files) => {
                let (number, path) = files.next()?;
                Some(Ok(self.of_file(number, &path)))
            }
            Source::Ended => None,
        }
    }
}
