//! The words of the command line, for clap to parse and to explain.
//!
//! Holds only what is not in a recipe.

use crate::cli::args::annotate::AnnotateArgs;
use crate::cli::args::compare::CompareArgs;
use crate::cli::args::convert::ConvertArgs;
use crate::cli::args::find::FindArgs;
use crate::cli::args::graph::GraphArgs;
use crate::cli::args::history::CleanArgs;
use crate::cli::args::history::HistoryArgs;
use crate::cli::args::recipe::RecipeArgs;
use crate::cli::args::report::ReportArgs;
use crate::cli::args::serve::ServeArgs;
use crate::cli::args::test::TestArgs;
use crate::cli::args::worker::WorkerArgs;
use crate::cli::duration;
use crate::cli::money;
use clap::ArgAction;
use clap::Args;
use clap::Parser;
use clap::Subcommand;
use clap_complete::Shell;
use std::path::PathBuf;
use std::time::Duration;

pub(super) mod annotate;
pub(super) mod compare;
pub(super) mod convert;
pub(super) mod find;
pub(super) mod graph;
pub(super) mod history;
mod number;
pub(super) mod recipe;
pub(super) mod report;
pub(super) mod serve;
pub(super) mod serving;
pub(super) mod test;
pub(super) mod worker;

/// Knows what is seen and said in your videos, by recipe
#[derive(Debug, Parser)]
#[command(
    name = "vpipe",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = TOP_EXAMPLES
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,

    #[command(flatten)]
    pub(super) log: LogArgs,
}

/// What is logged, and where.
#[derive(Debug, Args)]
pub(super) struct LogArgs {
    /// Log requests, placements and results to stderr; -vv also decoders, bytes and files. VPIPE_LOG
    /// holds a filter in place of the level, such as vpipe::engine=debug
    #[arg(short, long, action = ArgAction::Count, global = true, help_heading = LOG)]
    pub(super) verbose: u8,

    /// Log as -vv does, at the end of FILE
    #[arg(long, value_name = "FILE", global = true, help_heading = LOG)]
    pub(super) log: Option<PathBuf>,
}

const LOG: &str = "Log";

const TOP_EXAMPLES: &str = "\
Examples:
  vpipe run default clip.mp4             find objects in a video, once a second
  vpipe run default clip.mp4 --fps 2     twice a second
  vpipe check my.toml                    is my recipe right?
  vpipe plan my.toml clip.mp4            how long would it take, and what would it cost?
  vpipe models                           which models are here, and how to get more

