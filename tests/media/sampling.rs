//! Which frames are chosen, how often, and what is said of them.

use crate::clips::Clips;
use crate::clips::chosen_by_ffmpeg;
use crate::clips::corner;
use crate::clips::counting;
use crate::clips::fps;
use crate::clips::luma_of;
use crate::clips::probe;
use crate::clips::repeated;
use crate::clips::sampled;
use crate::clips::take;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;
use vpipe::item::Frame;
use vpipe::item::PixelFormat;
use vpipe::media;
use vpipe::media::Mode;
use vpipe::media::VideoSelection;
use vpipe::name::VideoId;
use vpipe::time::TimeRange;
use vpipe::time::TimeRanges;

const LOSSLESS: &str = "-c:v libx264 -preset ultrafast -qp 0";

fn numbers(frames: &[Frame]) -> Vec<u64> {
    frames.iter().map(|it| it.moment.frame_number).collect()
}

#[test]
fn samples_are_those_of_the_rule_and_of_ffmpeg() {
    let clips = Clips::new();
    for (seconds, rate, count) in [
        ("8", "0.5", 4),
        ("8", "1", 8),
        ("8", "2", 16),
        ("7.6", "0.5", 4),
        ("7.6", "1", 8),
        ("7.6", "2", 16),
    ] {
        let arguments = format!("{} {LOSSLESS}", counting(seconds, "30"));
        let clip = clips.make("clip.mp4", &arguments);
        let frames = sampled(&clip, rate);
        let step = (30.0 / rate.parse::<f64>().unwrap()) as u64;
        let wanted: Vec<u64> = (0..count).map(|k| k * step).collect();
        assert_eq!(numbers(&frames), wanted, "{seconds} s at {rate}");
        assert_eq!(probe(&clip, rate).expected_frames, Some(count));
        for (index, frame) in frames.iter().enumerate() {
            let moment = &frame.moment;
            assert_eq!(corner(frame), luma_of(moment.frame_number));
            assert_eq!(moment.index, index as u64);
            assert_eq!(moment.seconds, moment.frame_number as f64 / 30.0);
            assert_eq!(moment.samples, 1);
        }
        assert_eq!(repeated(&frames), chosen_by_ffmpeg(&clip, rate));
    }
}

#[test]
fn uneven_rates_follow_ffmpeg_frame_by_frame() {
    let clips = Clips::new();
    for (source, rate) in [
        ("30000/1001", "29.97"),
        ("25", "2"),
        ("24", "5"),
        ("10", "29.97"),
    ] {
        let clip = clips.make("clip.mp4", &format!("{} {LOSSLESS}", counting("3", source)));
        let frames = sampled(&clip, rate);
        assert_eq!(
            repeated(&frames),
            chosen_by_ffmpeg(&clip, rate),
            "{source} at {rate}"
        );
    }
}

#[test]
fn a_frame_that_stays_is_one_frame_with_all_its_samples() {
    let clips = Clips::new();
    let slow = clips.make("slow.mp4", &format!("{} {LOSSLESS}", counting("4", "1")));
    let frames = sampled(&slow, "4");
    assert_eq!(numbers(&frames), [0, 1, 2, 3]);
    assert!(frames.iter().all(|it| it.moment.samples == 4));

    let gaps = "-vf select=not(between(n\\,40\\,100))+0 -fps_mode vfr";
    for name in ["vfr.mp4", "vfr.mkv"] {
        let clip = clips.make(name, &format!("{} {gaps} {LOSSLESS}", counting("5", "30")));
        let frames = sampled(&clip, "2");
        assert_eq!(frames[2].moment.samples, 1, "{name}");
        assert_eq!(frames[3].moment.frame_number, 39, "{name}");
        assert_eq!(frames[3].moment.samples, 4, "{name}");
        assert_eq!(repeated(&frames), chosen_by_ffmpeg(&clip, "2"), "{name}");
    }
}

