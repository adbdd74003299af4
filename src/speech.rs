//! Speech: the sound of a video on its clock, and its transcript.
//!
//! All sound is one channel of 16-bit samples at [`RATE`]. Sample 0 is where a player's clock
//! begins, with the earliest stream: at the first frame, or at the sound where that comes earlier.
//! Times in results count from the first frame; see
//! [`VideoFacts::start_offset`](crate::facts::VideoFacts::start_offset). Knows nothing of codecs or models.

mod align;
mod languages;
mod scripts;
mod sentences;

pub use align::align;
pub use align::letter_count;
pub use languages::english_name;
pub use languages::language_code;
pub use scripts::has_space_between;
pub use scripts::is_unspaced;
pub use scripts::join;
pub use sentences::sentences;

use crate::failure::Failure;
use crate::name::StageId;
use crate::name::VideoId;
use bytes::Bytes;
use serde::Deserialize;
use serde::Serialize;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Samples a second: the rate that Whisper takes.
pub const RATE: u32 = 16_000;

/// The seconds from sample 0 to `sample`.
pub fn seconds(sample: u64) -> f64 {
    sample as f64 / f64::from(RATE)
}

/// The sample that is nearest to `seconds` after sample 0.
pub fn sample_at(seconds: f64) -> u64 {
    (seconds * f64::from(RATE)).round().max(0.0) as u64
}

/// A piece of the sound of a video, as it is read. Pieces come in order and do not overlap; where
/// one does not begin at the end of the last, there is silence between them.
#[derive(Clone, Debug)]
pub struct Sound {
    /// The video.
    pub video: VideoId,
    /// The place of its first sample.
    pub start: u64,
    /// At least one sample.
    pub samples: Arc<[i16]>,
}

/// Which sound of which video: the identity of a chunk and of its transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioSpan {
    /// The video.
    pub video: VideoId,
    /// The samples that it is made of.
    pub range: Range<u64>,
    /// The samples that no other chunk counts for. Where they end before `range` does, the rest is
    /// shared with the neighbour, so that a word on the border is whole in one of the two.
    pub own: Range<u64>,
}

impl AudioSpan {
    /// The whole seconds of sound that it counts for: the units of progress. They add up to those
    /// of the video.
    pub fn counted(&self) -> u64 {
        let rate = u64::from(RATE);
        (self.own.end / rate).saturating_sub(self.own.start / rate)
    }
}

impl fmt::Display for AudioSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (start, end) = (seconds(self.own.start), seconds(self.own.end));
        write!(f, "sound {start:.1}..{end:.1} s")
    }
}

/// A span of sound that is transcribed at once.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// Which one.
    pub span: AudioSpan,
    /// Its sound, or why there is none.
    pub content: Result<AudioData, Failure>,
}

/// The forms in which sound is carried.
#[derive(Clone, Debug)]
pub enum AudioData {
    /// Nothing audible: no model is asked.
    Silence,
    /// Samples.
    Samples(Arc<[i16]>),
    /// A whole sound file.
    File {
        /// How it is coded.
        codec: Codec,
        /// The bytes of the file.
        file: Bytes,
    },
}

/// How sound is coded where it leaves the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// Lossless, half the size of `wav`.
    #[default]
    Flac,
    /// Plain samples: for servers that read nothing else.
    Wav,
    /// Lossy at 24 kbit/s, a tenth of the size of `wav`.
    Opus,
}

impl Codec {
    /// The extension of such a file, which is also its name in recipes.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Flac => "flac",
            Self::Wav => "wav",
            Self::Opus => "opus",
        }
    }

    /// The media type of such a file.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Flac => "audio/flac",
            Self::Wav => "audio/wav",
            Self::Opus => "audio/ogg",
        }
    }

    /// More bytes than a second of any sound takes, the file's own headers aside.
    pub fn most_bytes_a_second(self) -> usize {
        match self {
            // Noise that FLAC cannot shorten is stored as it is, with a header a frame.
            Self::Flac => 2 * RATE as usize * 102 / 100,
            Self::Wav => 2 * RATE as usize,
            // The bit rate is an average that the encoder holds over seconds.
            Self::Opus => 8_000,
        }
    }
}

/// The transcript of a chunk.
#[derive(Clone, Debug, PartialEq)]
pub struct ChunkTranscript {
    /// The stage.
    pub stage: StageId,
    /// The sound.
    pub span: AudioSpan,
    /// What a model recognised, or why there is no answer.
    pub recognition: Result<Recognition, Failure>,
}

/// What a model recognises in some sound. Times are seconds from the beginning of that sound.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recognition {
    /// ISO 639-1 code of the language, where the model says it.
    pub language: Option<String>,
    /// How sure the model is of the language, from 0 to 1.
    pub language_probability: Option<f32>,
    /// In order of time.
    pub segments: Vec<Segment>,
}

/// About a sentence.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Seconds.
    pub start: f64,
    /// Seconds; not before `start`.
    pub end: f64,
    /// What was said.
    pub text: String,
    /// The mean log-probability of its tokens.
    pub avg_logprob: Option<f32>,
    /// The probability that nobody speaks, from 0 to 1.
    pub no_speech_prob: Option<f32>,
    /// Its words with their times; empty where the model does not say.
    pub words: Vec<Word>,
}

/// One word.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// Seconds.
    pub start: f64,
    /// Seconds; not before `start`.
    pub end: f64,
    /// The word, with the space before it where the model gives one.
    pub word: String,
    /// From 0 to 1, where the model says.
    pub probability: Option<f32>,
}

/// The transcript of a video by one stage.
#[derive(Clone, Debug, PartialEq)]
pub struct StageTranscript {
    /// The stage.
    pub stage: StageId,
    /// The video.
    pub video: VideoId,
    /// The transcript, or why the stage was skipped.
    pub said: Result<Transcript, String>,
}

/// All that is said in a video. Times are seconds on its clock.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Transcript {
    /// ISO 639-1 code of the language that most of it is in.
    pub language: Option<String>,
    /// How sure the model is of the language, from 0 to 1; the mean over what is in it.
    pub language_probability: Option<f32>,
    /// Seconds from the first sample to the last that was read.
    pub duration: f64,
    /// In order of time.
    pub segments: Vec<Segment>,
    /// The parts that have no answer, in order.
    pub gaps: Vec<Gap>,
    /// Where sound was cut within speech and the answers had no times of words, so that a word
    /// may be doubled or missing.
    pub seams: Vec<f64>,
}

impl Transcript {
    /// The same with all its times this much earlier.
    pub fn earlier_by(mut self, seconds: f64) -> Self {
        for segment in &mut self.segments {
            segment.start -= seconds;
            segment.end -= seconds;
            for word in &mut segment.words {
                word.start -= seconds;
                word.end -= seconds;
            }
        }
        for gap in &mut self.gaps {
            gap.start -= seconds;
            gap.end -= seconds;
        }
        self.seams.iter_mut().for_each(|seam| *seam -= seconds);
        self
    }
}

/// A part of a video without an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// Which span it was, such as `sound 0.0..30.0 s`.
    pub item: String,
    /// Why.
    pub failure: Failure,
}
