//! Answers: what a stage found for one item, and the key under which it is kept.
//!
//! An answer is the unit that is journaled, recorded and replayed, and never asked for twice. A
//! batch is transport and has no key of its own. Knows nothing of where answers are kept.

use crate::facts::StreamFacts;
use crate::failure::Failure;
use crate::item::Batch;
use crate::item::Content;
use crate::item::Detection;
use crate::item::Detections;
use crate::item::Fields;
use crate::item::Found;
use crate::item::Frame;
use crate::item::Item;
use crate::item::Moment;
use crate::item::Part;
use crate::item::SavedFile;
use crate::item::Size;
use crate::name::BackendName;
use crate::name::StageId;
use crate::name::Ticket;
use crate::name::VideoId;
use crate::speech::AudioData;
use crate::speech::AudioSpan;
use crate::speech::Chunk;
use crate::speech::ChunkTranscript;
use crate::speech::Recognition;
use crate::speech::Transcript;
use crate::time::Pts;
use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de;
use std::fmt;
use std::path::Path;

/// BLAKE3 of everything that decides what a stage answers: its kind, its model, its parameters,
/// and the stages that it takes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageDigest(pub [u8; 32]);

impl StageDigest {
    /// What the answer of a stage that writes files is kept under for one file: two videos of the
    /// same content are written to files of their own.
    pub fn of_file(self, path: &Path) -> Self {
        let mut digest = blake3::Hasher::new();
        digest.update(&self.0);
        digest.update(path.as_os_str().as_encoded_bytes());
        Self(*digest.finalize().as_bytes())
    }
}

impl fmt::Display for StageDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Serialize for StageDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StageDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digest = blake3::Hash::from_hex(text);
        let digest = digest.map_err(|_| de::Error::custom("a digest has 64 letters"))?;
        Ok(Self(*digest.as_bytes()))
    }
}

/// What of a video an answer is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extent {
    /// All of it.
    Whole,
    /// One frame, or a crop of it.
    Frame {
        /// The time stamp of the frame.
        pts: Pts,
        /// Which of the objects of the frame was cut around, where that is not the whole.
        crop: Option<u32>,
    },
    /// Some of its sound, in samples.
    Sound {
        /// The first sample.
        start: u64,
        /// The sample after the last.
        end: u64,
    },
}

impl Extent {
    /// The frame, or the crop, that is meant.
    pub fn of_moment(moment: &Moment) -> Self {
        Self::Frame {
            pts: moment.pts,
            crop: moment.part.map(|part| part.parent),
        }
    }

    /// The sound of a chunk.
    pub fn of_span(span: &AudioSpan) -> Self {
        Self::Sound {
            start: span.range.start,
            end: span.range.end,
        }
    }

    /// What a stage is asked about with `item`; `None` for a batch, whose frames are asked about
    /// one by one, and where there is nothing to look at or to listen to.
    pub fn of_question(item: &Item) -> Option<Self> {
        match item {
            Item::Frame(frame) if frame.content.is_ok() => Some(Self::of_moment(&frame.moment)),
            Item::Detections(Detections {
                moment,
                found: Found::Objects(_),
                same_as: None,
                ..
            }) => Some(Self::of_moment(moment)),
            Item::Chunk(chunk) => match &chunk.content {
                Ok(AudioData::Samples(_) | AudioData::File { .. }) => {
                    Some(Self::of_span(&chunk.span))
                }
                Ok(AudioData::Silence) | Err(_) => None,
            },
            _ => None,
        }
    }
}

/// What an answer is kept under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    /// The video, by its place in this run; it is kept under the digest of its content.
    pub video: VideoId,
    /// The stage.
    pub stage: StageDigest,
    /// What of the video.
    pub extent: Extent,
}

