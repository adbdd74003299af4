//! Serving: what is answered to jobs; this program as a server and what its clients see, and as a worker
//! at a control plane on which everything goes wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../support/control_plane/mod.rs"]
mod control_plane;
mod handlers;
mod http;
mod refused;
mod support;
mod worker;
