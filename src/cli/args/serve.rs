//! The words of `serve`, for clap to parse and to explain.

use crate::cli::args::serving::ServingArgs;
use crate::cli::args::serving::counted;
use crate::cli::duration;
use clap::Args;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = SERVE_EXAMPLES)]
pub(in crate::cli) struct ServeArgs {
    #[command(flatten)]
    pub(in crate::cli) models: ServingArgs,

    /// Where it listens; port 0 is one that is free
    ///
    /// The usual one is for programs of this machine alone. Any other needs --api-key-env, or
    /// --without-key.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8000", help_heading = WHO)]
    pub(in crate::cli) listen: String,

    /// The environment variable that holds the key of this server
    ///
    /// Clients send it as RunPod's and OpenAI's clients send theirs: `Authorization: Bearer KEY`.
    #[arg(long, value_name = "NAME", help_heading = WHO)]
    pub(in crate::cli) api_key_env: Option<String>,

    /// Answer everyone who reaches it, without a key
    #[arg(long, conflicts_with = "api_key_env", help_heading = WHO)]
    pub(in crate::cli) without_key: bool,

    /// Jobs that are done at once; twice the --sessions where absent, so that the frames of one are
    /// decoded while those of another are looked at
    #[arg(long, value_name = "N", value_parser = jobs, help_heading = LIMITS)]
    pub(in crate::cli) jobs: Option<usize>,

    /// Jobs that may wait; beyond that clients are told to come back (429)
    #[arg(long, value_name = "N", value_parser = queue, default_value_t = 1000, help_heading = LIMITS)]
    pub(in crate::cli) queue: usize,

    /// What requests, jobs and results may take of the memory together, MB
    ///
    /// Results that somebody has read make room first. The models take theirs besides.
    #[arg(long, value_name = "MB", value_parser = memory, default_value_t = 1024, help_heading = LIMITS)]
    pub(in crate::cli) memory: usize,

    /// Connections that may be open; one whose client says nothing makes room for the next
    #[arg(long, value_name = "N", value_parser = connections, default_value_t = 512, help_heading = LIMITS)]
    pub(in crate::cli) connections: usize,

    /// How long the jobs that run may go on once it was asked to end
    #[arg(long, value_name = "TIME", value_parser = duration::parse_from_zero, default_value = "30s", help_heading = LIMITS)]
    pub(in crate::cli) drain: Duration,
}

fn jobs(text: &str) -> Result<usize, String> {
    counted(text, 1024)
}

fn queue(text: &str) -> Result<usize, String> {
    counted(text, 1_000_000)
}

// Up to a terabyte.
fn memory(text: &str) -> Result<usize, String> {
    counted(text, 1 << 20)
}

fn connections(text: &str) -> Result<usize, String> {
    counted(text, 100_000)
}

const WHO: &str = "Who may ask";
const LIMITS: &str = "Limits";

const SERVE_EXAMPLES: &str = "\
Examples:
  vpipe serve                                          the built-in demo models, for this machine
  vpipe serve --yolo yolo11n.onnx --whisper whisper-base
  vpipe serve --yolo yolo11n.onnx --whisper none --listen 0.0.0.0:8000 --api-key-env SERVE_KEY

A recipe asks it as it asks RunPod, with any endpoint id:
  [backends.box]
  kind = \"runpod\"
  base_url = \"http://127.0.0.1:8000/v2\"

  curl -s localhost:8000/v2/any/health
  curl -s localhost:8000/v1/audio/transcriptions -F file=@talk.mp3 -F response_format=srt

Exit codes: 0 asked to end (Ctrl-C, SIGTERM), 2 the arguments are wrong or a model is missing, 3
the address cannot be had or a model cannot be loaded, 130 asked twice.";