/// What a stage found for one item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The objects in a frame or a crop; may be empty.
    Objects(Vec<Detection>),
    /// What a server said of a frame or a crop.
    Fields(Vec<Fields>),
    /// What was heard in a chunk.
    Recognition(Recognition),
    /// A frame that was sampled.
    Sample(Sample),
    /// Sampling came to the end of the video.
    Sampled(SamplingEnd),
    /// What was said in all of the video.
    Transcript(Transcript),
    /// The file that a frame was written to.
    File(SavedFile),
}

impl Answer {
    /// The answer that an item carries out of a stage, and what it is about; `None` where it has
    /// none, because something went wrong or nobody looked.
    pub fn of(item: &Item) -> Option<(Extent, Self)> {
        match item {
            Item::Detections(detections) if detections.same_as.is_none() => {
                let answer = match &detections.found {
                    Found::Objects(objects) => Self::Objects(objects.clone()),
                    Found::Fields(fields) => Self::Fields(fields.clone()),
                    Found::Error(_) | Found::Skipped(_) => return None,
                };
                Some((Extent::of_moment(&detections.moment), answer))
            }
            Item::ChunkTranscript(transcript) => {
                let recognition = transcript.recognition.as_ref().ok()?;
                let answer = Self::Recognition(recognition.clone());
                Some((Extent::of_span(&transcript.span), answer))
            }
            Item::Transcript(transcript) => {
                let said = transcript.said.as_ref().ok()?;
                let whole = said.gaps.is_empty();
                whole.then(|| (Extent::Whole, Self::Transcript(said.clone())))
            }
            Item::Saved(saved) if saved.same_as.is_none() => {
                let file = saved.file.as_ref().ok()?;
                Some((Extent::of_moment(&saved.moment), Self::File(file.clone())))
            }
            _ => None,
        }
    }

    /// What leaves `stage` for `item` with this answer; `None` where it answers something else.
    pub fn item(self, stage: &StageId, item: &Item) -> Option<Item> {
        let moment = match item {
            Item::Frame(frame) => &frame.moment,
            Item::Detections(boxes) => &boxes.moment,
            Item::Chunk(chunk) => {
                let Self::Recognition(recognition) = self else {
                    return None;
                };
                return Some(Item::ChunkTranscript(ChunkTranscript {
                    stage: stage.clone(),
                    span: chunk.span.clone(),
                    recognition: Ok(recognition),
                }));
            }
            _ => return None,
        };
        let found = match self {
            Self::Objects(objects) => Found::Objects(objects),
            Self::Fields(fields) => Found::Fields(fields),
            _ => return None,
        };
        Some(Item::Detections(Detections {
            stage: stage.clone(),
            moment: moment.clone(),
            found,
            same_as: None,
        }))
    }
}

/// A frame that was sampled: its [`Moment`] without the video, and its sizes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// Its place among the sampled frames, from 0.
    pub index: u64,
    /// Its true index in the source, from 0.
    pub frame_number: u64,
    /// Its time stamp.
    pub pts: Pts,
    /// Seconds since the first frame.
    pub seconds: f64,
    /// The number of samples that show it.
    pub samples: u64,
    /// The part of the frame that is meant, where that is not the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
    /// The size of the source as it is shown.
    pub source: Size,
    /// The size of the frame that stages get.
    pub size: Size,
    /// The `frame_number` of the earlier frame that it repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<u64>,
    /// Why it could not be decoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

impl Sample {
    /// The sample of `moment`.
    pub fn new(moment: &Moment, source: Size, size: Size) -> Self {
        Self {
            index: moment.index,
            frame_number: moment.frame_number,
            pts: moment.pts,
            seconds: moment.seconds,
            samples: moment.samples,
            part: moment.part,
            source,
            size,
            same_as: None,
            failure: None,
        }
    }

    /// The frame of `video` that it is.
    pub fn moment(&self, video: VideoId) -> Moment {
        Moment {
            video,
            index: self.index,
            frame_number: self.frame_number,
            pts: self.pts,
            seconds: self.seconds,
            samples: self.samples,
            part: self.part,
        }
    }
}

