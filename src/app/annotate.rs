//! `annotate`: a whole video again, with what was found drawn on it and what was said as captions.

pub(super) mod source;

use crate::app::annotate::source::VideoSource;
use crate::app::error::AppError;
use crate::app::interrupts::Interrupts;
use crate::item::Frame;
use crate::item::PixelFormat;
use crate::item::Size;
use crate::media;
use crate::media::Annotation;
use crate::media::EncodedVideo;
use crate::media::MediaError;
use crate::media::Painter;
use crate::media::TimedText;
use crate::media::VideoOrigin;
use crate::media::VideoSelection;
use crate::media::VideoWriter;
use crate::name::StageId;
use crate::name::file_name;
use crate::output;
use crate::output::ClassEntry;
use crate::output::Colour;
use crate::output::Entry;
use crate::output::OutputRoot;
use crate::output::Playback;
use crate::output::ReadFiles;
use crate::output::Results;
use crate::output::Seen;
use crate::output::ShownObject;
use crate::output::StageOutput;
use crate::output::WriteError;
use crate::time::TimeBase;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What is annotated.
#[derive(Clone, Debug)]
pub struct AnnotateRequest {
    /// The results file.
    pub results: PathBuf,
    /// The file to write; `STEM_annotated.mp4` beside the results where absent.
    pub output: Option<PathBuf>,
    /// Where the video is; where the results say it is where absent.
    pub video: Option<PathBuf>,
    /// The stage whose boxes are drawn; that of `detections` where absent.
    pub stage: Option<StageId>,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub struct AnnotateProgress {
    /// Seconds of the video that are written.
    pub seconds: f64,
    /// Seconds of all of it, as far as its headers say.
    pub length: Option<f64>,
}

/// How it ended.
#[derive(Clone, Debug)]
pub enum AnnotateEnd {
    /// The video is there.
    Written(Box<AnnotateReport>),
    /// It was asked to end; nothing was written.
    Interrupted,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct AnnotateReport {
    /// The file.
    pub output: PathBuf,
    /// The video that it is of.
    pub video: PathBuf,
    /// What is in it.
    pub encoded: EncodedVideo,
    /// The size of the source as it is shown.
    pub shown: Size,
    /// Seconds of it, to the end of its last frame.
    pub seconds: f64,
    /// Boxes that were drawn, each as often as there are frames that show it.
    pub boxes: u64,
    /// Where no boxes could be drawn, the stages that found some.
    pub found_by: Vec<StageId>,
    /// Frames that cannot be decoded, and are not in it.
    pub lost: u64,
    /// The transfer of a source with a high dynamic range, whose colours look pale.
    pub high_range: Option<&'static str>,
}

/// Writes the annotated video, and says how far it is after every frame.
///
/// # Errors
///
/// Where there are no results, the video is not there or another one, it cannot be decoded, or the
/// file cannot be written.
pub fn annotate(
    request: &AnnotateRequest,
    progress: &mut dyn FnMut(AnnotateProgress),
) -> Result<AnnotateEnd, AppError> {
    media::init();
    let interrupts = Interrupts::listen()?;
    let results =
        output::read_results(&request.results).map_err(|error| AppError::unread(&error))?;
    let (entries, classes) = seen(&results, request.stage.as_ref())?;
    let target = target(request)?;
    let named = request.video.as_deref();
    let flag = interrupts.flag();
    let source = VideoSource::find(&results, &request.results, named, &flag);
    if interrupts.came() {
        return Ok(AnnotateEnd::Interrupted);
    }
    let source = source?;
    let mut reads = ReadFiles::default();
    [&request.results, &source.path]
        .into_iter()
        .for_each(|path| reads.add(path));
    let root = OutputRoot::new(folder_of(&target), &Arc::new(reads));
    let file = root.prepare(&target).and_then(|()| root.begin(&target));
    let file = file.map_err(|error| unwritable(&error))?;
    keep_others(&target, "-o")?;
    let mut drawing = Drawing {
        results: &results,
        playback: Playback::new(&results, entries),
        colours: colours(classes),
        painter: None,
        boxes: 0,
        lost: 0,
    };
    let handle = file.file().map_err(|error| unwritable(&error))?;
    let written = drawing.write(&source, handle, flag, progress);
    if interrupts.came() {
        return Ok(AnnotateEnd::Interrupted);
    }
    let played = written.map_err(|error| AppError::environment(&error))?;
    file.keep().map_err(|error| unwritable(&error))?;
    Ok(AnnotateEnd::Written(Box::new(AnnotateReport {
        output: target,
        video: source.path,
        encoded: played.encoded,
        shown: source.facts.size,
        seconds: played.seconds,
        boxes: drawing.boxes,
        found_by: match has_objects(entries) {
            true => Vec::new(),
            false => finders(&results),
        },
        lost: drawing.lost,
        high_range: played.high_range,
    })))
}

// What is drawn, frame by frame.
struct Drawing<'a> {
    results: &'a Results,
    playback: Playback<'a>,
    colours: BTreeMap<(u32, &'a str), Colour>,
    // For frames of the size that came last.
    painter: Option<(Size, Painter)>,
    boxes: u64,
    lost: u64,
}

struct Played {
    encoded: EncodedVideo,
    seconds: f64,
    high_range: Option<&'static str>,
}

impl Drawing<'_> {
    fn write(
        &mut self,
        source: &VideoSource,
        file: File,
        stop: Arc<AtomicBool>,
        progress: &mut dyn FnMut(AnnotateProgress),
    ) -> Result<Played, MediaError> {
        let facts = &source.facts;
        let wanted = VideoSelection::every_frame(PixelFormat::Rgb24);
        let mut frames = media::frames(&source.input, facts, &wanted, Arc::clone(&stop))?;
        let origin = VideoOrigin {
            facts,
            base: frames.base().unwrap_or(TimeBase::NANOSECOND),
            begin: -facts.start_offset(),
            end: None,
        };
        let captions = captions(self.results);
        let mut writer = VideoWriter::create(file, facts.size, &origin, captions, stop)?;
        let mut seconds = 0.0;
        for frame in frames.by_ref() {
            let frame = frame?;
            seconds = frame.moment.seconds;
            match self.drawn(frame)? {
                Some(drawn) => writer.add(&drawn)?,
                None => self.lost += 1,
            }
            progress(AnnotateProgress {
                seconds,
                length: facts.duration,
            });
        }
        let seconds = frames.length().unwrap_or(seconds);
        Ok(Played {
            encoded: writer.finish(seconds)?,
            seconds,
            high_range: frames.high_range(),
        })
    }

