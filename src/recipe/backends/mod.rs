//! The parameters of each kind of backend, a file a kind.

pub(super) mod backend;
pub(super) mod http;
pub(super) mod openai;
pub(super) mod runpod;
