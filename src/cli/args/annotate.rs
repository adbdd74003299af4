//! The words of `annotate`, for clap to parse and to explain.

use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = ANNOTATE_EXAMPLES)]
pub(in crate::cli) struct AnnotateArgs {
    /// The results of a video
    #[arg(value_name = "RESULTS")]
    pub(in crate::cli) results: PathBuf,

    /// The MP4 file to write; by default VIDEO_annotated.mp4 beside the results. A file that vpipe did not
    /// write is not replaced
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) output: Option<PathBuf>,

    /// Where the video is, if not where the results say and not beside them
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) video: Option<PathBuf>,

    /// The stage whose boxes are drawn, where several detect; by default those of `detections`
    #[arg(long, value_name = "STAGE")]
    pub(in crate::cli) stage: Option<String>,

    /// Write one JSON object to stdout: what was written, or why nothing was
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

const ANNOTATE_EXAMPLES: &str = "\
Examples:
  vpipe annotate output/clip_results.json
  vpipe annotate output/clip_results.json -o clip.mp4 --video videos/clip.mp4

Every frame of the video is in it with its own time, as it is shown: turned, with square pixels. A
box stays until the next frame that was looked at; a tracked thing moves from sight to sight. The
sound is copied where MP4 takes it, else coded as AAC; what is said is a track of captions.

Exit codes: 0 written, 2 no results, no video or another one, 3 it cannot be decoded or written,
130 interrupted; then no file is there.";
