//! Clips of a few seconds, made when a test needs them, and what is read back from them.

use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tempfile::TempDir;
use vpipe::facts::VideoFacts;
use vpipe::item::Frame;
use vpipe::item::PixelFormat;
use vpipe::media;
use vpipe::media::VideoSelection;
use vpipe::name::VideoId;
use vpipe::time::Ratio;

/// A folder that is removed when the test is over.
pub(crate) struct Clips {
    folder: TempDir,
}

impl Clips {
    pub(crate) fn new() -> Self {
        media::init();
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `ffmpeg -i SOURCE... ARGUMENTS NAME` and gives the path of what it wrote.
    pub(crate) fn make(&self, name: &str, arguments: &str) -> PathBuf {
        let path = self.path(name);
        let status = Command::new("ffmpeg")
            .args(["-v", "error", "-y"])
            .args(arguments.split_whitespace())
            .arg(&path)
            .current_dir(self.folder.path())
            .status()
            .expect("the tests of the media room need the ffmpeg command line");
        assert!(status.success(), "ffmpeg {arguments} {name}");
        path
    }
}

/// Whether this FFmpeg has the encoders that `arguments` name; says which one it lacks.
pub(crate) fn can_encode(arguments: &str) -> bool {
    let words: Vec<&str> = arguments.split_whitespace().collect();
    let named = words.windows(2).filter(|pair| pair[0] == "-c:v");
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-encoders"])
        .output()
        .unwrap();
    let list = String::from_utf8_lossy(&output.stdout).into_owned();
    let has = |name: &str| name == "copy" || list.split_whitespace().any(|word| word == name);
    for name in named.map(|pair| pair[1]) {
        if !has(name) {
            eprintln!("skipped: this FFmpeg has no encoder {name}");
            return false;
        }
    }
    true
}

/// A grey frame whose luma is 16 + (frame number modulo 200).
pub(crate) fn counting(seconds: &str, rate: &str) -> String {
    format!(
        "-f lavfi -i nullsrc=s=64x48:r={rate}:d={seconds},format=yuv420p,geq=lum=16+mod(N\\,200):cb=128:cr=128"
    )
}

pub(crate) fn fps(text: &str) -> Ratio {
    Ratio::from_decimal(text.parse().unwrap()).unwrap()
}

pub(crate) fn wanted(rate: &str) -> VideoSelection {
    VideoSelection::new(fps(rate), 1280, PixelFormat::I420)
}

pub(crate) fn probe(path: &Path, rate: &str) -> VideoFacts {
    let input = media::identify(path).unwrap();
    media::probe(&input, VideoId(0), &wanted(rate)).unwrap()
}

pub(crate) fn take(path: &Path, wanted: &VideoSelection) -> Vec<Frame> {
    let input = media::identify(path).unwrap();
    let facts = media::probe(&input, VideoId(0), wanted).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let frames = media::frames(&input, &facts, wanted, stop).unwrap();
    frames.map(Result::unwrap).collect()
}

pub(crate) fn sampled(path: &Path, rate: &str) -> Vec<Frame> {
    take(path, &wanted(rate))
}

/// The first byte of the first plane.
pub(crate) fn corner(frame: &Frame) -> u8 {
    let content = frame.content.as_ref().unwrap();
    content.pixels.as_ref().unwrap().data[0]
}

/// What [`counting`] shows in a frame, as full-range luma.
pub(crate) fn luma_of(frame_number: u64) -> u8 {
    let limited = (frame_number % 200) as f64;
    (limited * 255.0 / 219.0).round() as u8
}

/// The lumas that FFmpeg's own filter chooses by the same rule.
pub(crate) fn chosen_by_ffmpeg(path: &Path, rate: &str) -> Vec<u8> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-vf", &format!("fps={rate}:round=up"), "-f", "rawvideo"])
        .args(["-pix_fmt", "yuv420p", "-"])
        .output()
        .unwrap();
    let frame = 64 * 48 * 3 / 2;
    let lumas = output.stdout.chunks(frame).map(|frame| frame[0]);
    lumas.map(|luma| luma_of(u64::from(luma) - 16)).collect()
}

/// The lumas of the frames, each as often as it shows a sample.
pub(crate) fn repeated(frames: &[Frame]) -> Vec<u8> {
    let repeat = |it| vec![corner(it); it.moment.samples as usize];
    frames.iter().flat_map(repeat).collect()
}
