//! The words of `history` and `clean`, for clap to parse and to explain.

use crate::cli::args::StateArgs;
use crate::cli::duration;
use clap::Args;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = HISTORY_EXAMPLES)]
pub(in crate::cli) struct HistoryArgs {
    /// The number of a run
    #[arg(value_name = "RUN")]
    pub(in crate::cli) run: Option<i64>,

    #[command(flatten)]
    pub(in crate::cli) state: StateArgs,

    /// Write one JSON object to stdout
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

const HISTORY_EXAMPLES: &str = "\
Examples:
  vpipe history
  vpipe history 12
  vpipe history --state-dir results/.vpipe --json | jq '.runs[0].cost_usd'";

#[derive(Debug, Args)]
#[command(after_help = CLEAN_EXAMPLES)]
pub(in crate::cli) struct CleanArgs {
    /// Forget what no run has used for this long: 30d, 12h, or 0s for all
    #[arg(long, value_name = "AGE", value_parser = duration::parse_age)]
    pub(in crate::cli) older_than: Duration,

    #[command(flatten)]
    pub(in crate::cli) state: StateArgs,
}

const CLEAN_EXAMPLES: &str = "\
Examples:
  vpipe clean --older-than 30d
  vpipe clean --older-than 0s --state-dir results/.vpipe";
