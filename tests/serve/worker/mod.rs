//! A worker of RunPod's and its control plane.

mod answers;
mod ending;
mod faults;
mod harness;
mod pace;
#[cfg(unix)]
mod process;
mod script;
mod stops;
