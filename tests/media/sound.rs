//! Sound: where on the clock of the frames it lies, whatever the container did to it.

use crate::clips::Clips;
use crate::clips::counting;
use crate::clips::probe;
use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vpipe::media;
use vpipe::media::MediaError;
use vpipe::media::SoundSelection;
use vpipe::speech::Codec;
use vpipe::speech::RATE;
use vpipe::speech::sample_at;
use vpipe::time::TimeRange;
use vpipe::time::TimeRanges;

/// All samples from the first frame to the last, silence between pieces included.
fn heard(path: &Path, wanted: &SoundSelection) -> Result<Vec<i16>, MediaError> {
    let before = sample_at(probe(path, "1").start_offset()) as usize;
    let mut all = heard_by_players(path, wanted)?;
    Ok(all.split_off(before.min(all.len())))
}

/// All samples from where a player begins.
fn heard_by_players(path: &Path, wanted: &SoundSelection) -> Result<Vec<i16>, MediaError> {
    let input = media::identify(path)?;
    let facts = probe(path, "1");
    let mut all = Vec::new();
    for piece in media::sound(&input, &facts, wanted, Arc::default())? {
        let piece = piece?;
        assert!(piece.start >= all.len() as u64, "pieces overlap");
        assert!(!piece.samples.is_empty() && piece.samples.len() < 2 * RATE as usize);
        all.resize(piece.start as usize, 0);
        all.extend_from_slice(&piece.samples);
    }
    Ok(all)
}

fn between(start: f64, end: f64) -> TimeRange {
    TimeRange {
        start: Duration::from_secs_f64(start),
        end: Some(Duration::from_secs_f64(end)),
    }
}

fn all(path: &Path) -> Vec<i16> {
    heard_from_first_frame(path)
}

pub(crate) fn heard_from_first_frame(path: &Path) -> Vec<i16> {
    heard(path, &SoundSelection::default()).unwrap()
}

/// The seconds at which beeps begin.
pub(crate) fn beeps(samples: &[i16]) -> Vec<f64> {
    let mut beeps = Vec::new();
    let mut last_loud = None;
    for (place, sample) in samples.iter().enumerate() {
        if sample.unsigned_abs() > 2000 {
            if last_loud.is_none_or(|last| place - last > 4000) {
                beeps.push(place as f64 / f64::from(RATE));
            }
            last_loud = Some(place);
        }
    }
    beeps
}

#[track_caller]
pub(crate) fn assert_near(found: &[f64], wanted: &[f64], within: f64) {
    assert_eq!(found.len(), wanted.len(), "{found:?} for {wanted:?}");
    for (found, wanted) in found.iter().zip(wanted) {
        assert!((found - wanted).abs() < within, "{found} for {wanted}");
    }
}

/// A beep of 0.2 s at the second 1, 3, 5 and so on.
pub(crate) fn beeping(seconds: u32, rate: u32) -> String {
    format!(
        "-f lavfi -i aevalsrc=exprs=lt(mod(t+1\\,2)\\,.2)*.5*sin(2*PI*1000*t):s={rate}:d={seconds}"
    )
}

fn silent_frames(seconds: &str) -> String {
    counting(seconds, "25")
}

#[test]
fn beeps_are_where_they_were_put_in_every_container() {
    let clips = Clips::new();
    let (sound, frames) = (beeping(6, 48_000), silent_frames("6"));
    for (name, options) in [
        ("aac.mp4", "-c:a aac"),
        ("aac.mkv", "-c:a aac"),
        ("mp2.ts", "-c:a mp2"),
        ("aac.ts", "-c:a aac"),
        ("opus.webm", "-c:v libvpx -c:a libopus"),
        ("pcm.mov", "-c:a pcm_s16le"),
        ("mp3.avi", "-c:a libmp3lame"),
    ] {
        let clip = clips.make(name, &format!("{frames} {sound} {options}"));
        assert_near(&beeps(&all(&clip)), &[1.0, 3.0, 5.0], 0.03);
    }
    for name in ["a.wav", "a.mp3", "a.flac", "a.m4a", "a.ogg", "a.opus"] {
        let rate = if name == "a.opus" { 48_000 } else { 44_100 };
        let file = clips.make(name, &beeping(6, rate));
        let samples = all(&file);
        assert_near(&beeps(&samples), &[1.0, 3.0, 5.0], 0.03);
        let length = samples.len() as f64 / f64::from(RATE);
        assert!((length - 6.0).abs() < 0.1, "{name}: {length}");
    }
}

