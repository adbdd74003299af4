//! Captions: what was said, as the files that players and editors read.
//!
//! | format | times | lines |
//! |---|---|---|
//! | `srt`, `vtt` | of each caption | broken at `line_width`, at most `line_count` a caption |
//! | `tsv` | milliseconds of each segment | one a segment |
//! | `txt` | none | one a segment |
//!
//! A segment that needs more lines becomes several captions; where its words have times, each
//! caption begins with its first word and ends with its last, else the time is shared by length.

use crate::output::results::transcription::SaidSegment;
use crate::recipe::CaptionFormat;
use std::fmt::Write;

/// How captions are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Letters of a line.
    pub line_width: usize,
    /// Lines of a caption.
    pub line_count: usize,
}

/// The file of `format` that says what `segments` do.
pub fn captions(segments: &[SaidSegment], format: CaptionFormat, layout: Layout) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    match format {
        CaptionFormat::Srt => srt(&mut out, segments, layout),
        CaptionFormat::Vtt => vtt(&mut out, segments, layout),
        CaptionFormat::Tsv => tsv(&mut out, segments),
        CaptionFormat::Txt => segments
            .iter()
            .try_for_each(|segment| writeln!(out, "{}", plain(&segment.text))),
    }
    .unwrap_or_default();
    out
}

fn srt(out: &mut String, segments: &[SaidSegment], layout: Layout) -> std::fmt::Result {
    for (number, cue) in cues(segments, layout).enumerate() {
        let (start, end) = (clock(cue.start, ','), clock(cue.end, ','));
        // The arrow would end the text in the eyes of some players.
        let text = cue.text.replace("-->", "->");
        writeln!(out, "{}\n{start} --> {end}\n{text}\n", number + 1)?;
    }
    Ok(())
}

fn vtt(out: &mut String, segments: &[SaidSegment], layout: Layout) -> std::fmt::Result {
    writeln!(out, "WEBVTT\n")?;
    for cue in cues(segments, layout) {
        let (start, end) = (clock(cue.start, '.'), clock(cue.end, '.'));
        let text = cue.text.replace('&', "&amp;");
        let text = text.replace('<', "&lt;").replace('>', "&gt;");
        writeln!(out, "{start} --> {end}\n{text}\n")?;
    }
    Ok(())
}

fn tsv(out: &mut String, segments: &[SaidSegment]) -> std::fmt::Result {
    writeln!(out, "start\tend\ttext")?;
    for segment in segments {
        let (start, end) = (milliseconds(segment.start), milliseconds(segment.end));
        writeln!(out, "{start}\t{end}\t{}", plain(&segment.text))?;
    }
    Ok(())
}

// One line, whatever a model put into it.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1e3).round().max(0.0) as u64
}

fn clock(ms: u64, point: char) -> String {
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let (seconds, ms) = (ms / 1000 % 60, ms % 1000);
    format!("{hours:02}:{minutes:02}:{seconds:02}{point}{ms:03}")
}

struct Cue {
    start: u64,
    end: u64,
    text: String,
}

// A word of a segment and its times; of those that have none, by their share of the letters.
struct Timed<'a> {
    word: &'a str,
    start: f64,
    end: f64,
}

fn cues(segments: &[SaidSegment], layout: Layout) -> impl Iterator<Item = Cue> {
    segments
        .iter()
        .flat_map(move |segment| of_segment(segment, layout))
}

fn of_segment(segment: &SaidSegment, layout: Layout) -> Vec<Cue> {
    let words = timed(segment);
    let mut cues: Vec<Cue> = Vec::new();
    let (mut lines, mut letters) = (0, 0);
    for word in &words {
        let length = word.word.chars().count();
        let begins_line = letters > 0 && letters + 1 + length > layout.line_width;
        let begins_cue = cues.is_empty() || begins_line && lines == layout.line_count;
        let end = milliseconds(word.end);
        match cues.last_mut().filter(|_| !begins_cue) {
            Some(cue) => {
                cue.text.push(if begins_line { '\n' } else { ' ' });
                cue.text.push_str(word.word);
                cue.end = end.max(cue.start + 1);
                lines += usize::from(begins_line);
                letters = if begins_line {
                    length
                } else {
                    letters + 1 + length
                };
            }
            None => {
                let start = milliseconds(word.start);
                cues.push(Cue {
                    start,
                    end: end.max(start + 1),
                    text: word.word.to_owned(),
                });
                (lines, letters) = (1, length);
            }
        }
    }
    // A segment is shown as long as it says, whatever its words do.
    if let Some(first) = cues.first_mut() {
        first.start = first.start.min(milliseconds(segment.start));
    }
    if let Some(last) = cues.last_mut() {
        last.end = last.end.max(milliseconds(segment.end));
    }
    cues
}

