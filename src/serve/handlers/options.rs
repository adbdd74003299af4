//! What is served: which models, and how they are run. Does not know where it is written.

use crate::recipe::LocalDevice;
use crate::recipe::LocalEngine;
use std::path::PathBuf;
use std::time::Duration;

/// Which model of a kind is served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ServedModel {
    /// The built-in demo model.
    #[default]
    BuiltIn,
    /// A detector's ONNX file, or a Whisper's folder.
    At(PathBuf),
    /// None: jobs of the kind are answered with an error that says so.
    None,
}

/// The models that are served, and how they are run.
#[derive(Clone, Debug)]
pub struct ModelOptions {
    /// The detector.
    pub yolo: ServedModel,
    /// A file of the detector's class names, where they are not its own.
    pub names: Option<PathBuf>,
    /// The speech model.
    pub whisper: ServedModel,
    /// What computes.
    pub engine: LocalEngine,
    /// What it computes on.
    pub device: LocalDevice,
    /// Threads of a session; at least 1.
    pub threads: usize,
    /// Sessions of each model, each with threads of its own; at least 1.
    pub sessions: usize,
    /// The most frames that go through the detector together, at least 1; where absent 1 on a CPU, where
    /// a frame takes as long alone, and 16 on a GPU.
    pub batch: Option<usize>,
    /// How long a batch that is not full waits for frames that are being decoded.
    pub max_wait: Duration,
}

impl Default for ModelOptions {
    fn default() -> Self {
        Self {
            yolo: ServedModel::default(),
            names: None,
            whisper: ServedModel::default(),
            engine: LocalEngine::Rten,
            device: LocalDevice::Auto,
            threads: 1,
            sessions: 1,
            batch: None,
            max_wait: Duration::from_millis(5),
        }
    }
}
