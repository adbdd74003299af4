//! A cassette from its files.
//!
//! They may come from anywhere: sizes are bounded as they are read, names of files are made here,
//! and what is not as it was written is told with its file and line.

use crate::answer::Answer;
use crate::answer::Extent;
use crate::answer::SamplingEnd;
use crate::answer::StageDigest;
use crate::disk;
use crate::engine::cassette::error::CassetteError;
use crate::engine::cassette::head;
use crate::engine::cassette::head::CassetteHead;
use crate::engine::cassette::head::CassetteStage;
use crate::engine::cassette::head::CassetteVideo;
use crate::engine::cassette::line::Line;
use crate::engine::cassette::write;
use crate::item::Size;
use crate::name::StageId;
use crate::speech::Transcript;
use crate::time::Pts;
use serde::Deserialize;
use std::collections::HashMap;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;

/// The most bytes of `cassette.json`.
const LARGEST_HEAD: u64 = 16 << 20;

/// The most bytes of the file of a stage.
pub(super) const LARGEST: u64 = 256 << 20;

/// The most bytes of a line.
const LONGEST_LINE: u64 = 16 << 20;

/// The answers of a run, read from the files that it was recorded to.
#[derive(Debug)]
pub struct Cassette {
    head: CassetteHead,
    // By the place of the video in the head.
    answers: HashMap<StageDigest, HashMap<(usize, Extent), Answer>>,
}

impl Cassette {
    /// Reads the cassette in `folder`.
    ///
    /// # Errors
    ///
    /// Where there is none, a newer program wrote it, or a file of it is not as it was written.
    pub fn open(folder: &Path) -> Result<Self, CassetteError> {
        let head = read_head(folder)?;
        let mut cassette = Self {
            head: head.clone(),
            answers: HashMap::new(),
        };
        for (place, stage) in head.stages.iter().enumerate() {
            let name = head::file_of(place, &stage.id);
            let mut file = StageFile {
                path: folder.join(&name),
                stage,
                videos: &head.videos,
                line: 0,
                open: OpenAnswers::default(),
            };
            let opened = disk::open_plain(&file.path, LARGEST);
            let opened = opened.map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => CassetteError::Missing {
                    folder: folder.to_owned(),
                    file: name,
                },
                _ => file.unreadable(source),
            })?;
            file.read(BufReader::new(opened), &mut cassette)?;
        }
        Ok(cassette)
    }

    /// What it says of itself.
    pub fn head(&self) -> &CassetteHead {
        &self.head
    }

    /// The place of the video with this content; `None` where it is not in it.
    pub(super) fn place_of(&self, digest: &str) -> Option<usize> {
        let mut videos = self.head.videos.iter();
        videos.position(|video| video.digest == digest)
    }

    /// The answer of a stage about the video in this place.
    pub(super) fn answer(
        &self,
        video: usize,
        stage: &StageDigest,
        extent: Extent,
    ) -> Option<&Answer> {
        self.answers.get(stage)?.get(&(video, extent))
    }

    /// What the answers of a stage about the video in this place are about, in order.
    pub(super) fn extents(&self, video: usize, stage: &StageDigest) -> Vec<Extent> {
        let answers = self.answers.get(stage).into_iter().flatten();
        let of_video = answers.filter(|((place, _), _)| *place == video);
        let mut extents: Vec<_> = of_video.map(|((_, extent), _)| *extent).collect();
        extents.sort_unstable();
        extents
    }

    /// Whether some stage has answers under this digest, or would have, had it been asked.
    pub(super) fn knows(&self, stage: &StageDigest) -> bool {
        let mut stages = self.head.stages.iter();
        stages.any(|it| it.asked.as_ref() == Some(stage))
    }

    /// The stage of this id.
    pub fn stage(&self, id: &StageId) -> Option<&CassetteStage> {
        self.head.stages.iter().find(|stage| stage.id == *id)
    }

    fn add(&mut self, stage: StageDigest, video: usize, extent: Extent, answer: Answer) {
        let answers = self.answers.entry(stage).or_default();
        answers.insert((video, extent), answer);
    }
}

