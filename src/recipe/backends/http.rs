//! Parameters of an `http` backend: any server that takes JSON, a form or a file, and answers with
//! JSON.
//!
//! Times are in seconds, sizes in bytes. Knows nothing of the protocol.

use crate::diag::Diagnostic;
use crate::recipe::backends::facts::BackendFacts;
use crate::recipe::backends::facts::BackendTable;
use crate::recipe::backends::server::ServerSpec;
use crate::recipe::context::Context;
use crate::recipe::http::mapping::MappingReader;
use crate::recipe::http::mapping::MappingSpec;
use crate::recipe::http::mapping::Subject;
use crate::recipe::load::read::read;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::load::value;
use crate::recipe::stages::yolo::YoloSpec;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value as Json;
use std::time::Duration;

/// What holds of every backend of the kind.
pub(in crate::recipe) const FACTS: BackendFacts = BackendFacts {
    word: "http",
    rendered_later: &["request", "answer", "headers", "query", "ok", "retry_if"],
};

/// Parameters of an `http` backend.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpSpec {
    /// The address that requests are sent to.
    #[serde(deserialize_with = "value::optional")]
    pub url: Option<String>,
    /// The same with the names of variables of the environment in place of their values, where it
    /// takes some.
    #[serde(skip)]
    pub named_url: Option<String>,
    /// The method of requests.
    pub method: HttpMethod,
    /// What the fields of `request` are sent as.
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
    /// Which answers are a success: an expression over `status` and `output` (the JSON of the
    /// answer, or `none`); those with a status from 200 to 299 where absent.
    #[serde(deserialize_with = "value::some_expression")]
    pub ok: Option<String>,
    /// Which answers are asked for again: an expression over the same; the status decides where
    /// absent.
    #[serde(deserialize_with = "value::some_expression")]
    pub retry_if: Option<String>,
    /// Seconds for one request.
    #[serde(deserialize_with = "value::timeout")]
    #[schemars(with = "f64")]
    pub request_timeout: Duration,
    /// How the server is asked and understood by a stage that does not say so itself.
    #[serde(skip)]
    pub mapping: MappingSpec,
    /// Bytes of the largest request.
    #[serde(deserialize_with = "value::bytes")]
    pub max_body: usize,
    /// How much is asked of the server, and how often.
    #[serde(skip)]
    pub server: ServerSpec,
}

impl Default for HttpSpec {
    fn default() -> Self {
        Self {
            url: None,
            named_url: None,
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
            server: ServerSpec::default(),
        }
    }
}

impl HttpSpec {
    pub(in crate::recipe) fn read(
        context: &Context<'_>,
        mut table: BackendTable<'_>,
        wrong: &mut Vec<Diagnostic>,
    ) -> Self {
        check_headers(&mut table.keys, wrong);
        let server = ServerSpec::read(&mut table.keys, wrong);
        let params = YoloSpec::default().params(&[]);
        let mut reader = MappingReader::of_backend(context, &params, wrong);
        let mapping = reader.detections(&mut table.keys, Subject::Batch);
        // Any kind of stage may have use for the backend.
        let all = [Subject::Frame, Subject::Batch, Subject::Sound];
        let headers = reader.templates(&mut table.keys, "headers", &all);
        let query = reader.templates(&mut table.keys, "query", &all);
        for key in ["ok", "retry_if"] {
            reader.expression(&table.keys, key, &["status", "output"]);
        }
        let own = ["kind", "request", "answer", "headers", "query"];
        let keys = [&own[..], &ServerSpec::KEYS].concat();
        let named_url = table.named.remove("url");
        let spec: Self = read(table.keys, &keys, wrong);
        if !table.written.contains("url") {
            let message = format!("the backend `{}` has no `url`", table.name);
            wrong.push(
                Diagnostic::error(table.span, message).help(
                    "write where requests go, such as `url = \"http://127.0.0.1:8000/detect\"`",
                ),
            );
        }
        Self {
            named_url,
            server,
            mapping,
            headers,
            query,
            ..spec
        }
    }
}

fn check_headers(table: &mut Table, wrong: &mut Vec<Diagnostic>) {
    let headers = table.get_mut("headers").map(|entry| &mut entry.node.value);
    let Some(Value::Table(headers)) = headers else {
        return;
    };
    headers.0.retain(|entry| {
        let free = value::is_free_header(&entry.key);
        if !free {
            let message = format!("the header `{}` cannot be set here", entry.key);
            wrong.push(Diagnostic::error(entry.span, message).help(
                "a key is named with `api_key_env`, what carries it with `api_key_header`; the \
                 headers of the connection and of the body are set for you",
            ));
        }
        free
    });
}

/// How a request is sent.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum HttpMethod {
    /// What nearly all model servers take.
    #[default]
    Post,
    /// For a server that wants it.
    Put,
    /// For a server that wants it.
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
