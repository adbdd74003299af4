//! Signals: what asks the process to end stops the run, once to finish and again to abort.
//!
//! Ctrl-C, a request to terminate (of `kill`, a container or a service manager) and the loss of the
//! terminal mean the same. A terminal that a program was told to outlive, as `nohup` does, may go.

use crate::engine::StopSignal;
use std::process;
use std::thread;
use std::time::Duration;

/// How long jobs are cancelled and files are written after the second one.
const AFTER_ABORT: Duration = Duration::from_secs(3);

/// The exit code of a process for which that does not suffice.
const INTERRUPTED: i32 = 130;

/// Passes every signal on to `stop`. Where the system does not report them, they end the process as
/// usual.
pub(in crate::app) async fn stop_on_signals(stop: StopSignal) {
    let Some(mut signals) = Signals::listen() else {
        return;
    };
    let mut count = 0;
    while signals.next().await {
        stop.interrupt();
        count += 1;
        if count == 2 {
            thread::spawn(end_of_process);
        }
    }
}

// What was asked to stop twice ends, whatever a decoder, a model or a server that is silent
// holds up. A thread of its own, since all of the runtime's may be held.
fn end_of_process() {
    thread::sleep(AFTER_ABORT);
    process::exit(INTERRUPTED);
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    // Absent where the loss of the terminal is to be ignored.
    hangup: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Option<Self> {
        use tokio::signal::unix::SignalKind;
        use tokio::signal::unix::signal;
        // Asked before anybody listens, which would end the ignoring.
        let outlives = outlives_terminal();
        Some(Self {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
            hangup: match outlives {
                true => None,
                false => signal(SignalKind::hangup()).ok(),
            },
        })
    }

    async fn next(&mut self) -> bool {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        let signal = tokio::select! {
            signal = self.interrupt.recv() => signal,
            signal = self.terminate.recv() => signal,
            signal = hangup => signal,
        };
        signal.is_some()
    }
}

// Whether the loss of the terminal (signal 1) is among the ignored signals, of which Linux gives a
// mask; see proc_pid_status(5). Elsewhere it is not known.
#[cfg(unix)]
fn outlives_terminal() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}

#[cfg(windows)]
struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    terminate: tokio::signal::windows::CtrlBreak,
    closed: tokio::signal::windows::CtrlClose,
}

#[cfg(windows)]
impl Signals {
    fn listen() -> Option<Self> {
        Some(Self {
            interrupt: tokio::signal::windows::ctrl_c().ok()?,
            terminate: tokio::signal::windows::ctrl_break().ok()?,
            closed: tokio::signal::windows::ctrl_close().ok()?,
        })
    }

    async fn next(&mut self) -> bool {
        let signal = tokio::select! {
            signal = self.interrupt.recv() => signal,
            signal = self.terminate.recv() => signal,
            signal = self.closed.recv() => signal,
        };
        signal.is_some()
    }
}
