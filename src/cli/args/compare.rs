//! The words of `compare`, for clap to parse and to explain.

use crate::output::Tolerance;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = COMPARE_EXAMPLES)]
pub(in crate::cli) struct CompareArgs {
    /// Results as they were, or a folder of some
    #[arg(value_name = "OLD")]
    pub(in crate::cli) old: PathBuf,

    /// Results as they are, or a folder of some; files of one name are compared
    #[arg(value_name = "NEW")]
    pub(in crate::cli) new: PathBuf,

    #[command(flatten)]
    pub(in crate::cli) tolerance: ToleranceArgs,

    /// Write one JSON object to stdout, with every difference, also about files that cannot be read
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// How far apart things may be and still be the same.
#[derive(Debug, Args)]
pub(in crate::cli) struct ToleranceArgs {
    /// The least overlap of two boxes that are the same, as intersection over union, from 0 to 1. One
    /// whose edges all moved by less than a pixel is the same too, unless this is 1
    #[arg(long, value_name = "N", value_parser = share, allow_negative_numbers = true, help_heading = TOLERANCE, default_value_t = Tolerance::default().iou)]
    pub(in crate::cli) iou: f64,

    /// The most that two confidences, or two numbers of a record, differ by, from 0 to 1
    #[arg(long, value_name = "N", value_parser = share, allow_negative_numbers = true, help_heading = TOLERANCE, default_value_t = Tolerance::default().confidence)]
    pub(in crate::cli) confidence: f64,

    /// The most seconds that two times differ by
    #[arg(long, value_name = "N", value_parser = from_zero, allow_negative_numbers = true, help_heading = TOLERANCE, default_value_t = Tolerance::default().seconds)]
    pub(in crate::cli) seconds: f64,

    /// The most words that differ, as a share of the old ones (the word error rate): 0.05 is one in
    /// twenty. Of the texts of records too
    #[arg(long, value_name = "N", value_parser = from_zero, allow_negative_numbers = true, help_heading = TOLERANCE, default_value_t = Tolerance::default().words)]
    pub(in crate::cli) words: f64,
}

impl From<ToleranceArgs> for Tolerance {
    fn from(args: ToleranceArgs) -> Self {
        Self {
            iou: args.iou,
            confidence: args.confidence,
            seconds: args.seconds,
            words: args.words,
        }
    }
}

const TOLERANCE: &str = "Tolerance";

fn share(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|it| (0.0..=1.0).contains(it));
    number.ok_or_else(|| "write a number from 0 to 1, such as 0.9".to_owned())
}

fn from_zero(text: &str) -> Result<f64, String> {
    let number = text
        .parse()
        .ok()
        .filter(|it: &f64| *it >= 0.0 && it.is_finite());
    number.ok_or_else(|| "write a number, 0 or more, such as 0.5".to_owned())
}

const COMPARE_EXAMPLES: &str = "\
Examples:
  vpipe compare before/clip_results.json output/clip_results.json
  vpipe compare before output --iou 0.7 --confidence 0.1     all results of two folders
  vpipe compare a.json b.json --words 0.05                   one word in twenty may differ
  vpipe compare a.json b.json --json | jq '.comparison.changes[] | select(.change == \"object-lost\")'

At most 20 lines are told of two results, then a table by class and over time: objects found by
both, lost, gained and moved. --json has all.

Exit codes: 0 nothing differs beyond the tolerance, 2 there are no results to compare, 5 something
differs.";
