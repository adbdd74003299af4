//! The program as a server, in a process of its own.

use crate::support::process::peak;
use crate::support::program::quiet_environment;
use std::io::BufRead;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;

/// A key that is in nothing that is said or written.
pub(crate) const KEY: &str = "a-key-of-the-test";

/// The program as a server, which ends with the test.
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// One with the demo models.
    pub(crate) fn start(folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
        quiet_environment(&mut command);
        let words = [
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--api-key-env",
            "SERVE_KEY",
        ];
        command
            .current_dir(folder)
            .args(words)
            .env("SERVE_KEY", KEY);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut talk = BufReader::new(child.stderr.take().unwrap()).lines();
        let line = talk.next().unwrap().unwrap();
        let address = line.strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
        // What it says later must not fill the pipe.
        thread::spawn(move || talk.for_each(|line| assert!(!line.unwrap().contains(KEY))));
        Self { child, address }
    }

    /// Asks it to end, and gives its exit code.
    #[cfg(unix)]
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(sent.success());
        self.child.wait().unwrap().code()
    }

    /// The most memory that it has had, MB; 0 where the system does not tell.
    pub(crate) fn megabytes(&self) -> u64 {
        peak(&self.child).unwrap_or(0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        self.child.kill().unwrap_or_default();
        self.child.wait().unwrap();
    }
}
