//! `report`: the page of one video or of several, as a file that opens from disk.

mod pictures;

use crate::app::error::AppError;
use crate::app::interrupts::Interrupts;
use crate::item::PixelFormat;
use crate::media;
use crate::media::MediaInput;
use crate::media::VideoSelection;
use crate::name::VideoId;
use crate::output;
use crate::output::OutputRoot;
use crate::output::PageVideo;
use crate::output::ReadFiles;
use crate::output::Results;
use crate::output::VideoAddress;
use crate::output::WriteError;
use std::error::Error;
use std::ffi::OsStr;
use std::path;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What a page is made of.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// The results files.
    pub results: Vec<PathBuf>,
    /// The page; beside the first results unless it is said.
    pub page: Option<PathBuf>,
    /// The pictures that are kept of each video.
    pub pictures: usize,
    /// Whether it is opened.
    pub open: bool,
}

/// A page that was made.
#[derive(Clone, Debug)]
pub struct PageReport {
    /// The file.
    pub path: PathBuf,
    /// Its size.
    pub bytes: usize,
    /// The videos in it.
    pub videos: usize,
    /// The pictures that were kept of them.
    pub pictures: usize,
    /// What a page of these videos lacks, a sentence each.
    pub notes: Vec<String>,
    /// Whether pictures were asked for of a video that gives none.
    pub lacks_pictures: bool,
}

/// Codecs that browsers play, as FFmpeg calls them.
const PLAYED: [&str; 4] = ["h264", "vp8", "vp9", "av1"];

/// The page of several results.
const PAGE_OF_SEVERAL: &str = "report.html";

/// Makes the page of `request`, and opens it where that is wanted. `None` where it was asked to end: then
/// none was written.
///
/// # Errors
///
/// Where a file is not there or holds no results, or the page is too large or cannot be written or
/// opened.
pub fn report(request: &PageRequest) -> Result<Option<PageReport>, AppError> {
    media::init();
    let interrupts = Interrupts::listen()?;
    let files = &request.results;
    let read = files.iter().map(|file| output::read_results(file));
    let read: Result<Vec<Results>, _> = read.collect();
    let read = read.map_err(|error| AppError::unread(&error))?;
    let path = target(request)?;
    let found = files.iter().zip(&read);
    let found = found.map(|(file, it)| output::find_video(&it.video, folder_of(file)));
    let found: Vec<Option<PathBuf>> = found.collect();
    let mut reads = ReadFiles::default();
    let all = files.iter().chain(found.iter().flatten());
    all.for_each(|file| reads.add(file));
    let root = OutputRoot::new(folder_of(&path).to_owned(), &Arc::new(reads));
    root.prepare(&path).map_err(|error| unwritable(&error))?;
    let mut making = PageMaking::new(path, request.pictures, interrupts.flag());
    let mut videos = Vec::new();
    for ((results, file), video) in read.iter().zip(files).zip(&found) {
        videos.push(making.video(results, file, video.as_deref())?);
        if interrupts.came() {
            return Ok(None);
        }
    }
    let page = output::page(&videos).map_err(|error| AppError::Request {
        message: error.to_string(),
        help: Some("name fewer results, or keep fewer --frames".to_owned()),
    })?;
    if interrupts.came() {
        return Ok(None);
    }
    let made = PageReport {
        bytes: page.len(),
        ..making.made
    };
    root.write(&made.path, page.as_bytes())
        .map_err(|error| unwritable(&error))?;
    if request.open {
        show(&made.path)?;
    }
    Ok(Some(made))
}

fn show(page: &Path) -> Result<(), AppError> {
    let failed = |error: &dyn Error| AppError::Environment {
        message: format!("{} cannot be opened: {error}", page.display()),
        help: Some("it is written; open it in a browser".to_owned()),
    };
    // From the root of the disk, so that no name is taken for an option.
    let whole = path::absolute(page).map_err(|error| failed(&error))?;
    opener::open(whole).map_err(|error| failed(&error))
}

// What is written: beside the first results where nothing else is said.
fn target(request: &PageRequest) -> Result<PathBuf, AppError> {
    let Some(page) = &request.page else {
        return Ok(beside(&request.results));
    };
    let is_page = |extension: &OsStr| {
        let mut endings = ["html", "htm"].iter();
        endings.any(|ending| extension.eq_ignore_ascii_case(ending))
    };
    match page.extension().is_some_and(is_page) {
        true => Ok(page.clone()),
        false => Err(AppError::Request {
            message: format!("{} is no name of a page", page.display()),
            help: Some("let it end in .html".to_owned()),
        }),
    }
}

fn unwritable(error: &WriteError) -> AppError {
    AppError::unwritable_to("-o", error)
}

