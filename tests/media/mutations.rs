//! Media files that are nearly right: see [`crate::support::mutations`].

use crate::clips::Clips;
use crate::clips::can_encode;
use crate::clips::wanted;
use crate::support::mutations;
use crate::support::mutations::Corpus;
use crate::support::repository::ROOT;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use vpipe::media;
use vpipe::media::SoundSelection;
use vpipe::name::VideoId;

const USUAL_COUNT: u64 = 30;

/// Containers and codecs, a second or two of each.
const KINDS: [(&str, &str); 16] = [
    ("h264.mp4", "-c:v libx264 -c:a aac"),
    (
        "fragments.mp4",
        "-c:v libx264 -c:a aac -movflags +frag_keyframe+empty_moov",
    ),
    (
        "hevc.mp4",
        "-c:v libx265 -x265-params log-level=none -c:a aac",
    ),
    ("h264.mkv", "-c:v libx264 -bf 2 -c:a flac"),
    ("vp9.webm", "-c:v libvpx-vp9 -c:a libopus"),
    ("h264.ts", "-c:v libx264 -c:a aac"),
    ("mpeg2.mpg", "-c:v mpeg2video -r 25 -c:a mp2"),
    ("mpeg4.avi", "-c:v mpeg4 -c:a mp2"),
    ("png.mov", "-c:v png -c:a pcm_s16le"),
    ("flv1.flv", "-c:v flv -c:a libmp3lame -ar 44100"),
    ("frames.gif", "-an"),
    ("frames.mjpeg", "-c:v mjpeg -an"),
    ("one.jpg", "-c:v mjpeg -frames:v 1 -update 1 -an"),
    ("one.png", "-c:v png -frames:v 1 -update 1 -an"),
    ("sound.wav", "-vn"),
    ("sound.ogg", "-vn -c:a libvorbis"),
];

fn corpus() -> Corpus {
    let clips = Clips::new();
    let clip = fs::read(Path::new(ROOT).join("tests/demo/clip.mp4")).unwrap();
    let mut files = vec![("clip.mp4".to_owned(), clip)];
    for (name, codecs) in KINDS {
        if can_encode(codecs) {
            let path = clips.make(
                name,
                &format!(
                    "-f lavfi -i testsrc=size=96x64:rate=10:duration=2 -f lavfi -i \
                     sine=frequency=300:sample_rate=16000:duration=2 {codecs}"
                ),
            );
            files.push((name.to_owned(), fs::read(path).unwrap()));
        }
    }
    Corpus { files, head: 2048 }
}

#[test]
fn a_media_file_that_is_nearly_right_does_no_harm() {
    mutations::hold("media", &corpus(), "mutations::one_media_file", USUAL_COUNT);
}

/// What a run does with a file, without the rest of it.
#[test]
fn one_media_file() {
    let Some(path) = mutations::case() else {
        return;
    };
    media::init();
    let Ok(input) = media::identify(&path) else {
        return;
    };
    let Ok(facts) = media::probe(&input, VideoId(0), &wanted("2")) else {
        return;
    };
    let stop = || Arc::new(AtomicBool::new(false));
    if facts.has_frames()
        && let Ok(frames) = media::frames(&input, &facts, &wanted("2"), stop())
    {
        assert!(frames.count() < 1_000_000);
    }
    if facts.has_sound
        && let Ok(sound) = media::sound(&input, &facts, &SoundSelection::default(), stop())
    {
        assert!(sound.count() < 10_000_000);
    }
}
