//! Parameters of an `http` backend: any server that takes JSON and answers with JSON.
//!
//! Times are in seconds, sizes in bytes. Knows nothing of the protocol.

use crate::recipe::mapping::MappingSpec;
use crate::recipe::value;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// Parameters of an `http` backend.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSpec {
    /// The address that requests are posted to.
    #[serde(deserialize_with = "value::optional")]
    pub url: Option<String>,
    /// The variable that holds the key, sent as a bearer token to this machine and to hosts that
    /// `--allow-host` names; no key is sent where it is absent.
    #[serde(deserialize_with = "value::optional")]
    pub api_key_env: Option<String>,
    /// For one request.
    #[serde(deserialize_with = "value::timeout")]
    #[schemars(with = "f64")]
    pub request_timeout: Duration,
    /// How the server is asked and understood.
    #[serde(skip)]
    pub mapping: MappingSpec,
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

impl Default for HttpSpec {
    fn default() -> Self {
        Self {
            url: None,
            api_key_env: None,
            request_timeout: Duration::from_secs(60),
            mapping: MappingSpec::default(),
            max_body: 20_000_000,
            max_answer: 64 << 20,
            concurrency: None,
            attempts: 5,
            retry_time: Duration::from_secs(600),
        }
    }
}
