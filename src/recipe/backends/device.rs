//! Devices that compute models on this machine, by their words.

use crate::recipe::load::value;
use serde::Deserializer;
use serde::de::Error;
use std::fmt;
use std::str::FromStr;

/// What a model is computed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Device {
    /// The CPU.
    #[default]
    Cpu,
    /// A GPU of NVIDIA, by its number.
    Cuda(u32),
    /// The same by way of TensorRT, which compiles each model first.
    Tensorrt(u32),
    /// What OpenVINO computes on, a CPU or a GPU of Intel.
    Openvino,
    /// What CoreML computes on, by its own choice.
    Coreml,
    /// The first GPU of Windows.
    Directml,
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(number) => write!(f, "cuda:{number}"),
            Self::Tensorrt(number) => write!(f, "tensorrt:{number}"),
            Self::Openvino => f.write_str("openvino"),
            Self::Coreml => f.write_str("coreml"),
            Self::Directml => f.write_str("directml"),
        }
    }
}

/// The device that a backend asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalDevice {
    /// A GPU where the engine has one that works, else the CPU.
    #[default]
    Auto,
    /// This one and no other.
    On(Device),
}

/// A word that stands for no device.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write auto, cpu, cuda:0, tensorrt:0, openvino, coreml or directml")]
pub struct NoDevice;

impl FromStr for LocalDevice {
    type Err = NoDevice;

    fn from_str(text: &str) -> Result<Self, NoDevice> {
        let number = |text: &str| match text.bytes().all(|byte| byte.is_ascii_digit()) {
            true => text.parse().map_err(|_| NoDevice),
            false => Err(NoDevice),
        };
        Ok(Self::On(match text.split_once(':') {
            Some(("cuda", text)) => Device::Cuda(number(text)?),
            Some(("tensorrt", text)) => Device::Tensorrt(number(text)?),
            Some(_) => return Err(NoDevice),
            None => match text {
                "auto" => return Ok(Self::Auto),
                "cpu" => Device::Cpu,
                "cuda" => Device::Cuda(0),
                "tensorrt" => Device::Tensorrt(0),
                "openvino" => Device::Openvino,
                "coreml" => Device::Coreml,
                "directml" => Device::Directml,
                _ => return Err(NoDevice),
            },
        }))
    }
}

/// The device that a key names.
pub(in crate::recipe) fn device<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<LocalDevice, D::Error> {
    let text: String = value::text(deserializer)?;
    text.parse()
        .map_err(|help| D::Error::custom(format!("names no device\n{help}")))
}

#[cfg(test)]
mod tests {
    use super::Device;
    use super::LocalDevice;

    #[test]
    fn a_device_is_read_as_it_is_written() {
        for device in [
            Device::Cpu,
            Device::Cuda(0),
            Device::Tensorrt(3),
            Device::Openvino,
            Device::Coreml,
            Device::Directml,
        ] {
            assert_eq!(device.to_string().parse(), Ok(LocalDevice::On(device)));
        }
        assert_eq!("cuda".parse(), Ok(LocalDevice::On(Device::Cuda(0))));
        assert_eq!("auto".parse(), Ok(LocalDevice::Auto));
        for wrong in [
            "",
            "gpu",
            "CUDA",
            "cuda:",
            "cuda:+1",
            "cuda:-1",
            "cuda:99999999999",
            "cpu:0",
            "cuda:0:1",
        ] {
            assert!(wrong.parse::<LocalDevice>().is_err(), "{wrong}");
        }
    }
}
