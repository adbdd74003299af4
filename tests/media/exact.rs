//! The quick way gives the same frames as decoding everything, bit by bit.

use crate::clips::Clips;
use crate::clips::can_encode;
use crate::clips::fps;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use vpipe::item::Moment;
use vpipe::item::PixelFormat;
use vpipe::media;
use vpipe::media::Mode;
use vpipe::media::VideoSelection;
use vpipe::name::VideoId;

const RATES: [&str; 5] = ["0.5", "1", "2", "5", "29.97"];

/// What was seen, and the number of packets that it took.
fn seen(path: &Path, rate: &str, mode: Mode) -> (Vec<(Moment, blake3::Hash)>, u64) {
    let mut wanted = VideoSelection::new(fps(rate), 1280, PixelFormat::I420);
    wanted.mode = mode;
    wanted.decoders = 3;
    let input = media::identify(path).unwrap();
    let facts = media::probe(&input, VideoId(0), &wanted).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut frames = media::frames(&input, &facts, &wanted, stop).unwrap();
    let seen = frames.by_ref().map(|frame| {
        let frame = frame.unwrap();
        let digest = match &frame.content {
            Ok(content) => blake3::hash(&content.pixels.as_ref().unwrap().data),
            Err(_) => blake3::hash(b"a gap"),
        };
        (frame.moment, digest)
    });
    (seen.collect(), frames.decoded())
}

fn assert_same(path: &Path, rate: &str) -> (u64, u64) {
    let (quick, quick_cost) = seen(path, rate, Mode::Exact);
    let (full, full_cost) = seen(path, rate, Mode::Full);
    assert!(!full.is_empty(), "{}", path.display());
    for (quick, full) in quick.iter().zip(&full) {
        assert_eq!(quick, full, "{} at {rate}", path.display());
    }
    assert_eq!(quick.len(), full.len(), "{} at {rate}", path.display());
    assert_surveyed(path, rate, full.len() as u64);
    (quick_cost, full_cost)
}

// Their number is known before any of them is decoded, and some of them are as large as they are.
fn assert_surveyed(path: &Path, rate: &str, count: u64) {
    let wanted = VideoSelection::new(fps(rate), 1280, PixelFormat::I420);
    let input = media::identify(path).unwrap();
    let facts = media::probe(&input, VideoId(0), &wanted).unwrap();
    let survey = media::survey(&input, &facts, &wanted, 85).unwrap();
    if survey.exact {
        assert_eq!(survey.frames, count, "{} at {rate}", path.display());
    }
    let off = survey.frames.abs_diff(count);
    assert!(
        off <= 1 + count / 50,
        "{} at {rate}: {survey:?}, {count}",
        path.display()
    );
    let tried = survey.sizes.len() as u64;
    assert!(
        (1..=24).contains(&tried) && tried <= count,
        "{} at {rate}: {survey:?}, {count}",
        path.display()
    );
    assert!(survey.packets >= tried);
}

/// Asserts that both ways agree at every rate, and that the quick one does no more work; at one
/// sample a second, at most `share` of it in percent.
fn assert_exact(path: &Path, share: u64) {
    for rate in RATES {
        let (quick, full) = assert_same(path, rate);
        let limit = if rate == "1" {
            full * share / 100
        } else {
            full + full / 4
        };
        assert!(
            quick <= limit,
            "{} at {rate}: {quick} of {full}",
            path.display()
        );
    }
}

const SOURCE: &str = "-f lavfi -i testsrc2=s=192x128:r=30:d=4,noise=alls=12:allf=t,format=yuv420p";

fn check(name: &str, arguments: &str, share: u64) {
    let clips = Clips::new();
    if !can_encode(arguments) {
        return;
    }
    let clip = clips.make(name, &format!("{SOURCE} {arguments}"));
    assert_exact(&clip, share);
}

#[test]
fn h264_with_one_long_group() {
    check("a.mp4", "-c:v libx264 -preset medium -g 250 -bf 3", 80);
}

#[test]
fn h264_whose_samples_are_keyframes() {
    check(
        "a.mp4",
        "-c:v libx264 -preset veryfast -g 30 -sc_threshold 0 -bf 2",
        4,
    );
    check(
        "b.mkv",
        "-c:v libx264 -preset veryfast -g 60 -sc_threshold 0 -bf 2",
        60,
    );
}

#[test]
fn h264_with_open_groups() {
    let arguments = "-c:v libx264 -g 24 -bf 3 -x264-params open-gop=1:scenecut=0";
    check("a.mp4", arguments, 70);
    check("a.ts", arguments, 70);
}

