//! The transcripts of the chunks of a video as one, in order of time whatever order they come in.
//!
//! Only text meets here, which is small. Does not know the format of the results.

use crate::engine::Fold;
use crate::engine::FoldState;
use crate::facts::VideoFacts;
use crate::item::Item;
use crate::name::StageId;
use crate::name::VideoId;
use crate::speech::ChunkTranscript;
use crate::speech::Gap;
use crate::speech::Recognition;
use crate::speech::StageTranscript;
use crate::speech::Transcript;
use crate::speech::seconds;
use crate::stages::extract::extract::Videos;
use crate::stages::speech::kept::KeptTranscript;
use crate::stages::speech::seam;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Joins the transcripts of `stage`; the videos of `without` are skipped, for the reasons there. One
/// of which nothing is heard has the transcript that is `kept`.
pub(in crate::stages) fn compose(
    stage: &StageId,
    without: &BTreeMap<VideoId, String>,
    videos: &Arc<Videos>,
    kept: KeptTranscript,
) -> Arc<dyn Fold> {
    Arc::new(Compose {
        kept,
        stage: stage.clone(),
        without: without.clone(),
        videos: Arc::clone(videos),
    })
}

struct Compose {
    kept: KeptTranscript,
    stage: StageId,
    without: BTreeMap<VideoId, String>,
    videos: Arc<Videos>,
}

impl Fold for Compose {
    fn open(&self, video: VideoId) -> Box<dyn FoldState> {
        let facts = self.videos.get(&video).map(|(_, facts)| facts);
        let has_sound = facts.is_some_and(|it| it.has_sound);
        Box::new(Composing {
            kept: self.kept.clone(),
            stage: self.stage.clone(),
            video,
            skipped: match (self.without.get(&video), has_sound) {
                (Some(why), _) => Some(why.clone()),
                (None, false) => Some("there is no sound track".to_owned()),
                (None, true) => None,
            },
            transcripts: BTreeMap::new(),
            offset: facts.map_or(0.0, VideoFacts::start_offset),
        })
    }
}

struct Composing {
    kept: KeptTranscript,
    stage: StageId,
    video: VideoId,
    // Why its sound is not transcribed.
    skipped: Option<String>,
    // By where they begin.
    transcripts: BTreeMap<u64, ChunkTranscript>,
    // Seconds from sample 0 to the first frame, which times are told from.
    offset: f64,
}

impl FoldState for Composing {
    fn push(&mut self, item: Item) -> Vec<Item> {
        if let Item::ChunkTranscript(transcript) = item {
            self.transcripts
                .insert(transcript.span.own.start, transcript);
        }
        Vec::new()
    }

    fn finish(&mut self) -> Vec<Item> {
        let said = match self.skipped.take() {
            None => Ok(self.transcript()),
            Some(why) => Err(why),
        };
        vec![Item::Transcript(Box::new(StageTranscript {
            stage: self.stage.clone(),
            video: self.video,
            said,
        }))]
    }
}

impl Composing {
    fn transcript(&self) -> Transcript {
        let is_silent = self.transcripts.is_empty();
        let kept = is_silent.then(|| self.kept.transcript(self.video));
        kept.flatten()
            .unwrap_or_else(|| speech(self.transcripts.values()).earlier_by(self.offset))
    }
}

fn speech<'a>(transcripts: impl Iterator<Item = &'a ChunkTranscript>) -> Transcript {
    let mut speech = Transcript::default();
    let mut languages = Languages::default();
    for transcript in transcripts {
        let span = &transcript.span;
        speech.duration = speech.duration.max(seconds(span.own.end));
        match &transcript.recognition {
            Ok(recognition) => {
                let own = seam::trim(span, recognition);
                languages.note(recognition, span.counted().max(1));
                speech.segments.extend(own.segments);
                speech.seams.extend(own.seams);
            }
            Err(failure) => speech.gaps.push(Gap {
                start: seconds(span.own.start),
                end: seconds(span.own.end),
                item: span.to_string(),
                failure: failure.clone(),
            }),
        }
    }
    // Both sides of a border mark it.
    speech.seams.dedup();
    (speech.language, speech.language_probability) = languages.main();
    speech
}

// How many seconds are in which language, and how sure of it the model is there. What is silent
// is in none.
#[derive(Default)]
struct Languages(BTreeMap<String, (u64, f64, u64)>);

impl Languages {
    fn note(&mut self, recognition: &Recognition, length: u64) {
        let Some(language) = recognition
            .language
            .as_ref()
            .filter(|_| !recognition.segments.is_empty())
        else {
            return;
        };
        let (total, sure, known) = self.0.entry(language.clone()).or_default();
        *total += length;
        if let Some(probability) = recognition.language_probability {
            *sure += f64::from(probability) * length as f64;
            *known += length;
        }
    }

    fn main(self) -> (Option<String>, Option<f32>) {
        let most = self.0.into_iter().max_by_key(|(_, (total, ..))| *total);
        match most {
            Some((language, (_, sure, known))) if known > 0 => {
                (Some(language), Some((sure / known as f64) as f32))
            }
            Some((language, _)) => (Some(language), None),
            None => (None, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::speech;
    use crate::failure::Class;
    use crate::failure::Failure;
    use crate::name::VideoId;
    use crate::speech::AudioSpan;
    use crate::speech::ChunkTranscript;
    use crate::speech::Recognition;
    use crate::speech::Segment;

    fn chunk_transcript(index: u64, recognition: Result<Recognition, Failure>) -> ChunkTranscript {
        let range = index * 160_000..(index + 1) * 160_000;
        ChunkTranscript {
            stage: "whisper".into(),
            span: AudioSpan {
                video: VideoId(0),
                range: range.clone(),
                own: range,
            },
            recognition,
        }
    }

    fn said(language: &str, probability: Option<f32>) -> Recognition {
        Recognition {
            language: Some(language.to_owned()),
            language_probability: probability,
            segments: vec![Segment {
                start: 1.0,
                end: 2.0,
                ..Segment::default()
            }],
        }
    }

    #[test]
    fn the_rest_stands_where_a_passage_has_no_answer() {
        let failure = Failure::new(Class::Worker, "boom");
        let transcripts = [
            chunk_transcript(0, Ok(said("de", Some(1.0)))),
            chunk_transcript(1, Err(failure.clone())),
            chunk_transcript(2, Ok(said("en", Some(0.9)))),
            chunk_transcript(3, Ok(said("de", Some(0.5)))),
            // Silence may be taken for anything.
            chunk_transcript(
                4,
                Ok(Recognition {
                    segments: Vec::new(),
                    ..said("cy", Some(1.0))
                }),
            ),
        ];
        let found = speech(transcripts.iter());
        let starts: Vec<f64> = found.segments.iter().map(|it| it.start).collect();
        assert_eq!(starts, [1.0, 21.0, 31.0]);
        assert_eq!(found.duration, 50.0);
        assert_eq!(found.language.as_deref(), Some("de"));
        assert_eq!(found.language_probability, Some(0.75));
        let [gap] = &found.gaps[..] else {
            panic!("{:?}", found.gaps);
        };
        assert_eq!((gap.start, gap.end), (10.0, 20.0));
        assert_eq!(gap.failure, failure);
        assert_eq!(gap.item, "sound 10.0..20.0 s");
    }
}
