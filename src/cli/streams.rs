//! stdout and stderr: the first carries data, the second talk.

use std::io;
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