#[test]
fn sound_that_starts_late_early_or_in_the_middle_keeps_its_time() {
    let clips = Clips::new();
    let (sound, frames) = (beeping(6, 48_000), silent_frames("6"));
    for name in ["late.mp4", "late.mkv", "late.ts"] {
        let late = clips.make(name, &format!("{frames} -itsoffset 0.7 {sound} -c:a aac"));
        assert_near(&beeps(&all(&late)), &[1.7, 3.7, 5.7], 0.03);
    }
    for name in ["early.mkv", "early.ts", "early.mp4"] {
        let early = clips.make(
            name,
            &format!("-itsoffset 0.7 {frames} {sound} -vsync passthrough -c:a aac"),
        );
        assert_near(&beeps(&all(&early)), &[0.3, 2.3, 4.3], 0.03);
    }
    // Cut without coding anew: frames begin at a keyframe that an edit list hides.
    let whole = clips.make(
        "whole.mp4",
        &format!("{frames} {sound} -c:v libx264 -g 50 -c:a aac"),
    );
    let cut = clips.make(
        "cut.mp4",
        &format!("-ss 2.5 -i {} -c copy", whole.display()),
    );
    assert_near(&beeps(&all(&cut)), &[0.5, 2.5], 0.05);
}

#[test]
fn gaps_are_silence_and_drift_is_followed() {
    let clips = Clips::new();
    let sound = beeping(10, 48_000);
    let gap = clips.make(
        "gap.mkv",
        &format!("{sound} -af aselect=not(between(t\\,2\\,4)) -c:a pcm_s16le"),
    );
    let samples = all(&gap);
    assert_near(&beeps(&samples), &[1.0, 5.0, 7.0, 9.0], 0.03);
    assert!(samples[40_000..60_000].iter().all(|sample| *sample == 0));
    for factor in ["1.01", "0.99"] {
        let name = format!("drift{factor}.mkv");
        let drift = clips.make(
            &name,
            &format!("{sound} -af asetpts=PTS*{factor} -c:a pcm_s16le"),
        );
        let factor: f64 = factor.parse().unwrap();
        let due = [1.0, 3.0, 5.0, 7.0, 9.0].map(|at| at * factor);
        assert_near(&beeps(&all(&drift)), &due, 0.05);
    }
}

#[test]
fn tracks_are_counted_from_one() {
    let clips = Clips::new();
    let (one, two) = (beeping(2, 48_000), beeping(4, 48_000));
    let clip = clips.make("two.mkv", &format!("{one} {two} -map 0 -map 1 -c:a aac"));
    let track = |number| SoundSelection {
        track: NonZero::new(number),
        ..SoundSelection::default()
    };
    assert_eq!(beeps(&heard(&clip, &track(1)).unwrap()).len(), 1);
    assert_eq!(beeps(&heard(&clip, &track(2)).unwrap()).len(), 2);
    let message = heard(&clip, &track(3)).unwrap_err().to_string();
    assert!(
        message.contains("has 2 sound tracks, and no number 3"),
        "{message}"
    );
    let silent = clips.make("silent.mp4", &silent_frames("1"));
    let error = heard(&silent, &SoundSelection::default()).unwrap_err();
    assert!(matches!(error, MediaError::NoSound { .. }), "{error}");
}

