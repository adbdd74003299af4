//! The words of `graph`, for clap to parse and to explain.

use crate::cli::args::RecipeArgs;
use crate::plan::DrawFormat;
use clap::Args;
use clap::ValueEnum;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = GRAPH_EXAMPLES)]
pub(in crate::cli) struct GraphArgs {
    #[command(flatten)]
    pub(in crate::cli) recipe: RecipeArgs,

    /// How it is drawn
    #[arg(long, value_enum, default_value_t = GraphFormat::Text)]
    pub(in crate::cli) format: GraphFormat,

    /// Draw the stages, and not the steps that they compile to
    #[arg(long)]
    pub(in crate::cli) stages: bool,

    /// Write beside each stage what it took in the run that wrote these results
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) results: Option<PathBuf>,
}

const GRAPH_EXAMPLES: &str = "\
Examples:
  vpipe graph default
  vpipe graph my.toml --stages --format mermaid
  vpipe graph my.toml --results output/clip_results.json
  vpipe graph my.toml --format dot | dot -Tsvg > graph.svg";

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum GraphFormat {
    /// A table, one line a step
    Text,
    /// A Mermaid flowchart, which Markdown pages can show
    Mermaid,
    /// Graphviz
    Dot,
}

impl From<GraphFormat> for DrawFormat {
    fn from(format: GraphFormat) -> Self {
        match format {
            GraphFormat::Text => Self::Text,
            GraphFormat::Mermaid => Self::Mermaid,
            GraphFormat::Dot => Self::Dot,
        }
    }
}
