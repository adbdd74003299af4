//! rten: the engine that needs nothing but crates.
//!
//! All sessions share one loaded model; each has its own threads. Half-precision models are
//! computed in single precision, so their tensors look like any others. Knows nothing of pictures.

use super::engine::EngineError;
use super::engine::Network;
use super::engine::Session;
use super::engine::Tensor;
use super::header::Header;
use ::rten::Model;
use ::rten::ModelOptions;
use ::rten::NodeId;
use ::rten::RunOptions;
use ::rten::ThreadPool;
use ::rten::ValueView;
use std::sync::Arc;

struct RtenNetwork {
    model: Arc<Model>,
    input: NodeId,
    output: NodeId,
    threads: usize,
}

struct RtenSession {
    model: Arc<Model>,
    input: NodeId,
    output: NodeId,
    pool: Arc<ThreadPool>,
}

/// Operators that rten 0.27 computes otherwise than ONNX says, and what to do about it.
const WRONG: [(&str, &str); 2] = [
    // It takes the box around two boxes for their union, and does not go by score.
    (
        "NonMaxSuppression",
        "export it without nms=True, since vpipe drops overlapping boxes itself",
    ),
    // It pads with 0 where the zero point is due.
    ("ConvInteger", "export it without int8"),
];

/// Loads the model that `header` describes and whose file has the content `onnx`.
pub(super) fn load(
    header: &Header,
    onnx: Vec<u8>,
    threads: usize,
) -> Result<Box<dyn Network>, EngineError> {
    for (operator, advice) in WRONG {
        if header.operators.contains(operator) {
            return Err(EngineError(format!(
                "rten gets its operator {operator} wrong; {advice}, or use engine = \"ort\""
            )));
        }
    }
    let model = ModelOptions::with_all_ops()
        .load(onnx)
        .map_err(EngineError::new)?;
    let (&[input], &[output, ..]) = (model.input_ids(), model.output_ids()) else {
        return Err(EngineError::new("it has not one input and an output"));
    };
    Ok(Box::new(RtenNetwork {
        model: Arc::new(model),
        input,
        output,
        threads,
    }))
}

impl Network for RtenNetwork {
    fn session(&self) -> Result<Box<dyn Session>, EngineError> {
        Ok(Box::new(RtenSession {
            model: Arc::clone(&self.model),
            input: self.input,
            output: self.output,
            pool: Arc::new(ThreadPool::with_num_threads(self.threads)),
        }))
    }
}

impl Session for RtenSession {
    fn run(&mut self, shape: [usize; 4], data: &[f32]) -> Result<Tensor, EngineError> {
        let input = ValueView::from_shape(shape, data).map_err(EngineError::new)?;
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.pool)));
        let [output] = self
            .model
            .run_n(
                vec![(self.input, input.into())],
                [self.output],
                Some(options),
            )
            .map_err(EngineError::new)?;
        let (shape, data) = output
            .into_shape_vec::<f32, 3>()
            .map_err(EngineError::new)?;
        Ok(Tensor {
            shape: shape.to_vec(),
            data,
        })
    }
}