#[test]
fn time_limits_are_those_of_the_samples() {
    let clips = Clips::new();
    let clip = clips.make("clip.mp4", &format!("{} {LOSSLESS}", counting("5", "30")));
    let mut wanted = VideoSelection::new(fps("2"), 1280, PixelFormat::I420);
    let range = |start, end| TimeRange {
        start: Duration::from_millis(start),
        end: Some(Duration::from_millis(end)).filter(|end| !end.is_zero()),
    };
    wanted.ranges = range(0, 1600).into();
    assert_eq!(numbers(&take(&clip, &wanted)), [0, 15, 30, 45]);
    // Counted from the start, with the times of the video: at 0.7 and 1.2 s.
    wanted.ranges = range(700, 1600).into();
    let frames = take(&clip, &wanted);
    assert_eq!(numbers(&frames), [21, 36]);
    assert_eq!(frames[0].moment.index, 0);
    assert_eq!(frames[0].moment.seconds, 0.7);
    wanted.mode = Mode::Full;
    assert_eq!(numbers(&take(&clip, &wanted)), [21, 36]);
    wanted.mode = Mode::Exact;
    wanted.ranges = range(4600, 0).into();
    assert_eq!(numbers(&take(&clip, &wanted)), [138]);
    wanted.ranges = range(9000, 0).into();
    assert_eq!(numbers(&take(&clip, &wanted)), [0; 0]);
}

/// What `wanted` gives: the frames, and the number of packets that were decoded for them.
fn decoded(clip: &Path, wanted: &VideoSelection) -> (Vec<Frame>, u64) {
    let input = media::identify(clip).unwrap();
    let mut frames = media::frames(&input, &probe(clip, "1"), wanted, Arc::default()).unwrap();
    let taken = frames.by_ref().map(Result::unwrap).collect();
    (taken, frames.decoded())
}

fn ranges(seconds: &[(f64, f64)]) -> TimeRanges {
    let range = |&(start, end): &(f64, f64)| TimeRange {
        start: Duration::from_secs_f64(start),
        end: Some(Duration::from_secs_f64(end)),
    };
    TimeRanges::new(seconds.iter().map(range).collect()).unwrap()
}

#[test]
fn each_range_is_sampled_from_its_beginning_and_nothing_between_is_decoded() {
    let clips = Clips::new();
    let arguments = format!("{} -g 15 {LOSSLESS}", counting("10", "30"));
    let clip = clips.make("clip.mp4", &arguments);
    let mut wanted = VideoSelection::new(fps("2"), 1280, PixelFormat::I420);
    wanted.ranges = ranges(&[(0.5, 1.5), (4.2, 5.0), (5.0, 5.6), (9.4, 30.0)]);
    // At 0.5, 1.0 | 4.2, 4.7 | 5.0, 5.5 | 9.4, 9.9 s, thirty a second.
    let due = [15, 30, 126, 141, 150, 165, 282, 297];
    for mode in [Mode::Exact, Mode::Full] {
        wanted.mode = mode;
        let (frames, packets) = decoded(&clip, &wanted);
        assert_eq!(numbers(&frames), due);
        for frame in &frames {
            assert_eq!(corner(frame), luma_of(frame.moment.frame_number));
            assert_eq!(frame.moment.samples, 1);
        }
        let indices: Vec<u64> = frames.iter().map(|it| it.moment.index).collect();
        assert_eq!(indices, [0, 1, 2, 3, 4, 5, 6, 7]);
        // Every sample is in a group of 15 of its own: 1, 1, 7, 7, 1, 1, 13 and 13 packets of them.
        let least = if mode == Mode::Exact { 44 } else { 298 };
        assert!(
            (least..=least + 2).contains(&packets),
            "{mode:?}: {packets}"
        );
    }
    wanted.mode = Mode::Exact;
    let facts = media::as_wanted(probe(&clip, "2"), &wanted);
    assert_eq!(facts.expected_frames, Some(8));
    let input = media::identify(&clip).unwrap();
    let survey = media::survey(&input, &facts, &wanted, 85).unwrap();
    assert_eq!((survey.frames, survey.packets), (8, 44));
    // Range by range it is the same.
    let alone = [(0.5, 1.5), (4.2, 5.0), (5.0, 5.6), (9.4, 30.0)].map(|range| {
        wanted.ranges = ranges(&[range]);
        numbers(&take(&clip, &wanted))
    });
    assert_eq!(alone.concat(), due);
    wanted.mode = Mode::Keyframes;
    wanted.ranges = ranges(&[(1.0, 1.8), (4.0, 4.1)]);
    assert_eq!(numbers(&take(&clip, &wanted)), [30, 45, 120]);
}

