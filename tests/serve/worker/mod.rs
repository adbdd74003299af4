//! A worker of RunPod's and its control plane.

mod answers;
mod ending;
mod faults;
mod harness;
mod pace;
mod script;
mod stops;