// The page of these results, unless the user names it.
fn beside(files: &[PathBuf]) -> PathBuf {
    match files {
        [file] => {
            let stem = output::video_stem(file);
            file.with_file_name(format!("{stem}_report.html"))
        }
        files => {
            let first = files.first().and_then(|file| file.parent());
            first.unwrap_or(Path::new("")).join(PAGE_OF_SEVERAL)
        }
    }
}

fn folder_of(page: &Path) -> &Path {
    match page.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

// A page that is made, video by video.
struct PageMaking {
    made: PageReport,
    // How many pictures are kept of each, and the bytes that are left for them.
    pictures: usize,
    room: usize,
    stop: Arc<AtomicBool>,
}

impl PageMaking {
    fn new(path: PathBuf, pictures: usize, stop: Arc<AtomicBool>) -> Self {
        Self {
            made: PageReport {
                path,
                bytes: 0,
                videos: 0,
                pictures: 0,
                notes: Vec::new(),
                lacks_pictures: false,
            },
            pictures,
            room: pictures::LARGEST,
            stop,
        }
    }

    // What the page has of a video, whose results are in `file`.
    fn video<'a>(
        &mut self,
        results: &'a Results,
        file: &'a Path,
        video: Option<&Path>,
    ) -> Result<PageVideo<'a>, AppError> {
        let made = &mut self.made;
        let address = match video.is_some_and(is_still) {
            true => Ok(VideoAddress::Pictures),
            false => VideoAddress::of(folder_of(&made.path), video),
        };
        let address = address.map_err(|error| AppError::Environment {
            message: format!("{} cannot be looked at: {error}", results.video),
            help: None,
        })?;
        let note = note(results, &address, self.pictures);
        let other = video.and_then(|video| differs(results, video));
        made.notes.extend(note.into_iter().chain(other));
        let mut kept = Vec::new();
        if self.pictures > 0 && results.source.width > 0 {
            match pictures::kept(results, video, self.pictures, &mut self.room, &self.stop) {
                Ok(pictures) => kept = pictures,
                Err(why) => {
                    made.lacks_pictures = true;
                    made.notes
                        .push(format!("no pictures of {} are kept: {why}", results.video));
                }
            }
        }
        made.videos += 1;
        made.pictures += kept.len();
        Ok(PageVideo {
            results,
            file: Some(file),
            address,
            pictures: kept,
        })
    }
}

fn is_still(video: &Path) -> bool {
    matches!(media::identify(video), Ok(MediaInput::Pictures { .. }))
}

/// Two lengths of one video differ by no more, in seconds: headers are not exact.
const ABOUT: f64 = 0.5;

// In what a video differs from the one that results are of, as far as its headers say: its content is
// read where pictures are kept of it, since that may take minutes.
fn differs(results: &Results, video: &Path) -> Option<String> {
    let source = &results.source;
    let input = media::identify(video).ok()?;
    let wanted = VideoSelection::every_frame(PixelFormat::Rgb24);
    let facts = media::probe(&input, VideoId(0), &wanted).ok()?;
    let is_size = (facts.size.width, facts.size.height) == (source.width, source.height);
    let lengths = facts.duration.zip(source.duration);
    let is_length = lengths.is_none_or(|(a, b)| (a - b).abs() <= ABOUT);
    (!is_size || !is_length).then(|| {
        format!(
            "{} is another video than the one that was run over: it has another {}, and boxes may \
             lie where nothing is",
            video.display(),
            if is_size { "length" } else { "size" }
        )
    })
}

// What a reader of the page will miss, and what to do about it.
fn note(results: &Results, address: &VideoAddress, pictures: usize) -> Option<String> {
    let is_seen = results.source.width > 0;
    let codec = results.source.codec.as_str();
    match address {
        VideoAddress::Absent(why) => {
            is_seen.then(|| format!("the page cannot play {}: {why}", results.video))
        }
        VideoAddress::Pictures if pictures > 0 => None,
        VideoAddress::Pictures => Some(format!(
            "{} is no video, and the page shows only those pictures that it keeps: --frames 60 keeps some",
            results.video
        )),
        VideoAddress::Relative(_) if !is_seen || PLAYED.contains(&codec) => None,
        VideoAddress::Relative(_) => Some(match pictures {
            0 => format!("not every browser plays {codec}; --frames 60 keeps pictures of it"),
            _ => format!("not every browser plays {codec}"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::beside;
    use std::path::Path;

    #[test]
    fn a_page_stands_beside_its_results() {
        for (file, page) in [
            ("out/a b_results.json", "out/a b_report.html"),
            ("clip_results.partial.json", "clip_report.html"),
            ("x.json", "x_report.html"),
            ("noted", "noted_report.html"),
        ] {
            assert_eq!(beside(&[file.into()]), Path::new(page));
        }
        let several = ["out/a_results.json".into(), "b_results.json".into()];
        assert_eq!(beside(&several), Path::new("out/report.html"));
    }
}
