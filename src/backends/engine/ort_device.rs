//! Devices that ONNX Runtime computes on besides the CPU: its execution providers.
//!
//! A provider that was asked for is used or is an error: ONNX Runtime never goes on without it. What
//! a provider does not compute of a model, ONNX Runtime computes on the CPU.

use crate::backends::engine::network::EngineError;
use crate::recipe::Device;
use ::ort::environment::Environment;
use ::ort::ep;
use ::ort::ep::ArenaExtendStrategy;
use ::ort::ep::ExecutionProvider;
use ::ort::ep::ExecutionProviderDispatch;
use ::ort::ep::cuda::ConvAlgorithmSearch;
use ::ort::session::Session;
use ::ort::session::builder::SessionBuilder;

/// A model of one operator on one number, `y = Relu(x)`, to try a device with.
const TRIAL: &[u8] = b"\x08\x08\x42\x02\x10\x11\x3a\x33\
                       \x0a\x0c\x0a\x01x\x12\x01y\x22\x04Relu\
                       \x12\x01g\
                       \x5a\x0f\x0a\x01x\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x01\
                       \x62\x0f\x0a\x01y\x12\x0a\x0a\x08\x08\x01\x12\x04\x0a\x02\x08\x01";

/// Whether the library that is open was built for `device`.
pub(super) fn is_provided(device: Device) -> bool {
    let provided = match device {
        Device::Cpu => Ok(true),
        Device::Cuda(_) => ep::CUDA::is_available(),
        Device::Tensorrt(_) => ep::TensorRT::is_available(),
        Device::Openvino => ep::OpenVINO::is_available(),
        Device::Coreml => ep::CoreML::is_available(),
        Device::Directml => ep::DirectML::is_available(),
    };
    provided.unwrap_or(false)
}

/// Tries whether `device` computes.
pub(super) fn start(environment: &Environment, device: Device) -> Result<(), EngineError> {
    let builder = Session::builder(environment).map_err(EngineError::new)?;
    let trial = on(builder, device, 1)?.commit_from_memory(TRIAL);
    trial.map(|_| ()).map_err(EngineError::new)
}

/// Has the sessions of `builder` compute on `device`, with so many threads where it is a CPU.
pub(super) fn on(
    builder: SessionBuilder,
    device: Device,
    threads: usize,
) -> Result<SessionBuilder, EngineError> {
    let providers = providers(device, threads).into_iter();
    let providers: Vec<_> = providers
        .map(ExecutionProviderDispatch::error_on_failure)
        .collect();
    let builder = match device {
        // It plans its memory itself.
        Device::Directml => builder
            .with_memory_pattern(false)
            .map_err(EngineError::new)?,
        _ => builder,
    };
    builder
        .with_execution_providers(providers)
        .map_err(EngineError::new)
}

/// What computes on `device`, the first first.
fn providers(device: Device, threads: usize) -> Vec<ExecutionProviderDispatch> {
    match device {
        Device::Cpu => Vec::new(),
        Device::Cuda(number) => vec![cuda(number)],
        // What TensorRT does not take.
        Device::Tensorrt(number) => {
            let tensorrt = ep::TensorRT::default().with_device_id(ordinal(number));
            vec![tensorrt.build(), cuda(number)]
        }
        Device::Openvino => {
            let openvino = ep::OpenVINO::default()
                .with_device_type("CPU")
                .with_precision("ACCURACY")
                .with_num_threads(threads);
            vec![openvino.build()]
        }
        Device::Coreml => vec![ep::CoreML::default().build()],
        Device::Directml => vec![ep::DirectML::default().with_device_id(0).build()],
    }
}

// In single precision as it is, since answers of all devices are to be the same; and without a trial of
// every way to convolve at each new size.
fn cuda(number: u32) -> ExecutionProviderDispatch {
    ep::CUDA::default()
        .with_device_id(ordinal(number))
        .with_tf32(false)
        .with_conv_algorithm_search(ConvAlgorithmSearch::Heuristic)
        .with_arena_extend_strategy(ArenaExtendStrategy::SameAsRequested)
        .build()
}

fn ordinal(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// What to do where `device` is not to be had.
pub(super) fn advice(device: Device) -> &'static str {
    match device {
        Device::Cpu => "`pip install onnxruntime`",
        Device::Cuda(_) => {
            "`pip install onnxruntime-gpu` in place of onnxruntime, with CUDA and cuDNN of the versions it \
             names where the system looks for libraries, or set ORT_DYLIB_PATH to such a build"
        }
        Device::Tensorrt(_) => {
            "`pip install onnxruntime-gpu tensorrt`, with CUDA and cuDNN where the system looks for \
             libraries, or set ORT_DYLIB_PATH to such a build"
        }
        Device::Openvino => {
            "`pip install onnxruntime-openvino` in place of onnxruntime, or set ORT_DYLIB_PATH to such a \
             build"
        }
        Device::Coreml => "`pip install onnxruntime` on macOS, whose builds have CoreML",
        Device::Directml => {
            "`pip install onnxruntime-directml` in place of onnxruntime on Windows, or set ORT_DYLIB_PATH \
             to such a build"
        }
    }
}
