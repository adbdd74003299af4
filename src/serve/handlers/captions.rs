//! Segments as text: plain, a line each, SubRip and WebVTT, as RunPod's worker writes them.

use crate::speech::Segment;

/// How a transcript is written as one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TranscriptText {
    /// One line.
    Plain,
    /// A line a segment.
    Lines,
    /// SubRip.
    Srt,
    /// WebVTT, with its header.
    Vtt,
}

impl TranscriptText {
    /// The segments, in their order, as text.
    pub fn of<'a>(self, segments: impl Iterator<Item = &'a Segment>) -> String {
        let texts = segments.map(|segment| (segment, segment.text.trim()));
        match self {
            Self::Plain => joined(texts.map(|(_, text)| text.to_owned()), " "),
            Self::Lines => joined(texts.map(|(_, text)| text.to_owned()), "\n"),
            Self::Srt => {
                let caption = |(number, (segment, text)): (usize, (&Segment, &str))| {
                    let times = times(segment, ',');
                    format!("{number}\n{times}\n{}\n\n", shown(text))
                };
                (1..).zip(texts).map(caption).collect()
            }
            Self::Vtt => {
                let caption = |(segment, text): (&Segment, &str)| {
                    let text = shown(text).replace('&', "&amp;").replace('<', "&lt;");
                    format!("{}\n{text}\n\n", times(segment, '.'))
                };
                format!("WEBVTT\n\n{}", texts.map(caption).collect::<String>())
            }
        }
    }
}

fn joined(texts: impl Iterator<Item = String>, between: &str) -> String {
    texts.collect::<Vec<_>>().join(between)
}

// An arrow within a text would be read as times, and an empty line as its end.
fn shown(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n").replace("-->", "->")
}

fn times(segment: &Segment, point: char) -> String {
    let (start, end) = (clock(segment.start, point), clock(segment.end, point));
    format!("{start} --> {end}")
}

fn clock(seconds: f64, point: char) -> String {
    let millis = (seconds.max(0.0) * 1e3).round() as u64;
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let (seconds, millis) = (millis / 1000 % 60, millis % 1000);
    format!("{hours:02}:{minutes:02}:{seconds:02}{point}{millis:03}")
}

#[cfg(test)]
mod tests {
    use super::TranscriptText;
    use crate::speech::Segment;

    #[test]
    fn texts_are_written_as_programs_read_them() {
        let segment = |start, end, text: &str| Segment {
            start,
            end,
            text: text.to_owned(),
            ..Segment::default()
        };
        let segments = [
            segment(0.0, 1.5, " One --> <two>."),
            segment(3599.9996, 3661.25, " Three\n\n& four. "),
        ];
        let written = |text: TranscriptText| text.of(segments.iter());
        assert_eq!(
            written(TranscriptText::Plain),
            "One --> <two>. Three\n\n& four."
        );
        assert_eq!(
            written(TranscriptText::Lines),
            "One --> <two>.\nThree\n\n& four."
        );
        assert_eq!(
            written(TranscriptText::Srt),
            "1\n00:00:00,000 --> 00:00:01,500\nOne -> <two>.\n\n\
             2\n01:00:00,000 --> 01:01:01,250\nThree\n& four.\n\n"
        );
        assert_eq!(
            written(TranscriptText::Vtt),
            "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nOne -> &lt;two>.\n\n\
             01:00:00.000 --> 01:01:01.250\nThree\n&amp; four.\n\n"
        );
        assert_eq!(TranscriptText::Vtt.of([].iter()), "WEBVTT\n\n");
    }
}
