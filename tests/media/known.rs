//! Frames that nobody needs to see: in their places, without content, and not decoded; the others
//! are what they are without them, bit by bit.

use crate::clips::Clips;
use crate::clips::can_encode;
use crate::clips::fps;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use vpipe::item::Moment;
use vpipe::item::PixelFormat;
use vpipe::item::Size;
use vpipe::media;
use vpipe::media::KnownFrames;
use vpipe::media::Mode;
use vpipe::media::VideoSelection;
use vpipe::name::VideoId;
use vpipe::time::Pts;

const SOURCE: &str = "-f lavfi -i testsrc2=s=96x64:r=30:d=4,noise=alls=12:allf=t,format=yuv420p";

struct Seen {
    moment: Moment,
    sizes: [Size; 2],
    // `None` where it has no content.
    pixels: Option<blake3::Hash>,
}

// What was seen, and the number of packets that it took.
fn seen(path: &Path, rate: &str, mode: Mode, known: Option<BTreeSet<Pts>>) -> (Vec<Seen>, u64) {
    let mut wanted = VideoSelection::new(fps(rate), 1280, PixelFormat::I420);
    wanted.mode = mode;
    wanted.decoders = 2;
    wanted.known = known.map(|known| KnownFrames::new(move |pts| known.contains(&pts)));
    let input = media::identify(path).unwrap();
    let facts = media::probe(&input, VideoId(0), &wanted).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let mut frames = media::frames(&input, &facts, &wanted, stop).unwrap();
    let seen = frames.by_ref().map(|frame| {
        let frame = frame.unwrap();
        let content = frame.content.unwrap();
        Seen {
            moment: frame.moment,
            sizes: [frame.source, frame.size],
            pixels: content.pixels.map(|pixels| blake3::hash(&pixels.data)),
        }
    });
    (seen.collect(), frames.decoded())
}

fn check(name: &str, arguments: &str, rate: &str) {
    let cost = check_exact(name, arguments, rate);
    let dear = cost.into_iter().find(|(some, all)| some > all);
    assert_eq!(
        dear, None,
        "{name}: packets decoded, and without known frames"
    );
}

// Every subset of the samples at `rate`, and some in the modes that leave nothing out or nearly
// all; gives what each took, and what all take.
fn check_exact(name: &str, arguments: &str, rate: &str) -> Vec<(u64, u64)> {
    let mut cost = Vec::new();
    let clips = Clips::new();
    if !can_encode(arguments) {
        return cost;
    }
    let clip = clips.make(name, &format!("{SOURCE} {arguments}"));
    for (mode, step) in [(Mode::Exact, 1), (Mode::Full, 11), (Mode::Keyframes, 3)] {
        let (all, all_decoded) = seen(&clip, rate, mode, None);
        assert!((1..=8).contains(&all.len()), "{name}: {}", all.len());
        for subset in (0..1u32 << all.len()).step_by(step) {
            let is_known = |index: usize| subset & 1 << index != 0;
            let indexed = || all.iter().enumerate();
            let known = indexed().filter(|(index, _)| is_known(*index));
            let known: BTreeSet<Pts> = known.map(|(_, seen)| seen.moment.pts).collect();
            let count = known.len();
            let (some, decoded) = seen(&clip, rate, mode, Some(known));
            let place = format!("{name} at {rate}, {mode:?}, subset {subset:b}");
            assert_eq!(some.len(), all.len(), "{place}");
            for ((index, all), some) in indexed().zip(&some) {
                assert_eq!(some.moment, all.moment, "{place}");
                assert_eq!(some.sizes, all.sizes, "{place}");
                let pixels = all.pixels.filter(|_| !is_known(index));
                assert_eq!(some.pixels, pixels, "{place}");
            }
            cost.push((decoded, all_decoded));
            if mode == Mode::Exact && count == all.len() && !name.ends_with(".avi") {
                assert_eq!(decoded, 0, "{place}");
            }
        }
    }
    cost
}

#[test]
fn h264() {
    check(
        "long.mp4",
        "-c:v libx264 -preset medium -g 250 -bf 3",
        "1.5",
    );
    check("short.mp4", "-c:v libx264 -g 30 -sc_threshold 0 -bf 2", "1");
    let open = "-c:v libx264 -g 24 -bf 3 -x264-params open-gop=1:scenecut=0";
    // Where the last frame that is wanted of a group follows soon on a start that is no IDR, it does
    // not come out of FFmpeg's decoder at the end, and all is decoded: right, but dear.
    check_exact("open.ts", open, "1.7");
}

#[test]
fn other_codecs() {
    check(
        "hevc.mp4",
        "-c:v libx265 -x265-params log-level=none:keyint=30:bframes=4",
        "1.3",
    );
    check("mpeg2.ts", "-c:v mpeg2video -g 15 -bf 2 -b:v 2M", "1.3");
    // Its packets have no time stamps: all of it is decoded.
    check("mpeg4.avi", "-c:v mpeg4 -g 25 -bf 2 -b:v 1M", "1.3");
}

#[test]
fn a_group_is_not_decoded_for_frames_that_are_known() {
    let clips = Clips::new();
    let arguments = "-c:v libx264 -preset medium -g 30 -sc_threshold 0 -bf 3";
    let clip = clips.make("a.mp4", &format!("{SOURCE} {arguments}"));
    // Eight samples in four groups, two in each: the first frame, and the one after half of it.
    let (all, decoded) = seen(&clip, "2", Mode::Exact, None);
    let at = |index: usize| all[index].moment.pts;
    let known = |indices: &[usize]| {
        let known = indices.iter().map(|&index| at(index)).collect();
        seen(&clip, "2", Mode::Exact, Some(known)).1
    };
    // Without the later one of a group, its first packet is all; without a group, nothing.
    assert_eq!(known(&[1, 3, 5, 7]), 4);
    assert_eq!(known(&[0, 1, 2, 3, 5, 7]), 2);
    // The first of a group is decoded for the later one.
    assert_eq!(known(&[0, 2, 4, 6]), decoded);
}

#[test]
fn a_known_picture_is_not_opened() {
    let clips = Clips::new();
    let folder = clips.path("pictures");
    std::fs::create_dir(&folder).unwrap();
    let source = "-f lavfi -i testsrc2=s=64x48:r=1:d=3";
    clips.make("pictures/%d.png", source);
    let (all, _) = seen(&folder, "1", Mode::Exact, None);
    assert_eq!(all.len(), 3);
    std::fs::write(folder.join("2.png"), "not a picture any more").unwrap();
    let known = [all[1].moment.pts].into();
    let (some, _) = seen(&folder, "1", Mode::Exact, Some(known));
    assert_eq!(some[1].moment, all[1].moment);
    assert_eq!(some[1].pixels, None);
    assert_eq!(
        [some[0].pixels, some[2].pixels],
        [all[0].pixels, all[2].pixels]
    );
}
