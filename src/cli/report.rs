//! `report`: what is said of the page that was made.

use crate::app;
use crate::app::AppError;
use crate::app::PageReport;
use crate::app::PageRequest;
use crate::cli::args::report::ReportArgs;
use crate::cli::results_files;
use crate::cli::streams;
use crate::cli::streams::one_line;
use crate::cli::streams::talk;

/// The exit code where it was asked to end.
const INTERRUPTED: u8 = 130;

/// Makes the page, and gives the exit code.
pub(super) fn report(args: ReportArgs) -> Result<u8, AppError> {
    let Some(made) = app::report(&PageRequest {
        results: results_files::expand(&args.results)?,
        page: args.output,
        pictures: args.frames,
        open: args.open,
    })?
    else {
        talk("interrupted: nothing was written");
        return Ok(INTERRUPTED);
    };
    made.notes.iter().for_each(|note| talk(note));
    streams::data(&text(&made)).map_err(|error| AppError::environment(&error))?;
    Ok(made.lacks_pictures.into())
}

fn text(made: &PageReport) -> String {
    let path = one_line(&made.path.display().to_string());
    let mut parts = vec![counted(made.videos, "video")];
    if made.pictures > 0 {
        parts.push(counted(made.pictures, "picture"));
    }
    parts.push(format!("{} kB", made.bytes.div_ceil(1000)));
    format!("{path}: {}\n", parts.join(", "))
}

fn counted(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}
