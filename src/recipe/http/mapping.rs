//! What a server is sent, and where in what it answers is what was found.
//!
//! A request is JSON whose strings are templates; an answer is read by expressions. Both are
//! checked when the recipe is read, by the names that they use. Knows nothing of servers.

use crate::diag::Diagnostic;
use crate::diag::SourceMap;
use crate::diag::Span;
use crate::diag::did_you_mean;
use crate::recipe::context::Context;
use crate::recipe::http::answer::AnswerShape;
use crate::recipe::http::answer::AnswerSpec;
use crate::recipe::http::answer::RecordSpec;
use crate::recipe::http::answer::TranscriptSpec;
use crate::recipe::load::read::read;
use crate::recipe::load::render;
use crate::recipe::load::render::placed;
use crate::recipe::load::tree::Entry;
use crate::recipe::load::tree::Node;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::tools::suggest::quoted;
use crate::template::Expressions;
use serde_json::Map;
use serde_json::Value as Json;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How a server is asked and understood. By default as the handler that RunPod's users of YOLO
/// have: a list of frames in, a list of lists of objects out.
#[derive(Clone, Debug)]
pub struct MappingSpec {
    /// What one request is about.
    pub about: Subject,
    /// The variables of the recipe, `vars` in both.
    pub vars: Arc<Map<String, Json>>,
    /// The fields of the request; `null` where the recipe writes none. In reach of its strings is
    /// what [`Subject::names`] lists, `params` and `vars`.
    pub request: Json,
    /// Where in the answer is what was found.
    pub answer: AnswerShape,
}

impl MappingSpec {
    /// Whether the request holds a file.
    pub fn names_a_file(&self) -> bool {
        let used = Expressions::default().names_in_all(&self.request);
        ["file", "files"].iter().any(|file| used.contains(*file))
    }
}

/// What one request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A frame, or a crop of one.
    Frame,
    /// Frames or crops.
    Batch,
    /// What another stage found in a frame.
    Boxes,
    /// A chunk of sound.
    Sound,
}

impl Subject {
    /// The names that a request may use, and what there is of each where that is known.
    ///
    /// `image` and `sound` are a JPEG or a sound file in base64, `file` is the same as a part of
    /// a form; their plurals are lists. `frame` and `chunk` say which one it is.
    pub fn names(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Self::Frame => &[
                ("image", &[]),
                ("file", &[]),
                ("images", &[]),
                ("files", &[]),
                ("frame", FRAME),
                ("frames", &[]),
                ("video", VIDEO),
            ],
            Self::Batch => &[
                ("images", &[]),
                ("files", &[]),
                ("frames", &[]),
                ("video", VIDEO),
            ],
            Self::Boxes => &[
                ("objects", &[]),
                ("frame", &["index", "frame_number", "seconds"]),
                ("video", VIDEO),
            ],
            Self::Sound => &[
                ("sound", &[]),
                ("file", &[]),
                ("chunk", CHUNK),
                ("video", VIDEO),
            ],
        }
    }
}

const FRAME: &[&str] = &[
    "index",
    "frame_number",
    "seconds",
    "width",
    "height",
    "parent",
];

const CHUNK: &[&str] = &["start", "end"];

// Those of `when`, but for where the file lies: that is nobody else's business.
const VIDEO: &[&str] = &[
    "name",
    "stem",
    "width",
    "height",
    "duration",
    "fps",
    "codec",
    "rotation",
    "has_sound",
    "frames",
];

impl Default for MappingSpec {
    fn default() -> Self {
        Self {
            about: Subject::Batch,
            vars: Arc::default(),
            request: json!({
                "images": "{{ images }}",
                "conf": "{{ params.conf }}",
                "iou": "{{ params.iou }}",
                "imgsz": "{{ params.imgsz }}",
                "half": "{{ params.half }}",
                "classes": "{{ params.classes }}",
            }),
            answer: AnswerShape::default(),
        }
    }
}

/// Reads the tables of a recipe that are templates and expressions: each is checked by the names
/// that it uses.
pub(in crate::recipe) struct MappingReader<'a> {
    sources: &'a SourceMap,
    vars: Arc<Map<String, Json>>,
    /// The table that is read, such as `backends.NAME`.
    place: &'static str,
    /// What a request may say of its stage.
    params: Vec<String>,
    wrong: &'a mut Vec<Diagnostic>,
}

