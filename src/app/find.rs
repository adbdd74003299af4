//! `find`: the moments of many videos in which something is seen and said, and clips of them.

mod clips;

use crate::app::error::AppError;
use crate::app::find::clips::Clips;
use crate::app::interrupts::Interrupts;
use crate::media;
use crate::media::CutKind;
use crate::output;
use crate::output::FoundMoment;
use crate::output::MomentQuery;
use crate::output::ReadError;
use std::num::NonZero;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

/// What is looked for, and where.
#[derive(Clone, Debug)]
pub struct FindRequest {
    /// The results files.
    pub results: Vec<PathBuf>,
    /// What is looked for.
    pub query: MomentQuery,
    /// The folder for clips of the moments, where some are wanted.
    pub clips: Option<PathBuf>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct FindReport {
    /// How many results were searched.
    pub searched: usize,
    /// The results that have such moments, in the order in which they were named.
    pub found: Vec<FoundVideo>,
    /// Of the classes that are looked for, those that no results know.
    pub unknown_classes: Vec<String>,
    /// Where something is looked for that is seen: frames without an answer, which may show it.
    pub unanswered_frames: u64,
    /// Where words are looked for: parts of the sound without an answer, in which they may be said.
    pub unanswered_sound: u64,
    /// The results that cannot be read, and why.
    pub unread: Vec<String>,
    /// Whether it was asked to end before it was done.
    pub interrupted: bool,
}

/// The moments of one video.
#[derive(Clone, Debug)]
pub struct FoundVideo {
    /// The results file.
    pub results: PathBuf,
    /// The video, as the run named it.
    pub video: String,
    /// In the order of time.
    pub moments: Vec<FoundMoment>,
    /// Of each moment the clip, where one is wanted, or why there is none.
    pub clips: Vec<Result<MomentClip, String>>,
}

/// The clip of a moment.
#[derive(Clone, Debug)]
pub struct MomentClip {
    /// The file.
    pub path: PathBuf,
    /// What its frames are made of.
    pub cut: CutKind,
}

impl FindReport {
    /// 0 where all was searched, whether anything was found or not.
    pub fn exit_code(&self) -> u8 {
        let mut clips = self.found.iter().flat_map(|video| &video.clips);
        match (self.interrupted, self.unread.is_empty()) {
            (true, _) => 130,
            (false, true) if clips.all(Result::is_ok) => 0,
            (false, _) => 1,
        }
    }
}

impl FindReport {
    fn add(&mut self, searched: SearchedVideo, unknown: &mut Vec<String>) {
        unknown.retain(|class| searched.unknown_classes.contains(class));
        self.unanswered_frames += searched.unanswered_frames;
        self.unanswered_sound += searched.unanswered_sound;
        if !searched.video.moments.is_empty() {
            self.found.push(searched.video);
        }
    }
}

// What the search of one results file came to.
struct SearchedVideo {
    video: FoundVideo,
    unknown_classes: Vec<String>,
    unanswered_frames: u64,
    unanswered_sound: u64,
}

/// Searches results, as many at once as this machine has cores, and cuts clips out.
///
/// # Errors
///
/// Where nothing is looked for, there are no results, or none of them can be read.
pub fn find(request: &FindRequest) -> Result<FindReport, AppError> {
    media::init();
    let interrupts = Interrupts::listen()?;
    check(&request.query)?;
    let searched = search_all(&request.results, &request.query, &interrupts.flag());
    let mut report = FindReport {
        interrupted: interrupts.came(),
        ..FindReport::default()
    };
    let (mut last, mut unknown) = (None, request.query.seen.clone());
    for searched in searched {
        report.searched += usize::from(searched.is_ok());
        match searched {
            Ok(searched) => report.add(searched, &mut unknown),
            Err(error) => {
                report.unread.push(error.to_string());
                last = Some(error);
            }
        }
    }
    if let Some(error) = last.filter(|_| report.searched == 0) {
        return Err(AppError::unread(&error));
    }
    report.unknown_classes = unknown;
    if let Some(folder) = &request.clips {
        let mut clips = Clips::new(folder);
        for video in &mut report.found {
            clips.cut(video, &interrupts)?;
        }
        report.interrupted |= interrupts.came();
    }
    Ok(report)
}

fn check(query: &MomentQuery) -> Result<(), AppError> {
    let help = Some("say what: --seen person, --said \"red circle\"".to_owned());
    if query.seen.is_empty() && query.said.is_empty() {
        let message = "nothing is looked for".to_owned();
        return Err(AppError::Request { message, help });
    }
    if let Some(name) = query.without_name() {
        let message = format!("--seen {name:?} is the name of no class");
        return Err(AppError::Request { message, help });
    }
    match query.without_letters() {
        Some(text) => Err(AppError::Request {
            message: format!("--said {text:?} has no letters: nobody can say it"),
            help,
        }),
        None => Ok(()),
    }
}

fn search(path: &Path, query: &MomentQuery) -> Result<SearchedVideo, ReadError> {
    let results = output::read_searched(path)?;
    let unknown = query.seen.iter().filter(|class| !results.knows(class));
    let (looks, listens) = (!query.seen.is_empty(), !query.said.is_empty());
    Ok(SearchedVideo {
        unknown_classes: unknown.cloned().collect(),
        unanswered_frames: if looks {
            results.unanswered_frames()
        } else {
            0
        },
        unanswered_sound: if listens {
            results.unanswered_sound()
        } else {
            0
        },
        video: FoundVideo {
            results: path.to_owned(),
            moments: output::moments(query, &results),
            video: results.video,
            clips: Vec::new(),
        },
    })
}

// Each in its place. What is read is gone before the next is read, so a thread holds one at most.
fn search_all(
    files: &[PathBuf],
    query: &MomentQuery,
    stop: &AtomicBool,
) -> Vec<Result<SearchedVideo, ReadError>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..cores.min(files.len()) {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed)
                    && let at = next.fetch_add(1, Ordering::Relaxed)
                    && let Some(file) = files.get(at)
                {
                    let searched = search(file, query);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.push((at, searched));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, searched)| searched).collect()
}
