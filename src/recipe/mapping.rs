//! What a server is sent, and where in what it answers is what was found.
//!
//! A request is JSON whose strings are templates; an answer is read by expressions. Both are
//! checked when the recipe is read, by the names that they use. Knows nothing of servers.

use crate::diag::Diagnostic;
use crate::diag::SourceMap;
use crate::diag::Span;
use crate::diag::did_you_mean;
use crate::recipe::read::read;
use crate::recipe::render;
use crate::recipe::render::placed;
use crate::recipe::spec::YoloSpec;
use crate::recipe::suggest::quoted;
use crate::recipe::tree::Entry;
use crate::recipe::tree::Node;
use crate::recipe::tree::Table;
use crate::recipe::tree::Value;
use crate::recipe::value;
use crate::template::Expressions;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value as Json;
use serde_json::json;
use std::collections::BTreeMap;

/// How a server is asked and understood. By default as the handler that RunPod's users of YOLO
/// have: a list of pictures in, a list of lists of objects out.
#[derive(Clone, Debug)]
pub struct MappingSpec {
    /// The variables of the recipe, `vars` in both.
    pub vars: Map<String, Json>,
    /// The fields of the request. In reach of its strings: `images` (a list of JPEGs in base64),
    /// `params` (see [`YoloSpec::params`]) and `vars`.
    pub request: Json,
    /// Where in the answer is what was found.
    pub answer: AnswerSpec,
}

impl Default for MappingSpec {
    fn default() -> Self {
        Self {
            vars: Map::new(),
            request: json!({
                "images": "{{ images }}",
                "conf": "{{ params.conf }}",
                "iou": "{{ params.iou }}",
                "imgsz": "{{ params.imgsz }}",
                "half": "{{ params.half }}",
                "classes": "{{ params.classes }}",
            }),
            answer: AnswerSpec::default(),
        }
    }
}

/// Where in an answer is what was found: expressions, each over what those above it gave.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerSpec {
    /// In `output`, the list with one entry for each picture that was sent, in its order.
    #[serde(deserialize_with = "value::expression")]
    pub images: String,
    /// In `image`, one of those entries, the list of its objects.
    #[serde(deserialize_with = "value::expression")]
    pub objects: String,
    /// In `object`, one of those, its box: a list of four numbers.
    #[serde(deserialize_with = "value::expression")]
    pub bbox: String,
    /// What the four numbers are.
    pub bbox_format: BoxFormat,
    /// What they are measured in.
    pub bbox_unit: BoxUnit,
    /// Whose pixels they are.
    pub bbox_of: BoxOf,
    /// In `object`, the number of its class.
    #[serde(deserialize_with = "value::expression")]
    pub class: String,
    /// In `object`, the name of its class.
    #[serde(deserialize_with = "value::expression")]
    pub class_name: String,
    /// In `object`, its confidence, from 0 to 1.
    #[serde(deserialize_with = "value::expression")]
    pub confidence: String,
}

impl Default for AnswerSpec {
    fn default() -> Self {
        Self {
            images: "output.detections | default(output.results) | default(output)".to_owned(),
            objects: "image.detections | default(image)".to_owned(),
            bbox: "object.bbox".to_owned(),
            bbox_format: BoxFormat::default(),
            bbox_unit: BoxUnit::default(),
            bbox_of: BoxOf::default(),
            class: "object.class".to_owned(),
            class_name: "object.class_name | default(object.class)".to_owned(),
            confidence: "object.confidence".to_owned(),
        }
    }
}

/// What the four numbers of a box are.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum BoxFormat {
    /// Left, top, right, bottom.
    #[default]
    Xyxy,
    /// Left, top, width, height.
    Xywh,
    /// The centre, width, height.
    Cxcywh,
}

/// What boxes are measured in.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum BoxUnit {
    /// Pixels.
    #[default]
    Pixels,
    /// Shares of the picture's width and height.
    Normalised,
}

/// Whose pixels a box is measured in.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum BoxOf {
    /// Those of the picture that was sent.
    #[default]
    Sent,
    /// Those of the video's own pictures.
    Source,
}

