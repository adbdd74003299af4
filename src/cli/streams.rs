//! stdout and stderr: the first carries data, the second talk.
//!
//! Names of files, classes and answers of servers are in both. A terminal obeys none of them:
//! control characters are shown rather than sent.

use crate::cli::diagnostic::Style;
use console::Term;
use std::borrow::Cow;
use std::env;
use std::io;
use std::io::IsTerminal;
use std::io::Write;
use textwrap::Options;
use textwrap::WordSeparator;
use textwrap::WordSplitter;

/// Writes data. A pipe that its reader has closed is no error.
pub(super) fn data(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out
        .write_all(visible(text).as_bytes())
        .and_then(|()| out.flush())
    {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes a line to stderr; a closed stderr is no error. On a terminal a line that is too long goes on
/// below, at a word.
pub(super) fn talk(line: &str) {
    let line = visible(line);
    match width() {
        Some(width) => drawn(&wrapped(&line, width)),
        None => drawn(&line),
    }
}

/// Columns of the terminal that stderr is; `None` where it is none.
pub(super) fn width() -> Option<usize> {
    let term = Term::stderr();
    let (_, width) = term.size_checked().filter(|_| term.is_term())?;
    Some(usize::from(width)).filter(|width| *width > 0)
}

// The same lines, none wider than `width` unless a word is. What goes on stands two columns further in.
fn wrapped(text: &str, width: usize) -> String {
    let line = |line: &str| {
        let words = line.trim_start();
        let indent = " ".repeat(line.len() - words.len());
        let further = format!("{indent}  ");
        let options = Options::new(width)
            .initial_indent(&indent)
            .subsequent_indent(&further)
            .break_words(false)
            .word_separator(WordSeparator::AsciiSpace)
            .word_splitter(WordSplitter::NoHyphenation);
        textwrap::fill(words, options)
    };
    let lines: Vec<String> = text.split('\n').map(line).collect();
    lines.join("\n")
}

/// Writes lines to stderr whose control characters are colours of this program and no others.
pub(super) fn drawn(lines: &str) {
    writeln!(io::stderr().lock(), "{lines}").unwrap_or_default();
}

/// The text with its control characters as JSON and TOML escape them, such as `\u001b`. Ends of
/// lines and tabs stay.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut visible = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let ends_line = letter == '\r' && letters.peek() == Some(&'\n');
        match is_obeyed(letter) && !ends_line {
            true => visible.push_str(&format!("\\u{:04x}", u32::from(letter))),
            false => visible.push(letter),
        }
    }
    Cow::Owned(visible)
}

/// The same in one line: names of files may have ends of lines in them.
pub(super) fn one_line(text: &str) -> String {
    visible(text).replace(['\n', '\t'], " ")
}

/// Whether a terminal does something else with it than to show it, or to go on to its next place.
pub(super) fn is_obeyed(letter: char) -> bool {
    letter.is_control() && !matches!(letter, '\n' | '\t')
}

/// The style of lines on stderr: colour on a terminal, unless the environment refuses it.
pub(super) fn style() -> Style {
    let is = |name, value: &str| env::var_os(name).is_some_and(|set| set == value);
    let unwanted = env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty())
        || is("CLICOLOR", "0")
        || is("TERM", "dumb");
    if io::stderr().is_terminal() && !unwanted {
        Style::Colour
    } else {
        Style::Plain
    }
}

#[cfg(test)]
mod tests {
    use super::visible;
    use super::wrapped;

    #[test]
    fn long_lines_end_at_words() {
        let long = "about $0.0336, $0.0096 to $0.11: 84 s of workers at $0.0004\n  from the recipe: a start 10 s, a_very_long_name_of_a_file.mp4\n\nend";
        assert_eq!(wrapped(long, 100), long);
        insta::assert_snapshot!(wrapped(long, 25), @r"
        about $0.0336, $0.0096 to
          $0.11: 84 s of workers
          at $0.0004
          from the recipe: a
            start 10 s,
            a_very_long_name_of_a_file.mp4

        end
        ");
    }

    #[test]
    fn no_control_character_but_ends_of_lines_and_tabs() {
        for (text, shown) in [
            ("a\tb\n", "a\tb\n"),
            ("\u{1b}[31mred\n", "\\u001b[31mred\n"),
            ("\u{9b}2J\r\u{7f}", "\\u009b2J\\u000d\\u007f"),
            ("a\r\nb", "a\r\nb"),
            ("\u{fc}\u{65e5}", "\u{fc}\u{65e5}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}