#[test]
fn h264_without_any_keyframe_but_the_first() {
    let arguments = "-c:v libx264 -x264-params intra-refresh=1:keyint=20:bframes=0";
    check("a.mp4", arguments, 100);
    check("a.ts", arguments, 100);
}

#[test]
fn h264_interlaced() {
    let arguments = "-flags +ildct+ilme -c:v libx264 -g 25 -x264-params tff=1";
    check("a.mp4", arguments, 90);
    check("a.ts", arguments, 90);
}

#[test]
fn h264_of_ten_bits() {
    check("a.mp4", "-pix_fmt yuv420p10le -c:v libx264 -g 50 -bf 3", 80);
}

#[test]
fn h264_without_b_frames() {
    check("a.mp4", "-c:v libx264 -tune zerolatency -g 48", 100);
}

#[test]
fn hevc_with_open_groups() {
    let arguments = "-c:v libx265 -x265-params log-level=none:keyint=30:bframes=4";
    check("a.mp4", arguments, 60);
    check("a.ts", arguments, 60);
    check(
        "a.mkv",
        "-c:v libx265 -x265-params log-level=none:keyint=25:temporal-layers=1",
        80,
    );
}

#[test]
fn vp8_and_vp9() {
    check(
        "a.webm",
        "-c:v libvpx -deadline realtime -cpu-used 8 -auto-alt-ref 1 -lag-in-frames 16 -g 40 -b:v 300k",
        100,
    );
    check(
        "b.webm",
        "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 40 -b:v 300k",
        100,
    );
    check(
        "c.webm",
        "-c:v libvpx-vp9 -cpu-used 5 -auto-alt-ref 1 -lag-in-frames 25 -g 40 -b:v 300k",
        100,
    );
}

#[test]
fn av1() {
    check("a.webm", "-c:v libsvtav1 -preset 12 -g 40", 100);
    check("a.mp4", "-c:v libsvtav1 -preset 12 -g 40", 100);
}

#[test]
fn mpeg2_and_mpeg4() {
    check("a.ts", "-c:v mpeg2video -g 15 -bf 2 -b:v 2M", 50);
    check("a.mpg", "-c:v mpeg2video -g 15 -bf 2 -b:v 2M", 100);
    check("a.mp4", "-c:v mpeg4 -g 25 -bf 2 -b:v 1M", 60);
    // Its packets have no time stamps.
    check("a.avi", "-c:v mpeg4 -g 25 -bf 2 -b:v 1M", 100);
}

#[test]
fn frames_that_all_stand_for_themselves() {
    check("a.mov", "-c:v mjpeg -q:v 4", 4);
    check("b.mov", "-c:v prores_ks", 4);
    // Nothing says that this one could be planned.
    check("c.mkv", "-c:v ffv1 -g 12", 100);
}

#[test]
fn uneven_time() {
    let uneven = "-vf select=gt(random(1)\\,0.4) -fps_mode vfr -c:v libx264 -g 40 -bf 3";
    check("a.mp4", uneven, 90);
    check("a.mkv", uneven, 90);
    check("ntsc.mp4", "-r 30000/1001 -c:v libx264 -g 40", 90);
}

#[test]
fn edit_lists() {
    let clips = Clips::new();
    clips.make("whole.mp4", &format!("{SOURCE} -c:v libx264 -g 40 -bf 3"));
    assert_exact(&clips.make("cut.mp4", "-ss 0.9 -i whole.mp4 -c copy"), 90);
    assert_exact(
        &clips.make("end.mp4", "-ss 0.5 -i whole.mp4 -t 2.2 -c copy"),
        90,
    );
    assert_exact(&clips.make("cut.ts", "-ss 0.9 -i whole.mp4 -c copy"), 100);
}

#[test]
fn streams_cut_out_of_the_middle() {
    let clips = Clips::new();
    for (name, codec) in [
        ("h264.ts", "libx264 -g 40 -bf 3"),
        ("open.ts", "libx264 -g 40 -bf 3 -x264-params open-gop=1"),
        (
            "hevc.ts",
            "libx265 -x265-params log-level=none:keyint=30:bframes=4",
        ),
        ("mpeg2.ts", "mpeg2video -g 15 -bf 2"),
    ] {
        let clip = clips.make(name, &format!("{SOURCE} -c:v {codec}"));
        let whole = fs::read(&clip).unwrap();
        let packets = whole.len() / 188;
        fs::write(&clip, &whole[packets / 5 * 188..]).unwrap();
        for rate in RATES {
            assert_same(&clip, rate);
        }
    }
}

