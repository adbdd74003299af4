//! Chunks of sound of every kind: within their length, without a hole, and no word cut in two.

use crate::engine::FoldState;
use crate::item::Item;
use crate::name::VideoId;
use crate::speech::AudioData;
use crate::speech::Chunk;
use crate::speech::RATE;
use crate::speech::Sound;
use crate::stages::speech::cut::Cutting;
use crate::stages::speech::cut::FRAME;
use crate::stages::speech::cut::LONGEST_GAP;

const SECOND: usize = RATE as usize;

fn cutting(seconds: usize, drop_silence: bool) -> Cutting {
    Cutting {
        ends: vec![u64::MAX],
        video: VideoId(0),
        longest: seconds * SECOND,
        drop_silence,
        samples: Vec::new(),
        start: 0,
        own: 0,
    }
}

fn piece(start: u64, samples: &[i16]) -> Item {
    Item::Sound(Sound {
        video: VideoId(0),
        start,
        samples: samples.into(),
    })
}

fn chunks(items: Vec<Item>) -> Vec<Chunk> {
    let chunk = |item| match item {
        Item::Chunk(chunk) => chunk,
        other => panic!("{other}"),
    };
    items.into_iter().map(chunk).collect()
}

#[test]
fn no_chunk_is_of_two_parts_that_are_wanted() {
    // From 2 s to 5 s, from there to 7 s, and from 8 s on.
    let second = |seconds: u64| seconds * u64::from(RATE);
    let mut cutting = Cutting {
        ends: vec![second(5), second(7), u64::MAX],
        start: second(2),
        own: second(2),
        ..cutting(30, false)
    };
    let loud = [6000_i16; SECOND];
    let mut items = Vec::new();
    for at in [2, 3, 4, 5, 6, 8, 9] {
        items.extend(cutting.push(piece(second(at), &loud)));
    }
    items.extend(cutting.finish());
    let spans = chunks(items).into_iter().map(|chunk| chunk.span);
    let spans: Vec<_> = spans.map(|span| (span.range, span.own)).collect();
    let whole =
        [2..5, 5..7, 8..10].map(|it: std::ops::Range<u64>| second(it.start)..second(it.end));
    assert_eq!(spans, whole.map(|range| (range.clone(), range)));
}

// Cuts pieces of a second.
fn cut(samples: &[i16], seconds: usize, drop_silence: bool) -> Vec<Chunk> {
    let mut cutting = cutting(seconds, drop_silence);
    let mut items = Vec::new();
    for (number, part) in samples.chunks(SECOND).enumerate() {
        items.extend(cutting.push(piece((number * SECOND) as u64, part)));
        assert!(cutting.samples.len() <= (seconds + 1) * SECOND);
    }
    items.extend(cutting.finish());
    chunks(items)
}

// Words of these lengths in frames, each with a pause after it.
fn words(lengths: &[(usize, usize)]) -> (Vec<i16>, Vec<(u64, u64)>) {
    let (mut samples, mut words) = (Vec::new(), Vec::new());
    for (length, pause) in lengths {
        let start = samples.len() as u64;
        samples.extend((0..length * FRAME).map(|at| if at % 20 < 10 { 6000_i16 } else { -6000 }));
        words.push((start, samples.len() as u64));
        samples.extend((0..pause * FRAME).map(|at| if at % 2 == 0 { 20_i16 } else { -20 }));
    }
    (samples, words)
}

fn assert_whole(chunks: &[Chunk], samples: usize, longest: usize, words: &[(u64, u64)]) {
    let mut end = 0;
    for chunk in chunks {
        let span = &chunk.span;
        assert_eq!(span.own.start, end, "a hole or an overlap");
        end = span.own.end;
        assert!(span.range.end - span.range.start <= (longest * SECOND) as u64);
        if let Ok(AudioData::Samples(waves)) = &chunk.content {
            let length = span.range.end - span.range.start;
            assert_eq!(waves.len() as u64, length);
        }
    }
    assert_eq!(end, samples as u64);
    for (start, end) in words {
        let centre = u64::midpoint(*start, *end);
        let owns = |chunk: &&Chunk| chunk.span.own.contains(&centre);
        let owner = chunks.iter().find(owns).unwrap();
        let range = &owner.span.range;
        assert!(
            range.start <= *start && *end <= range.end,
            "{start}..{end} is not whole in {:?}",
            owner.span
        );
    }
}

