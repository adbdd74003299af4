//! The transcript in the results.
//!
//! Times are seconds of the video to a millisecond. Knows nothing of how it was made.

use crate::facts::VideoFacts;
use crate::failure::Class;
use crate::failure::Failure;
use crate::output::results::rounding::rounded;
use crate::speech::Segment;
use crate::speech::StageTranscript;
use crate::speech::Transcript;
use crate::speech::Word;
use crate::speech::join;
use serde::Deserialize;
use serde::Serialize;

/// The transcript of a video, or why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Transcription {
    /// What is said.
    Transcribed(Box<TranscriptEntry>),
    /// There is no answer.
    Error {
        /// The kind of failure; its text, which may vary, is under `run.errors`.
        error: Class,
    },
    /// The stage was skipped.
    Skipped {
        /// Why.
        skipped: String,
    },
}

/// What is said in a video.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TranscriptEntry {
    /// ISO 639-1 code of the language that most of it is in; `null` where it is not known.
    pub language: Option<String>,
    /// How sure the model is of the language, from 0 to 1.
    pub language_probability: Option<f64>,
    /// Seconds of sound.
    pub duration: f64,
    /// All of it.
    pub text: String,
    /// In order of time.
    pub segments: Vec<SegmentEntry>,
    /// Parts that have no answer; the rest stands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<GapEntry>,
    /// Seconds at which sound was cut within speech and the answers had no times of words, so
    /// that a word may be doubled or missing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seams: Vec<f64>,
}

/// About a sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SegmentEntry {
    /// Its place among the segments, from 0.
    pub id: usize,
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// What was said.
    pub text: String,
    /// The mean log-probability of its tokens; `null` where the model does not say.
    pub avg_logprob: Option<f64>,
    /// The probability that nobody speaks; `null` as above.
    pub no_speech_prob: Option<f64>,
    /// Its words; none where the model does not say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<WordEntry>,
}

impl SegmentEntry {
    /// The same with all its times this much later.
    pub(in crate::output) fn later_by(&self, seconds: f64) -> Self {
        let word = |word: &WordEntry| WordEntry {
            start: word.start + seconds,
            end: word.end + seconds,
            ..word.clone()
        };
        Self {
            start: self.start + seconds,
            end: self.end + seconds,
            words: self.words.iter().map(word).collect(),
            ..self.clone()
        }
    }
}

/// One word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WordEntry {
    /// The word.
    pub word: String,
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// From 0 to 1, where the model says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
}

/// A stretch without an answer: with `error`, or with `skipped`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GapEntry {
    /// Seconds.
    pub start: f64,
    /// Seconds.
    pub end: f64,
    /// The kind of failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Class>,
    /// Why it was not transcribed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

impl Transcription {
    /// What `transcript` says of `video`, whose sound could not be read on because of `unread`.
    pub(in crate::output) fn of(
        transcript: &StageTranscript,
        unread: Option<&Failure>,
        video: &VideoFacts,
    ) -> Self {
        let speech = match &transcript.said {
            Ok(speech) => speech,
            Err(why) => {
                return Self::Skipped {
                    skipped: why.clone(),
                };
            }
        };
        let mut entry = said(speech);
        if let Some(failure) = unread {
            let rest = unread_rest(speech, video);
            entry
                .gaps
                .extend(rest.into_iter().map(|(start, end)| GapEntry {
                    start: time(start),
                    end: time(end),
                    error: Some(failure.class),
                    skipped: None,
                }));
        }
        match (entry.segments.as_slice(), entry.gaps.as_slice(), unread) {
            ([], [], Some(failure)) => Self::Error {
                error: failure.class,
            },
            _ => Self::Transcribed(Box::new(entry)),
        }
    }

    /// The segments; none where there is no transcript.
    pub fn segments(&self) -> &[SegmentEntry] {
        match self {
            Self::Transcribed(said) => &said.segments,
            Self::Error { .. } | Self::Skipped { .. } => &[],
        }
    }
}

/// From where to where sound that is wanted is missing, in seconds, because it could not be read on;
/// nothing where none of it was read, or its end is not known.
pub(in crate::output) fn unread_rest(speech: &Transcript, video: &VideoFacts) -> Vec<(f64, f64)> {
    let Some(length) = video.duration.filter(|_| speech.duration > 0.0) else {
        return Vec::new();
    };
    let rest = video.wanted.iter().map(|range| {
        let end = range
            .end
            .map_or(length, |end| end.as_secs_f64().min(length));
        (range.start.as_secs_f64().max(speech.duration), end)
    });
    rest.filter(|(start, end)| start < end).collect()
}

fn said(speech: &Transcript) -> TranscriptEntry {
    let texts = speech.segments.iter().map(|segment| segment.text.as_str());
    TranscriptEntry {
        language: speech.language.clone(),
        language_probability: speech.language_probability.map(probability),
        duration: time(speech.duration),
        text: join(texts),
        segments: speech.segments.iter().enumerate().map(segment).collect(),
        gaps: speech
            .gaps
            .iter()
            .map(|gap| {
                let is_skipped = gap.failure.class == Class::Stopped;
                GapEntry {
                    start: time(gap.start),
                    end: time(gap.end),
                    error: (!is_skipped).then_some(gap.failure.class),
                    skipped: is_skipped.then(|| gap.failure.message.clone()),
                }
            })
            .collect(),
        seams: speech.seams.iter().copied().map(time).collect(),
    }
}

fn segment((id, segment): (usize, &Segment)) -> SegmentEntry {
    SegmentEntry {
        id,
        start: time(segment.start),
        end: time(segment.end),
        text: segment.text.trim().to_owned(),
        avg_logprob: segment.avg_logprob.map(probability),
        no_speech_prob: segment.no_speech_prob.map(probability),
        words: segment.words.iter().map(word).collect(),
    }
}

fn word(word: &Word) -> WordEntry {
    WordEntry {
        word: word.word.trim().to_owned(),
        start: time(word.start),
        end: time(word.end),
        probability: word.probability.map(probability),
    }
}

fn time(seconds: f64) -> f64 {
    rounded(seconds, 1e3)
}

fn probability(value: f32) -> f64 {
    rounded(value.into(), 1e4)
}

#[cfg(test)]
mod tests {
    use super::unread_rest;
    use crate::facts::VideoFacts;
    use crate::item::Size;
    use crate::name::VideoId;
    use crate::speech::Transcript;
    use crate::time::TimeRange;
    use crate::time::TimeRanges;
    use std::time::Duration;

    #[test]
    fn what_is_missing_is_of_the_parts_that_were_wanted() {
        let range = |start, end| TimeRange {
            start: Duration::from_secs(start),
            end: Some(Duration::from_secs(end)),
        };
        let wanted = vec![range(2, 8), range(20, 30), range(50, 99)];
        let video = VideoFacts {
            id: VideoId(0),
            path: "clip.mp4".into(),
            size: Size {
                width: 0,
                height: 0,
            },
            duration: Some(60.0),
            fps: None,
            codec: "aac".to_owned(),
            rotation: 0,
            has_sound: true,
            first_frame: None,
            expected_frames: None,
            wanted: TimeRanges::new(wanted).unwrap(),
        };
        let rest = |duration| {
            let speech = Transcript {
                duration,
                ..Transcript::default()
            };
            unread_rest(&speech, &video)
        };
        assert_eq!(rest(0.0), []);
        assert_eq!(rest(5.0), [(5.0, 8.0), (20.0, 30.0), (50.0, 60.0)]);
        assert_eq!(rest(30.0), [(50.0, 60.0)]);
        assert_eq!(rest(60.0), []);
    }
}
