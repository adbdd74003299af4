//! The words of `test`, for clap to parse and to explain.

use crate::app::Limits;
use crate::app::RecordRequest;
use crate::cli::duration;
use crate::cli::money;
use crate::recipe::Request;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = TEST_EXAMPLES)]
pub(in crate::cli) struct TestArgs {
    /// Test files and folders of some; the working directory where there are none. With --new: the
    /// recipe, then its inputs
    ///
    /// Folders are searched with all that is in them, except hidden ones, `target` and
    /// `node_modules`.
    #[arg(value_name = "PATH")]
    pub(in crate::cli) paths: Vec<PathBuf>,

    /// Accept what is found now: write the snapshots that differ, and say what does
    #[arg(long, conflicts_with_all = ["record", "name"])]
    pub(in crate::cli) update: bool,

    /// How many tests are replayed side by side; built in: one a core
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(in crate::cli) jobs: Option<u16>,

    /// Write one JSON object to stdout, with every difference
    #[arg(long)]
    pub(in crate::cli) json: bool,

    /// Write a report to FILE for a CI server, in the XML of JUnit
    #[arg(long, value_name = "FILE", conflicts_with = "name")]
    pub(in crate::cli) junit: Option<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) asking: AskingArgs,

    #[command(flatten)]
    pub(in crate::cli) new: NewArgs,

    /// Let templates of the recipes take the environment variable NAME; VPIPE_* need no permission.
    /// May be repeated
    #[arg(long = "allow-env", value_name = "NAME")]
    pub(in crate::cli) allowed_variables: Vec<String>,
}

/// How backends are asked for the answers of a test.
#[derive(Debug, Args)]
pub(in crate::cli) struct AskingArgs {
    /// Ask the backends anew, as `run` does, one test after the other: write the cassettes, and accept
    /// what is found
    #[arg(long, group = "asks", conflicts_with = "jobs", help_heading = ASKING)]
    pub(in crate::cli) record: bool,

    /// Spend no more than so many US dollars on paid workers, all tests together
    #[arg(long, value_name = "USD", value_parser = money::parse, allow_negative_numbers = true, requires = "asks", help_heading = ASKING)]
    pub(in crate::cli) max_cost: Option<f64>,

    /// Be done with all tests after this time: 10m, 1h30m, or seconds
    #[arg(long, value_name = "TIME", value_parser = duration::parse, requires = "asks", help_heading = ASKING)]
    pub(in crate::cli) deadline: Option<Duration>,

    /// Use the answers of the journal in DIR, such as output/.vpipe, and keep there what is paid;
    /// without it nothing is known
    #[arg(long, value_name = "DIR", requires = "asks", help_heading = ASKING)]
    pub(in crate::cli) state_dir: Option<PathBuf>,

    /// Let the recipes send frames, sound and their keys to HOST, such as a server of your own. May be
    /// repeated
    #[arg(long = "allow-host", value_name = "HOST", requires = "asks", help_heading = ASKING)]
    pub(in crate::cli) allowed_hosts: Vec<String>,
}

/// A test to be made.
#[derive(Debug, Args)]
pub(in crate::cli) struct NewArgs {
    /// Make the test NAME of a recipe and inputs: its file NAME.test.toml, its cassette and its
    /// snapshots. NAME may have folders before it; what is there already is left alone
    #[arg(long = "new", value_name = "NAME", group = "asks", requires = "paths", conflicts_with = "jobs", help_heading = NEW)]
    pub(in crate::cli) name: Option<PathBuf>,

    /// Change any value of the recipe in the test. May be repeated
    #[arg(long = "set", value_name = "STAGE.KEY=VALUE", requires = "name", help_heading = NEW)]
    pub(in crate::cli) sets: Vec<String>,

    /// Give a variable of the recipe its value in the test. May be repeated
    #[arg(long = "var", value_name = "NAME=VALUE", requires = "name", help_heading = NEW)]
    pub(in crate::cli) vars: Vec<String>,

    /// Look only at the beginning of each video: 30s, 2m, 1m30s, or seconds
    #[arg(long, value_name = "TIME", value_parser = duration::parse, requires = "name", help_heading = NEW)]
    pub(in crate::cli) first: Option<Duration>,
}

const ASKING: &str = "Asking backends";

const NEW: &str = "A new test";

impl From<AskingArgs> for RecordRequest {
    fn from(args: AskingArgs) -> Self {
        Self {
            limits: Limits {
                cost: args.max_cost,
                time: args.deadline,
            },
            state_dir: args.state_dir,
        }
    }
}

impl TestArgs {
    /// What the recipes of tests may have, and a new one be changed by.
    pub(in crate::cli) fn allowed(&self) -> Request {
        Request {
            sets: self.new.sets.clone(),
            vars: self.new.vars.clone(),
            allowed_hosts: self.asking.allowed_hosts.clone(),
            allowed_variables: self.allowed_variables.clone(),
            ..Request::default()
        }
    }
}

const TEST_EXAMPLES: &str = "\
Examples:
  vpipe test --new tests/gate default clip.mp4 --first 10s    make a test of what is found now
  vpipe test                                                  has anything changed?
  vpipe test tests --update                                   what has changed is right
  vpipe test tests/gate.test.toml --record --max-cost 0.50    ask the models anew
  vpipe test --junit report.xml                               for a CI server

A test file, with paths from its own folder:
  recipe = \"../recipes/gate.toml\"   a path, or a preset
  inputs = [\"clip.mp4\"]
  set = [\"yolo.conf=0.3\"]           these and all below need not be there
  first = 10                        seconds
  cassette = \"cassettes/gate\"
  [vars]
  place = \"north\"
  [tolerance]                       as `vpipe compare` has them
  iou = 0.9
  confidence = 0.05
  seconds = 0.1
  words = 0.0

Exit codes:
  0    nothing differs beyond the tolerance
  2    a test or its recipe is wrong, or there are no tests
  3    a video, a cassette, a model, a server or the machine failed
  4    a budget or a deadline was reached
  5    something differs, or there is no snapshot or no answer to compare with
  130  interrupted";