impl YoloSpec {
    /// What a request may say of the stage: `conf, iou, imgsz, half, max_det`, and `classes` and
    /// `model`, which are `none` where the recipe does not set them.
    pub fn params(&self) -> Map<String, Json> {
        // As it was written: the nearest double of 0.15 is not that of the float.
        let share = |share: f32| share.to_string().parse::<f64>().unwrap_or(f64::from(share));
        let classes = (!self.classes.is_empty()).then_some(&self.classes);
        let params = [
            ("conf", json!(share(self.conf))),
            ("iou", json!(share(self.iou))),
            ("imgsz", json!(self.imgsz)),
            ("half", json!(self.half)),
            ("classes", json!(classes)),
            ("max_det", json!(self.max_det)),
            ("model", json!(self.model)),
        ];
        params
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

/// Takes `request` and `answer` out of the table of a backend.
pub(super) fn mapping(
    table: &mut Table,
    vars: Map<String, Json>,
    sources: &SourceMap,
    wrong: &mut Vec<Diagnostic>,
) -> MappingSpec {
    let mut spec = MappingSpec {
        vars,
        ..MappingSpec::default()
    };
    let known = |names: &[&str]| -> BTreeMap<String, Vec<String>> {
        let free = names.iter().map(|name| ((*name).to_owned(), Vec::new()));
        let vars = ("vars".to_owned(), spec.vars.keys().cloned().collect());
        free.chain([vars]).collect()
    };
    let mut checks = Checks {
        sources,
        expressions: Expressions::default(),
        wrong,
    };
    if let Some(table) = checks.opened(table.take("request")) {
        let params = YoloSpec::default().params().keys().cloned().collect();
        let mut known = known(&["images"]);
        known.insert("params".to_owned(), params);
        let node = Node {
            span: Span::default(),
            value: Value::Table(table),
        };
        checks.strings(&node, &known);
        spec.request = render::json(&node);
    }
    if let Some(table) = checks.opened(table.take("answer")) {
        for entry in &table.0 {
            let known = match entry.key.as_str() {
                "images" => known(&["output"]),
                "objects" => known(&["output", "image"]),
                "bbox" | "class" | "class_name" | "confidence" => {
                    known(&["output", "image", "object"])
                }
                _ => continue,
            };
            if let Value::Text(text) = &entry.node.value {
                let bare = text.trim().trim_start_matches("{{").trim_end_matches("}}");
                checks.text(&format!("{{{{{bare}}}}}"), text, entry.node.span, &known);
            }
        }
        spec.answer = read(table, &[], checks.wrong);
    }
    spec
}

// Names, and after the dot those that there are; where the list is empty, anything may follow.
type Known = BTreeMap<String, Vec<String>>;

struct Checks<'a> {
    sources: &'a SourceMap,
    expressions: Expressions,
    wrong: &'a mut Vec<Diagnostic>,
}

impl Checks<'_> {
    fn opened(&mut self, entry: Option<Entry>) -> Option<Table> {
        let entry = entry?;
        let what = entry.node.what();
        match entry.node.value {
            Value::Table(table) => Some(table),
            _ => {
                let (key, span) = (entry.key, entry.node.span);
                self.wrong.push(
                    Diagnostic::error(span, format!("`{key}` takes a table, not {what}"))
                        .help(format!("open it with `[backends.NAME.{key}]`")),
                );
                None
            }
        }
    }

    fn strings(&mut self, node: &Node, known: &Known) {
        match &node.value {
            Value::Text(text) => self.text(text, text, node.span, known),
            Value::List(items) => items.iter().for_each(|item| self.strings(item, known)),
            Value::Table(table) => {
                for entry in &table.0 {
                    self.strings(&entry.node, known);
                }
            }
            Value::Integer(_) | Value::Float(_) | Value::Flag(_) | Value::Time => {}
        }
    }

    // `text` was written as `written` at `span`.
    fn text(&mut self, text: &str, written: &str, span: Span, known: &Known) {
        let names = match self.expressions.names_in(text) {
            Ok(names) => names,
            Err(fault) => return self.wrong.push(placed(fault, written, span, self.sources)),
        };
        for name in names {
            let mut parts = name.split('.');
            let (space, key) = (parts.next().unwrap_or_default(), parts.next());
            let all = || {
                known
                    .iter()
                    .flat_map(|(space, keys)| match keys.as_slice() {
                        [] if space == "vars" => Vec::new(),
                        [] => vec![space.clone()],
                        keys => keys.iter().map(|key| format!("{space}.{key}")).collect(),
                    })
            };
            let is_there = match (known.get(space), key) {
                (None, _) => false,
                (Some(keys), Some(key)) if space == "vars" || !keys.is_empty() => {
                    keys.iter().any(|known| known == key)
                }
                (Some(_), _) => true,
            };
            if !is_there {
                let all: Vec<String> = all().collect();
                let names = || all.iter().map(String::as_str);
                let help = match did_you_mean(&name, names()) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("in reach here: {}", quoted(names())),
                };
                let range = written.find(&name).map(|at| at..at + name.len());
                let place = render::within(range, written, span, self.sources);
                let message = format!("`{name}` is not defined");
                self.wrong
                    .push(Diagnostic::error(place, message).help(help));
            }
        }
    }
}
