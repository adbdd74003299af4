//! Parameters of an `http` backend: any server that takes JSON, a form or a file, and answers with
//! JSON.
//!
//! Times are in seconds, sizes in bytes. Knows nothing of the protocol.

use crate::recipe::http::mapping::MappingSpec;
use crate::recipe::load::value;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value as Json;
use std::time::Duration;

/// Parameters of an `http` backend.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSpec {
    /// The address that requests are sent to.
    #[serde(deserialize_with = "value::optional")]
    pub url: Option<String>,
    /// How they are sent.
    pub method: HttpMethod,
    /// In what form `request` travels.
    pub body: BodyForm,
    /// The variable that holds the key, sent as a bearer token to this machine and to hosts that
    /// `--allow-host` names; no key is sent where it is absent.
    #[serde(deserialize_with = "value::optional")]
    pub api_key_env: Option<String>,
    /// The header that carries the key as it is, where that is not `authorization` with a bearer
    /// token.
    #[serde(deserialize_with = "value::header")]
    pub api_key_header: Option<String>,
    /// Headers of every request: templates by name.
    #[serde(skip)]
    pub headers: Json,
    /// What follows the `?` of every request's address: templates by name.
    #[serde(skip)]
    pub query: Json,
    /// Whether an answer is one: an expression over `status` and `output`, which is the JSON that
    /// came or `none`. Where absent, those with a status from 200 to 299 are.
    #[serde(deserialize_with = "value::some_expression")]
    pub ok: Option<String>,
    /// Whether to ask again: an expression over the same. Where absent, the status says.
    #[serde(deserialize_with = "value::some_expression")]
    pub retry_if: Option<String>,
    /// For one request.
    #[serde(deserialize_with = "value::timeout")]
    #[schemars(with = "f64")]
    pub request_timeout: Duration,
    /// How the server is asked and understood by a stage that does not say so itself.
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
            method: HttpMethod::default(),
            body: BodyForm::default(),
            api_key_env: None,
            api_key_header: None,
            headers: Json::Null,
            query: Json::Null,
            ok: None,
            retry_if: None,
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

/// How a request is sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// As nearly all servers of models want it.
    #[default]
    Post,
    /// In place of what is there.
    Put,
    /// As a change of what is there.
    Patch,
}

impl HttpMethod {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
        }
    }
}

/// In what form a request travels.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyForm {
    /// JSON.
    #[default]
    Json,
    /// Multipart, a field for each of `request`; `{{ file }}` is a file.
    Form,
    /// The frame or the sound itself, and nothing else.
    File,
}