#[test]
fn a_part_of_the_sound_keeps_its_time() {
    let clips = Clips::new();
    let file = clips.make("a.flac", &beeping(10, 44_100));
    let wanted = SoundSelection {
        ranges: between(2.0, 6.0).into(),
        ..SoundSelection::default()
    };
    let samples = heard(&file, &wanted).unwrap();
    assert_eq!(samples.len(), 6 * RATE as usize);
    assert_near(&beeps(&samples), &[3.0, 5.0], 0.01);
}

#[test]
fn parts_of_the_sound_are_those_of_all_of_it() {
    let clips = Clips::new();
    let ranges = TimeRanges::new(vec![
        between(6.5, 9.25),
        between(20.0, 22.0),
        between(22.0, 24.0),
    ]);
    let wanted = SoundSelection {
        ranges: ranges.unwrap(),
        ..SoundSelection::default()
    };
    for (name, coded) in [
        ("a.wav", ""),
        ("a.flac", ""),
        ("a.mp3", ""),
        ("a.m4a", "-c:a aac"),
        ("a.mkv", "-c:a libvorbis"),
        ("a.ogg", "-c:a libopus"),
        ("a.ts", "-c:a mp2"),
        ("a.mka", "-c:a ac3"),
    ] {
        let file = clips.make(name, &format!("{} {coded}", beeping(30, 48_000)));
        let (all, facts) = (all(&file), probe(&file, "1"));
        let input = media::identify(&file).unwrap();
        let mut pieces = media::sound(&input, &facts, &wanted, Arc::default()).unwrap();
        let (mut seen, mut heard) = (Vec::new(), Vec::new());
        for piece in pieces.by_ref() {
            let piece = piece.unwrap();
            seen.push(piece.start..piece.start + piece.samples.len() as u64);
            heard.resize(piece.start as usize, 0);
            heard.extend_from_slice(&piece.samples);
        }
        let due: Vec<i16> = (0..)
            .zip(&all)
            .take(heard.len())
            .map(
                |(at, sample)| match seen.iter().any(|range| range.contains(&at)) {
                    true => *sample,
                    false => 0,
                },
            )
            .collect();
        // Some containers round the time from which decoding begins anew to milliseconds.
        assert_near(&beeps(&heard), &beeps(&due), 0.001);
        let apart = due.iter().zip(&heard).map(|(a, b)| a.abs_diff(*b)).max();
        // Samples that lie half of their distance beside the others differ by as much, in a tone of
        // 1000 Hz and half of the loudness.
        let is_exact = ["a.wav", "a.flac"].contains(&name);
        assert!(!is_exact || apart.unwrap() < 3_300, "{name}: {apart:?}");
        assert_eq!(pieces.damaged(), 0, "{name}");
        // What follows without a gap, but for the border at 22 s.
        let mut joined: Vec<std::ops::Range<u64>> = Vec::new();
        for range in seen {
            match joined.last_mut() {
                Some(last) if last.end == range.start && range.start != sample_at(22.0) => {
                    last.end = range.end;
                }
                _ => joined.push(range),
            }
        }
        let places = |(start, end)| sample_at(start)..sample_at(end);
        assert_eq!(
            joined,
            [(6.5, 9.25), (20.0, 22.0), (22.0, 24.0)].map(places),
            "{name}"
        );
    }
}

