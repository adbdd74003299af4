//! A chunk whose file is too large for a server, as two that are about half of it.
//!
//! They meet at the longest pause of the middle third; where there is none, at the quietest tenth
//! of a second there, and share some sound as chunks do that are cut within speech. The samples are
//! read back from the file: that is rare, and keeping them would double what chunks take. Does not
//! know what too large is.

use crate::media;
use crate::speech::AudioData;
use crate::speech::AudioSpan;
use crate::speech::Chunk;
use crate::speech::RATE;
use crate::stages::speech::cut::shared;
use crate::stages::speech::levels::FRAME;
use crate::stages::speech::levels::Levels;
use std::ops::Range;

/// Less than ten seconds are not halved: a server that refuses them refuses everything.
const LEAST: usize = 10 * RATE as usize;

/// The halves of `chunk`; `None` where it has no file, or is too short.
pub(super) fn halve(chunk: &Chunk) -> Option<(Chunk, Chunk)> {
    let Ok(AudioData::File { codec, file }) = &chunk.content else {
        return None;
    };
    let AudioSpan { video, range, own } = &chunk.span;
    let length = usize::try_from(range.end.checked_sub(range.start)?).ok()?;
    if length < LEAST {
        return None;
    }
    let mut samples = media::decode_sound(file).ok()?;
    // Opus may end some samples early or late.
    samples.resize(length, 0);
    let frames = length / FRAME;
    let (frame, is_pause) = Levels::of(&samples).border(frames / 3..frames * 2 / 3, 0);
    let cut = frame * FRAME;
    let shared = if is_pause { 0 } else { shared(length) };
    let border = range.start + cut as u64;
    let half = |part: Range<usize>, own: Range<u64>| {
        let file = media::encode_sound(samples.get(part.clone())?, *codec).ok()?;
        Some(Chunk {
            span: AudioSpan {
                video: *video,
                range: range.start + part.start as u64..range.start + part.end as u64,
                own,
            },
            content: Ok(AudioData::File {
                codec: *codec,
                file,
            }),
        })
    };
    let first = half(0..cut + shared, own.start..border)?;
    let second = half(cut - shared..length, border..own.end)?;
    Some((first, second))
}

#[cfg(test)]
mod tests {
    use super::LEAST;
    use super::halve;
    use crate::failure::Class;
    use crate::failure::Failure;
    use crate::media;
    use crate::name::VideoId;
    use crate::speech::AudioData;
    use crate::speech::AudioSpan;
    use crate::speech::Chunk;
    use crate::speech::Codec;
    use crate::speech::RATE;

    const SECOND: usize = RATE as usize;

    // Loud, but for `pause` in seconds; a second before and after it is answered for as well.
    fn chunk(seconds: usize, pause: Option<(usize, usize)>, codec: Codec) -> (Chunk, Vec<i16>) {
        media::init();
        let (start, end) = pause.unwrap_or_default();
        let samples: Vec<i16> = (0..seconds * SECOND)
            .map(|at| match (start * SECOND..end * SECOND).contains(&at) {
                true => 0,
                false => ((at * 7919) % 20_011) as i16 - 10_000,
            })
            .collect();
        let file = media::encode_sound(&samples, codec).unwrap();
        let place = |second: usize| (second * SECOND) as u64;
        let span = AudioSpan {
            video: VideoId(0),
            range: place(100)..place(100 + seconds),
            own: place(99)..place(101 + seconds),
        };
        let content = Ok(AudioData::File { codec, file });
        (Chunk { span, content }, samples)
    }

    fn sound(chunk: &Chunk) -> Vec<i16> {
        match &chunk.content {
            Ok(AudioData::File { file, .. }) => media::decode_sound(file).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn halves_meet_in_a_pause_and_lose_nothing() {
        for codec in [Codec::Flac, Codec::Wav] {
            let (whole, samples) = chunk(40, Some((22, 24)), codec);
            assert_eq!(sound(&whole), samples);
            let (first, second) = halve(&whole).unwrap();
            let border = (123 * SECOND) as u64;
            assert_eq!(first.span.own, whole.span.own.start..border);
            assert_eq!(second.span.own, border..whole.span.own.end);
            assert_eq!(first.span.range.end, second.span.range.start);
            assert_eq!([sound(&first), sound(&second)].concat(), samples);
        }
    }

    #[test]
    fn without_a_pause_they_share_a_second() {
        let (whole, samples) = chunk(40, None, Codec::Flac);
        let (first, second) = halve(&whole).unwrap();
        let (ended, began) = (first.span.range.end, second.span.range.start);
        assert_eq!(ended - began, SECOND as u64);
        assert_eq!(u64::midpoint(ended, began), first.span.own.end);
        assert_eq!(sound(&first), samples[..sound(&first).len()]);
        assert!(samples.ends_with(&sound(&second)));
        let (whole, _) = chunk(30, None, Codec::Opus);
        let (first, second) = halve(&whole).unwrap();
        for half in [&first, &second] {
            let length = half.span.range.end - half.span.range.start;
            assert!(sound(half).len().abs_diff(length as usize) < SECOND / 50);
        }
    }

    #[test]
    fn what_is_short_or_no_file_is_not_halved() {
        let (mut whole, _) = chunk(10, None, Codec::Wav);
        assert!(halve(&whole).is_some());
        whole.content = Ok(AudioData::Samples(vec![1; LEAST].into()));
        assert!(halve(&whole).is_none());
        whole.content = Err(Failure::new(Class::Media, "damaged"));
        assert!(halve(&whole).is_none());
        let (short, _) = chunk(9, None, Codec::Wav);
        assert!(halve(&short).is_none());
        let (mut odd, _) = chunk(10, None, Codec::Wav);
        odd.content = Ok(AudioData::File {
            codec: Codec::Wav,
            file: vec![1; 999].into(),
        });
        assert!(halve(&odd).is_none());
    }
}
