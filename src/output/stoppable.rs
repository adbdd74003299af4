//! Writing that ends where it is asked to stop: what is half written then never gets its name.

use std::io;
use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

/// What is written to until `stop` is set.
pub(super) struct Stoppable<'a, T> {
    /// What takes the bytes.
    pub(super) to: T,
    /// Whether it is over.
    pub(super) stop: &'a AtomicBool,
}

impl<T: Write> Write for Stoppable<'_, T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        go_on(self.stop)?;
        self.to.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Fails once `stop` is set.
pub(super) fn go_on(stop: &AtomicBool) -> io::Result<()> {
    match stop.load(Ordering::Relaxed) {
        true => Err(io::Error::other("interrupted")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::Stoppable;
    use std::io::Write;
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering;

    #[test]
    fn nothing_is_written_after_the_stop() {
        let stop = AtomicBool::new(false);
        let mut written = Stoppable {
            to: Vec::new(),
            stop: &stop,
        };
        written.write_all(b"before").unwrap();
        stop.store(true, Ordering::Relaxed);
        assert!(written.write_all(b"after").is_err());
        assert_eq!(written.to, b"before");
    }
}
