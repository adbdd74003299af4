//! The sound of each video, as it comes out of the file.
//!
//! Has its own demuxer, so that neither frames nor sound can hold the other up.

use crate::answer::Answer;
use crate::answer::Extent;
use crate::answer::SamplingEnd;
use crate::engine::Emitter;
use crate::engine::VideoSource;
use crate::facts::DamagedPackets;
use crate::facts::StreamFacts;
use crate::facts::VideoFacts;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Item;
use crate::media;
use crate::media::MediaError;
use crate::media::MediaInput;
use crate::media::SoundReader;
use crate::media::SoundSelection;
use crate::name::VideoId;
use crate::stages::extract::extract::Videos;
use crate::stages::notice::VIDEO;
use crate::stages::notice::of_video;
use crate::stages::speech::kept::KeptTranscript;
use crate::time::Pts;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::num::NonZero;
use std::sync::Arc;

/// Reads the wanted sound of each video: the track of this number; `is_alone` where the run reads no
/// frames. Those of `without`,
/// a video without sound, and one whose transcript is `kept`, give nothing.
pub(in crate::stages) fn read(
    is_alone: bool,
    track: Option<NonZero<usize>>,
    without: &BTreeMap<VideoId, String>,
    videos: &Arc<Videos>,
    kept: KeptTranscript,
) -> Arc<dyn VideoSource> {
    Arc::new(Read {
        is_alone,
        kept,
        track,
        without: without.keys().copied().collect(),
        videos: Arc::clone(videos),
    })
}

struct Read {
    // Whether nothing reads frames.
    is_alone: bool,
    kept: KeptTranscript,
    track: Option<NonZero<usize>>,
    without: BTreeSet<VideoId>,
    videos: Arc<Videos>,
}

impl VideoSource for Read {
    fn read(&self, video: VideoId, out: &mut Emitter) -> Result<(), Failure> {
        if self.without.contains(&video) {
            return Ok(());
        }
        let Some((input, facts)) = self.videos.get(&video).filter(|(_, it)| it.has_sound) else {
            return Ok(());
        };
        match (self.kept.end(video), input) {
            (Some(end), _) => {
                for notice in &end.notices {
                    out.notice(of_video(notice, facts));
                }
                out.learnt(video, end.stream);
                ended(end, facts)
            }
            (None, Some(input)) => self.hear(input, facts, out),
            (None, None) => Err(self.kept.lack(video)),
        }
    }
}

fn ended(end: SamplingEnd, facts: &VideoFacts) -> Result<(), Failure> {
    match end.failure {
        Some(failure) => Err(Failure {
            message: of_video(&failure.message, facts),
            ..failure
        }),
        None => Ok(()),
    }
}

impl Read {
    // What of all that is wanted the sound does not have. Where frames are read too, they say what is
    // beyond the end of the video.
    fn ended_early(&self, pieces: &SoundReader, facts: &VideoFacts) -> Option<Failure> {
        let until = facts.wanted.end();
        let until = until.map_or(f64::INFINITY, |end| end.as_secs_f64());
        let early = pieces.early_end().filter(|early| early.end < until);
        let early = early
            .map(|early| Failure::new(Class::Media, format!("the sound of `{VIDEO}` {early}")));
        let is_alone = self.is_alone || !facts.has_frames();
        early.or_else(|| {
            let end = pieces.end().filter(|_| is_alone)?;
            let beyond = media::beyond_the_end(&facts.wanted, end)?;
            Some(Failure::new(Class::Media, format!("`{VIDEO}` {beyond}")))
        })
    }

    fn hear(
        &self,
        input: &MediaInput,
        facts: &VideoFacts,
        out: &mut Emitter,
    ) -> Result<(), Failure> {
        let failure = |error: MediaError| Failure::new(Class::Media, error.to_string());
        let stop = out.stop().flag();
        let wanted = SoundSelection {
            track: self.track,
            ranges: facts.wanted.clone(),
        };
        let mut pieces = media::sound(input, facts, &wanted, stop).map_err(failure)?;
        let mut end = SamplingEnd::default();
        if let Some(codec) = pieces.instead_of() {
            end.notices.push(format!(
                "the usual sound track of {VIDEO} is coded as {codec}, which the FFmpeg on this \
                 machine cannot decode: another track is heard"
            ));
        }
        let beginning = end.notices.iter();
        beginning.for_each(|notice| out.notice(of_video(notice, facts)));
        for piece in pieces.by_ref() {
            let piece = piece.map_err(failure)?;
            let last = piece.start + piece.samples.len() as u64;
            end.frames = vec![Pts(last.cast_signed())];
            if out.emit(Item::Sound(piece)).is_err() {
                return Ok(());
            }
        }
        let damaged = pieces.damaged();
        if damaged > 0 {
            let notice = format!("{damaged} damaged packets of the sound of {VIDEO} were left out");
            out.notice(of_video(&notice, facts));
            end.notices.push(notice);
        }
        end.stream = StreamFacts {
            length: pieces.length().filter(|_| !facts.has_frames()),
            damaged: DamagedPackets {
                frames: 0,
                sound: damaged,
            },
        };
        out.learnt(facts.id, end.stream);
        if out.stop().is_stopping() {
            return Ok(());
        }
        end.failure = self.ended_early(&pieces, facts);
        out.note(facts.id, Extent::Whole, Answer::Sampled(end.clone()));
        ended(end, facts)
    }
}
