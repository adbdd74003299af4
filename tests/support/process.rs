//! A process that is watched: how it ended, how long it took and how much memory.

use std::io::Read;
use std::process::Child;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;

/// How a process went.
pub(crate) struct Watched {
    pub(crate) status: ExitStatus,
    pub(crate) talk: String,
    /// The most memory that it had; 0 where the system does not tell.
    pub(crate) megabytes: u64,
    /// Seconds of the processor that it took; 0 where the system does not tell.
    pub(crate) seconds: f64,
}

/// Runs `command` for at most `limit`.
pub(crate) fn watch(command: &mut Command, limit: Duration) -> Watched {
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut errors = child.stderr.take().unwrap();
    let reader = thread::spawn(move || {
        let mut talk = Vec::new();
        errors.read_to_end(&mut talk).unwrap();
        String::from_utf8_lossy(&talk).into_owned()
    });
    let (mut megabytes, mut seconds) = (0, 0.0);
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        megabytes = peak(&child).unwrap_or(megabytes);
        seconds = processor(&child).unwrap_or(seconds);
        if begun.elapsed() > limit {
            child.kill().unwrap();
            break child.wait().unwrap();
        }
        thread::sleep(Duration::from_millis(2));
    };
    Watched {
        status,
        talk: reader.join().unwrap(),
        megabytes,
        seconds,
    }
}

/// The most memory that a process has had, MB. Linux tells, of every process.
pub(crate) fn peak(child: &Child) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes.div_ceil(1024))
}

fn processor(child: &Child) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).ok()?;
    let (_, fields) = status.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks: u64 = fields
        .get(11..13)?
        .iter()
        .filter_map(|it| it.parse::<u64>().ok())
        .sum();
    // Linux counts in hundredths, for programs at least.
    Some(ticks as f64 / 100.0)
}
