//! Submissions: the reply of a server to a request that it accepted.

use crate::name::Ticket;
use serde_json::Value;

/// The server's reply to a request that it accepted.
#[derive(Debug, PartialEq)]
pub enum Submission {
    /// The request is queued; its output can be waited for.
    Ticket(Ticket),
    /// The output came at once.
    Output(Value),
}
