//! The files of a recording: an answer a line, in the order of the videos and of time, the same
//! whatever the order in which answers came.

use crate::answer::Answer;
use crate::answer::Extent;
use crate::answer::Sample;
use crate::answer::SamplingEnd;
use crate::answer::StageDigest;
use crate::engine::cassette::head;
use crate::engine::cassette::head::CassetteHead;
use crate::engine::cassette::head::CassetteStage;
use crate::engine::cassette::head::CassetteVideo;
use crate::engine::cassette::line::EndLine;
use crate::engine::cassette::line::Line;
use crate::engine::cassette::line::ObjectLine;
use crate::engine::cassette::line::SampleLine;
use crate::engine::cassette::line::TranscriptLine;
use crate::engine::cassette::recording::Recording;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Size;
use crate::name::VideoId;
use crate::speech::Transcript;
use crate::speech::seconds;
use std::collections::BTreeMap;
use std::ffi::OsStr;

/// The files of a cassette with this `head`, whose videos are these of the run: their names and
/// contents.
///
/// # Errors
///
/// Where answers cannot be read or written down.
pub fn files(
    recording: &Recording,
    mut head: CassetteHead,
    videos: &[Vec<VideoId>],
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut files = Vec::new();
    let known = head.videos.clone();
    for (place, stage) in head.stages.iter_mut().enumerate() {
        let mut text = StageText {
            stage: stage.clone(),
            text: String::new(),
            lines: 0,
        };
        for (number, (video, ids)) in known.iter().zip(videos).enumerate() {
            let answers = Used {
                recording,
                videos: ids,
            };
            text.video(number, video, &answers)?;
        }
        stage.lines = text.lines;
        stage.digest = digest_of(text.text.lines());
        files.push((head::file_of(place, &stage.id), text.text.into_bytes()));
    }
    head.format = head::FORMAT;
    head.check = head::check_of(&head);
    let mut text = serde_json::to_vec_pretty(&head).map_err(|error| unwritten(&error))?;
    text.push(b'\n');
    files.push((head::FILE.to_owned(), text));
    Ok(files)
}

/// Whether a file of this name is one of a cassette.
pub fn is_part(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let is_stage = || {
        let place = name
            .strip_suffix(".jsonl")
            .and_then(|it| it.split_once('-'));
        place.is_some_and(|(place, _)| place.parse::<usize>().is_ok())
    };
    name == head::FILE || is_stage()
}

/// The digest of the lines of a file, whatever ends them.
pub(super) fn digest_of<'a>(lines: impl Iterator<Item = &'a str>) -> String {
    let mut hasher = blake3::Hasher::new();
    lines.for_each(|line| {
        hasher.update(line.as_bytes()).update(b"\n");
    });
    hasher.finalize().to_hex().chars().take(16).collect()
}

/// What the lines of a stage about a video are about.
pub(super) fn about(stage: &CassetteStage, video: &CassetteVideo) -> Vec<u8> {
    let digests = stage.digests().flat_map(|digest| digest.0);
    digests.chain(video.digest.bytes()).collect()
}

fn unwritten(error: &serde_json::Error) -> Failure {
    let message = format!("the cassette cannot be written down: {error}");
    Failure::new(Class::Internal, message)
}

// What was used of one content, which may be several inputs.
struct Used<'a> {
    recording: &'a Recording,
    videos: &'a [VideoId],
}

impl Used<'_> {
    fn of(&self, stage: StageDigest) -> Result<BTreeMap<Extent, Answer>, Failure> {
        let mut all = BTreeMap::new();
        for video in self.videos {
            all.extend(self.recording.used(*video, stage)?);
        }
        Ok(all)
    }
}

struct StageText {
    stage: CassetteStage,
    text: String,
    lines: u64,
}

