//! Frames and pictures that are too large to be decoded, refused by what their headers state; and files
//! without an end.

use crate::clips::Clips;
use crate::clips::sampled;
use crate::clips::wanted;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;
use vpipe::media;
use vpipe::name::VideoId;

const MAKE: &str = "-f lavfi -i testsrc=size=64x48:rate=2:duration=2";

fn refused(path: &Path) -> String {
    let input = media::identify(path).unwrap();
    let refused = media::probe(&input, VideoId(0), &wanted("1")).unwrap_err();
    refused.to_string().replace(path.to_str().unwrap(), "FILE")
}

/// The file with every one of these bytes changed to those.
fn patch(path: &Path, from: &[u8], to: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    let places: Vec<usize> = (0..bytes.len())
        .filter(|&at| bytes[at..].starts_with(from))
        .collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    fs::write(path, bytes).unwrap();
}

/// Makes the frame header of a JPEG of 64 x 48 state this height and width.
fn state_jpeg(path: &Path, height: u16, width: u16) {
    let [a, b] = height.to_be_bytes();
    let [c, d] = width.to_be_bytes();
    let from = [0xff, 0xc0, 0, 17, 8, 0, 48, 0, 64];
    patch(path, &from, &[0xff, 0xc0, 0, 17, 8, a, b, c, d]);
}

#[test]
fn a_picture_is_refused_by_its_header() {
    let clips = Clips::new();
    let told = "`FILE` has frames of 16000x16000, 256 megapixels, and at most 128 are decoded: \
                scale it down first";
    let jpeg = clips.make("large.jpg", &format!("{MAKE} -frames:v 1 -update 1"));
    state_jpeg(&jpeg, 16_000, 16_000);
    assert_eq!(refused(&jpeg), told);
    let png = clips.make("large.png", &format!("{MAKE} -frames:v 1 -update 1"));
    let size = |width: u32, height: u32| {
        let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
        [b"IHDR", &size[..]].concat()
    };
    patch(&png, &size(64, 48), &size(16_000, 16_000));
    assert_eq!(refused(&png), told);
    // The largest camera there is has 11,648 x 8736 pixels, and its pictures are decoded.
    patch(&png, &size(16_000, 16_000), &size(11_648, 8736));
    assert!(!refused(&png).contains("megapixels"));
}

#[test]
fn a_large_picture_of_a_folder_is_told_by_itself() {
    let clips = Clips::new();
    clips.make("%d.jpg", MAKE);
    state_jpeg(&clips.path("2.jpg"), 12_000, 12_000);
    let frames = sampled(&clips.path(""), "1");
    assert_eq!(frames.len(), 4);
    for (number, frame) in frames.iter().enumerate() {
        let told = frame.content.as_ref().err().map(ToString::to_string);
        let is_large = told.is_some_and(|told| told.contains("12000x12000, 144 megapixels"));
        assert_eq!(is_large, number == 1, "{:?}", frame.content.as_ref().err());
    }
}

#[test]
fn a_file_that_is_longer_than_its_picture_can_be_is_not_read() {
    let clips = Clips::new();
    let jpeg = clips.make("long.jpg", &format!("{MAKE} -frames:v 1 -update 1"));
    let file = fs::File::options().write(true).open(&jpeg).unwrap();
    file.set_len(1 << 27).unwrap();
    assert!(refused(&jpeg).contains("no frame in"), "{}", refused(&jpeg));
}

#[test]
fn a_video_is_refused_by_its_headers() {
    let clips = Clips::new();
    let path = clips.path("large.y4m");
    let head = "YUV4MPEG2 W16000 H16000 F1:1 C420jpeg\nFRAME\n";
    fs::write(&path, [head.as_bytes(), &[0; 1 << 16]].concat()).unwrap();
    assert_eq!(
        refused(&path),
        "`FILE` has frames of 16000x16000, 256 megapixels, and at most 67 are decoded: scale it \
         down first"
    );
}

#[test]
fn frames_that_become_too_large_are_damaged() {
    let clips = Clips::new();
    let small = clips.make("small.mjpeg", &format!("{MAKE} -c:v mjpeg"));
    let large = clips.make("large.mjpeg", &format!("{MAKE} -c:v mjpeg"));
    state_jpeg(&large, 65_500, 65_500);
    let joined = clips.path("joined.mjpeg");
    let bytes = [fs::read(small).unwrap(), fs::read(large).unwrap()].concat();
    fs::write(&joined, bytes).unwrap();
    let frames = sampled(&joined, "25");
    let is_right = |frame: &vpipe::item::Frame| frame.content.is_ok();
    assert_eq!(frames.len(), 8);
    assert!(frames[..4].iter().all(is_right));
    assert!(!frames[4..].iter().any(is_right));
}

/// A file whose end is far away: what a demuxer looks for in it, it would look for for hours.
#[cfg(unix)]
#[test]
fn a_stop_ends_a_read_in_its_middle() {
    let clips = Clips::new();
    let path = clips.make("hole.mkv", &format!("{MAKE} -c:v mpeg4"));
    let input = media::identify(&path).unwrap();
    let facts = media::probe(&input, VideoId(0), &wanted("1")).unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let frames = media::frames(&input, &facts, &wanted("1"), Arc::clone(&stop)).unwrap();
    let (sender, receiver) = sync_channel(10);
    let reader = thread::spawn(move || {
        for frame in frames {
            sender.send(frame.is_ok()).unwrap();
        }
    });
    assert!(receiver.recv().unwrap());
    stop.store(true, Ordering::Relaxed);
    // It ends: the channel is closed, and not after the hours that the file would take.
    let long = Duration::from_secs(60);
    while receiver.recv_timeout(long).is_ok() {}
    assert_eq!(
        receiver.recv_timeout(long),
        Err(RecvTimeoutError::Disconnected)
    );
    reader.join().unwrap();
}