#[test]
fn cuts_are_at_pauses_where_there_are_some() {
    // Half a second each, then a breath of 0.4 s after every fifth.
    let lengths: Vec<_> = (0..300)
        .map(|number| (25, if number % 5 == 4 { 20 } else { 2 }))
        .collect();
    let (samples, words) = words(&lengths);
    let chunks = cut(&samples, 30, false);
    assert!(chunks.len() > 5);
    assert_whole(&chunks, samples.len(), 30, &words);
    for chunk in &chunks {
        assert_eq!(
            chunk.span.range, chunk.span.own,
            "nothing is shared at a pause"
        );
    }
    // And short enough that all get some, long enough that few are needed.
    let shortest = chunks[..chunks.len() - 1]
        .iter()
        .map(|it| it.span.own.clone().count());
    assert!(shortest.min().unwrap() >= 24 * SECOND);
}

#[test]
fn without_pauses_words_on_the_border_are_whole_in_their_chunk() {
    for (length, pause) in [(50, 0), (37, 1), (48, 3), (11, 2), (23, 14)] {
        let (samples, words) = words(&vec![(length, pause); 9000 / (length + pause)]);
        let chunks = cut(&samples, 30, false);
        assert_whole(&chunks, samples.len(), 30, &words);
        assert!(chunks.len() >= 6);
        let shared = chunks[1].span.own.start - chunks[1].span.range.start;
        assert_eq!(shared, (SECOND / 2) as u64);
    }
}

#[test]
fn any_length_is_cut_without_a_hole() {
    let (samples, words) = words(&vec![(13, 1); 2000]);
    for seconds in [5, 7, 11, 64, 600] {
        for end in [
            samples.len(),
            samples.len() - 77,
            seconds * SECOND,
            seconds * SECOND + 1,
        ] {
            let samples = &samples[..end.min(samples.len())];
            let words: Vec<_> = words
                .iter()
                .copied()
                .filter(|(_, end)| *end <= samples.len() as u64)
                .collect();
            assert_whole(
                &cut(samples, seconds, false),
                samples.len(),
                seconds,
                &words,
            );
        }
    }
}

#[test]
fn nothing_is_asked_about_silence() {
    let is_silent = |chunk: &Chunk| matches!(chunk.content, Ok(AudioData::Silence));
    let silence = vec![0; 70 * SECOND];
    for drop_silence in [false, true] {
        let chunks = cut(&silence, 30, drop_silence);
        assert_whole(&chunks, silence.len(), 30, &[]);
        assert!(chunks.iter().all(is_silent));
        assert!(cut(&[], 30, drop_silence).is_empty());
        assert!(is_silent(&cut(&[9000], 30, drop_silence)[0]));
    }
    // Noise that nobody speaks over is sent, unless silence is to be dropped and it is faint.
    let faint: Vec<i16> = (0..10 * SECOND).map(|at| (at % 40) as i16 - 20).collect();
    assert!(!is_silent(&cut(&faint, 30, false)[0]));
    assert!(is_silent(&cut(&faint, 30, true)[0]));
}

#[test]
fn silence_around_speech_is_dropped_where_that_is_asked_for() {
    let (speech, _) = words(&[(100, 0)]);
    let mut samples = vec![0; 4 * SECOND];
    samples.extend(&speech);
    samples.resize(12 * SECOND, 0);
    let [kept] = &cut(&samples, 30, false)[..] else {
        panic!("it is one chunk");
    };
    assert_eq!(kept.span.range, 0..12 * u64::from(RATE));
    let [dropped] = &cut(&samples, 30, true)[..] else {
        panic!("it is one chunk");
    };
    assert_eq!(dropped.span.own, 0..12 * u64::from(RATE));
    let margin = 2 * u64::from(RATE) / 5;
    let speech = 4 * u64::from(RATE)..6 * u64::from(RATE);
    assert_eq!(
        dropped.span.range,
        speech.start - margin..speech.end + margin
    );
}

#[test]
fn short_gaps_are_filled_and_long_ones_are_left_out() {
    let (speech, _) = words(&[(100, 0)]);
    let mut cutting = cutting(30, false);
    let second = u64::from(RATE);
    let mut items = cutting.push(piece(second, &speech));
    items.extend(cutting.push(piece(6 * second, &speech)));
    items.extend(cutting.push(piece(100 * second + LONGEST_GAP, &speech)));
    items.extend(cutting.push(piece(u64::MAX / 2, &speech)));
    items.extend(cutting.finish());
    let stretches: Vec<_> = chunks(items).into_iter().map(|it| it.span).collect();
    assert_eq!(stretches[0].own, 0..8 * second);
    assert_eq!(stretches[1].own, 110 * second..112 * second);
    assert_eq!(stretches[2].own.start, u64::MAX / 2);
    assert_eq!(stretches.len(), 3);
}