`vpipe COMMAND --help` says more about a command.";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run a recipe over videos
    ///
    /// Frames are sampled from each video and detected while the next ones are still being
    /// decoded. The results go to output/VIDEO_results.json, in the order of time.
    Run(RunArgs),
    /// Say whether a recipe is right, and what it would do
    Check(CheckArgs),
    /// Say what a run would ask, take and cost; nothing is sent and nothing is written
    ///
    /// Reads the packets of each video, so that the number of frames is exact, and decodes at most
    /// 24 frames spread over it to learn how large they are. What cannot be known before a run is
    /// taken from the recipe, or is a documented default, and is named as such.
    Plan(PlanArgs),
    /// Draw the steps that a recipe compiles to
    Graph(GraphArgs),
    /// Show what a stage asks a server about one frame, and with --send what becomes of the answer
    ///
    /// This is how a mapping is written: `request` is tried without sending anything, `answer` on
    /// what the server says. Frames and other long texts are cut short; keys are not shown.
    /// Nothing is written to a file. Ends with 1 where the answer is none or cannot be read.
    Try(TryArgs),
    /// Write a recipe as it is run: what it extends and every change in one text
    Show(ShowArgs),
    /// Write a commented recipe to begin with
    Init(InitArgs),
    /// Write the JSON Schema of recipes, which editors complete and check by
    Schema,
    /// Write the words of the command line for a shell to complete
    Completions(CompletionsArgs),
    /// List the runs of an output folder: what they were over, what they asked and cost, what is open
    ///
    /// A run notes what it does in a journal as it happens, so one that was killed is here too. With
    /// RUN, its number in the list, all that is known of one run.
    History(HistoryArgs),
    /// Say what differs between two results: objects lost, gained and moved, words, times, records
    ///
    /// Boxes of a frame are matched by overlap and class, so their order does not count, and what
    /// moved a little within the tolerance is the same. Words are compared over all of the speech,
    /// so where its segments begin does not count. What a run took, and when it was, is not compared.
    Compare(CompareArgs),
    /// Draw what was found on the whole video, with names, confidences and tracks
    ///
    /// Every frame is drawn on, sampled or not, and written as H.264 where the FFmpeg of this machine
    /// can, with the sound of the video and what is said as captions.
    Annotate(AnnotateArgs),
    /// Find the moments of videos in which something is seen and said, in their results
    Find(FindArgs),
    /// Make a page of results: one HTML file with the video, its boxes, a timeline and a search
    ///
    /// The page opens from disk in any browser and asks nobody. It plays the video from where it
    /// lies, with the boxes of the sampled frames over it, beside what is said; things and words are
    /// searched together.
    Report(ReportArgs),
    /// Make files of other formats of results: captions, tables, data sets
    ///
    /// The same files as `merge.formats` writes at a run, from the results alone: neither the video nor a
    /// model is needed.
    Convert(ConvertArgs),
    /// Test recipes: replay them without any backend, and say what differs from what was accepted
    ///
    /// A test is a file NAME.test.toml that names a recipe and its inputs. All answers come from its
    /// cassette, cassettes/NAME beside it: no model, key or network is needed, and nobody is paid. What
    /// is found is compared with snapshots/NAME@INPUT.json as `compare` does it.
    Test(TestArgs),
    /// Serve the models of this machine to programs that ask as RunPod's or OpenAI's clients do
    ///
    /// A recipe whose backend has `kind = "runpod"` and a `base_url` runs on it from another machine, as
    /// on an endpoint. Jobs wait in a queue of bounded length; results are kept for 30 minutes, those of
    /// /runsync for one. /metrics is for Prometheus, /openapi.json says what else there is.
    Serve(ServeArgs),
    /// Do jobs of a RunPod endpoint, in a container of it, with the models of this machine
    ///
    /// It takes the next job while one runs, and delivers what comes of each for as long as RunPod
    /// wants it. SIGTERM ends it when the jobs are done that it has. On any other machine `vpipe serve`
    /// does the same jobs.
    Worker(WorkerArgs),
    /// Forget the answers that no run has used for a while
    ///
    /// A run keeps every answer in the journal of its output folder, so that the same command goes on
    /// where it was interrupted and never asks or pays twice. What is forgotten is asked again when
    /// it is wanted again. Results are left alone, and so is the history.
    Clean(CleanArgs),
    /// List the models that are here, and say how to get more
    Models(ModelsArgs),
    /// Say what of this machine and its account is in place, and what to do about what is not
    ///
    /// Looks at FFmpeg, keys (set or not; never shown), endpoints, workers, models and ONNX
    /// Runtime. An endpoint is asked how it is where its key is set. Ends with 3 where something
    /// that is set up cannot work.
    Doctor(DoctorArgs),
}

/// What a recipe is run over.
#[derive(Debug, Args)]
pub(super) struct InputArgs {
    /// Videos, pictures, folders or patterns such as "clips/*.mp4"
    ///
    /// A folder stands for all videos in it, and where the recipe takes sound for all sound
    /// files. One without videos that has pictures is itself one input: the pictures in it, in
    /// the order of their names.
    #[arg(value_name = "INPUT", required = true)]
    pub(super) inputs: Vec<PathBuf>,

    /// Look only at the beginning of each video, to try a recipe: 30s, 2m, 1m30s, or seconds
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(super) first: Option<Duration>,
}

#[derive(Debug, Args)]
#[command(after_help = RUN_EXAMPLES)]
#[command(mut_arg("inputs", |inputs| inputs.required(false).required_unless_present("replay")))]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) recipe: RecipeArgs,

    #[command(flatten)]
    pub(super) over: InputArgs,

    /// Spend no more than so many US dollars on paid workers
    ///
    /// No request is sent that would not fit; what was sent is waited for, and what there is is
    /// written. Earlier inputs are done first. A run that costs more even at the low end of its
    /// forecast is refused before anything is paid. The start and the idle tail of every worker count, a start as 10 s where the recipe
    /// does not say how long it takes.
    #[arg(long, value_name = "USD", value_parser = money::parse, allow_negative_numbers = true)]
    pub(super) max_cost: Option<f64>,

    /// Be done after this time: 10m, 1h30m, or seconds
    ///
    /// No request is sent that would come back later; what there is is written.
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub(super) deadline: Option<Duration>,

    /// Ask everything anew, whatever an earlier run has found out
    ///
    /// Without it the same command goes on where it was interrupted: what is in the journal is
    /// neither asked nor paid again.
    #[arg(long)]
    pub(super) fresh: bool,

    #[command(flatten)]
    pub(super) state: StateArgs,

    /// Write the answers of the run to the folder DIR, as a cassette
    ///
    /// A cassette is small enough for a repository, and has no key, host or folder of this machine in
    /// it. It is written at the end, in place of an older one, and only where nothing is missing.
    #[arg(long, value_name = "DIR", help_heading = CASSETTE)]
    pub(super) record: Option<PathBuf>,

    /// Take all answers from the cassette in DIR, and ask nobody
    ///
    /// Needs no key and no network, whatever the environment has; and no video: an INPUT that is not
    /// there is the one of that name in the cassette, or is named by its digest (blake3:1a2b3c4d5e6f);
    /// without any INPUT all videos of the cassette are meant. What is not in it is an error that says
    /// why, and the run ends with 3.
    #[arg(
        long,
        value_name = "DIR",
        help_heading = CASSETTE,
        conflicts_with_all = ["record", "fresh", "state_dir", "max_cost"]
    )]
    pub(super) replay: Option<PathBuf>,

    /// Write one JSON object about the run to stdout
    #[arg(long)]
    pub(super) json: bool,

    /// Say only what goes wrong
    #[arg(short, long)]
    pub(super) quiet: bool,
}

