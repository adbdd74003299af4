//! What a child process takes, from `/proc`.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;

const LOOK: Duration = Duration::from_millis(10);

/// What one run took.
pub(crate) struct Took {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
    pub(crate) mebibytes: f64,
    pub(crate) idle: f64,
}

/// What a process takes that writes its output to `out`.
pub(crate) fn took(mut command: Command, out: Stdio) -> Result<Took, Box<dyn Error + Send + Sync>> {
    let start = Instant::now();
    let mut child = command.stdout(out).spawn()?;
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let (mut mebibytes, mut ticks) = (0.0_f64, 0);
    // Its times are there until it is waited for, its memory until it has ended.
    loop {
        let stat = fs::read_to_string(process.join("stat"))?;
        let after = stat.rsplit_once(')').map_or("", |(_, after)| after);
        let fields: Vec<&str> = after.split_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok());
        ticks = number(11)
            .zip(number(12))
            .map_or(ticks, |(user, system)| user + system);
        mebibytes = mebibytes.max(peak(&process));
        if fields.first() == Some(&"Z") {
            break;
        }
        thread::sleep(LOOK);
    }
    let wall = start.elapsed().as_secs_f64();
    let status = child.wait()?;
    if !status.success() {
        return Err(format!("{command:?}: {status}").into());
    }
    Ok(Took {
        wall,
        // In hundredths of a second, on every Linux.
        cpu: ticks as f64 / 100.0,
        mebibytes,
        idle: 0.0,
    })
}

fn peak(process: &Path) -> f64 {
    let status = fs::read_to_string(process.join("status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kibibytes.unwrap_or_default() / 1024.0
}
