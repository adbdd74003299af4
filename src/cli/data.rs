//! Data on stdout; that it takes nothing is a matter of the environment.

use crate::app::AppError;
use crate::cli::streams;
use serde_json::Value;

/// Writes one JSON value.
pub(super) fn write_json(value: &Value) -> Result<(), AppError> {
    data(&format!("{value:#}\n"))
}

/// Writes text.
pub(super) fn data(text: &str) -> Result<(), AppError> {
    streams::data(text).map_err(|error| AppError::environment(&error))
}
