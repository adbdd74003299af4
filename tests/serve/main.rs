//! Serving: this program as a server, and what its clients see.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod http;
