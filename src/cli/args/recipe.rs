//! The words about a recipe, which all commands share that read one.

use crate::cli::args::number;
use crate::recipe::LocalDevice;
use crate::recipe::Request;
use clap::Args;

const CHANGES: &str = "Changes to the recipe";

/// A recipe, and what to change in it.
#[derive(Debug, Args)]
pub(in crate::cli) struct RecipeArgs {
    /// A preset (default, max-speed, conservative, high-detail) or the path of a TOML file
    #[arg(value_name = "RECIPE")]
    pub(in crate::cli) recipe: String,

    /// Change any value of the recipe; VALUE is read as TOML. May be repeated
    #[arg(long = "set", value_name = "STAGE.KEY=VALUE", help_heading = CHANGES)]
    pub(in crate::cli) sets: Vec<String>,

    /// Leave a stage out, as `enabled = false` does; what takes from it goes without. May be repeated
    #[arg(long, value_name = "STAGE", help_heading = CHANGES)]
    pub(in crate::cli) without: Vec<String>,

    /// Give a variable of the recipe its value. May be repeated
    #[arg(long = "var", value_name = "NAME=VALUE", help_heading = CHANGES)]
    pub(in crate::cli) vars: Vec<String>,

    /// Frames sampled a second of video (fps of every extract stage)
    #[arg(long, value_name = "N", help_heading = CHANGES, allow_negative_numbers = true, value_parser = number::real)]
    pub(in crate::cli) fps: Option<f64>,

    /// Requests in flight (concurrency of every yolo stage)
    #[arg(long, value_name = "N", help_heading = CHANGES, value_parser = number::whole)]
    pub(in crate::cli) max_workers: Option<u64>,

    /// Frames a request (size of every batch stage)
    #[arg(long, value_name = "N", help_heading = CHANGES, value_parser = number::whole)]
    pub(in crate::cli) batch_size: Option<u64>,

    /// Where the results go (output_dir of every merge and save stage)
    #[arg(long, value_name = "DIR", help_heading = CHANGES)]
    pub(in crate::cli) output_dir: Option<String>,

    /// What models of this machine are computed on (device of every local backend): auto, cpu, cuda:0,
    /// tensorrt:0, openvino, coreml or directml
    #[arg(long, value_name = "DEVICE", help_heading = CHANGES)]
    pub(in crate::cli) device: Option<LocalDevice>,

    /// Let the recipe send frames, sound and its keys to HOST, such as a server of your own; without
    /// encryption too, where its address is http. May be repeated
    #[arg(long = "allow-host", value_name = "HOST")]
    pub(in crate::cli) allowed_hosts: Vec<String>,

    /// Let templates of the recipe take the environment variable NAME, which may go to its
    /// servers; VPIPE_* need no permission. May be repeated
    #[arg(long = "allow-env", value_name = "NAME")]
    pub(in crate::cli) allowed_variables: Vec<String>,
}

impl From<RecipeArgs> for Request {
    fn from(args: RecipeArgs) -> Self {
        Self {
            recipe: args.recipe,
            vars: args.vars,
            without: args.without,
            sets: args.sets,
            fps: args.fps,
            max_workers: args.max_workers,
            batch_size: args.batch_size,
            output_dir: args.output_dir,
            device: args.device,
            allowed_hosts: args.allowed_hosts,
            allowed_variables: args.allowed_variables,
            ..Self::default()
        }
    }
}
