//! Subtitles as answers: SubRip, WebVTT, and the lines that Whisper's own programs print.
//!
//! ```text
//! 1                                  WEBVTT
//! 00:00:00,000 --> 00:00:01,500                                  [00:00.000 --> 00:01.500]  One.
//! One.                               00:00.000 --> 00:01.500
//!                                    One.
//! ```

use crate::speech::Segment;

const ARROW: &str = "-->";

/// The segments that a text of subtitles has; `None` where it is another text.
pub(super) fn segments(text: &str) -> Option<Vec<Segment>> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let is_vtt = text.starts_with("WEBVTT");
    let mut segments: Vec<Segment> = Vec::new();
    let mut is_open = false;
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    for (at, line) in lines.iter().enumerate() {
        if let Some((start, end, rest)) = times(line) {
            segments.push(Segment {
                start,
                end,
                text: plain(rest, is_vtt),
                ..Segment::default()
            });
            is_open = true;
        } else if line.is_empty() {
            is_open = false;
        } else if is_open && !is_number_of_next(line, lines.get(at + 1)) {
            let segment = segments.last_mut()?;
            let space = if segment.text.is_empty() { "" } else { " " };
            segment.text = format!("{}{space}{}", segment.text, plain(line, is_vtt));
        }
    }
    (is_vtt || !segments.is_empty()).then_some(segments)
}

// Some writers leave out the empty line before the number of a caption.
fn is_number_of_next(line: &str, next: Option<&&str>) -> bool {
    let is_number = line.chars().all(|c| c.is_ascii_digit());
    is_number && next.is_some_and(|next| times(next).is_some())
}

// `START --> END`, and what follows it: settings in WebVTT, the text in the lines of a program.
fn times(line: &str) -> Option<(f64, f64, &str)> {
    let (bracketed, line) = match line.strip_prefix('[') {
        Some(line) => (true, line),
        None => (false, line),
    };
    let (start, rest) = line.split_once(ARROW)?;
    let rest = rest.trim_start();
    let (end, rest) = match bracketed {
        true => rest.split_once(']')?,
        false => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
    };
    let rest = if bracketed { rest.trim() } else { "" };
    Some((clock(start)?, clock(end)?, rest))
}

/// The seconds that a time of day stands for, such as `1:02:03.4`, `00:00:01,500` or `02:03.4`.
pub(super) fn clock(text: &str) -> Option<f64> {
    let mut parts = text.trim().rsplitn(3, ':');
    let seconds = parts.next()?.replace(',', ".");
    if !seconds.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let seconds: f64 = seconds.parse().ok()?;
    let minutes: u32 = parts.next()?.parse().ok()?;
    let hours: u32 = parts.next().map_or(Ok(0), str::parse).ok()?;
    Some(f64::from(hours) * 3600.0 + f64::from(minutes) * 60.0 + seconds)
}

// Without tags, and in WebVTT without escapes.
fn plain(line: &str, is_vtt: bool) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        match after.split_once('>') {
            Some((_, after)) => rest = after,
            None => {
                text.push('<');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    if !is_vtt {
        return text;
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">");
    text.replace("&nbsp;", " ").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::clock;
    use super::segments;

    fn told(text: &str) -> Option<Vec<(f64, f64, String)>> {
        let segments = segments(text)?.into_iter();
        Some(segments.map(|it| (it.start, it.end, it.text)).collect())
    }

    #[test]
    fn subtitles_are_read_in_every_form() {
        let srt = "1\n00:00:00,000 --> 00:00:01,500\nOne,\ntwo.\n\n2\n00:00:01,500 --> 00:00:03,000\n40\n";
        let crowded = srt.replace("\n\n", "\n").replace('\n', "\r\n");
        let vtt = "\u{feff}WEBVTT - speech\n\nNOTE nothing\n\nfirst\n00:00.000 --> 00:01.500 align:start\n\
                   <v Ann>One,</v>\ntwo.\n\n00:01.500 --> 00:03.000\n40";
        let headless = vtt.replace("\u{feff}WEBVTT - speech\n\n", "");
        let printed = "[00:00.000 --> 00:01.500]  One, two.\n[00:01.500 --> 00:03.000]  40\n";
        let wanted = vec![
            (0.0, 1.5, "One, two.".to_owned()),
            (1.5, 3.0, "40".to_owned()),
        ];
        for text in [srt, &crowded, vtt, &headless, printed] {
            assert_eq!(told(text), Some(wanted.clone()), "{text}");
        }
        let escaped = told("WEBVTT\n\n00:01.000 --> 00:02.000\nA &amp; B &lt;C&gt;");
        assert_eq!(escaped, Some(vec![(1.0, 2.0, "A & B <C>".to_owned())]));
        assert_eq!(told("WEBVTT\n"), Some(vec![]));
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "",
            "One two.",
            "a --> b\nc",
            "1\n2\n3",
            "[a --> b] c",
            "0 < 1",
        ] {
            assert_eq!(told(text), None, "{text}");
        }
    }

    #[test]
    fn clocks_have_seconds_and_minutes() {
        assert_eq!(clock("1:02:03.5"), Some(3723.5));
        assert_eq!(clock(" 00:01,250 "), Some(1.25));
        for text in ["", "1.5", "a:b", "00:-1", "1:2:3:4", "00:inf", "00:nan"] {
            assert_eq!(clock(text), None, "{text}");
        }
    }
}
