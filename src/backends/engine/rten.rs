//! rten: the engine that needs nothing but crates.
//!
//! All sessions share one loaded model; each has its own threads. Half-precision models are
//! computed in single precision, so their tensors look like any others. Knows nothing of frames
//! or sound.

use crate::backends::engine::header::Header;
use crate::backends::engine::heap;
use crate::backends::engine::heap::Account;
use crate::backends::engine::network::EngineError;
use crate::backends::engine::network::Input;
use crate::backends::engine::network::Network;
use crate::backends::engine::network::Onnx;
use crate::backends::engine::network::Session;
use crate::backends::engine::network::Tensor;
use ::rten::Model;
use ::rten::ModelOptions;
use ::rten::RunOptions;
use ::rten::ThreadPool;
use ::rten::Value;
use ::rten::ValueOrView;
use ::rten::ValueView;
use rten_tensor::Layout;
use std::sync::Arc;

struct RtenNetwork {
    model: Arc<Model>,
    threads: usize,
}

struct RtenSession {
    model: Arc<Model>,
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
    ("ConvInteger", "quantise nothing but its MatMul"),
];

/// Loads the model that `header` describes, and charges what that takes to `account`.
pub(in crate::backends) fn load(
    header: &Header,
    onnx: Onnx,
    threads: usize,
    packs_weights: bool,
    account: &'static Account,
) -> Result<Box<dyn Network>, EngineError> {
    for (operator, advice) in WRONG {
        if header.operators.contains(operator) {
            return Err(EngineError(format!(
                "rten gets its operator {operator} wrong; {advice}, or use engine = \"ort\""
            )));
        }
    }
    let mut options = ModelOptions::with_all_ops();
    options.prepack_weights(packs_weights);
    for (name, weights) in onnx.weights {
        options.external_data(&name, weights);
    }
    // What is constant is computed while it is loaded, on threads that all models share.
    charge(::rten::thread_pool(), account);
    let model = options.load(onnx.graph).map_err(EngineError::new)?;
    Ok(Box::new(RtenNetwork {
        model: Arc::new(model),
        threads,
    }))
}

impl Network for RtenNetwork {
    fn session(&self, account: &'static Account) -> Result<Box<dyn Session>, EngineError> {
        let pool = ThreadPool::with_num_threads(self.threads);
        charge(&pool, account);
        Ok(Box::new(RtenSession {
            model: Arc::clone(&self.model),
            pool: Arc::new(pool),
        }))
    }
}

impl Session for RtenSession {
    fn run(
        &mut self,
        inputs: Vec<(String, Input)>,
        outputs: Vec<String>,
    ) -> Result<Vec<Tensor>, EngineError> {
        let id = |name: &String| self.model.node_id(name).map_err(EngineError::new);
        let mut given = Vec::with_capacity(inputs.len());
        for (name, input) in &inputs {
            given.push((id(name)?, value(input)?));
        }
        let wanted = outputs.iter().map(id);
        let wanted = wanted.collect::<Result<Vec<_>, _>>()?;
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.pool)));
        let made = self.model.run(given, &wanted, Some(options));
        let made = made.map_err(EngineError::new)?;
        made.into_iter().map(tensor).collect()
    }
}

// Charges what all threads of `pool` take to `account`.
fn charge(pool: &ThreadPool, account: &'static Account) {
    pool.run(|| rayon::broadcast(|_| heap::charge(account)));
}

fn value(input: &Input) -> Result<ValueOrView<'_>, EngineError> {
    Ok(match input {
        Input::Floats(tensor) => ValueView::from_shape(&tensor.shape, &tensor.data)
            .map_err(EngineError::new)?
            .into(),
        Input::Ids(shape, ids) => ValueView::from_shape(shape, ids.as_slice())
            .map_err(EngineError::new)?
            .into(),
        Input::Places(places) => ValueView::from_shape([places.len()], places.as_slice())
            .map_err(EngineError::new)?
            .into(),
        // Whole numbers stand for truth values in rten.
        Input::Flag(flag) => Value::from_shape([1], vec![i32::from(*flag)])
            .map_err(EngineError::new)?
            .into(),
    })
}

fn tensor(value: Value) -> Result<Tensor, EngineError> {
    let tensor = rten_tensor::Tensor::<f32>::try_from(value).map_err(EngineError::new)?;
    Ok(Tensor {
        shape: tensor.shape().to_vec(),
        data: tensor.into_data(),
    })
}
