//! stdout and stderr: the first carries data, the second talk.

use crate::cli::diagnostic::Style;
use std::env;
use std::io;
use std::io::IsTerminal;
use std::io::Write;

/// Writes data. Who closed the pipe has read enough: that is no error.
pub(super) fn data(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Says a line. Nobody can be told that nobody listens.
pub(super) fn talk(line: &str) {
    writeln!(io::stderr().lock(), "{line}").unwrap_or_default();
}

/// How stderr wants its talk: in colour where a person sees it who did not ask for none.
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
