//! One `[backends.NAME]` table.

use crate::diag::Diagnostic;
use crate::name::BackendName;
use crate::recipe::backends::http::HttpSpec;
use crate::recipe::backends::runpod::RunpodSpec;
use crate::recipe::http::mapping::MappingReader;
use crate::recipe::http::mapping::Subject;
use crate::recipe::load::merge::Section;
use crate::recipe::load::read::read;
use crate::recipe::load::stage::Context;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::load::value;
use crate::recipe::recipe::AUTO;
use crate::recipe::recipe::Backend;
use crate::recipe::recipe::BackendSpec;
use crate::recipe::recipe::HTTP;
use crate::recipe::recipe::LOCAL;
use crate::recipe::recipe::OPENAI;
use crate::recipe::recipe::RUNPOD;
use crate::recipe::recipe::YoloSpec;
use serde::de::DeserializeOwned;

type Read = fn(&Context<'_>, Table, &mut Vec<Diagnostic>) -> BackendSpec;

const KINDS: [(&str, Read); 4] = [
    (LOCAL, |_, table, wrong| {
        BackendSpec::Local(read(table, &["kind"], wrong))
    }),
    (RUNPOD, |context, table, wrong| {
        BackendSpec::Runpod(Box::new(runpod(context, table, wrong)))
    }),
    (OPENAI, |_, table, wrong| {
        BackendSpec::Openai(read(table, &["kind"], wrong))
    }),
    (HTTP, |context, table, wrong| {
        BackendSpec::Http(Box::new(http(context, table, wrong)))
    }),
];

// They are rendered for each request and each answer.
const LATER: [&str; 6] = ["request", "answer", "headers", "query", "ok", "retry_if"];

impl Context<'_> {
    fn mapping<'a>(&'a self, wrong: &'a mut Vec<Diagnostic>) -> MappingReader<'a> {
        MappingReader {
            sources: self.sources,
            vars: self.scope.get("vars"),
            place: "backends.NAME",
            params: YoloSpec::default().params().keys().cloned().collect(),
            wrong,
        }
    }
}

fn runpod(context: &Context<'_>, mut table: Table, wrong: &mut Vec<Diagnostic>) -> RunpodSpec {
    let policy = inner(&mut table, "policy", wrong);
    let mut reader = context.mapping(wrong);
    let mapping = reader.detections(&mut table, Subject::Batch);
    let spec: RunpodSpec = read(table, &["kind", "policy", "request", "answer"], wrong);
    RunpodSpec {
        policy,
        mapping,
        ..spec
    }
}

fn http(context: &Context<'_>, mut table: Table, wrong: &mut Vec<Diagnostic>) -> HttpSpec {
    check_headers(&mut table, wrong);
    let mut reader = context.mapping(wrong);
    let mapping = reader.detections(&mut table, Subject::Batch);
    // Any kind of stage may have use for the backend.
    let all = [Subject::Frame, Subject::Batch, Subject::Sound];
    let headers = reader.templates(&mut table, "headers", &all);
    let query = reader.templates(&mut table, "query", &all);
    for key in ["ok", "retry_if"] {
        reader.expression(&table, key, &["status", "output"]);
    }
    let keys = ["kind", "request", "answer", "headers", "query"];
    let spec: HttpSpec = read(table, &keys, wrong);
    HttpSpec {
        mapping,
        headers,
        query,
        ..spec
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

// A table within a table is read by itself, so that a mistake in it is told about its own key.
fn inner<T: DeserializeOwned + Default>(
    table: &mut Table,
    key: &str,
    wrong: &mut Vec<Diagnostic>,
) -> T {
    let Some(entry) = table.take(key) else {
        return T::default();
    };
    match entry.node.value {
        Value::Table(table) => read(table, &[], wrong),
        _ => {
            let what = entry.node.what();
            let span = entry.node.span;
            wrong.push(
                Diagnostic::error(span, format!("`{key}` takes a table, not {what}"))
                    .help(format!("open it with `[backends.NAME.{key}]`")),
            );
            T::default()
        }
    }
}

impl Context<'_> {
    /// Reads a backend; `None` where its name or kind cannot be.
    pub(in crate::recipe) fn backend(
        &self,
        mut section: Section,
        wrong: &mut Vec<Diagnostic>,
    ) -> Option<(BackendName, Backend)> {
        if section.name == AUTO {
            wrong.push(
                Diagnostic::error(section.span, "a backend cannot be called `auto`")
                    .help("`backend = \"auto\"` lets the program choose; take another name"),
            );
            return None;
        }
        self.render(&mut section.keys, &LATER, wrong);
        let (_, read) = section
            .known_kind("backend", &KINDS)
            .map_err(|diagnostic| wrong.push(diagnostic))
            .ok()?;
        section.keys.take("kind");
        let spec = read(self, section.keys, wrong);
        if let BackendSpec::Http(http) = &spec
            && http.url.is_none()
        {
            let message = format!("the backend `{}` has no `url`", section.name);
            wrong.push(
                Diagnostic::error(section.span, message).help(
                    "write where requests go, such as `url = \"http://127.0.0.1:8000/detect\"`",
                ),
            );
        }
        let backend = Backend {
            span: section.span,
            spec,
        };
        Some((BackendName::from(section.name), backend))
    }
}
