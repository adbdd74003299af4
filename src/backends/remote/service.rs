//! A service: one address that takes JSON, a form or a file and answers with JSON, at once.
//!
//! Does not know what is asked or answered.

use crate::backends::remote::speech;
use crate::backends::transport::access::Access;
use crate::backends::transport::access::Route;
use crate::backends::transport::access::hidden;
use crate::backends::transport::form;
use crate::backends::transport::form::Attachment;
use crate::backends::transport::http::OutgoingRequest;
use crate::backends::transport::http::Server;
use crate::backends::transport::json;
use crate::backends::transport::json::JsonError;
use crate::backends::transport::redaction::Redaction;
use crate::backends::transport::reply::Reply;
use crate::exchange::Exchange;
use crate::facts::Encoding;
use crate::failure::Class;
use crate::failure::Failure;
use crate::recipe::BodyForm;
use crate::recipe::HttpSpec;
use crate::recipe::Subject;
use crate::template::Data;
use crate::template::Expressions;
use crate::template::Filled;
use crate::template::Names;
use bytes::Bytes;
use serde_json::Value;
use std::fmt::Write;

/// What the key is for, as users are told: a service has no host of its own.
pub const KEY_HOST: &str = "a server of your own";

/// The address of a service, and what it takes.
#[derive(Debug)]
pub struct Service {
    server: Server,
    path: String,
    // How the address without the query is shown, where it is not shown itself.
    shown: Option<String>,
    spec: HttpSpec,
    expressions: Expressions,
    vars: Data,
    boundary: String,
}

/// What stands before the body of a request.
#[derive(Clone, Debug, Default)]
pub struct Head {
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
}

impl Service {
    /// The service at `access.base`.
    ///
    /// # Errors
    ///
    /// Of class `refused` where that is no address, or the key would go astray.
    pub fn new(spec: &HttpSpec, access: &Access) -> Result<Self, Failure> {
        // The path is sent as it was written.
        let (scheme, rest) = access.base.split_once("://").unwrap_or(("", &access.base));
        let cut = rest.find(['/', '?']).unwrap_or(rest.len());
        let (host, path) = rest.split_at(cut);
        let access = Access {
            base: format!("{scheme}://{host}"),
            ..access.clone()
        };
        Ok(Self {
            server: Server::new(&access, spec.request_timeout, spec.server.max_answer)?,
            path: format!("/{}", path.trim_start_matches('/')),
            shown: access.shown.clone(),
            expressions: Expressions::default(),
            vars: Data::space(&spec.mapping.vars),
            // The same in every run, and nothing that a frame or a sound holds.
            boundary: blake3::hash(access.base.as_bytes()).to_hex().to_string(),
            spec: spec.clone(),
        })
    }

    /// How it is reached.
    pub fn route(&self) -> Route {
        self.server.route()
    }

    /// Takes the keys of the run out of what is told and kept of its answers.
    pub fn redaction(&self) -> &Redaction {
        self.server.redaction()
    }

    /// The host, as users know it.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// Where requests are sent, without key and query.
    pub fn place(&self) -> String {
        let path = self.path.split('?').next().unwrap_or_default();
        let shown = match &self.shown {
            Some(shown) => shown.clone(),
            None => self.server.address(path, &[]).unwrap_or_default(),
        };
        self.server.place(path, shown)
    }

    /// How a request carries the bytes of frames and sound.
    pub fn encoding(&self) -> Encoding {
        match self.spec.body {
            BodyForm::Json => Encoding::Base64,
            BodyForm::Form | BodyForm::File => Encoding::Raw,
        }
    }

    /// What stands before the body of a request that knows `names`.
    ///
    /// # Errors
    ///
    /// Of class `refused` where the recipe's headers or query cannot be made.
    pub fn head(&self, names: &Names) -> Result<Head, Failure> {
        let names = names.clone().with("vars", self.vars.clone());
        Ok(Head {
            query: self.texts("query", &self.spec.query, &names)?,
            headers: self.texts("headers", &self.spec.headers, &names)?,
        })
    }