#[derive(Deserialize)]
struct Version {
    format: u64,
}

fn read_head(folder: &Path) -> Result<CassetteHead, CassetteError> {
    let path = folder.join(head::FILE);
    let text = disk::read_plain(&path, LARGEST_HEAD).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => CassetteError::Missing {
            folder: folder.to_owned(),
            file: head::FILE.to_owned(),
        },
        _ => CassetteError::Unreadable {
            path: path.clone(),
            source,
        },
    })?;
    let broken = |line: usize, why: String| CassetteError::Broken {
        path: path.clone(),
        line: line.max(1) as u64,
        why,
    };
    let misread = |error: serde_json::Error| {
        let why = match error.is_data() {
            true => "a key or a value that no cassette has",
            false => "it is no JSON: it was cut or changed",
        };
        broken(error.line(), why.to_owned())
    };
    let Version { format } = serde_json::from_slice(&text).map_err(misread)?;
    if format > head::FORMAT {
        return Err(CassetteError::Newer {
            folder: folder.to_owned(),
            format,
            known: head::FORMAT,
        });
    }
    let head: CassetteHead = serde_json::from_slice(&text).map_err(misread)?;
    if head.format == 0 || head.check != head::check_of(&head) {
        let mut lines = text.split(|byte| *byte == b'\n');
        let is_check = |line: &[u8]| line.trim_ascii_start().starts_with(b"\"check\"");
        let line = lines.position(is_check).map_or(1, |place| place + 1);
        let why = "its `check` is not that of the file, which was changed";
        return Err(broken(line, why.to_owned()));
    }
    if !head.stages.iter().all(|stage| is_id(stage.id.as_str())) {
        let why = "a stage has no name that a recipe takes";
        return Err(broken(1, why.to_owned()));
    }
    if !head.videos.iter().all(CassetteVideo::can_be) {
        let why = "a video has no name that a file takes, or a length that none has";
        return Err(broken(1, why.to_owned()));
    }
    Ok(head)
}

// It becomes a part of the name of a file.
fn is_id(id: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !id.is_empty() && id.chars().all(is_letter)
}

struct StageFile<'a> {
    path: PathBuf,
    stage: &'a CassetteStage,
    videos: &'a [CassetteVideo],
    line: u64,
    open: OpenAnswers,
}

// Answers that take several lines, by video.
#[derive(Default)]
struct OpenAnswers {
    frames: HashMap<usize, Vec<Pts>>,
    transcripts: HashMap<usize, Transcript>,
}