    // `None` where the frame cannot be decoded.
    fn drawn(&mut self, mut frame: Frame) -> Result<Option<Frame>, MediaError> {
        let (size, moment) = (frame.size, &frame.moment);
        let shown = self.playback.at(moment.frame_number, moment.seconds);
        let content = frame.content.as_mut().ok();
        let Some(pixels) = content.and_then(|content| content.pixels.as_mut()) else {
            return Ok(None);
        };
        let source = &self.results.source;
        let scale = [
            f64::from(size.width) / f64::from(source.width.max(1)),
            f64::from(size.height) / f64::from(source.height.max(1)),
        ];
        let annotations: Vec<Annotation> =
            shown.iter().map(|it| self.annotation(it, scale)).collect();
        let mut painter = match self.painter.take() {
            Some((of, painter)) if of == size => painter,
            _ => Painter::new(size)?,
        };
        *pixels = painter.paint(pixels.clone(), &annotations)?;
        self.boxes += annotations.len() as u64;
        self.painter = Some((size, painter));
        Ok(Some(frame))
    }

    fn annotation(&self, shown: &ShownObject<'_>, [across, down]: [f64; 2]) -> Annotation {
        let ShownObject { object, bbox } = shown;
        let [x1, y1, x2, y2] = *bbox;
        let class = (object.class, object.class_name.as_ref());
        // Results of an earlier version say nothing of colours.
        let colour = self.colours.get(&class).copied();
        Annotation {
            bbox: [x1 * across, y1 * down, x2 * across, y2 * down],
            colour: colour.unwrap_or_else(|| Colour::of(object.class)).rgb(),
            label: Annotation::label_of(&object.class_name, object.confidence, object.track),
        }
    }
}

fn colours(classes: &[ClassEntry]) -> BTreeMap<(u32, &str), Colour> {
    let colours = classes.iter();
    colours
        .map(|it| ((it.class, it.class_name.as_ref()), it.colour))
        .collect()
}

/// What is said, as it is shown on the clock of a player.
pub(super) fn captions(results: &Results) -> Vec<TimedText> {
    let captions = output::spoken_captions(results);
    let text = |caption: output::Caption| TimedText {
        start: caption.start,
        end: caption.end,
        text: caption.lines.join("\n"),
    };
    captions.into_iter().map(text).collect()
}

// The frames of a stage and its classes; those of `detections` where none is named.
fn seen<'a>(
    results: &'a Results,
    stage: Option<&StageId>,
) -> Result<(&'a [Entry], &'a [ClassEntry]), AppError> {
    let Some(stage) = stage.filter(|it| Some(*it) != results.primary.as_ref()) else {
        return Ok((&results.detections, &results.classes));
    };
    let of = results.stages.get(stage);
    if let Some(StageOutput::Detected(detected)) = of {
        return Ok((&detected.detections, &detected.classes));
    }
    let is_detecting = |output: &StageOutput| matches!(output, StageOutput::Detected(_));
    let known = results.stages.iter();
    let known = known.filter(|(_, output)| is_detecting(output));
    let known: Vec<&str> = known.map(|(id, _)| id.as_str()).collect();
    Err(AppError::Request {
        message: format!("the results hold no boxes of a stage `{stage}`"),
        help: Some(match known.is_empty() {
            true => "leave out --stage: they are of one detecting stage".to_owned(),
            false => format!("they hold those of {}", known.join(", ")),
        }),
    })
}

