//! The log: what the program does, on stderr (`-v`, `-vv`) and in a file (`--log`).
//!
//! It holds the events of this program alone: what its libraries log of a connection is not known
//! to be free of keys.

use crate::app::AppError;
use crate::cli::args::LogArgs;
use crate::cli::live::LiveRows;
use crate::cli::streams::visible;
use std::env;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::Registry;
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::fmt::time::uptime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;

/// The variable that holds a filter, such as `vpipe::engine=debug`, in place of the level.
const VARIABLE: &str = "VPIPE_LOG";

/// The target of all events of this program begins with this.
const OWN: &str = "vpipe";

/// Starts the log that `args` and the environment ask for. Lines on stderr stand above `rows`.
///
/// # Errors
///
/// Where `VPIPE_LOG` is not a filter, or the file cannot be opened.
pub(super) fn start(args: &LogArgs, rows: &LiveRows) -> Result<(), AppError> {
    let filter = match env::var(VARIABLE) {
        Ok(text) if !text.trim().is_empty() => Some(filter(&text)?),
        _ => None,
    };
    let on_stderr = args.verbose > 0 || (filter.is_some() && args.log.is_none());
    if !on_stderr && args.log.is_none() {
        return Ok(());
    }
    let or_level = |level| filter.clone().unwrap_or_else(|| own(level));
    let level = match args.verbose {
        0 | 1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let stderr = on_stderr.then(|| on_screen(rows, or_level(level)));
    let file = match &args.log {
        Some(path) => Some(in_file(path, or_level(LevelFilter::DEBUG))?),
        None => None,
    };
    let subscriber = Registry::default().with(stderr).with(file);
    // A second run in one process goes on with the log of the first.
    tracing::subscriber::set_global_default(subscriber).ok();
    Ok(())
}

fn filter(text: &str) -> Result<Targets, AppError> {
    text.parse::<Targets>().map_err(|error| AppError::Request {
        message: format!("{VARIABLE} is not a filter: {error}"),
        help: Some(format!(
            "set it to a level or to targets, such as {OWN}::engine=debug"
        )),
    })
}

fn own(level: LevelFilter) -> Targets {
    Targets::new().with_target(OWN, level)
}

fn on_screen<S>(rows: &LiveRows, filter: Targets) -> impl Layer<S> + use<S>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    layer()
        .with_timer(uptime())
        .with_ansi(false)
        .with_writer(AboveRows(rows.clone()))
        .with_filter(filter.and(filter_fn(|event| is_own(event.target()))))
}

fn in_file<S>(path: &Path, filter: Targets) -> Result<impl Layer<S> + use<S>, AppError>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let refused = |message: String, help: &str| AppError::Request {
        message,
        help: Some(help.to_owned()),
    };
    let name = path.display();
    if !may_be_log(path) {
        let message = format!("{name} is there, and is not a log");
        return Err(refused(
            message,
            "name a new file, or a log of earlier runs",
        ));
    }
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = file.map_err(|error| {
        let message = format!("cannot write the log {name}: {error}");
        refused(message, "name a file in a folder that is there")
    })?;
    let layer = layer()
        .with_ansi(false)
        .with_writer(LogFile(Arc::new(file)));
    Ok(layer.with_filter(filter.and(filter_fn(|event| is_own(event.target())))))
}

// Whether a log can be written to the end of this file: it is not there, empty, or begins with the
// date of a log. A video or a recipe does not.
fn may_be_log(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(5).read_to_end(&mut start));
    match (read, start.as_slice()) {
        (Err(_), _) | (Ok(_), []) => true,
        (Ok(_), [year @ .., b'-']) => year.len() == 4 && year.iter().all(u8::is_ascii_digit),
        (Ok(_), _) => false,
    }
}

fn is_own(target: &str) -> bool {
    let rest = target.strip_prefix(OWN);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// A file that a terminal can show as it is.
#[derive(Clone)]
struct LogFile(Arc<File>);

impl MakeWriter<'_> for LogFile {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Write for LogFile {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        self.0.as_ref().write_all(visible(&text).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_ref().flush()
    }
}

/// stderr, with live rows taken away while a line is written.
#[derive(Clone)]
struct AboveRows(LiveRows);

impl MakeWriter<'_> for AboveRows {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Write for AboveRows {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let text = visible(&text);
        let write = || io::stderr().lock().write_all(text.as_bytes());
        self.0.above(write)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::filter;
    use super::is_own;
    use super::may_be_log;

    #[test]
    fn the_events_of_libraries_are_left_out() {
        for own in ["vpipe", "vpipe::engine::attempt"] {
            assert!(is_own(own), "{own}");
        }
        for other in ["h2::codec", "reqwest", "vpipes", ""] {
            assert!(!is_own(other), "{other}");
        }
    }

    #[test]
    fn a_filter_is_a_level_or_targets() {
        for right in ["debug", "vpipe::engine=debug,vpipe::media=info"] {
            assert!(filter(right).is_ok(), "{right}");
        }
        for wrong in ["vpipe::engine=loud", "a=b=c"] {
            assert!(filter(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_log_is_written_to_a_log_and_to_no_other_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert!(may_be_log(&path));
        for (text, is_log) in [
            ("", true),
            ("2026-11-30T08:00:00Z  INFO", true),
            ("version = 1", false),
            ("20", false),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(may_be_log(&path), is_log, "{text}");
        }
    }
}