impl<'a> MappingReader<'a> {
    /// Reads those of a backend, whose requests may name `params` of a stage.
    pub(in crate::recipe) fn of_backend(
        context: &Context<'a>,
        params: &Map<String, Json>,
        wrong: &'a mut Vec<Diagnostic>,
    ) -> Self {
        Self {
            sources: context.sources,
            vars: context.scope.get("vars"),
            place: "backends.NAME",
            params: params.keys().cloned().collect(),
            wrong,
        }
    }

    /// Reads those of a stage, whose requests may name `params`.
    pub(in crate::recipe) fn of_stage(
        context: &Context<'a>,
        params: &Map<String, Json>,
        wrong: &'a mut Vec<Diagnostic>,
    ) -> Self {
        Self {
            place: "stages.NAME",
            ..Self::of_backend(context, params, wrong)
        }
    }

    /// Takes `request` and `answer` for detections out of a table.
    pub(in crate::recipe) fn detections(
        &mut self,
        table: &mut Table,
        about: Subject,
    ) -> MappingSpec {
        let usual = MappingSpec::default();
        let request = self.request(table, about).unwrap_or(usual.request);
        MappingSpec {
            about,
            vars: self.vars.clone(),
            request,
            answer: match self.opened(table.take("answer")) {
                Some(answer) => AnswerShape::Detections(self.boxes(answer, &[])),
                None => usual.answer,
            },
        }
    }

    /// Takes `request` and `answer` of a stage that says itself what it asks and wants.
    /// `place` is where it stands.
    pub(in crate::recipe) fn any(
        &mut self,
        table: &mut Table,
        about: Subject,
        place: Span,
    ) -> MappingSpec {
        let request = self.request(table, about).unwrap_or_default();
        let mut answer = self.opened(table.take("answer")).unwrap_or_default();
        let record = answer.get("record").is_some();
        let answer = match about {
            Subject::Sound => {
                if let Some(entry) = answer.take("record") {
                    let message = "answers about sound are transcripts, not records";
                    let wrong = Diagnostic::error(entry.span, message);
                    self.wrong
                        .push(wrong.help("write `segments`, `start`, `end` and `text`"));
                }
                AnswerShape::Transcript(self.transcript(answer))
            }
            Subject::Boxes if !record => {
                let message = "an answer about boxes is a record";
                let wrong = Diagnostic::error(place, message);
                self.wrong
                    .push(wrong.help("name its fields in `[stages.NAME.answer.record]`"));
                AnswerShape::Record(self.record(answer, about))
            }
            Subject::Frame | Subject::Batch | Subject::Boxes if record => {
                AnswerShape::Record(self.record(answer, about))
            }
            Subject::Frame => {
                // One frame was asked about: all of the answer is about it.
                let given = answer.get("images").is_some();
                let mut spec = self.boxes(answer, &["record"]);
                if !given {
                    spec.images = "[output]".to_owned();
                }
                AnswerShape::Detections(spec)
            }
            Subject::Batch | Subject::Boxes => {
                AnswerShape::Detections(self.boxes(answer, &["record"]))
            }
        };
        MappingSpec {
            about,
            vars: self.vars.clone(),
            request,
            answer,
        }
    }

    /// Takes a table whose strings are templates over what a request knows, such as `headers`.
    pub(in crate::recipe) fn templates(
        &mut self,
        table: &mut Table,
        key: &str,
        about: &[Subject],
    ) -> Json {
        let known = self.known_of(about);
        match self.opened(table.take(key)) {
            Some(table) => self.rendered_later(table, &known),
            None => Json::default(),
        }
    }

    /// Checks an expression over these names that stands under `key`.
    pub(in crate::recipe) fn expression(&mut self, table: &Table, key: &str, names: &[&str]) {
        let known = self.known(names);
        if let Some(entry) = table.get(key) {
            self.checks().bare(entry, &known);
        }
    }

    fn request(&mut self, table: &mut Table, about: Subject) -> Option<Json> {
        let known = self.known_of(&[about]);
        let table = self.opened(table.take("request"))?;
        Some(self.rendered_later(table, &known))
    }

    // `keys` are allowed besides.
    fn boxes(&mut self, table: Table, keys: &[&str]) -> AnswerSpec {
        for entry in &table.0 {
            let known = match entry.key.as_str() {
                "images" => self.known(&["output"]),
                "objects" => self.known(&["output", "image"]),
                "bbox" | "class" | "class_name" | "confidence" => {
                    self.known(&["output", "image", "object"])
                }
                _ => continue,
            };
            self.checks().bare(entry, &known);
        }
        read(table, keys, self.wrong)
    }

