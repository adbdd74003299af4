//! The tensor layer: a network from the bytes of an ONNX file, and sessions that run it.
//!
//! A network is loaded once and shared; a session belongs to one thread. Everything is
//! synchronous. Knows nothing of frames, sound, boxes or words.

use crate::backends::engine::header::Header;
use crate::backends::engine::ort;
use crate::backends::engine::rten;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

/// The library that computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineKind {
    /// rten: needs nothing but this program.
    #[default]
    Rten,
    /// ONNX Runtime: needs its library.
    Ort,
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rten => "rten",
            Self::Ort => "ort",
        })
    }
}

/// Numbers and their shape, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::backends) struct Tensor {
    /// Sizes of the dimensions; their product is the length of `data`.
    pub(in crate::backends) shape: Vec<usize>,
    /// The numbers.
    pub(in crate::backends) data: Vec<f32>,
}

/// What an input of a network is given.
#[derive(Clone, Copy, Debug)]
pub(in crate::backends) enum Input<'a> {
    /// Numbers and their shape, row by row.
    Floats(&'a [usize], &'a [f32]),
    /// Indices and their shape, rows by columns.
    Ids([usize; 2], &'a [i32]),
    /// Places, as a tensor of one dimension.
    Places(&'a [i32]),
    /// Yes or no, as a tensor of one element.
    Flag(bool),
}

/// A model as it lies on the disk.
pub(in crate::backends) struct Onnx {
    /// The content of the ONNX file.
    pub(in crate::backends) graph: Vec<u8>,
    /// Files of weights that the graph refers to, by name: models of more than 2 GB have them.
    pub(in crate::backends) weights: Vec<(String, Vec<u8>)>,
}

impl From<Vec<u8>> for Onnx {
    fn from(graph: Vec<u8>) -> Self {
        Self {
            graph,
            weights: Vec::new(),
        }
    }
}

/// Why an engine did not do its work: one sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EngineError(pub(in crate::backends) String);

impl EngineError {
    /// An error that says what `cause` says.
    pub(in crate::backends) fn new(cause: impl fmt::Display) -> Self {
        Self(cause.to_string())
    }
}

/// A loaded model, from which sessions are made.
pub(in crate::backends) trait Network: Send + Sync {
    /// A session with threads of its own.
    fn session(&self) -> Result<Box<dyn Session>, EngineError>;
}

/// One thread's access to a network.
pub(in crate::backends) trait Session: Send {
    /// Runs the network on inputs by name, and gives the outputs of these names, which must be
    /// numbers.
    fn run(
        &mut self,
        inputs: &[(&str, Input<'_>)],
        outputs: &[&str],
    ) -> Result<Vec<Tensor>, EngineError>;
}

/// Loads the model that `header` describes, for sessions of `threads` threads each.
///
/// `packs_weights`: whether weights are laid out for products with a few rows once and not each
/// time, at the price of a second copy of them.
pub(in crate::backends) fn load(
    kind: EngineKind,
    header: &Header,
    onnx: Onnx,
    threads: usize,
    packs_weights: bool,
) -> Result<Box<dyn Network>, EngineError> {
    match kind {
        EngineKind::Rten => guarded(|| rten::load(header, onnx, threads, packs_weights)),
        // It packs them by itself.
        EngineKind::Ort => guarded(|| ort::load(header, onnx, threads)),
    }
}

/// Runs `work` and turns a panic into an error: a malformed model may break an assumption of an
/// engine, and must not take the run down with it.
pub(in crate::backends) fn guarded<T>(
    work: impl FnOnce() -> Result<T, EngineError>,
) -> Result<T, EngineError> {
    // Nothing that `work` leaves half done is looked at again: engines keep no state of ours.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let said = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("it did not say why");
        Err(EngineError(format!("the engine gave up: {said}")))
    })
}

/// Whether the library of ONNX Runtime can be opened.
pub fn onnx_runtime() -> Result<(), EngineError> {
    ort::open()
}

#[cfg(test)]
mod tests {
    use super::EngineError;
    use super::guarded;

    #[test]
    fn a_panic_becomes_an_error() {
        let outcome: Result<(), EngineError> = guarded(|| panic!("index {} out of range", 7));
        assert_eq!(
            outcome.unwrap_err().to_string(),
            "the engine gave up: index 7 out of range"
        );
    }
}
