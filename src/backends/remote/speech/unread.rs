//! What a user is told of an answer about sound that cannot be read.

use crate::backends::remote::mapping::came;
use crate::backends::transport::redaction::Redaction;
use serde_json::Value;

/// What the user is told of an answer that holds no transcript: what came, and what would be read.
/// `redaction` takes keys out of it.
pub fn unread_help(output: &Value, redaction: &Redaction) -> String {
    format!(
        "{}\n  help: have its handler answer with a list `segments` of `start` and `end`, in seconds, \
         and `text`; `vpipe try` shows a whole answer",
        came(output, redaction)
    )
}
