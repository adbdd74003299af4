//! The tensor layer: a network from the bytes of an ONNX file, and sessions that run it.
//!
//! A network is loaded once and shared; a session belongs to one thread. Everything is
//! synchronous. Knows nothing of frames, sound, boxes or words.

use crate::backends::engine::heap::Account;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;

/// The library that computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
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
#[derive(Clone, Debug)]
pub(in crate::backends) enum Input {
    /// Numbers.
    Floats(Arc<Tensor>),
    /// Indices and their shape, rows by columns.
    Ids([usize; 2], Vec<i32>),
    /// Places, as a tensor of one dimension.
    Places(Vec<i32>),
    /// Yes or no, as a tensor of one element.
    Flag(bool),
}

impl Input {
    /// The number of bytes.
    pub(in crate::backends) fn len(&self) -> usize {
        let numbers = match self {
            Self::Floats(tensor) => tensor.data.len(),
            Self::Ids(_, numbers) | Self::Places(numbers) => numbers.len(),
            Self::Flag(_) => 1,
        };
        4 * numbers
    }
}

/// A model as it lies on the disk.
pub(in crate::backends) struct Onnx {
    /// The content of the ONNX file.
    pub(in crate::backends) graph: Vec<u8>,
    /// Files of weights that the graph refers to, by name: models of more than 2 GB have them.
    pub(in crate::backends) weights: Vec<(String, Vec<u8>)>,
}

impl Onnx {
    /// The number of bytes.
    pub(in crate::backends) fn len(&self) -> u64 {
        let weights = self.weights.iter().map(|(_, weights)| weights.len());
        weights.fold(self.graph.len(), usize::saturating_add) as u64
    }
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
    /// A session with threads of its own, whose memory is charged to `account`.
    fn session(&self, account: &'static Account) -> Result<Box<dyn Session>, EngineError>;
}

/// One thread's access to a network.
pub(in crate::backends) trait Session: Send {
    /// Runs the network on inputs by name, and gives the outputs of these names, which must be
    /// numbers.
    fn run(
        &mut self,
        inputs: Vec<(String, Input)>,
        outputs: Vec<String>,
    ) -> Result<Vec<Tensor>, EngineError>;
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
