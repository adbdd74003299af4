//! One turn of vpipe, in a process of its own: frames by the public library, to JPEGs in a folder.

use super::Outcome;
use super::process::peak;
use super::process::processor_time;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;
use vpipe::item::PixelFormat;
use vpipe::media;
use vpipe::media::VideoSelection;
use vpipe::name::VideoId;
use vpipe::time::Ratio;

/// What a turn took.
#[derive(Clone, Copy)]
pub(super) struct Cost {
    pub(super) frames: usize,
    /// Seconds of all threads.
    pub(super) processor: f64,
    /// Seconds.
    pub(super) wall: f64,
    /// The most memory, in KiB; 0 where it is not known.
    pub(super) peak: u64,
}

impl Cost {
    /// Reads `FRAMES PROCESSOR WALL [PEAK]`.
    pub(super) fn read(line: &str) -> Outcome<Self> {
        let mut words = line.split_whitespace();
        let mut next = || words.next().ok_or("a turn ended without its costs");
        Ok(Self {
            frames: next()?.parse()?,
            processor: next()?.parse()?,
            wall: next()?.parse()?,
            peak: next().unwrap_or("0").parse()?,
        })
    }
}

/// Takes a turn on `CLIP RATE FOLDER` and prints what it took.
pub(super) fn take(words: &[String]) -> Outcome<()> {
    let [clip, rate, folder] = words else {
        return Err("a turn takes a clip, a rate and a folder".into());
    };
    let started = Instant::now();
    media::init();
    let fps = Ratio::from_decimal(rate.parse()?).ok_or("the rate is no number")?;
    let wanted = VideoSelection::new(fps, 1280, PixelFormat::I420);
    let input = media::identify(Path::new(clip))?;
    let facts = media::probe(&input, VideoId(0), &wanted)?;
    let stop = Arc::new(AtomicBool::new(false));
    let mut frames = 0;
    for frame in media::frames(&input, &facts, &wanted, stop)? {
        let frame = frame?;
        let content = frame.content.map_err(|failure| failure.message)?;
        let pixels = content.pixels.ok_or("a frame without pixels")?;
        let jpeg = media::encode_jpeg(&pixels, frame.size, 85)?;
        fs::write(Path::new(folder).join(format!("{frames:06}.jpg")), jpeg)?;
        frames += 1;
    }
    let wall = started.elapsed().as_secs_f64();
    println!("{frames} {} {wall} {}", processor_time()?, peak()?);
    Ok(())
}