impl StageFile<'_> {
    fn read(
        &mut self,
        mut lines: impl BufRead,
        cassette: &mut Cassette,
    ) -> Result<(), CassetteError> {
        let mut digest = blake3::Hasher::new();
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            let read = (&mut lines)
                .take(LONGEST_LINE)
                .read_until(b'\n', &mut bytes);
            if read.map_err(|source| self.unreadable(source))? == 0 {
                break;
            }
            self.line += 1;
            if self.line > self.stage.lines {
                let lines = self.stage.lines;
                return Err(self.broken(format!("{} says that it has {lines}", head::FILE)));
            }
            if bytes.len() as u64 == LONGEST_LINE {
                return Err(self.broken(format!("it has more than {LONGEST_LINE} bytes")));
            }
            let text = std::str::from_utf8(&bytes).map_err(|_| self.broken("it is no text"))?;
            let text = text.strip_suffix('\n').unwrap_or(text);
            let text = text.strip_suffix('\r').unwrap_or(text);
            digest.update(text.as_bytes()).update(b"\n");
            let line = Line::read(text).map_err(|why| self.broken(why))?;
            let Some(video) = self.videos.get(line.line.video) else {
                return Err(self.broken(format!("it is of a video that is not in {}", head::FILE)));
            };
            if !line.is_of(&write::about(self.stage, video)) {
                let why = "its `check` is not that of the line: it was changed, or is of another \
                           cassette";
                return Err(self.broken(why));
            }
            self.take(line.line, cassette)?;
        }
        if self.line < self.stage.lines {
            self.line += 1;
            let why = format!(
                "it is cut here: {} says that it has {} lines",
                head::FILE,
                self.stage.lines
            );
            return Err(self.broken(why));
        }
        let digest: String = digest.finalize().to_hex().chars().take(16).collect();
        if digest != self.stage.digest {
            self.line = 1;
            let why = format!("its lines are of another recording than {}", head::FILE);
            return Err(self.broken(why));
        }
        self.close(cassette);
        Ok(())
    }

    // A transcript is whole at the end of the file.
    fn close(&mut self, cassette: &mut Cassette) {
        let Some(stage) = self.stage.transcript else {
            return;
        };
        for (video, said) in std::mem::take(&mut self.open.transcripts) {
            cassette.add(stage, video, Extent::Whole, Answer::Transcript(said));
        }
    }

    fn take(&mut self, line: Line, cassette: &mut Cassette) -> Result<(), CassetteError> {
        let taken = match (self.stage.sampling, self.stage.asked) {
            (Some(sampling), _) => self.take_sample(line, sampling, cassette),
            (None, Some(asked)) => self.take_answer(line, asked, cassette),
            (None, None) => None,
        };
        taken.ok_or_else(|| self.broken("it is no answer of such a stage"))
    }

    fn take_sample(
        &mut self,
        line: Line,
        stage: StageDigest,
        cassette: &mut Cassette,
    ) -> Option<()> {
        let video = line.video;
        let frames = self.open.frames.entry(video).or_default();
        if let Some(end) = line.sampled {
            let end = SamplingEnd {
                frames: std::mem::take(frames),
                notices: end.notices,
                stream: end.stream,
                failure: end.failure,
            };
            cassette.add(stage, video, Extent::Whole, Answer::Sampled(end));
            return Some(());
        }
        let pts = line.pts?;
        let index = frames.len() as u64;
        frames.push(pts);
        if let Some(frame) = line.frame {
            let [width, height] = self.videos.get(video)?.size;
            let sample = frame.sample(index, pts, Size { width, height });
            let extent = Extent::Frame { pts, crop: None };
            cassette.add(stage, video, extent, Answer::Sample(sample));
        }
        Some(())
    }

    fn take_answer(
        &mut self,
        line: Line,
        stage: StageDigest,
        cassette: &mut Cassette,
    ) -> Option<()> {
        let video = line.video;
        if let (Some(samples), Some(end)) = (line.heard, line.sampled) {
            let end = SamplingEnd {
                frames: vec![Pts(samples)],
                notices: end.notices,
                stream: end.stream,
                failure: end.failure,
            };
            cassette.add(
                self.stage.sound?,
                video,
                Extent::Whole,
                Answer::Sampled(end),
            );
            return Some(());
        }
        if let Some(said) = line.transcript {
            let said = Transcript {
                language: said.language,
                language_probability: said.language_probability,
                duration: said.duration,
                segments: Vec::new(),
                gaps: Vec::new(),
                seams: said.seams,
            };
            self.open.transcripts.insert(video, said);
            return Some(());
        }
        if let Some(segment) = line.segment {
            self.open
                .transcripts
                .get_mut(&video)?
                .segments
                .push(segment);
            return Some(());
        }
        let extent = match (line.pts, line.samples) {
            (Some(pts), _) => Extent::Frame {
                pts,
                crop: line.crop,
            },
            (None, Some([start, end])) => Extent::Sound { start, end },
            (None, None) => return None,
        };
        let objects = line.objects.map(|objects| {
            let objects = objects.into_iter().map(|object| object.0);
            Answer::Objects(objects.collect())
        });
        let answer = objects
            .or(line.fields.map(Answer::Fields))
            .or(line.recognition.map(Answer::Recognition))?;
        cassette.add(stage, video, extent, answer);
        Some(())
    }

    fn broken(&self, why: impl Into<String>) -> CassetteError {
        CassetteError::Broken {
            path: self.path.clone(),
            line: self.line,
            why: why.into(),
        }
    }

    fn unreadable(&self, source: io::Error) -> CassetteError {
        CassetteError::Unreadable {
            path: self.path.clone(),
            source,
        }
    }
}
