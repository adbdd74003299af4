//! Excerpts: what a stranger says, fit to be told to the user.
//!
//! Pure.

/// Letters of an excerpt.
const MOST_LETTERS: usize = 200;

/// Enough of `text` to understand it by, on one line, and nothing that a terminal would obey. What a
/// server says goes through [`Redaction::excerpt`](super::redaction::Redaction::excerpt).
pub(in crate::backends) fn excerpt(text: &str) -> String {
    let words = text.split_whitespace();
    let letters = words.flat_map(|word| [' '].into_iter().chain(word.chars()));
    let mut letters = letters.skip(1).filter(|letter| !letter.is_control());
    let mut line: String = letters.by_ref().take(MOST_LETTERS).collect();
    if letters.next().is_some() {
        line.pop();
        line.push('\u{2026}');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn one_line_that_no_terminal_obeys() {
        assert_eq!(excerpt(" a\n b\u{1b}[31m c"), "a b[31m c");
        assert_eq!(excerpt(&"x".repeat(1000)).chars().count(), 200);
        assert_eq!(excerpt(&"x".repeat(200)), "x".repeat(200));
        assert!(excerpt(&"x".repeat(201)).ends_with("x\u{2026}"));
    }
}
