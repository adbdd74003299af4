//! What of a server that is asked by templates decides its answers: what it is sent, and what is
//! read out of what it says. Not where it is, nor how often it is asked.

use crate::recipe::AnswerShape;
use crate::recipe::AnswerSpec;
use crate::recipe::BodyForm;
use crate::recipe::HttpMethod;
use crate::recipe::HttpSpec;
use crate::recipe::MappingSpec;
use crate::recipe::RecordSpec;
use crate::recipe::TranscriptSpec;
use crate::recipe::YoloBackend;
use crate::template::Condition;
use crate::template::Expressions;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeSet;

/// The names that templates and expressions use.
#[derive(Default)]
pub(super) struct NamesUsed(BTreeSet<String>);

impl NamesUsed {
    /// Adds those of all strings of `json`, which are templates.
    pub(super) fn note_templates(&mut self, json: &Value) {
        match json {
            Value::String(text) => {
                let names = Expressions::default().names_in(text);
                self.0.extend(names.unwrap_or_default());
            }
            Value::Array(items) => items.iter().for_each(|item| self.note_templates(item)),
            Value::Object(fields) => fields.values().for_each(|item| self.note_templates(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Adds those of `text`, which is an expression.
    pub(super) fn note_expression(&mut self, text: &str) {
        let expressions = Expressions::default();
        let names = expressions.compile(text).map(|it| it.names());
        self.0.extend(names.unwrap_or_default());
    }

    /// Whether one of `names` is used, or something that it is a part of.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        names.iter().any(|name| {
            let whole = name.split('.').next().unwrap_or_default();
            let is_within = |used: &String| {
                used == whole || used == name || used.starts_with(&format!("{name}."))
            };
            self.0.iter().any(is_within)
        })
    }

    /// What of `vars` is used.
    pub(super) fn of(&self, vars: &Map<String, Value>) -> Value {
        let mut used = vars.clone();
        used.retain(|name, _| self.has(&[&format!("vars.{name}")]));
        Value::Object(used)
    }
}

/// Whether the requests of a `yolo` stage to `backend` have the value called `name` in them; `None`
/// for the backend of the environment.
pub(in crate::plan) fn requested(backend: Option<&YoloBackend>, name: &str) -> bool {
    let usual = MappingSpec::default();
    let mut used = NamesUsed::default();
    let mapping = match backend {
        Some(YoloBackend::Http(server)) => {
            used.note_templates(&server.headers);
            used.note_templates(&server.query);
            &server.mapping
        }
        Some(YoloBackend::Runpod(server)) => &server.mapping,
        Some(YoloBackend::Local(_)) | None => &usual,
    };
    used.note_templates(&mapping.request);
    used.has(&[name])
}

/// What a server is asked and how its answer is read, with the variables of the recipe in both.
pub(super) fn mapping(spec: &MappingSpec, used: &mut NamesUsed) -> Value {
    let MappingSpec {
        about: _,
        vars,
        request,
        answer,
    } = spec;
    used.note_templates(request);
    let answer = read(answer, used);
    json!({ "request": request, "answer": answer, "vars": used.of(vars) })
}

/// What of an `http` backend decides an answer: what the server is sent beside the request itself,
/// and what passes for an answer. Of its address, the path: it may name the model. What of that is
/// taken from the environment says where the server is, or who asks: the name of the variable counts,
/// and its value, which may be a secret, does not.
pub(super) fn http(spec: &HttpSpec, used: &mut NamesUsed) -> Value {
    let HttpSpec {
        url,
        named_url,
        method,
        body,
        api_key_env: _,
        api_key_header: _,
        headers,
        query,
        ok,
        retry_if: _,
        request_timeout: _,
        mapping: _,
        max_body: _,
        server: _,
    } = spec;
    for templates in [headers, query] {
        used.note_templates(templates);
    }
    if let Some(ok) = ok {
        used.note_expression(ok);
    }
    let method = match method {
        HttpMethod::Post => "post",
        HttpMethod::Put => "put",
        HttpMethod::Patch => "patch",
    };
    let body = match body {
        BodyForm::Json => "json",
        BodyForm::Form => "form",
        BodyForm::File => "file",
    };
    json!({
        "path": named_url.as_deref().or(url.as_deref()).map(path),
        "method": method,
        "body": body,
        "headers": headers,
        "query": query,
        "ok": ok,
    })
}

/// A test of a recipe, with the variables in it.
pub(super) fn condition(condition: &Condition) -> Value {
    let mut used = NamesUsed::default();
    used.note_expression(condition.text());
    let mut terms = json!({
        "test": condition.text().trim(),
        "vars": used.of(&condition.known().get("vars")),
    });
    let regions = condition.regions().iter();
    let regions = regions.filter(|(name, _)| used.has(&[&format!("regions.{name}")]));
    let regions = regions.map(|(name, region)| (name.clone(), points(region.corners())));
    let regions = Map::from_iter(regions);
    if !regions.is_empty() {
        terms["regions"] = regions.into();
    }
    terms
}

/// Points as they are written: a digest is no place for the digits of a float.
pub(super) fn points(points: &[[f64; 2]]) -> Value {
    let points = points.iter();
    let points = points.map(|[x, y]| json!([x.to_string(), y.to_string()]));
    points.collect::<Vec<_>>().into()
}

// What of an address comes behind the host.
fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let place = rest.find('/').and_then(|at| rest.get(at..));
    place.unwrap_or_default()
}

fn read(answer: &AnswerShape, used: &mut NamesUsed) -> Value {
    let (kind, expressions, words) = match answer {
        AnswerShape::Detections(spec) => boxes(spec),
        AnswerShape::Record(RecordSpec { images, fields }) => {
            let fields = fields.iter();
            let mut all: Vec<_> = fields.map(|(name, text)| (name.clone(), text)).collect();
            // A name of the recipe's own cannot hold a space.
            all.push((" images".to_owned(), images));
            ("record", all, Vec::new())
        }
        AnswerShape::Transcript(TranscriptSpec {
            segments,
            start,
            end,
            text,
            language,
        }) => {
            let mut all = named([
                ("start", start),
                ("end", end),
                ("text", text),
                ("language", language),
            ]);
            all.extend(segments.iter().map(|text| ("segments".to_owned(), text)));
            ("transcript", all, Vec::new())
        }
    };
    for (_, text) in &expressions {
        used.note_expression(text);
    }
    let expressions = expressions.into_iter();
    let expressions = expressions.map(|(name, text)| (name, Value::from(text.trim())));
    json!({ "kind": kind, "expressions": Map::from_iter(expressions), "words": words })
}

type Boxes<'a> = (&'static str, Vec<(String, &'a String)>, Vec<Value>);

fn boxes(spec: &AnswerSpec) -> Boxes<'_> {
    let AnswerSpec {
        images,
        objects,
        bbox,
        bbox_format,
        bbox_unit,
        bbox_of,
        class,
        class_name,
        confidence,
    } = spec;
    let expressions = named([
        ("images", images),
        ("objects", objects),
        ("bbox", bbox),
        ("class", class),
        ("class_name", class_name),
        ("confidence", confidence),
    ]);
    let words = vec![json!(bbox_format), json!(bbox_unit), json!(bbox_of)];
    ("boxes", expressions, words)
}

fn named<'a, const N: usize>(all: [(&str, &'a String); N]) -> Vec<(String, &'a String)> {
    let all = all.map(|(name, text)| (name.to_owned(), text));
    all.into_iter().collect()
}
