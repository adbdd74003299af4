//! Mapping: between what a stage asks and finds and the JSON that a server takes and gives.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

/// Bytes as JSON can carry them.
pub fn base64(bytes: &Bytes) -> String {
    STANDARD.encode(bytes)
}