#[test]
fn odd_sound_is_heard_all_the_same() {
    let clips = Clips::new();
    let beeps_of = |name: &str, arguments: &str| beeps(&all(&clips.make(name, arguments)));
    let wide = beeping(4, 192_000);
    assert_near(&beeps_of("192k.wav", &wide), &[1.0, 3.0], 0.01);
    let eight = format!("{} -ac 8", beeping(4, 48_000));
    assert_near(&beeps_of("8ch.wav", &eight), &[1.0, 3.0], 0.01);
    let low = beeping(4, 8_000);
    assert_near(&beeps_of("8k.wav", &low), &[1.0, 3.0], 0.01);
    let deep = format!("{} -c:a pcm_f64le", beeping(4, 48_000));
    assert_near(&beeps_of("f64.wav", &deep), &[1.0, 3.0], 0.01);
    let one = clips.make("one.wav", "-f lavfi -i sine=r=16000 -af atrim=end_sample=1");
    assert_eq!(all(&one).len(), 1);
    let silence = clips.make("silence.wav", "-f lavfi -i anullsrc=r=16000 -t 3");
    assert_eq!(all(&silence), [0; 48_000]);
    // A header, and no sample behind it.
    let bytes = fs::read(&silence).unwrap();
    let data = bytes.windows(4).position(|it| it == b"data").unwrap();
    let nothing = clips.path("nothing.wav");
    let mut header = bytes[..data + 4].to_vec();
    header.extend([0; 4]);
    fs::write(&nothing, header).unwrap();
    assert!(all(&nothing).is_empty());
}

#[test]
fn sound_may_be_shorter_or_longer_than_the_frames() {
    let clips = Clips::new();
    for (name, seconds, wanted) in [
        ("short.mp4", 2, &[1.0][..]),
        ("long.mp4", 8, &[1.0, 3.0, 5.0, 7.0][..]),
    ] {
        let sound = beeping(seconds, 48_000);
        let clip = clips.make(name, &format!("{} {sound} -c:a aac", silent_frames("4")));
        assert_near(&beeps(&all(&clip)), wanted, 0.03);
    }
}

#[test]
fn damaged_sound_is_survived_and_counted() {
    let clips = Clips::new();
    // In a container, since a bare stream that lost a part is a shorter one.
    let sound = format!("{} -c:a aac", beeping(10, 44_100));
    let file = clips.make("damaged.mp4", &sound);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 2000].fill(0x55);
    fs::write(&file, &bytes).unwrap();
    let input = media::identify(&file).unwrap();
    let facts = probe(&file, "1");
    let mut pieces =
        media::sound(&input, &facts, &SoundSelection::default(), Arc::default()).unwrap();
    assert!(pieces.by_ref().all(|piece| piece.is_ok()));
    assert!(pieces.damaged() > 0);
    let found = beeps(&all(&file));
    assert_near(&found[..2], &[1.0, 3.0], 0.03);
    assert_near(&found[found.len() - 1..], &[9.0], 0.1);
    let cut = clips.path("cut.flac");
    let whole = clips.make("whole.flac", &beeping(10, 44_100));
    let bytes = fs::read(whole).unwrap();
    fs::write(&cut, &bytes[..bytes.len() / 2]).unwrap();
    assert_near(&beeps(&all(&cut))[..2], &[1.0, 3.0], 0.03);
}

#[test]
fn lossless_files_give_back_every_sample_and_none_is_larger_than_said() {
    let clips = Clips::new();
    // Noise over the whole range cannot be shortened: the worst there is.
    let mut state = 1_u32;
    let noise: Vec<i16> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as i16
    })
    .take(20 * RATE as usize + 123)
    .collect();
    for codec in [Codec::Flac, Codec::Wav, Codec::Opus] {
        let file = media::encode_sound(&noise, codec).unwrap();
        let most = 21 * codec.most_bytes_a_second();
        assert!(file.len() < most, "{codec:?}: {} over {most}", file.len());
        let path = clips.path(&format!("noise.{}", codec.extension()));
        fs::write(&path, &file).unwrap();
        let back = all(&path);
        match codec {
            Codec::Opus => assert!(back.len().abs_diff(noise.len()) < 400, "{}", back.len()),
            Codec::Flac | Codec::Wav => assert_eq!(back, noise),
        }
        let facts = probe(&path, "1");
        assert!((facts.duration.unwrap() - 20.0).abs() < 0.1, "{facts:?}");
        assert!(media::encode_sound(&noise[..1], codec).is_ok());
        assert!(media::encode_sound(&[], codec).is_ok());
    }
}