/// How sampling came to the end of a video.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SamplingEnd {
    /// The time stamps of the frames that were sampled, in order.
    pub frames: Vec<Pts>,
    /// What the user was told of the video while it was read.
    pub notices: Vec<String>,
    /// What reading it has shown.
    #[serde(default)]
    pub stream: StreamFacts,
    /// Why it ends before its container says.
    pub failure: Option<Failure>,
}

/// What a request asks about: enough to read its answer without what was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// Frames or crops, in the order in which they were sent.
    Frames(Vec<Sample>),
    /// The boxes of a frame.
    Boxes(Sample),
    /// A chunk of sound: its samples, and those that it counts for.
    Sound {
        /// The samples that it is made of.
        range: [u64; 2],
        /// The samples that no other chunk counts for.
        own: [u64; 2],
    },
}

impl Question {
    /// What is asked with `item`; `None` where that is nothing.
    pub fn of(item: &Item) -> Option<Self> {
        let sample = |frame: &Frame| Sample::new(&frame.moment, frame.source, frame.size);
        match item {
            Item::Batch(batch) => {
                let frames = batch.frames.iter();
                let sent: Vec<_> = frames
                    .filter(|frame| frame.content.is_ok())
                    .map(sample)
                    .collect();
                (!sent.is_empty()).then_some(Self::Frames(sent))
            }
            _ => Extent::of_question(item).and_then(|_| match item {
                Item::Frame(frame) => Some(Self::Frames(vec![sample(frame)])),
                // A record has no use for sizes.
                Item::Detections(boxes) => {
                    let none = Size {
                        width: 0,
                        height: 0,
                    };
                    Some(Self::Boxes(Sample::new(&boxes.moment, none, none)))
                }
                Item::Chunk(chunk) => Some(Self::Sound {
                    range: [chunk.span.range.start, chunk.span.range.end],
                    own: [chunk.span.own.start, chunk.span.own.end],
                }),
                _ => None,
            }),
        }
    }

    /// The item that was asked about, without the frames or the sound that were sent: enough for
    /// `stage` to read an answer.
    pub fn item(&self, stage: &StageId, video: VideoId) -> Item {
        match self {
            Self::Frames(samples) => {
                let frame = |sample: &Sample| Frame {
                    moment: sample.moment(video),
                    source: sample.source,
                    size: sample.size,
                    content: Ok(Content::default()),
                };
                Item::Batch(Batch {
                    video,
                    frames: samples.iter().map(frame).collect(),
                })
            }
            Self::Boxes(sample) => Item::Detections(Detections {
                stage: stage.clone(),
                moment: sample.moment(video),
                found: Found::Objects(Vec::new()),
                same_as: None,
            }),
            Self::Sound { range, own } => Item::Chunk(Chunk {
                span: AudioSpan {
                    video,
                    range: range[0]..range[1],
                    own: own[0]..own[1],
                },
                content: Ok(AudioData::Samples([].into())),
            }),
        }
    }

    /// What it asks about, one by one.
    pub fn extents(&self) -> Vec<Extent> {
        let of_sample = |sample: &Sample| Extent::of_moment(&sample.moment(VideoId::FIRST));
        match self {
            Self::Frames(samples) => samples.iter().map(of_sample).collect(),
            Self::Boxes(sample) => vec![of_sample(sample)],
            Self::Sound { range, .. } => vec![Extent::Sound {
                start: range[0],
                end: range[1],
            }],
        }
    }
}

/// Work that a server has accepted and not yet answered.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenTicket {
    /// What the server calls it.
    pub ticket: Ticket,
    /// The stage that asked.
    pub stage: StageDigest,
    /// The backend's name in the recipe.
    pub backend: BackendName,
    /// The address that it was sent to, without keys: the ticket is worth nothing elsewhere.
    pub address: String,
    /// The video.
    pub video: VideoId,
    /// What it asks about.
    pub question: Question,
}

#[cfg(test)]
mod tests;
