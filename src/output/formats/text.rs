//! Text and times as the formats of captions write them.

/// The text of a segment on one line, whatever a model put into it.
pub(super) fn one_line(text: &str) -> String {
    let text: String = without_sequences(text)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

// Without what a terminal would obey rather than show (ECMA-48, 5.4 and 5.6).
fn without_sequences(text: &str) -> String {
    let (mut shown, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(['\u{1b}', '\u{9b}']) {
        let (before, sequence) = rest.split_at(at);
        shown.push_str(before);
        rest = behind_sequence(sequence);
    }
    shown + rest
}

// Controls have parameters and a last letter; a command, such as a title, goes on to its end.
fn behind_sequence(text: &str) -> &str {
    let control = text.strip_prefix("\u{1b}[");
    if let Some(control) = control.or_else(|| text.strip_prefix('\u{9b}')) {
        let rest = control.trim_start_matches(|c| matches!(c, ' '..='?'));
        return rest
            .strip_prefix(|c| matches!(c, '@'..='~'))
            .unwrap_or(rest);
    }
    if let Some(command) = text.strip_prefix("\u{1b}]") {
        let mut ends = ["\u{7}", "\u{1b}\\"].into_iter();
        let rest = ends.find_map(|end| command.split_once(end));
        return rest.map_or(command, |(_, rest)| rest);
    }
    text.strip_prefix('\u{1b}').unwrap_or_default()
}

/// Milliseconds to the nearest.
pub(super) fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1e3).round().max(0.0) as u64
}

/// The time of a caption as hours, minutes, seconds and, after `point`, milliseconds.
pub(super) fn clock(ms: u64, point: char) -> String {
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let (seconds, ms) = (ms / 1000 % 60, ms % 1000);
    format!("{hours:02}:{minutes:02}:{seconds:02}{point}{ms:03}")
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn whole_sequences_of_a_terminal_are_left_out() {
        for (text, line) in [
            ("a\0\u{1b}[31mred\u{1b}[0m\n\nb", "a red b"),
            ("\u{9b}2Ja\u{1b}[1;31;4m b", "a b"),
            ("\u{1b}]0;title\u{7}a \u{1b}]8;;http://a\u{1b}\\b", "a b"),
            ("\u{1b}]open a", "open a"),
            ("a\u{1b}[", "a"),
            ("a\u{1b}[1\u{e9}", "a\u{e9}"),
            ("\u{1b}", ""),
        ] {
            assert_eq!(one_line(text), line, "{text:?}");
        }
    }
}