fn timed(segment: &SaidSegment) -> Vec<Timed<'_>> {
    if segment.words.is_empty() {
        return shared(segment);
    }
    let words = segment.words.iter().map(|word| Timed {
        word: &word.word,
        start: word.start,
        end: word.end,
    });
    words.filter(|word| !word.word.is_empty()).collect()
}

fn shared(segment: &SaidSegment) -> Vec<Timed<'_>> {
    let words: Vec<&str> = segment.text.split_whitespace().collect();
    let letters: usize = words.iter().map(|word| word.chars().count() + 1).sum();
    let a_letter = (segment.end - segment.start) / letters.max(1) as f64;
    let mut before = 0;
    let mut share = |word| {
        let start = segment.start + before as f64 * a_letter;
        before += str::chars(word).count() + 1;
        let end = segment.start + before as f64 * a_letter;
        Timed { word, start, end }
    };
    words.into_iter().map(&mut share).collect()
}

#[cfg(test)]
mod tests {
    use super::Layout;
    use super::captions;
    use crate::output::SaidSegment;
    use crate::output::SaidWord;
    use crate::recipe::CaptionFormat;

    fn segment(start: f64, end: f64, text: &str) -> SaidSegment {
        SaidSegment {
            id: 0,
            start,
            end,
            text: text.to_owned(),
            avg_logprob: None,
            no_speech_prob: None,
            words: Vec::new(),
        }
    }

    fn written(segments: &[SaidSegment], format: CaptionFormat) -> String {
        let layout = Layout {
            line_width: 20,
            line_count: 2,
        };
        captions(segments, format, layout)
    }

    #[test]
    fn long_segments_become_lines_and_captions() {
        let text = "The quick brown fox jumps over the lazy dog & <runs> --> away";
        let segments = [segment(0.0, 6.2, text), segment(3725.5, 3726.0, "Yes.")];
        insta::assert_snapshot!(written(&segments, CaptionFormat::Srt), @r"
        1
        00:00:00,000 --> 00:00:04,000
        The quick brown fox
        jumps over the lazy

        2
        00:00:04,000 --> 00:00:06,200
        dog & <runs> ->
        away

        3
        01:02:05,500 --> 01:02:06,000
        Yes.
        ");
        insta::assert_snapshot!(written(&segments, CaptionFormat::Vtt), @r"
        WEBVTT

        00:00:00.000 --> 00:00:04.000
        The quick brown fox
        jumps over the lazy

        00:00:04.000 --> 00:00:06.200
        dog &amp; &lt;runs&gt; --&gt;
        away

        01:02:05.500 --> 01:02:06.000
        Yes.
        ");
        let text = "The quick brown fox jumps over the lazy dog & <runs> --> away";
        assert_eq!(
            written(&segments, CaptionFormat::Tsv),
            format!("start\tend\ttext\n0\t6200\t{text}\n3725500\t3726000\tYes.\n")
        );
        assert_eq!(
            written(&segments, CaptionFormat::Txt),
            format!("{text}\nYes.\n")
        );
    }

    #[test]
    fn captions_go_by_the_times_of_words() {
        let word = |start: f64, word: &str| SaidWord {
            word: word.to_owned(),
            start,
            end: start + 0.5,
            probability: None,
        };
        let mut said = segment(1.0, 9.0, "one two three four five");
        said.words = vec![
            word(1.2, "extraordinarily"),
            word(2.0, "complicated"),
            word(7.0, "simplifications"),
        ];
        insta::assert_snapshot!(written(&[said], CaptionFormat::Srt), @r"
        1
        00:00:01,000 --> 00:00:02,500
        extraordinarily
        complicated

        2
        00:00:07,000 --> 00:00:09,000
        simplifications
        ");
        assert_eq!(written(&[], CaptionFormat::Vtt), "WEBVTT\n\n");
        assert_eq!(written(&[segment(1.0, 2.0, " ")], CaptionFormat::Srt), "");
    }
}
