//! Excerpts: what a server says, fit to be told to the user.
//!
//! Pure.

/// Enough of `text` to understand it by, on one line, and nothing that a terminal would obey.
pub(in crate::backends) fn excerpt(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.replace(char::is_control, "");
    if line.chars().count() <= 200 {
        line
    } else {
        line.chars().take(199).chain(['\u{2026}']).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::excerpt;

    #[test]
    fn one_line_that_no_terminal_obeys() {
        assert_eq!(excerpt(" a\n b\u{1b}[31m c"), "a b[31m c");
        assert_eq!(excerpt(&"x".repeat(1000)).chars().count(), 200);
    }
}
