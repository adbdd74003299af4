//! Times that start again in a file: parts joined end to end, wraps, gaps, damage.

use crate::clips::Clips;
use crate::clips::chosen_by_ffmpeg;
use crate::clips::corner;
use crate::clips::counting;
use crate::clips::luma_of;
use crate::clips::probe;
use crate::clips::repeated;
use crate::clips::take;
use crate::clips::wanted;
use crate::sound::assert_near;
use crate::sound::beeping;
use crate::sound::beeps;
use crate::sound::heard_from_first_frame;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use vpipe::item::Frame;
use vpipe::media;
use vpipe::media::Mode;

const H264: &str = "-c:v libx264 -preset ultrafast -qp 0 -bf 2 -g 50";
const MPEG2: &str = "-c:v mpeg2video -q:v 1 -bf 2 -g 12";

/// Containers in which times can start again, with what they hold.
fn containers() -> Vec<(&'static str, String)> {
    vec![
        ("ts", format!("{H264} -c:a aac")),
        (
            "m2ts",
            format!("{H264} -c:a ac3 -f mpegts -mpegts_m2ts_mode 1"),
        ),
        ("mpg", format!("{MPEG2} -c:a mp2")),
        ("vob", format!("{MPEG2} -c:a ac3 -f vob")),
        ("mkv", format!("{H264} -c:a aac")),
        (
            "webm",
            "-c:v libvpx -deadline realtime -crf 4 -b:v 5M -c:a libopus".to_owned(),
        ),
        (
            "mp4",
            format!("{H264} -c:a aac -movflags frag_keyframe+delay_moov+default_base_moof"),
        ),
        (
            "mov",
            "-c:v mjpeg -q:v 1 -c:a pcm_s16le -movflags frag_keyframe+empty_moov+default_base_moof"
                .to_owned(),
        ),
    ]
}

fn joined(clips: &Clips, name: &str, parts: &[PathBuf]) -> PathBuf {
    let path = clips.path(name);
    let parts: Vec<_> = parts.iter().map(|part| fs::read(part).unwrap()).collect();
    fs::write(&path, parts.concat()).unwrap();
    path
}

// Seconds, as reading all frames shows.
fn read_length(path: &Path) -> f64 {
    let (input, facts) = (media::identify(path).unwrap(), probe(path, "1"));
    let mut frames = media::frames(&input, &facts, &wanted("1"), Arc::default()).unwrap();
    assert!(frames.by_ref().all(|frame| frame.is_ok()));
    frames.length().unwrap()
}

fn places(frames: &[Frame]) -> Vec<(u64, f64, u64)> {
    let place = |frame: &Frame| {
        let moment = &frame.moment;
        // Matroska counts in milliseconds.
        let seconds = (moment.seconds * 1e2).round() / 1e2;
        (moment.frame_number, seconds, moment.samples)
    };
    frames.iter().map(place).collect()
}

/// The frames at one a second, the same however they are come by.
fn at_one_a_second(path: &Path) -> Vec<Frame> {
    let mut wanted = wanted("1");
    let frames = take(path, &wanted);
    wanted.mode = Mode::Full;
    let full = take(path, &wanted);
    assert_eq!(places(&frames), places(&full), "{}", path.display());
    frames
}

fn assert_shows_itself(frames: &[Frame], frames_a_part: u64, name: &str) {
    for frame in frames {
        let number = frame.moment.frame_number % frames_a_part;
        let off = corner(frame).abs_diff(luma_of(number));
        assert!(off <= 3, "{name}: frame {}", frame.moment.frame_number);
    }
}

