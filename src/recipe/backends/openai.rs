//! Parameters of an `openai` backend: any server that speaks OpenAI's API for sound.
//!
//! Times are in seconds, sizes in bytes. Knows nothing of the protocol.

use crate::recipe::load::value;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// Parameters of an `openai` backend.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OpenaiSpec {
    /// The address that ends in `/v1`; where absent, OpenAI's own.
    #[serde(deserialize_with = "value::optional")]
    pub base_url: Option<String>,
    /// The variable that holds the key; where absent, `OPENAI_API_KEY` for OpenAI's own address,
    /// and none for another.
    #[serde(deserialize_with = "value::optional")]
    pub api_key_env: Option<String>,
    /// For one request, until its answer is there.
    #[serde(deserialize_with = "value::timeout")]
    #[schemars(with = "f64")]
    pub request_timeout: Duration,
    /// The largest request.
    #[serde(deserialize_with = "value::bytes")]
    pub max_body: usize,
    /// The largest answer that is read.
    #[serde(deserialize_with = "value::bytes")]
    pub max_answer: usize,
    /// Requests of all stages together.
    #[serde(deserialize_with = "value::limit")]
    pub concurrency: Option<usize>,
    /// Attempts at one request, the first included.
    #[serde(deserialize_with = "value::attempts")]
    pub attempts: u32,
    /// How long one request is tried again.
    #[serde(deserialize_with = "value::timeout")]
    #[schemars(with = "f64")]
    pub retry_time: Duration,
}

impl Default for OpenaiSpec {
    fn default() -> Self {
        Self {
            base_url: None,
            api_key_env: None,
            request_timeout: Duration::from_secs(600),
            // What OpenAI takes.
            max_body: 25_000_000,
            max_answer: 64 << 20,
            concurrency: None,
            attempts: 5,
            retry_time: Duration::from_secs(600),
        }
    }
}
