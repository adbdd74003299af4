//! What every backend has that is a server: keys that several kinds of backends have.
//!
//! Times are in seconds, sizes in bytes. Knows nothing of any protocol.

use crate::diag::Diagnostic;
use crate::recipe::load::read::read;
use crate::recipe::load::tree::Table;
use crate::recipe::load::value;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// How much is asked of a server, and how often.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSpec {
    /// Bytes of the largest answer that is read.
    #[serde(deserialize_with = "value::bytes")]
    pub max_answer: usize,
    /// Requests in flight, of all stages together.
    #[serde(deserialize_with = "value::limit")]
    pub concurrency: Option<usize>,
    /// Attempts at one request, the first one included.
    #[serde(deserialize_with = "value::attempts")]
    pub attempts: u32,
    /// Seconds for which one request is tried again, from its first failure.
    #[serde(deserialize_with = "value::timeout")]
    #[schemars(with = "f64")]
    pub retry_time: Duration,
    /// Seconds for which a server that answers nothing at all is waited for, before the run is
    /// stopped; what is not done then is asked by the next run.
    #[serde(deserialize_with = "value::timeout")]
    #[schemars(with = "f64")]
    pub outage_timeout: Duration,
}

impl Default for ServerSpec {
    fn default() -> Self {
        Self {
            max_answer: 64 << 20,
            concurrency: None,
            attempts: 5,
            retry_time: Duration::from_secs(600),
            outage_timeout: Duration::from_secs(300),
        }
    }
}

impl ServerSpec {
    /// Its keys.
    pub(in crate::recipe) const KEYS: [&str; 5] = [
        "max_answer",
        "concurrency",
        "attempts",
        "retry_time",
        "outage_timeout",
    ];

    /// Reads them out of the table of a backend.
    pub(in crate::recipe) fn read(table: &mut Table, wrong: &mut Vec<Diagnostic>) -> Self {
        read(table.take_all(&Self::KEYS), &[], wrong)
    }
}
