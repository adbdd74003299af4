//! The words of `find`, for clap to parse and to explain.

use crate::cli::duration;
use crate::output::MomentQuery;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = FIND_EXAMPLES)]
pub(in crate::cli) struct FindArgs {
    /// Results files, folders of some, or patterns such as "*/*_results.json"
    #[arg(value_name = "RESULTS", required = true)]
    pub(in crate::cli) results: Vec<PathBuf>,

    /// The name of a class, case aside; given several times, all of them are seen
    #[arg(long, value_name = "CLASS")]
    pub(in crate::cli) seen: Vec<String>,

    /// Words, case and punctuation aside; given several times, all of them are said
    #[arg(long, value_name = "WORDS")]
    pub(in crate::cli) said: Vec<String>,

    /// All of it is there within this time: 5s, 1m. Moments that are no further apart are one
    #[arg(long, value_name = "TIME", value_parser = duration::parse_from_zero, default_value = "5s")]
    pub(in crate::cli) within: Duration,

    /// The least confidence of an object that counts, from 0 to 1
    #[arg(long, value_name = "N", value_parser = share, allow_negative_numbers = true, default_value_t = 0.0)]
    pub(in crate::cli) class_confidence: f64,

    /// Cut the moments out of their videos, as files in the folder DIR; no file is replaced that vpipe did
    /// not write
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) clips: Option<PathBuf>,

    /// Write one JSON object to stdout
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

impl FindArgs {
    /// What is looked for.
    pub(in crate::cli) fn query(&self) -> MomentQuery {
        MomentQuery {
            seen: self.seen.clone(),
            said: self.said.clone(),
            confidence: self.class_confidence,
            within: self.within.as_secs_f64(),
        }
    }
}

fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|it| (0.0..=1.0).contains(it));
    number.ok_or_else(|| "write a number from 0 to 1, such as 0.5".to_owned())
}

const FIND_EXAMPLES: &str = "\
Examples:
  vpipe find output --seen person
  vpipe find output --seen person --said \"red circle\" --within 5s --clips clips
  vpipe find \"*/*_results.json\" --seen car --seen dog --class-confidence 0.5 --json

A folder stands for the files in it whose names end in _results.json. A line is written for each
moment: the results, from when to when in seconds since the first frame, and what is said then. A
clip has the packets of the video where those show the moment by themselves; else it is coded anew.

Exit codes: 0 all was searched, whether anything was found or not, 1 some results cannot be read or
some clips cannot be cut, 2 nothing to look for or no results, 3 nothing can be written, 130
interrupted.";
