//! One `[backends.NAME]` table.

use crate::diag::Diagnostic;
use crate::name::BackendName;
use crate::recipe::http::HttpSpec;
use crate::recipe::mapping::mapping;
use crate::recipe::merge::Section;
use crate::recipe::read::read;
use crate::recipe::runpod::RunpodSpec;
use crate::recipe::spec::AUTO;
use crate::recipe::spec::Backend;
use crate::recipe::spec::BackendSpec;
use crate::recipe::spec::HTTP;
use crate::recipe::spec::LOCAL;
use crate::recipe::spec::OPENAI;
use crate::recipe::spec::RUNPOD;
use crate::recipe::stage::Context;
use crate::recipe::tree::Table;
use crate::recipe::tree::Value;
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
const LATER: [&str; 2] = ["request", "answer"];

fn runpod(context: &Context<'_>, mut table: Table, wrong: &mut Vec<Diagnostic>) -> RunpodSpec {
    let policy = inner(&mut table, "policy", wrong);
    let vars = context.scope.get("vars");
    let mapping = mapping(&mut table, vars, context.sources, wrong);
    let spec: RunpodSpec = read(table, &["kind", "policy", "request", "answer"], wrong);
    RunpodSpec {
        policy,
        mapping,
        ..spec
    }
}

fn http(context: &Context<'_>, mut table: Table, wrong: &mut Vec<Diagnostic>) -> HttpSpec {
    let vars = context.scope.get("vars");
    let mapping = mapping(&mut table, vars, context.sources, wrong);
    let spec: HttpSpec = read(table, &["kind", "request", "answer"], wrong);
    HttpSpec { mapping, ..spec }
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
    pub(super) fn backend(
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
