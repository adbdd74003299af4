//! Items: what flows on the edges of a plan.
//!
//! Items are small handles; the bytes behind them are shared and freed when the last handle
//! goes. Every item names its video. Knows nothing of how items are made or consumed.

use crate::failure::Class;
use crate::failure::Failure;
use crate::name::StageId;
use crate::name::VideoId;
use crate::speech;
use crate::speech::Chunk;
use crate::speech::ChunkTranscript;
use crate::speech::Sound;
use crate::speech::StageTranscript;
use crate::template::Direction;
use crate::time::Pts;
use bytes::Bytes;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

/// The kind of item that a port takes or gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// A sampled frame.
    Frame,
    /// Objects cut out of a frame, each a frame of its own.
    Crop,
    /// Frames that travel in one request.
    Batch,
    /// A piece of the sound of a video.
    Sound,
    /// Sound that is listened to at once.
    Chunk,
    /// What was found in one frame.
    Detections,
    /// Fields about one frame: detections without boxes.
    Fields,
    /// What was heard in one chunk.
    ChunkTranscript,
    /// What was said in a video.
    Transcript,
    /// A frame that was written to a file.
    Saved,
    /// The merged outcome of one video.
    Record,
}

impl ItemKind {
    /// Whether `item` belongs on an edge of this kind. A step may give detections beside
    /// frames, for those that it does not pass on; all else that it gives is of one kind.
    pub fn carries(self, item: &Item) -> bool {
        let answers = matches!(self, Self::Detections | Self::Fields);
        answers == matches!(item, Item::Detections(_))
    }
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Frame => "frames",
            Self::Crop => "crops",
            Self::Batch => "batches",
            Self::Sound => "sound",
            Self::Chunk => "chunks",
            Self::Detections => "detections",
            Self::Fields => "records",
            Self::ChunkTranscript => "segments",
            Self::Transcript => "transcript",
            Self::Saved => "files",
            Self::Record => "record",
        })
    }
}

/// One thing on an edge.
#[derive(Clone, Debug)]
pub enum Item {
    /// A sampled frame.
    Frame(Frame),
    /// A sampled frame that shows nothing new; it stands where the frame would.
    Repeat(Repeat),
    /// Frames that travel in one request.
    Batch(Batch),
    /// A piece of the sound of a video.
    Sound(Sound),
    /// Sound that is listened to at once.
    Chunk(Chunk),
    /// What was found in one frame.
    Detections(Detections),
    /// What was heard in one chunk.
    ChunkTranscript(ChunkTranscript),
    /// What was said in a video.
    Transcript(Box<StageTranscript>),
    /// A frame that was written to a file.
    Saved(Saved),
    /// The merged outcome of one video.
    Record(Box<Record>),
    /// The merged outcome of one frame, for those who read along.
    FrameRecord(Box<Record>),
}

impl Item {
    /// The video it belongs to.
    pub fn video(&self) -> VideoId {
        match self {
            Self::Frame(frame) => frame.moment.video,
            Self::Repeat(repeat) => repeat.moment.video,
            Self::Batch(batch) => batch.video,
            Self::Sound(sound) => sound.video,
            Self::Chunk(chunk) => chunk.span.video,
            Self::Detections(found) => found.moment.video,
            Self::ChunkTranscript(transcript) => transcript.span.video,
            Self::Transcript(transcript) => transcript.video,
            Self::Saved(saved) => saved.moment.video,
            Self::Record(record) | Self::FrameRecord(record) => record.video,
        }
    }

    /// The progress units of the item: one for each sampled frame, and for each second of sound.
    pub fn progress_units(&self) -> u64 {
        match self {
            Self::Frame(_) | Self::Repeat(_) | Self::Detections(_) | Self::Saved(_) => 1,
            Self::Batch(batch) => batch.frames.len() as u64,
            Self::Chunk(chunk) => chunk.span.counted(),
            Self::ChunkTranscript(transcript) => transcript.span.counted(),
            Self::Sound(_) | Self::Transcript(_) | Self::Record(_) | Self::FrameRecord(_) => 0,
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(frame) => write!(f, "{}", frame.moment),
            Self::Repeat(repeat) => write!(f, "{}", repeat.moment),
            Self::Batch(batch) => match (batch.frames.first(), batch.frames.last()) {
                (Some(first), Some(last)) => write!(
                    f,
                    "frames {}..{}",
                    first.moment.frame_number, last.moment.frame_number
                ),
                _ => f.write_str("empty batch"),
            },
            Self::Sound(sound) => write!(f, "sound from {:.1} s", speech::seconds(sound.start)),
            Self::Chunk(chunk) => write!(f, "{}", chunk.span),
            Self::Detections(found) => write!(f, "{}", found.moment),
            Self::ChunkTranscript(transcript) => write!(f, "{}", transcript.span),
            Self::Transcript(transcript) => write!(f, "transcript of {}", transcript.video),
            Self::Saved(saved) => write!(f, "{}", saved.moment),
            Self::Record(record) => write!(f, "{}", record.video),
            Self::FrameRecord(record) => write!(f, "a frame of {}", record.video),
        }
    }
}

