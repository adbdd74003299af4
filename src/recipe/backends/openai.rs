//! Parameters of an `openai` backend: any server that speaks OpenAI's API for sound.
//!
//! Times are in seconds, sizes in bytes. Knows nothing of the protocol.

use crate::diag::Diagnostic;
use crate::recipe::backends::facts::BackendFacts;
use crate::recipe::backends::facts::BackendTable;
use crate::recipe::backends::server::ServerSpec;
use crate::recipe::load::read::read;
use crate::recipe::load::value;
use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

/// What holds of every backend of the kind.
pub(in crate::recipe) const FACTS: BackendFacts = BackendFacts {
    word: "openai",
    rendered_later: &[],
};

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
    /// Seconds for one request, its answer included.
    #[serde(deserialize_with = "value::timeout")]
    #[schemars(with = "f64")]
    pub request_timeout: Duration,
    /// Bytes of the largest request.
    #[serde(deserialize_with = "value::bytes")]
    pub max_body: usize,
    /// How much is asked of the server, and how often.
    #[serde(skip)]
    pub server: ServerSpec,
}

impl Default for OpenaiSpec {
    fn default() -> Self {
        Self {
            base_url: None,
            api_key_env: None,
            request_timeout: Duration::from_secs(600),
            // What OpenAI takes.
            max_body: 25_000_000,
            server: ServerSpec::default(),
        }
    }
}

impl OpenaiSpec {
    /// The variable that holds the key; `None` for a server that gets none. OpenAI's key is for
    /// OpenAI: another server gets the one that is named for it.
    pub fn key_variable(&self) -> Option<&str> {
        let usual = self.base_url.is_none().then_some("OPENAI_API_KEY");
        self.api_key_env.as_deref().or(usual)
    }

    pub(in crate::recipe) fn read(
        mut table: BackendTable<'_>,
        wrong: &mut Vec<Diagnostic>,
    ) -> Self {
        let server = ServerSpec::read(&mut table.keys, wrong);
        let keys = [&["kind"][..], &ServerSpec::KEYS].concat();
        let spec: Self = read(table.keys, &keys, wrong);
        Self { server, ..spec }
    }
}