const CASSETTE: &str = "Cassette";

const RUN_EXAMPLES: &str = "\
Examples:
  vpipe run default clip.mp4
  vpipe run high-detail clips/ --output-dir results
  vpipe run default \"clips/*.mp4\" --first 30s
  vpipe run default clip.mp4 --set yolo.model=yolo11n.onnx --set yolo.conf=0.3
  vpipe run my.toml clip.mp4 --json | jq .videos
  vpipe run my.toml clip.mp4 --record cassettes/clip
  vpipe run my.toml clip.mp4 --replay cassettes/clip
  vpipe run my.toml --replay cassettes/clip

The same command again goes on where the last one ended: no answer is asked for or paid twice.
Ctrl-C once stops early and keeps what is done (VIDEO_results.partial.json); twice stops at once.

Exit codes:
  0    all done
  1    some frames or videos failed; results are written
  2    the recipe or the arguments are wrong, or a file is missing
  3    no input could be read, or a model, a server or the machine failed
  4    a budget or a deadline was reached
  130  interrupted";

/// Where the journal is.
#[derive(Debug, Args)]
pub(super) struct StateArgs {
    /// Where the journal is, in place of .vpipe in the output folder; VPIPE_STATE_DIR says the same
    #[arg(long, value_name = "DIR")]
    pub(super) state_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) recipe: RecipeArgs,

    /// Write one JSON object for editors to stdout, also about mistakes
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = PLAN_EXAMPLES)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) recipe: RecipeArgs,

    #[command(flatten)]
    pub(super) over: InputArgs,

    #[command(flatten)]
    pub(super) state: StateArgs,

    /// Write one JSON object to stdout
    #[arg(long)]
    pub(super) json: bool,
}

const PLAN_EXAMPLES: &str = "\
Examples:
  vpipe plan default clip.mp4
  vpipe plan max-speed clips/ --set backends.fleet.fleet=10
  vpipe plan my.toml clip.mp4 --json | jq .cost

Exit codes: 0 all inputs can be read, 1 some cannot, 2 the recipe or the arguments are wrong,
3 no input can be read, or a model fails.";

#[derive(Debug, Args)]
#[command(after_help = TRY_EXAMPLES)]
pub(super) struct TryArgs {
    #[command(flatten)]
    pub(super) recipe: RecipeArgs,

    /// The stage
    #[arg(value_name = "STAGE")]
    pub(super) stage: String,

    /// A video, a picture or a folder of pictures
    #[arg(value_name = "INPUT")]
    pub(super) input: PathBuf,

    /// Which frame, or where the sound begins: 12.5, 1m30s
    #[arg(long, value_name = "TIME", value_parser = duration::parse_from_zero, default_value = "0")]
    pub(super) at: Duration,

    /// Send the request, and show the answer and what the stage makes of it
    #[arg(long)]
    pub(super) send: bool,
}

const TRY_EXAMPLES: &str = "\
Examples:
  vpipe try my.toml captions clip.mp4 --at 12.5
  vpipe try my.toml captions clip.mp4 --at 12.5 --send";

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    #[command(flatten)]
    pub(super) recipe: RecipeArgs,

    /// Say beside each value where it came from
    #[arg(long)]
    pub(super) origins: bool,

    /// Write also the keys that the recipe does not write, with their built-in values
    #[arg(long)]
    pub(super) built_in: bool,
}

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The file; what is there already is left alone
    #[arg(value_name = "FILE", default_value = "recipe.toml")]
    pub(super) file: PathBuf,
}

#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub(super) struct CompletionsArgs {
    /// Which shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(super) shell: Shell,
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  vpipe completions bash > ~/.local/share/bash-completion/completions/vpipe
  vpipe completions zsh > ~/.zfunc/_vpipe
  vpipe completions fish > ~/.config/fish/completions/vpipe.fish";

#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// Write JSON to stdout
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct ModelsArgs {
    /// Where to look besides the working directory and its `models` folder
    #[arg(value_name = "FOLDER")]
    pub(super) folders: Vec<PathBuf>,
}
