//! The words of `report`, for clap to parse and to explain.

use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub(in crate::cli) struct ReportArgs {
    /// Results, folders of some, or patterns; several are searched as one
    #[arg(value_name = "RESULTS", required = true)]
    pub(in crate::cli) results: Vec<PathBuf>,

    /// The page; built in: VIDEO_report.html beside the results, or report.html beside the first of
    /// several
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,

    /// Keep so many pictures of each video in the page, for browsers that cannot play it and for those
    /// who do not have it; at most 64 MB in all
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = pictures, allow_negative_numbers = true)]
    pub(in crate::cli) frames: usize,

    /// Open the page in the browser
    #[arg(long)]
    pub(in crate::cli) open: bool,
}

/// The most pictures of a video.
const MOST_PICTURES: usize = 2_000;

fn pictures(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|it| *it <= MOST_PICTURES);
    number.ok_or_else(|| format!("write a whole number from 0 to {MOST_PICTURES}, such as 60"))
}

const REPORT_EXAMPLES: &str = "\
Examples:
  vpipe report output/clip_results.json --open
  vpipe report output/clip_results.json --frames 60      also where the video cannot be played
  vpipe report output -o index.html                      all results of a folder, searched as one

The page is one file, which opens from disk and asks nobody; the video is played from where it lies
beside it.

Exit codes: 0 the page is written, 1 it is, without pictures that were asked for, 2 there are no
results, or the page is too large or may not stand there, 3 it cannot be written or opened, 130
interrupted; then there is no page.";
