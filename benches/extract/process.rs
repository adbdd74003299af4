//! What this process took so far, from `/proc`.

use super::Outcome;
use std::fs;

/// Processor seconds of this process, threads that have ended included. The kernel counts in
/// hundredths.
pub(super) fn processor_time() -> Outcome<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat
        .rsplit_once(')')
        .ok_or("no fields in /proc/self/stat")?;
    let times = fields.split_whitespace().skip(11).take(2);
    let ticks: Vec<f64> = times.map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / 100.0)
}

/// The most memory of this process, in KiB.
pub(super) fn peak() -> Outcome<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let word = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(word.ok_or("no VmHWM in /proc/self/status")?.parse()?)
}