#[test]
fn sound_before_the_first_frame_is_heard() {
    let clips = Clips::new();
    let (sound, pictures) = (beeping(6, 48_000), silent_frames("4"));
    for name in ["later.mp4", "later.mkv", "later.ts", "later.mov"] {
        let arguments = format!("-itsoffset 2 {pictures} {sound} -vsync passthrough -c:a aac");
        let clip = clips.make(name, &arguments);
        let facts = probe(&clip, "1");
        assert!(
            (facts.start_offset() - 2.0).abs() < 0.05,
            "{name}: {facts:?}"
        );
        let samples = heard_by_players(&clip, &SoundSelection::default()).unwrap();
        assert_near(&beeps(&samples), &[1.0, 3.0, 5.0], 0.05);
        assert_near(&beeps(&all(&clip)), &[1.0, 3.0], 0.03);
        // What is asked for counts from the first frame.
        let wanted = SoundSelection {
            ranges: between(0.5, 2.0).into(),
            ..SoundSelection::default()
        };
        assert_near(&beeps(&heard(&clip, &wanted).unwrap()), &[1.0], 0.03);
    }
    for name in ["alike.mp4", "alike.mkv"] {
        let clip = clips.make(name, &format!("{pictures} {sound} -c:a aac -t 4"));
        assert!(probe(&clip, "1").start_offset() < 0.03, "{name}");
    }
}

#[test]
fn sound_before_the_first_whole_group_is_heard() {
    let clips = Clips::new();
    let arguments = format!(
        "-f lavfi -i testsrc2=s=192x128:r=25:d=10 {} -c:v libx264 -g 100 -sc_threshold 0 -bf 2 \
         -c:a mp2 -t 10",
        beeping(10, 48_000)
    );
    let whole = clips.make("whole.ts", &arguments);
    let bytes = fs::read(&whole).unwrap();
    let packets = bytes.len() / 188;
    let cut = clips.path("cut.ts");
    fs::write(&cut, &bytes[packets * 3 / 10 * 188..]).unwrap();
    let facts = probe(&cut, "1");
    // The first group that is whole begins at 4 s.
    let offset = facts.start_offset();
    assert!((1.0..4.0).contains(&offset), "{facts:?}");
    let from_first_frame: Vec<f64> =
        beeps(&heard_by_players(&cut, &SoundSelection::default()).unwrap())
            .into_iter()
            .map(|place| place - offset)
            .collect();
    assert!(from_first_frame[0] < 0.0, "{from_first_frame:?}");
    assert_near(
        &from_first_frame[from_first_frame.len() - 3..],
        &[1.0, 3.0, 5.0],
        0.05,
    );
}

#[test]
fn sound_that_ends_before_its_header_says_is_known() {
    let clips = Clips::new();
    for (name, options) in [
        ("short.mp3", "-c:a libmp3lame -b:a 128k"),
        ("short.m4a", "-c:a aac -movflags +faststart"),
        ("short.flac", "-c:a flac"),
    ] {
        let noise = "-f lavfi -i anoisesrc=d=4:r=44100:seed=1";
        let clip = clips.make(name, &format!("{noise} {options}"));
        let early = || {
            let input = media::identify(&clip).unwrap();
            let facts = probe(&clip, "1");
            let all = SoundSelection::default();
            let mut sound = media::sound(&input, &facts, &all, Default::default()).unwrap();
            assert!(sound.by_ref().count() > 0);
            sound.early_end()
        };
        assert_eq!(early(), None, "{name} is whole");
        let whole = fs::read(&clip).unwrap();
        fs::write(&clip, &whole[..whole.len() / 2]).unwrap();
        let early = early().expect(name);
        assert!((early.end - 2.0).abs() < 0.15, "{name}: {early:?}");
        assert!((early.stated - 4.0).abs() < 0.1, "{name}: {early:?}");
    }
}