    fn transcript(&mut self, table: Table) -> TranscriptSpec {
        for entry in &table.0 {
            let known = match entry.key.as_str() {
                "segments" | "language" => self.known(&["output"]),
                "start" | "end" | "text" => self.known(&["output", "segment"]),
                _ => continue,
            };
            self.checks().bare(entry, &known);
        }
        read(table, &[], self.wrong)
    }

    fn record(&mut self, mut table: Table, about: Subject) -> RecordSpec {
        let whole = about != Subject::Batch;
        let images = if whole { "[output]" } else { "output" };
        let mut spec = RecordSpec {
            images: images.to_owned(),
            fields: Vec::new(),
        };
        let known = self.known(&["output", "image"]);
        for entry in self.opened(table.take("record")).unwrap_or_default().0 {
            match &entry.node.value {
                Value::Text(text) => {
                    self.checks().bare(&entry, &known);
                    let bare = bare(text).to_owned();
                    spec.fields.push((entry.key, bare));
                }
                _ => {
                    let (key, what) = (&entry.key, entry.node.what());
                    let message = format!("`{key}` takes an expression, not {what}");
                    let wrong = Diagnostic::error(entry.node.span, message);
                    self.wrong.push(
                        wrong.help("write where in `output` it is, such as `\"output.text\"`"),
                    );
                }
            }
        }
        if let Some(entry) = table.take("images").filter(|_| !whole) {
            let known = self.known(&["output"]);
            self.checks().bare(&entry, &known);
            if let Value::Text(text) = &entry.node.value {
                spec.images = bare(text).to_owned();
            }
        }
        for entry in table.0 {
            let message = format!("there is no key `{}` beside `record`", entry.key);
            let wrong = Diagnostic::error(entry.span, message);
            self.wrong.push(wrong.help(
                "an answer is read as a record or as boxes; a second stage can ask for the other",
            ));
        }
        spec
    }

    fn rendered_later(&mut self, table: Table, known: &Known) -> Json {
        let node = Node {
            span: Span::default(),
            value: Value::Table(table),
        };
        self.checks().strings(&node, known);
        render::json(&node)
    }

    fn opened(&mut self, entry: Option<Entry>) -> Option<Table> {
        let entry = entry?;
        let what = entry.node.what();
        match entry.node.value {
            Value::Table(table) => Some(table),
            _ => {
                let (key, span) = (entry.key, entry.node.span);
                self.wrong.push(
                    Diagnostic::error(span, format!("`{key}` takes a table, not {what}"))
                        .help(format!("open it with `[{}.{key}]`", self.place)),
                );
                None
            }
        }
    }

    fn known(&self, names: &[&str]) -> Known {
        let free = names.iter().map(|name| ((*name).to_owned(), Vec::new()));
        let vars = ("vars".to_owned(), self.vars.keys().cloned().collect());
        free.chain([vars]).collect()
    }

    fn known_of(&self, about: &[Subject]) -> Known {
        let mut known = self.known(&[]);
        for (name, keys) in about.iter().flat_map(|about| about.names()) {
            let keys = keys.iter().map(|&key| key.to_owned()).collect();
            known.insert((*name).to_owned(), keys);
        }
        known.insert("params".to_owned(), self.params.clone());
        known
    }

    fn checks(&mut self) -> Checks<'_> {
        Checks {
            sources: self.sources,
            expressions: Expressions::default(),
            wrong: self.wrong,
        }
    }
}

/// What is within the braces of a text, where it has them.
fn bare(text: &str) -> &str {
    let inner = text.trim();
    let inner = inner
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"));
    inner.unwrap_or(text).trim()
}

// Names, and after the dot those that there are; where the list is empty, anything may follow.
type Known = BTreeMap<String, Vec<String>>;

struct Checks<'a> {
    sources: &'a SourceMap,
    expressions: Expressions,
    wrong: &'a mut Vec<Diagnostic>,
}

impl Checks<'_> {
    // An expression, with or without braces around it.
    fn bare(&mut self, entry: &Entry, known: &Known) {
        if let Value::Text(text) = &entry.node.value {
            let template = format!("{{{{{}}}}}", bare(text));
            self.text(&template, text, entry.node.span, known);
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
