//! stdout and stderr: the first carries data, the second talk.

use crate::cli::diagnostic::Style;
use std::env;
use std::io;
use std::io::IsTerminal;
use std::io::Write;

/// Writes data. A pipe that its reader has closed is no error.
pub(super) fn data(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes a line to stderr; a closed stderr is no error.
pub(super) fn talk(line: &str) {
    writeln!(io::stderr().lock(), "{line}").unwrap_or_default();
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