#[test]
fn files_cut_short() {
    let clips = Clips::new();
    for name in ["a.ts", "a.mkv"] {
        let clip = clips.make(name, &format!("{SOURCE} -c:v libx264 -g 40 -bf 3"));
        let whole = fs::read(&clip).unwrap();
        fs::write(&clip, &whole[..whole.len() * 7 / 10]).unwrap();
        for rate in RATES {
            assert_same(&clip, rate);
        }
    }
}

#[test]
fn four_rotations() {
    let clips = Clips::new();
    clips.make("flat.mp4", &format!("{SOURCE} -c:v libx264 -g 40"));
    for degrees in [90, 180, 270] {
        let arguments = format!("-i flat.mp4 -c copy -metadata:s:v:0 rotate={degrees}");
        let clip = clips.make("turned.mp4", &arguments);
        for rate in RATES {
            assert_same(&clip, rate);
        }
    }
}

#[test]
fn damage_leaves_no_sample_out() {
    let clips = Clips::new();
    let clip = clips.make("a.ts", &format!("{SOURCE} -c:v libx264 -g 20 -bf 3"));
    let mut bytes = fs::read(&clip).unwrap();
    for start in (bytes.len() / 4..bytes.len()).step_by(bytes.len() / 9) {
        bytes[start..start + 60].fill(0x55);
    }
    fs::write(&clip, bytes).unwrap();
    let (quick, _) = seen(&clip, "5", Mode::Exact);
    let samples: u64 = quick.iter().map(|(moment, _)| moment.samples).sum();
    assert_eq!(samples, 20);
}

/// Digests of the planes that FFmpeg's own command line chooses by the same rule.
fn seen_by_ffmpeg(path: &Path, rate: &str) -> Vec<blake3::Hash> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-vf", &format!("fps={rate}:round=up"), "-f", "rawvideo"])
        .args(["-pix_fmt", "yuvj420p", "-"])
        .output()
        .unwrap();
    let frames = output.stdout.chunks(192 * 128 * 3 / 2);
    frames.map(blake3::hash).collect()
}

#[test]
fn planes_are_those_of_ffmpeg() {
    // In the colours of JPEG, which nothing has to be done to.
    let source = format!("{SOURCE} -vf scale=out_range=full,format=yuvj420p -color_range pc");
    let clips = Clips::new();
    for (name, codec) in [
        ("a.mp4", "libx264 -g 250 -bf 3"),
        ("b.mp4", "libx264 -g 60 -sc_threshold 0 -bf 2"),
        (
            "c.ts",
            "libx264 -g 24 -bf 3 -x264-params open-gop=1:scenecut=0",
        ),
        (
            "d.mkv",
            "libx264 -x264-params intra-refresh=1:keyint=20:bframes=0",
        ),
        (
            "e.mp4",
            "libx265 -x265-params log-level=none:keyint=30:bframes=4",
        ),
        ("f.mov", "mjpeg -q:v 4"),
    ] {
        let arguments = format!("{source} -c:v {codec}");
        if !can_encode(&arguments) {
            continue;
        }
        let clip = clips.make(name, &arguments);
        for rate in ["0.5", "1", "2", "5"] {
            let (frames, _) = seen(&clip, rate, Mode::Exact);
            let ours = frames
                .into_iter()
                .flat_map(|(moment, digest)| vec![digest; moment.samples as usize]);
            let theirs = seen_by_ffmpeg(&clip, rate);
            assert!(!theirs.is_empty());
            assert!(ours.eq(theirs), "{name} at {rate}");
        }
    }
}

#[test]
fn keyframes_alone_are_honest_about_their_time() {
    let clips = Clips::new();
    let arguments = "-c:v libx264 -g 40 -sc_threshold 0 -bf 3";
    let clip = clips.make("a.mp4", &format!("{SOURCE} {arguments}"));
    let (frames, cost) = seen(&clip, "2", Mode::Keyframes);
    let numbers: Vec<_> = frames
        .iter()
        .map(|(moment, _)| moment.frame_number)
        .collect();
    assert_eq!(numbers, [0, 40, 80]);
    // Samples at 0, 0.5 ... 3.5 s; keyframes at 0, 1.33 and 2.67 s.
    let samples: Vec<_> = frames.iter().map(|(moment, _)| moment.samples).collect();
    assert_eq!(samples, [2, 2, 4]);
    assert_eq!(frames[1].0.seconds, 40.0 / 30.0);
    assert_eq!(cost, 3);
}