    /// The body of a request: `input`, in the form that the service takes.
    ///
    /// # Errors
    ///
    /// Of class `too-large` where it has more bytes than the service takes, `refused` where it
    /// cannot be made.
    pub fn body(&self, input: &Filled, files: &[Attachment]) -> Result<Bytes, Failure> {
        let body: Bytes = match self.spec.body {
            BodyForm::Json => serde_json::to_vec(input)
                .map_err(|error| {
                    let why = format!("the request of the recipe is no JSON: {error}");
                    Failure::new(Class::Refused, why)
                })?
                .into(),
            BodyForm::Form => form::encode(input, files, &self.boundary)?.into(),
            BodyForm::File => match files {
                [file] => file.bytes.clone(),
                // One file travels by itself.
                _ => {
                    let why = format!("a request holds one file, not {}", files.len());
                    return Err(Failure::new(Class::TooLarge, why));
                }
            },
        };
        if body.len() > self.spec.max_body {
            let why = format!("the request is larger than {} bytes", self.spec.max_body);
            return Err(Failure::new(Class::TooLarge, why));
        }
        Ok(body)
    }

    /// The answer to a request about files of this type.
    ///
    /// # Errors
    ///
    /// Where there is none that is JSON; the class says whether it is asked for again.
    pub async fn ask(
        &self,
        head: Head,
        body: Bytes,
        media_type: &str,
        exchange: &mut Exchange,
    ) -> Result<Value, Failure> {
        exchange.sent = body.len() as u64;
        let out = OutgoingRequest {
            method: self.spec.method.as_str(),
            path: &self.path,
            query: &head.query,
            headers: &head.headers,
            content_type: &self.content_type(media_type),
            key_header: self.spec.api_key_header.as_deref(),
            body,
        };
        self.read(&self.server.send(&out).await?)
    }

    /// The head of a request about files of this type, for people; the key is not in it.
    ///
    /// # Errors
    ///
    /// Where the recipe's query is too odd for an address.
    pub fn show(&self, head: &Head, media_type: &str) -> Result<String, Failure> {
        let url = self.address(&head.query)?;
        let mut text = format!("{} {url}\n", self.spec.method.as_str());
        if self.server.has_key() {
            let line = match &self.spec.api_key_header {
                Some(name) => format!("{name}: (the key)\n"),
                None => "authorization: Bearer (the key)\n".to_owned(),
            };
            text += &line;
        }
        for (name, value) in &head.headers {
            writeln!(text, "{name}: {value}").unwrap_or_default();
        }
        text += &format!("content-type: {}\n", self.content_type(media_type));
        Ok(text)
    }

    fn address(&self, query: &[(String, String)]) -> Result<String, Failure> {
        let whole = self.server.address(&self.path, query)?;
        let Some(shown) = &self.shown else {
            return Ok(whole);
        };
        let plain = self.server.address(&self.path, &[])?;
        let query = whole.strip_prefix(&plain).unwrap_or_default();
        Ok(format!("{shown}{query}"))
    }

    // The path of the recipe may hold what is not shown.
    fn without_path(&self, failure: Failure) -> Failure {
        let Some(shown) = &self.shown else {
            return failure;
        };
        let message = hidden(&failure.message, &self.path, shown);
        Failure { message, ..failure }
    }

    fn content_type(&self, media_type: &str) -> String {
        match self.spec.body {
            BodyForm::Json => "application/json".to_owned(),
            BodyForm::Form => form::media_type(&self.boundary),
            BodyForm::File => media_type.to_owned(),
        }
    }

