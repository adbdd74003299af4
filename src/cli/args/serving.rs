//! The words of `worker` and `serve` about the models that they run, for clap to parse and to explain.

use crate::app::AppError;
use crate::cli::duration;
use crate::recipe::LocalDevice;
use crate::recipe::LocalEngine;
use crate::serve::handlers::ModelOptions;
use crate::serve::handlers::ServedModel;
use clap::Args;
use std::num::NonZero;
use std::path::Path;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

/// The models that are served, and how they are run.
#[derive(Debug, Args)]
#[command(next_help_heading = "Models")]
pub(in crate::cli) struct ServingArgs {
    /// The detector: an ONNX file of Ultralytics' export, built-in, or none
    ///
    /// `yolo export model=yolo11n.pt format=onnx dynamic=True` makes one whose batch axis is free, so
    /// that --batch has an effect. Without it, the built-in demo model is served, which knows six
    /// drawn shapes.
    #[arg(long, value_name = "FILE", env = "VPIPE_YOLO")]
    yolo: Option<PathBuf>,

    /// Class names of the detector: a file with one a line, JSON, data.yaml, or coco
    #[arg(long, value_name = "FILE")]
    names: Option<PathBuf>,

    /// The speech model: a folder with Whisper as ONNX, built-in, or none
    ///
    /// `optimum-cli export onnx --model openai/whisper-base whisper-base` makes one. Without it, the
    /// built-in demo model is served, which knows 60 words about shapes.
    #[arg(long, value_name = "FOLDER", env = "VPIPE_WHISPER")]
    whisper: Option<PathBuf>,

    /// What computes: ort, ONNX Runtime, whose library ORT_DYLIB_PATH names; rten, a part of this
    /// program; or auto, ort where its library is found and else rten
    #[arg(long, value_name = "ENGINE", value_parser = engine, default_value = "auto")]
    engine: LocalEngine,

    /// What it computes on: auto, cpu, cuda:0, tensorrt:0, openvino, coreml or directml
    ///
    /// auto is a GPU where ONNX Runtime has one that works, else the CPU. Another that is not to be had
    /// is an error.
    #[arg(long, value_name = "DEVICE", default_value = "auto")]
    device: LocalDevice,

    /// Threads of one session; all cores where absent
    #[arg(long, value_name = "N", value_parser = threads, allow_negative_numbers = true)]
    threads: Option<usize>,

    /// Sessions of each model, which work side by side
    ///
    /// One session with all cores answers a single job soonest; as many as there are cores, with
    /// --threads 1, answer the most jobs a second on a CPU. Each takes memory of its own.
    #[arg(long, value_name = "N", value_parser = sessions, allow_negative_numbers = true, default_value_t = 1)]
    sessions: usize,

    /// Frames that go through the detector together, of one job or of several; where absent 16 on a GPU
    /// and 1 on a CPU, where a frame takes as long alone
    ///
    /// What the memory does not take is halved, and said once. A model that was exported for one frame at
    /// a time takes one.
    #[arg(long, value_name = "N", value_parser = batch, allow_negative_numbers = true)]
    batch: Option<usize>,

    /// How long a batch that is not full waits for frames that are still being decoded
    #[arg(long, value_name = "TIME", value_parser = duration::parse_from_zero, default_value = "5ms")]
    max_wait: Duration,
}

impl ServingArgs {
    /// The models that are asked for.
    ///
    /// # Errors
    ///
    /// Where there are none.
    pub(in crate::cli) fn options(&self) -> Result<ModelOptions, AppError> {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        let [yolo, whisper] = [&self.yolo, &self.whisper].map(|model| served(model.as_deref()));
        if (&yolo, &whisper) == (&ServedModel::None, &ServedModel::None) {
            return Err(AppError::Request {
                message: "there is nothing to serve: --yolo and --whisper are both `none`"
                    .to_owned(),
                help: Some("leave one out, or name a model".to_owned()),
            });
        }
        Ok(ModelOptions {
            yolo,
            names: self.names.clone(),
            whisper,
            engine: self.engine,
            device: self.device,
            threads: self.threads.unwrap_or(cores),
            sessions: self.sessions,
            batch: self.batch,
            max_wait: self.max_wait,
        })
    }
}

fn served(model: Option<&Path>) -> ServedModel {
    match model {
        None => ServedModel::BuiltIn,
        Some(word) if word == Path::new("built-in") => ServedModel::BuiltIn,
        Some(none) if none == Path::new("none") => ServedModel::None,
        Some(path) => ServedModel::At(path.to_owned()),
    }
}

fn engine(text: &str) -> Result<LocalEngine, String> {
    LocalEngine::of(text).ok_or_else(|| "write auto, rten or ort".to_owned())
}

fn threads(text: &str) -> Result<usize, String> {
    counted(text, 1024)
}

fn sessions(text: &str) -> Result<usize, String> {
    counted(text, 64)
}

fn batch(text: &str) -> Result<usize, String> {
    counted(text, 256)
}

/// Reads a number from 1 to `most`.
pub(super) fn counted(text: &str, most: usize) -> Result<usize, String> {
    let number = text.parse().ok().filter(|it| (1..=most).contains(it));
    number.ok_or_else(|| format!("write a whole number from 1 to {most}"))
}

#[cfg(test)]
mod tests {
    use super::ServedModel;
    use super::ServingArgs;
    use clap::Args;
    use clap::Command;
    use clap::FromArgMatches;
    use std::time::Duration;

    fn read(words: &[&str]) -> Result<ServingArgs, String> {
        let words = ["serve"].iter().chain(words);
        ServingArgs::augment_args(Command::new("serve"))
            .try_get_matches_from(words)
            .and_then(|matches| ServingArgs::from_arg_matches(&matches))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn models_are_named_left_out_or_built_in() {
        let usual = read(&[]).unwrap().options().unwrap();
        assert_eq!(usual.yolo, ServedModel::BuiltIn);
        assert_eq!((usual.sessions, usual.batch), (1, None));
        assert_eq!(usual.max_wait, Duration::from_millis(5));
        let word = read(&["--yolo", "built-in"]).unwrap().options().unwrap();
        assert_eq!(word.yolo, ServedModel::BuiltIn);
        let words = ["--yolo", "none", "--whisper", "a b/base", "--threads", "3"];
        let named = read(&words).unwrap().options().unwrap();
        assert_eq!(named.yolo, ServedModel::None);
        assert_eq!(named.whisper, ServedModel::At("a b/base".into()));
        assert_eq!(named.threads, 3);
    }

    #[test]
    fn what_is_out_of_range_is_told_what_is_not() {
        for (words, told) in [
            (["--batch", "0"], "from 1 to 256"),
            (["--batch", "many"], "from 1 to 256"),
            (["--sessions", "65"], "from 1 to 64"),
            (["--engine", "tflite"], "auto, rten or ort"),
            (["--threads", "-1"], "from 1 to 1024"),
            (["--max-wait", "soon"], "--max-wait"),
        ] {
            let error = read(&words).unwrap_err();
            assert!(error.contains(told), "{words:?}: {error}");
        }
    }
}