/// Which frame of which video: the identity of everything that is found in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// The video it was taken from.
    pub video: VideoId,
    /// Its place among the sampled frames of the video, from 0 without gaps.
    pub index: u64,
    /// Its true index in the source, from 0.
    pub frame_number: u64,
    /// Its time stamp in the source.
    pub pts: Pts,
    /// Seconds since the first frame of the video.
    pub seconds: f64,
    /// The number of samples that show this frame; at least 1.
    pub samples: u64,
    /// The part of it that is meant, where that is not the whole.
    pub part: Option<Part>,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "frame {}", self.frame_number)?;
        match self.part {
            Some(part) => write!(f, ", crop {}", part.number),
            None => Ok(()),
        }
    }
}

/// The place of a crop in the frame that it was cut out of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Which of the crops of its frame it is, from 0.
    pub number: u32,
    /// How many crops its frame has.
    pub of: u32,
    /// Which of the objects that were found in the frame it was cut around, from 0.
    pub parent: u32,
    /// Its left edge, in pixels of the frame it was cut out of.
    pub left: u32,
    /// Its upper edge.
    pub top: u32,
    /// Pixels of the source to one of the frame, across and down.
    pub scale: [f32; 2],
}

impl Part {
    /// The crop with this number, as one whose place does not matter.
    pub fn of(number: u32) -> Self {
        Self {
            number,
            of: number + 1,
            parent: number,
            left: 0,
            top: 0,
            scale: [1.0; 2],
        }
    }

    /// A box in pixels of the crop, in pixels of the source.
    pub fn to_source(&self, [x1, y1, x2, y2]: [f32; 4]) -> [f32; 4] {
        let x = |x: f32| (self.left as f32 + x) * self.scale[0];
        let y = |y: f32| (self.top as f32 + y) * self.scale[1];
        [x(x1), y(y1), x(x2), y(y2)]
    }
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

impl Size {
    /// The number of pixels.
    pub fn pixels(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// The size with this shape whose longer side is at most `max_side`; itself where it fits.
    /// Each side is rounded to the nearest even number, which 4:2:0 planes need, and is at
    /// least 2.
    pub fn within(self, max_side: u32) -> Self {
        let longer = self.width.max(self.height);
        if longer <= max_side {
            return self;
        }
        let scale = f64::from(max_side) / f64::from(longer);
        let even = |side: u32| ((f64::from(side) * scale / 2.0).round() as u32 * 2).max(2);
        Self {
            width: even(self.width),
            height: even(self.height),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A sampled frame: pixels, JPEG, or both, as its consumers need.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Which frame it is.
    pub moment: Moment,
    /// The size of the source as it is shown (rotation applied): what boxes are measured in. A
    /// crop is its own source; its [`Part`] leads from there to that of the video.
    pub source: Size,
    /// The size of `pixels` and of `jpeg`.
    pub size: Size,
    /// What it shows; or why it could not be read, in which case it is a gap.
    pub content: Result<Content, Failure>,
}

/// A sampled frame that shows what an earlier one of its video shows. It carries no pixels and
/// is not looked at: what is found in the earlier one holds for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeat {
    /// Which frame it is.
    pub moment: Moment,
    /// The `frame_number` of the earlier frame, which is no repeat itself.
    pub same_as: u64,
}

/// The forms in which a frame is carried.
#[derive(Clone, Debug, Default)]
pub struct Content {
    /// Pixels, where a consumer works on this machine or the JPEG is still to be made.
    pub pixels: Option<Pixels>,
    /// JPEG, where a consumer is elsewhere.
    pub jpeg: Option<Bytes>,
}

/// The layout of [`Pixels`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PixelFormat {
    /// One plane of interleaved red, green, blue; 8 bits each. What local models read.
    Rgb24,
    /// Planes Y, U, V with the chroma halved both ways; full range, BT.601, as JPEG has it.
    I420,
}

/// Uncompressed pixels, shared.
#[derive(Clone, Debug)]
pub struct Pixels {
    /// The layout of `data`.
    pub format: PixelFormat,
    /// The bytes of all planes, one after the other.
    pub data: Bytes,
    /// Bytes from one row of the first plane to the next. Chroma planes of I420 have
    /// `stride.div_ceil(2)`.
    pub stride: usize,
}

/// Frames of one video that travel in one request, in order.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The video of all of them.
    pub video: VideoId,
    /// At least one frame.
    pub frames: Vec<Frame>,
}

/// One object found in a frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Detection {
    /// `[x1, y1, x2, y2]` in pixels of the source as it is shown.
    pub bbox: [f32; 4],
    /// The index of the class in the model.
    pub class: u32,
    /// The name of the class.
    pub class_name: Arc<str>,
    /// From 0 to 1.
    pub confidence: f32,
    /// Where it was found in a crop: which of the objects of the frame, as the stage that the
    /// crops are of lists them, that was cut around. From 0.
    pub parent: Option<u32>,
    /// The thing that it is one sight of. No part of what is kept of an answer, from which it is
    /// computed again.
    #[serde(skip)]
    pub sight: Option<Box<Sight>>,
}

