//! The words of `worker`, for clap to parse and to explain.

use crate::cli::args::serving::ServingArgs;
use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = WORKER_EXAMPLES)]
pub(in crate::cli) struct WorkerArgs {
    #[command(flatten)]
    pub(in crate::cli) models: ServingArgs,

    /// Jobs that are done at once; twice the --sessions where absent, so that the frames of one are
    /// decoded while those of another are looked at
    #[arg(long, value_name = "N", value_parser = jobs, help_heading = JOBS)]
    pub(in crate::cli) jobs: Option<usize>,

    /// Jobs that are taken before there is a place for them
    ///
    /// With one, this worker never waits for the next job. With 0 a job is taken only when it can begin,
    /// which suits jobs of minutes on a fleet whose other workers are idle.
    #[arg(long, value_name = "N", value_parser = ahead, default_value_t = 1, help_heading = JOBS)]
    pub(in crate::cli) ahead: usize,

    /// Do one job and end; RunPod begins the worker anew for the next one
    #[arg(long, conflicts_with_all = ["jobs", "ahead"], help_heading = JOBS)]
    pub(in crate::cli) refresh_worker: bool,
}

const JOBS: &str = "Jobs";

fn jobs(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|it| (1..=64).contains(it));
    number.ok_or_else(|| "write a whole number from 1 to 64".to_owned())
}

fn ahead(text: &str) -> Result<usize, String> {
    let number = text.parse().ok().filter(|it| (0..=16).contains(it));
    number.ok_or_else(|| "write a whole number from 0 to 16".to_owned())
}

const WORKER_EXAMPLES: &str = "\
It runs in a container of a RunPod endpoint, where RunPod sets the variables that say who gives
it jobs. Anywhere else there is nobody to ask: `vpipe serve` serves the same jobs there.

Examples, as the command of a container image:
  vpipe worker --yolo yolo11n.onnx --whisper none
  vpipe worker --yolo none --whisper whisper-base --jobs 1 --ahead 0

Exit codes: 0 asked to end (Ctrl-C, SIGTERM), its jobs done and delivered first, 2 the arguments
or the variables are wrong or a model is missing, 3 a model cannot be loaded, 130 asked twice.";
