//! The parameters of each kind of backend, a file a kind.

pub(super) mod device;
pub(super) mod facts;
pub(super) mod http;
pub(super) mod local;
pub(super) mod openai;
pub(super) mod runpod;
pub(super) mod server;