    fn texts(
        &self,
        what: &str,
        table: &Value,
        names: &Names,
    ) -> Result<Vec<(String, String)>, Failure> {
        let refused = |why: String| {
            let message = format!("the {what} of the recipe cannot be made: {why}");
            Failure::new(Class::Refused, message)
        };
        let filled = self.expressions.fill(table, names);
        let filled = filled.map_err(|fault| refused(fault.message))?;
        let Filled::Table(fields) = &filled else {
            return Ok(Vec::new());
        };
        let mut texts = Vec::new();
        for (name, value) in fields {
            let value = serde_json::to_value(value).map_err(|error| refused(error.to_string()))?;
            let text = match value {
                Value::String(text) => text,
                other => other.to_string(),
            };
            texts.push((name.clone(), text));
        }
        Ok(texts)
    }

    fn read(&self, reply: &Reply) -> Result<Value, Failure> {
        let output = json::parse(&reply.body);
        let output = output.or_else(|error| match self.spec.mapping.about {
            Subject::Sound => speech::text_of(&reply.body)
                .filter(|_| !reply.is_event_stream())
                .ok_or(error),
            Subject::Frame | Subject::Batch | Subject::Boxes => Err(error),
        });
        let rules = AnswerRules {
            service: self,
            names: Names::default()
                .with("vars", self.vars.clone())
                .with("status", Data::new(&reply.status))
                .with("output", Data::new(&output.as_ref().ok())),
        };
        // What cannot be computed for an answer does not hold for it.
        if let Some(again) = &self.spec.retry_if
            && rules.holds(again).unwrap_or(false)
        {
            let why = format!("{} answers what `retry_if` is for", self.host());
            return Err(paused(Failure::new(Class::Busy, why), reply));
        }
        let is_ok = match &self.spec.ok {
            Some(ok) => rules.holds(ok)?,
            None => (200..300).contains(&reply.status),
        };
        if is_ok {
            return output.map_err(|error| {
                let (host, said) = (self.host(), reply.said());
                let why = match error {
                    JsonError::TooMany => format!("{host} answers with too much: {error}"),
                    JsonError::Syntax(_) if reply.is_event_stream() => {
                        format!("{host} answers with a stream of events{said}")
                    }
                    JsonError::Syntax(error) => {
                        format!("{host} answers with what is no JSON ({error}){said}")
                    }
                };
                Failure::new(Class::BadAnswer, why)
            });
        }
        let host = self.host();
        if let Some(redirect) = reply.redirect(&host) {
            return Err(self.without_path(redirect));
        }
        let said = reply.said();
        let why = match (reply.status, &self.spec.api_key_env) {
            (200..300, _) => format!("{host} answers what is not `ok`{said}"),
            (401 | 403, Some(variable)) => {
                format!(
                    "{host} answers {} to the key in {variable}{said}",
                    reply.status
                )
            }
            (status, _) => format!("{host} answers {status}{said}"),
        };
        Err(paused(Failure::new(class(reply.status), why), reply))
    }
}

fn class(status: u16) -> Class {
    match status {
        408 | 425 | 429 => Class::Busy,
        502..=504 => Class::ServerError,
        413 => Class::TooLarge,
        300..=399 | 401 | 403 | 404 | 405 | 407 | 410 => Class::Refused,
        // 500 is what frameworks say where a handler raised.
        _ => Class::Worker,
    }
}

fn paused(failure: Failure, reply: &Reply) -> Failure {
    match reply.retry_after {
        Some(pause) => failure.retry_after(pause),
        None => failure,
    }
}

// What the recipe says of answers.
struct AnswerRules<'a> {
    service: &'a Service,
    names: Names,
}

impl AnswerRules<'_> {
    fn holds(&self, test: &str) -> Result<bool, Failure> {
        let host = self.service.host();
        let bad = |why: &str| {
            let message = format!("whether the answer of {host} is `ok` cannot be told: {why}");
            Failure::new(Class::BadAnswer, message)
        };
        let test = self.service.expressions.compile(test);
        let holds = test.and_then(|test| test.eval(&self.names));
        let holds = holds.map_err(|fault| bad(&fault.message))?;
        holds
            .truth()
            .ok_or_else(|| bad("it comes to neither true nor false"))
    }
}
