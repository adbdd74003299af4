//! The HTTP server on loopback: what clients are told, and what hostile ones cannot do.

pub(crate) mod client;
mod hostile;
mod life;
mod load;
mod process;
mod run;
mod runpod;
pub(crate) mod site;