impl StageText {
    fn video(
        &mut self,
        number: usize,
        video: &CassetteVideo,
        used: &Used<'_>,
    ) -> Result<(), Failure> {
        let about = about(&self.stage, video);
        let [width, height] = video.size;
        let mut lines = Vec::new();
        if let Some(sampling) = self.stage.sampling {
            lines.extend(samples(used.of(sampling)?, Size { width, height }));
        }
        let mut is_heard = false;
        if let (Some(sound), Some(transcript)) = (self.stage.sound, self.stage.transcript) {
            let end = used.of(sound)?.remove(&Extent::Whole);
            let said = used.of(transcript)?.remove(&Extent::Whole);
            if let (Some(Answer::Sampled(end)), Some(Answer::Transcript(said))) = (end, said) {
                // What was made of a part of it is made again.
                let length = end.frames.last().map_or(0, |end| end.0.unsigned_abs());
                is_heard = said.duration == seconds(length);
                lines.extend(is_heard.then(|| heard(end, said)).into_iter().flatten());
            }
        }
        // Where all that is said is here, what was heard in each chunk is asked by nobody.
        if let Some(asked) = self.stage.asked.filter(|_| !is_heard) {
            lines.extend(used.of(asked)?.into_iter().filter_map(answered));
        }
        for line in lines {
            let line = Line {
                video: number,
                ..line
            };
            let text = line.text(&about).ok_or_else(|| {
                let message = format!("an answer of {} cannot be written down", self.stage.id);
                Failure::new(Class::Internal, message)
            })?;
            self.text += &text;
            self.text.push('\n');
            self.lines += 1;
        }
        Ok(())
    }
}

// The frames in the order in which they were sampled, and how that ended.
fn samples(mut answers: BTreeMap<Extent, Answer>, shown: Size) -> Vec<Line> {
    let Some(Answer::Sampled(end)) = answers.remove(&Extent::Whole) else {
        return Vec::new();
    };
    let line = |pts| {
        let sample = match answers.remove(&Extent::Frame { pts, crop: None }) {
            Some(Answer::Sample(sample)) => Some(sample),
            _ => None,
        };
        Line {
            pts: Some(pts),
            frame: sample.map(|sample: Sample| SampleLine::of(&sample, shown)),
            ..Line::default()
        }
    };
    let mut lines: Vec<_> = end.frames.iter().copied().map(line).collect();
    lines.push(Line {
        sampled: Some(EndLine {
            notices: end.notices,
            stream: end.stream,
            failure: end.failure,
        }),
        ..Line::default()
    });
    lines
}

fn heard(end: SamplingEnd, said: Transcript) -> Vec<Line> {
    let mut lines = vec![
        Line {
            heard: Some(end.frames.last().map_or(0, |pts| pts.0)),
            sampled: Some(EndLine {
                notices: end.notices,
                stream: end.stream,
                failure: end.failure,
            }),
            ..Line::default()
        },
        Line {
            transcript: Some(TranscriptLine {
                language: said.language,
                language_probability: said.language_probability,
                duration: said.duration,
                seams: said.seams,
            }),
            ..Line::default()
        },
    ];
    lines.extend(said.segments.into_iter().map(|segment| Line {
        segment: Some(segment),
        ..Line::default()
    }));
    lines
}

// `None` for what is no answer of a model.
fn answered((extent, answer): (Extent, Answer)) -> Option<Line> {
    let mut line = Line::default();
    match extent {
        Extent::Whole => return None,
        Extent::Frame { pts, crop } => (line.pts, line.crop) = (Some(pts), crop),
        Extent::Sound { start, end } => line.samples = Some([start, end]),
    }
    match answer {
        Answer::Objects(objects) => {
            line.objects = Some(objects.into_iter().map(ObjectLine).collect());
        }
        Answer::Fields(fields) => line.fields = Some(fields),
        Answer::Recognition(recognition) => line.recognition = Some(recognition),
        Answer::Sample(_) | Answer::Sampled(_) | Answer::Transcript(_) | Answer::File(_) => {
            return None;
        }
    }
    Some(line)
}
