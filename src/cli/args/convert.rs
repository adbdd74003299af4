//! The words of `convert`, for clap to parse and to explain.

use crate::recipe::OutputFormat;
use clap::Args;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = CONVERT_EXAMPLES)]
pub(in crate::cli) struct ConvertArgs {
    /// Results, folders of some, or patterns such as "output/*_results.json"
    ///
    /// A folder stands for the files in it that end with _results.json, and for those that end with
    /// _results.partial.json where there is no whole one.
    #[arg(value_name = "RESULTS", required = true)]
    pub(in crate::cli) results: Vec<PathBuf>,

    /// What to make of them; several with commas between them, or repeated
    #[arg(long = "to", value_name = "FORMAT", required = true, value_delimiter = ',', value_parser = format())]
    pub(in crate::cli) formats: Vec<OutputFormat>,

    /// Where the files go, in place of beside the results
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) output_dir: Option<String>,

    /// Tell of the boxes of this stage, in place of those at the top of the results
    #[arg(long, value_name = "STAGE")]
    pub(in crate::cli) stage: Option<String>,

    /// Write one JSON object to stdout: what was written, and what there was nothing to tell in
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

fn format() -> impl TypedValueParser<Value = OutputFormat> {
    let words = OutputFormat::ALL.map(OutputFormat::word);
    PossibleValuesParser::new(words).try_map(|word| {
        let mut formats = OutputFormat::ALL.into_iter();
        let format = formats.find(|format| format.word() == word);
        format.ok_or("no such format")
    })
}

const CONVERT_EXAMPLES: &str = "\
Examples:
  vpipe convert output/clip_results.json --to parquet
  vpipe convert output --to csv,coco --output-dir tables     all results of a folder
  vpipe convert clip_results.json --to yolo --stage closer   the boxes of one of several stages
  vpipe convert clip_results.json --to csv --json | jq -r '.files[].path'

Each format has names of its own: clip_detections.csv, clip_coco.json, clip_yolo/. A plain file that
stands there is replaced; a folder only where it holds nothing but what was written to it before.
The paths that were written go to stdout.

Exit codes: 0 all is written, 2 there are no results or the files may not be written, 3 they cannot
be, 130 interrupted: what was whole by then stands, and nothing else.";