#[test]
fn a_frame_that_is_on_screen_in_two_ranges_is_one() {
    let clips = Clips::new();
    // Frames at 0, 1, 2 and 9 s.
    let gaps = "-vf select=not(between(n\\,3\\,8))+0 -fps_mode vfr";
    let clip = clips.make(
        "gaps.mp4",
        &format!("{} {gaps} {LOSSLESS}", counting("10", "1")),
    );
    let mut wanted = VideoSelection::new(fps("1"), 1280, PixelFormat::I420);
    wanted.ranges = ranges(&[(1.0, 3.0), (4.5, 6.0), (8.0, 9.5)]);
    for mode in [Mode::Exact, Mode::Full] {
        wanted.mode = mode;
        let frames = take(&clip, &wanted);
        let seen: Vec<_> = frames
            .iter()
            .map(|it| (it.moment.frame_number, it.moment.samples))
            .collect();
        // At 1 | at 2, 4.5, 5.5 and 8 | at 9 s.
        assert_eq!(seen, [(1, 1), (2, 4), (3, 1)]);
    }
}

#[test]
fn an_edit_list_hides_frames_and_their_numbers() {
    let clips = Clips::new();
    let whole = format!("{} -g 60 {LOSSLESS}", counting("4", "30"));
    clips.make("whole.mp4", &whole);
    let cut = clips.make("cut.mp4", "-ss 1.5 -i whole.mp4 -c copy");
    let frames = sampled(&cut, "1");
    assert_eq!(frames[0].moment.frame_number, 0);
    assert_eq!(frames[0].moment.seconds, 0.0);
    assert_eq!(corner(&frames[0]), luma_of(45));
    assert_eq!(repeated(&frames), chosen_by_ffmpeg(&cut, "1"));
}

#[test]
fn a_longer_sound_track_adds_no_sample() {
    let clips = Clips::new();
    let sound = "-f lavfi -i sine=d=5.5 -c:a aac";
    for name in ["sound.mp4", "sound.mkv"] {
        let arguments = format!("{} {sound} {LOSSLESS}", counting("4", "30"));
        let clip = clips.make(name, &arguments);
        let facts = probe(&clip, "1");
        assert!(facts.has_sound);
        assert_eq!(facts.expected_frames, Some(4), "{name}");
        assert_eq!(sampled(&clip, "1").len(), 4, "{name}");
    }
}

#[test]
fn packets_without_time_stamps_are_sampled_all_the_same() {
    let clips = Clips::new();
    let clip = clips.make(
        "clip.avi",
        &format!("{} -c:v mpeg4 -bf 2 -q:v 1", counting("3", "30")),
    );
    let frames = sampled(&clip, "2");
    assert_eq!(numbers(&frames), [0, 15, 30, 45, 60, 75]);
}

#[test]
fn a_set_stop_flag_ends_the_work_at_once() {
    let clips = Clips::new();
    let arguments = "-f lavfi -i testsrc2=s=1280x720:r=30:d=4 -c:v libx264 -preset ultrafast";
    let clip = clips.make("long.mp4", arguments);
    let input = media::identify(&clip).unwrap();
    let wanted = VideoSelection::new(fps("0.01"), 1280, PixelFormat::I420);
    let facts = media::probe(&input, VideoId(0), &wanted).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let frames = media::frames(&input, &facts, &wanted, Arc::clone(&stop)).unwrap();
    let started = Instant::now();
    let reader = std::thread::spawn(move || frames.count());
    std::thread::sleep(Duration::from_millis(20));
    stop.store(true, Ordering::Relaxed);
    assert!(reader.join().unwrap() <= 1);
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[test]
fn any_number_of_decoders_gives_the_same_and_all_end_when_dropped() {
    let clips = Clips::new();
    let source = counting("6", "30");
    let clip = clips.make("clip.mp4", &format!("{source} -g 10 {LOSSLESS}"));
    let mut wanted = VideoSelection::new(fps("30"), 1280, PixelFormat::I420);
    for decoders in [1, 2, 7] {
        wanted.decoders = decoders;
        let frames = take(&clip, &wanted);
        assert!(numbers(&frames).into_iter().eq(0..180));
        assert!(
            frames
                .iter()
                .all(|it| corner(it) == luma_of(it.moment.frame_number))
        );

        let input = media::identify(&clip).unwrap();
        let facts = probe(&clip, "30");
        let stop = Arc::new(AtomicBool::new(false));
        let mut frames = media::frames(&input, &facts, &wanted, stop).unwrap();
        assert_eq!(frames.next().unwrap().unwrap().moment.index, 0);
        std::thread::sleep(Duration::from_millis(20));
        drop(frames);
    }
}