#[test]
fn parts_joined_end_to_end_go_on_in_every_container() {
    let clips = Clips::new();
    let source = format!("{} {}", counting("4", "25"), beeping(4, 48_000));
    for (name, options) in containers() {
        let part = clips.make(&format!("part.{name}"), &format!("{source} {options} -t 4"));
        let clip = joined(&clips, &format!("joined.{name}"), &[part.clone(), part]);
        let frames = at_one_a_second(&clip);
        let due: Vec<_> = (0..8).map(|k| (k * 25, k as f64, 1)).collect();
        assert_eq!(places(&frames), due, "{name}");
        assert_shows_itself(&frames, 100, name);
        if ["ts", "m2ts"].contains(&name) {
            assert_eq!(repeated(&frames), chosen_by_ffmpeg(&clip, "1"), "{name}");
        }
        let heard = heard_from_first_frame(&clip);
        let found = beeps(&heard);
        assert!(found.len() == 4, "{name}: {found:?}");
        assert_near(&found, &[1.0, 3.0, 5.0, 7.0], 0.06);
        let input = media::identify(&clip).unwrap();
        let facts = probe(&clip, "1");
        assert!((read_length(&clip) - 8.0).abs() < 0.1, "{name}");
        let survey = media::survey(&input, &facts, &wanted("1"), 85).unwrap();
        assert_eq!(survey.frames, 8, "{name}");
        assert!(
            (survey.duration.unwrap() - 8.0).abs() < 0.1,
            "{name}: {survey:?}"
        );
    }
}

// Theora's headers come again in the middle.
#[test]
fn a_joined_theora_shows_its_second_part_as_it_does_the_first() {
    let clips = Clips::new();
    let source = "-f lavfi -i testsrc2=s=160x120:r=25:d=3 -c:v libtheora";
    let part = clips.make("part.ogv", source);
    let clip = joined(&clips, "joined.ogv", &[part.clone(), part]);
    let frames = at_one_a_second(&clip);
    let due: Vec<_> = (0..6).map(|k| (k * 25, k as f64, 1)).collect();
    assert_eq!(places(&frames), due);
    let shown = |frame: &Frame| frame.content.as_ref().unwrap().pixels.clone().unwrap().data;
    for (first, second) in frames.iter().zip(&frames[3..]) {
        assert!(shown(first) == shown(second), "{}", second.moment);
    }
    assert!(shown(&frames[0]) != shown(&frames[1]));
    let (input, facts) = (media::identify(&clip).unwrap(), probe(&clip, "25"));
    let mut frames = media::frames(&input, &facts, &wanted("25"), Arc::default()).unwrap();
    assert_eq!(frames.by_ref().count(), 150);
    assert_eq!((frames.damaged(), frames.length()), (0, Some(6.0)));
    let survey = media::survey(&input, &facts, &wanted("1"), 85).unwrap();
    assert_eq!((survey.frames, survey.duration), (6, Some(6.0)));
}

#[test]
fn sound_alone_goes_on_as_well() {
    let clips = Clips::new();
    for (name, options) in [
        ("ogg", "-c:a libvorbis"),
        ("opus", "-c:a libopus"),
        ("ts", "-c:a aac"),
        ("mka", "-c:a pcm_s16le"),
        ("mp3", "-c:a libmp3lame"),
        ("aac", "-c:a aac"),
    ] {
        let arguments = format!("{} {options}", beeping(4, 48_000));
        let part = clips.make(&format!("part.{name}"), &arguments);
        let clip = joined(&clips, &format!("joined.{name}"), &[part.clone(), part]);
        let found = beeps(&heard_from_first_frame(&clip));
        assert_near(&found, &[1.0, 3.0, 5.0, 7.0], 0.12);
    }
}

#[test]
fn more_joins_of_other_lengths_and_other_clocks() {
    let clips = Clips::new();
    let part = |name: &str, seconds: u32, start: u32| {
        let (frames, sound) = (
            counting(&seconds.to_string(), "25"),
            beeping(seconds, 48_000),
        );
        let options = format!("{H264} -c:a aac -t {seconds} -output_ts_offset {start}");
        clips.make(name, &format!("{frames} {sound} {options}"))
    };
    // The second begins more than a minute before the first: FFmpeg takes that for a wrap, until
    // its times pass the beginning of the first.
    let parts = [part("a.ts", 2, 70), part("b.ts", 12, 0), part("c.ts", 4, 5)];
    let clip = joined(&clips, "clip.ts", &parts);
    let frames = at_one_a_second(&clip);
    let due: Vec<_> = (0..18).map(|k| (k * 25, k as f64, 1)).collect();
    assert_eq!(places(&frames), due);
    let due: Vec<f64> = (0..9).map(|k| f64::from(2 * k + 1)).collect();
    assert_near(&beeps(&heard_from_first_frame(&clip)), &due, 0.06);
}