/// One sight of a thing that is tracked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sight {
    /// The number of the thing: the same in all frames of the video, from 1.
    pub track: u64,
    /// Seconds since it was seen first.
    pub age: f64,
    /// How fast it moves, in heights of its box a second.
    pub speed: f64,
    /// Whether it is the one sight for who looks at each thing once.
    pub first: bool,
    /// The lines that it has crossed since the last sight.
    pub crossed: BTreeMap<Arc<str>, Direction>,
    /// The regions that it was outside of, and is in now.
    pub entered: Vec<Arc<str>>,
}

/// What a stage found in one frame.
#[derive(Clone, Debug)]
pub struct Detections {
    /// The stage that looked.
    pub stage: StageId,
    /// The frame it looked at.
    pub moment: Moment,
    /// What it saw, or why it did not look.
    pub found: Found,
    /// The `frame_number` of the frame that this one repeats. Then `found` is what was found
    /// there, once both have met in a [`Record`]; until then it is why there is no answer yet.
    pub same_as: Option<u64>,
}

impl Detections {
    /// What `stage` has to say of a frame that it did not look at again.
    pub fn of_repeat(stage: &StageId, repeat: &Repeat) -> Self {
        Self {
            stage: stage.clone(),
            moment: repeat.moment.clone(),
            found: Found::Skipped(repeat.without_answer()),
            same_as: Some(repeat.same_as),
        }
    }
}

impl Repeat {
    /// What is said of it where the frame that it repeats never came.
    pub fn without_answer(&self) -> String {
        format!("it repeats frame {}, which is not there", self.same_as)
    }
}

/// What a server said of a frame or of a crop.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Fields {
    /// What the crop was cut around; see [`Detection::parent`].
    pub parent: Option<u32>,
    /// By the names that the recipe gives.
    pub values: Map<String, Value>,
}

/// "Nothing found" and "not looked at" never look alike.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// What the model saw; may be empty.
    Objects(Vec<Detection>),
    /// What a server said of it, by names of the recipe's own: one of the whole, or one for each
    /// of its crops.
    Fields(Vec<Fields>),
    /// The frame was looked at, or tried to be, and there is no answer.
    Error(Failure),
    /// The frame was not looked at, with the reason.
    Skipped(String),
}

impl Found {
    /// What a frame has that got no answer because of `failure`.
    pub fn without_answer(failure: &Failure) -> Self {
        match failure.class {
            Class::Stopped => Self::Skipped(failure.message.clone()),
            _ => Self::Error(failure.clone()),
        }
    }
}

/// What became of a frame that was to be written to a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Saved {
    /// The stage that wrote it.
    pub stage: StageId,
    /// The frame.
    pub moment: Moment,
    /// The file; or why there is none, of class [`Class::Stopped`] where nobody tried.
    pub file: Result<SavedFile, Failure>,
    /// The `frame_number` of the frame that this one repeats, and whose file is its own.
    pub same_as: Option<u64>,
}

impl Saved {
    /// What `stage` has to say of a frame that it did not write again.
    pub fn of_repeat(stage: &StageId, repeat: &Repeat) -> Self {
        Self {
            stage: stage.clone(),
            moment: repeat.moment.clone(),
            file: Err(Failure::new(Class::Stopped, repeat.without_answer())),
            same_as: Some(repeat.same_as),
        }
    }
}

/// A frame on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedFile {
    /// Where it is.
    pub path: PathBuf,
    /// How large it is.
    pub bytes: u64,
    /// When it was written, in nanoseconds since 1970, where the file system says so.
    #[serde(default)]
    pub modified: Option<i64>,
}

/// Everything that was found in one video, in order of time.
#[derive(Clone, Debug)]
pub struct Record {
    /// The video.
    pub video: VideoId,
    /// Detections by the stage that made them.
    pub detections: BTreeMap<StageId, Vec<Detections>>,
    /// What was said, by the stage that listened.
    pub transcripts: BTreeMap<StageId, StageTranscript>,
    /// Frames on the disk by the stage that wrote them.
    pub saved: BTreeMap<StageId, Vec<Saved>>,
}

#[cfg(test)]
mod tests {
    use super::Size;

    #[test]
    fn frames_shrink_to_the_longer_side_and_never_grow() {
        let size = |width, height| Size { width, height };
        assert_eq!(size(1920, 1080).within(1280), size(1280, 720));
        assert_eq!(size(1080, 1920).within(1280), size(720, 1280));
        assert_eq!(size(641, 481).within(1280), size(641, 481));
        assert_eq!(size(4000, 3).within(1280), size(1280, 2));
    }
}