fn has_objects(entries: &[Entry]) -> bool {
    let has_some = |entry: &Entry| matches!(&entry.seen, Seen::Objects { count, .. } if *count > 0);
    entries.iter().any(has_some)
}

// The stages that found boxes, where there are several.
fn finders(results: &Results) -> Vec<StageId> {
    let stages = results.stages.iter();
    let finders = stages.filter(|(_, output)| match output {
        StageOutput::Detected(detected) => has_objects(&detected.detections),
        StageOutput::Recorded { .. } | StageOutput::Transcribed { .. } => false,
    });
    finders.map(|(id, _)| id.clone()).collect()
}

// What is written, beside the results where nothing else is said.
fn target(request: &AnnotateRequest) -> Result<PathBuf, AppError> {
    let Some(target) = &request.output else {
        let stem = output::video_stem(&request.results);
        let name = file_name(&format!("{stem}_annotated"), ENDING.len());
        return Ok(request.results.with_file_name(name + ENDING));
    };
    let is_mp4 = |extension: &OsStr| extension.eq_ignore_ascii_case("mp4");
    match target.extension().is_some_and(is_mp4) {
        true => Ok(target.clone()),
        false => Err(AppError::Request {
            message: format!("{} is no name of an MP4 file", target.display()),
            help: Some("let it end in .mp4".to_owned()),
        }),
    }
}

const ENDING: &str = ".mp4";

fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).to_owned()
}

/// Refuses a file that is there and was not written by this program: only what it wrote itself is
/// replaced. `option` names another.
pub(super) fn keep_others(target: &Path, option: &str) -> Result<(), AppError> {
    if !target.exists() || media::is_own_video(target) {
        return Ok(());
    }
    Err(AppError::Request {
        message: format!(
            "{} is there already, and vpipe did not write it",
            target.display()
        ),
        help: Some(format!("name another with {option}, or delete it")),
    })
}

fn unwritable(error: &WriteError) -> AppError {
    AppError::unwritable_to("-o", error)
}