#[test]
fn a_counter_that_wraps_is_no_restart() {
    let clips = Clips::new();
    let source = format!("{} {}", counting("6", "25"), beeping(6, 48_000));
    // 2^33 / 90000 s is 95443.7 s.
    let options = format!("{H264} -c:a aac -t 6 -output_ts_offset 95439");
    let clip = clips.make("wrap.ts", &format!("{source} {options}"));
    for clip in [
        clip.clone(),
        joined(&clips, "joined.ts", &[clip.clone(), clip]),
    ] {
        let count = if clip.ends_with("wrap.ts") { 6 } else { 12 };
        let frames = at_one_a_second(&clip);
        let due: Vec<_> = (0..count).map(|k| (k * 25, k as f64, 1)).collect();
        assert_eq!(places(&frames), due, "{}", clip.display());
        let heard = beeps(&heard_from_first_frame(&clip));
        let due: Vec<f64> = (0..count / 2).map(|k| (2 * k + 1) as f64).collect();
        assert_near(&heard, &due, 0.06);
    }
}

#[test]
fn a_gap_stays_a_gap_before_and_behind_a_join() {
    let clips = Clips::new();
    let gap = "-vf select=not(between(t\\,1.5\\,7.5)) -af aselect=not(between(t\\,1.5\\,7.5)) -fps_mode vfr";
    let source = format!("{} {}", counting("10", "25"), beeping(10, 48_000));
    for name in ["ts", "mkv"] {
        let arguments = format!("{source} {gap} {H264} -c:a aac -t 10");
        let part = clips.make(&format!("part.{name}"), &arguments);
        let clip = joined(&clips, &format!("joined.{name}"), &[part.clone(), part]);
        let frames = at_one_a_second(&clip);
        let samples: u64 = frames.iter().map(|it| it.moment.samples).sum();
        assert_eq!(samples, 20, "{name}");
        let longest = frames.iter().map(|it| it.moment.samples).max();
        assert_eq!(longest, Some(6), "{name}: {:?}", places(&frames));
        let heard = beeps(&heard_from_first_frame(&clip));
        assert_near(&heard, &[1.0, 9.0, 11.0, 19.0], 0.1);
    }
}

#[test]
fn sound_of_another_length_loses_nothing_at_a_join() {
    let clips = Clips::new();
    for (seconds, due) in [
        // Shorter: what is said after the join is beside its frames.
        (2, [1.0, 5.0].as_slice()),
        // Longer: frames wait for it.
        (7, &[1.0, 3.0, 5.0, 8.0, 10.0, 12.0]),
    ] {
        let source = format!("{} {}", counting("4", "25"), beeping(seconds, 48_000));
        let part = clips.make("part.ts", &format!("{source} {H264} -c:a aac"));
        let clip = joined(&clips, "joined.ts", &[part.clone(), part]);
        let found = beeps(&heard_from_first_frame(&clip));
        assert_near(&found, due, 0.1);
        let frames = at_one_a_second(&clip);
        let last = frames.last().unwrap();
        assert_eq!(last.moment.frame_number / 100, 1);
    }
}

#[test]
fn a_recording_cut_anywhere_is_joined_all_the_same() {
    let clips = Clips::new();
    let source = format!("{} {}", counting("8", "25"), beeping(8, 48_000));
    let whole = clips.make("whole.ts", &format!("{source} {H264} -c:a aac -t 8"));
    let bytes = fs::read(&whole).unwrap();
    let packets = bytes.len() / 188;
    let tail = clips.path("tail.ts");
    fs::write(&tail, &bytes[packets / 3 * 188..]).unwrap();
    let clip = joined(&clips, "clip.ts", &[whole.clone(), tail, whole]);
    let frames = at_one_a_second(&clip);
    let seconds = frames.last().unwrap().moment.seconds;
    assert!((18.0..=23.0).contains(&seconds), "{seconds}");
    let found = beeps(&heard_from_first_frame(&clip));
    assert!(found.len() >= 10, "{found:?}");
}
