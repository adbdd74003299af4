//! One `[stages.ID]` table: the keys of the engine, then the parameters of its kind.

use crate::diag::Diagnostic;
use crate::diag::SourceMap;
use crate::diag::Span;
use crate::facts::VideoFacts;
use crate::item::Detection;
use crate::item::Moment;
use crate::item::Size;
use crate::name::StageId;
use crate::name::VideoId;
use crate::recipe::http::mapping::MappingReader;
use crate::recipe::http::mapping::Subject;
use crate::recipe::load::merge::Section;
use crate::recipe::load::read::read;
use crate::recipe::load::render::placed;
use crate::recipe::load::render::render;
use crate::recipe::load::tree::Entry;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::recipe::Input;
use crate::recipe::recipe::MergeSpec;
use crate::recipe::recipe::Port;
use crate::recipe::recipe::Stage;
use crate::recipe::recipe::StageSpec;
use crate::recipe::stages::http::HttpStageSpec;
use crate::recipe::stages::save::SaveSpec;
use crate::recipe::stages::take::TakeSpec;
use crate::recipe::stages::take::values_of_box;
use crate::recipe::stages::take::values_of_facts;
use crate::recipe::tools::suggest::quoted;
use crate::recipe::tools::suggest::suggest;
use crate::template::Condition;
use crate::template::Fault;
use crate::template::Scope;
use crate::template::Template;
use crate::time::Pts;
use crate::time::Ratio;
use std::collections::BTreeMap;
use std::path::Path;

const ENGINE_KEYS: [&str; 2] = ["kind", "inputs"];

// Those of stages that look or listen, which may leave some of it out.
const TAKE_KEYS: [&str; 6] = ["kind", "inputs", "when", "every", "filter", "padding"];
const WHEN_KEYS: [&str; 3] = ["kind", "inputs", "when"];

// A template over `video` is tried on this one when the recipe is read.
const SAMPLE_VIDEO: &str = "videos/sample.mp4";

impl Section {
    /// What it says it is: its `kind`, or its name where it has none.
    pub(in crate::recipe) fn kind(&self) -> Option<&str> {
        match self.keys.get("kind").map(|entry| &entry.node.value) {
            Some(Value::Text(kind)) => Some(kind),
            Some(_) => None,
            None => Some(&self.name),
        }
    }

    /// The one of `kinds` that it is.
    pub(in crate::recipe) fn known_kind<T: Copy>(
        &self,
        what: &str,
        kinds: &[(&'static str, T)],
    ) -> Result<(&'static str, T), Diagnostic> {
        let written = self.keys.get("kind");
        let words = kinds.iter().map(|(word, _)| *word);
        let Some(kind) = self.kind() else {
            let span = written.map_or(self.span, |entry| entry.node.span);
            return Err(Diagnostic::error(span, "`kind` takes a string")
                .help(format!("kinds of {what}: {}", quoted(words))));
        };
        if let Some(known) = kinds.iter().find(|(word, _)| *word == kind) {
            return Ok(*known);
        }
        let help = suggest(kind, words, &format!("kinds of {what}"));
        Err(match written {
            Some(entry) => Diagnostic::error(
                entry.node.span,
                format!("there is no kind of {what} called `{kind}`"),
            )
            .help(help),
            None => Diagnostic::error(
                self.span,
                format!("`{kind}` has no `kind`, and is not the name of one"),
            )
            .help(format!("a name of your own needs `kind = \"...\"`; {help}")),
        })
    }
}

type Read = fn(&Context<'_>, Table, &[Input], &mut Vec<Diagnostic>) -> StageSpec;

/// Every kind of stage, and how its parameters are read.
pub(in crate::recipe) const KINDS: [(&str, Read); 7] = [
    ("extract", |_, table, _, wrong| {
        StageSpec::Extract(read(table, &ENGINE_KEYS, wrong))
    }),
    ("batch", |_, table, _, wrong| {
        StageSpec::Batch(read(table, &ENGINE_KEYS, wrong))
    }),
    ("yolo", |_, table, _, wrong| {
        StageSpec::Yolo(read(table, &TAKE_KEYS, wrong))
    }),
    ("whisper", |_, table, _, wrong| {
        StageSpec::Whisper(read(table, &WHEN_KEYS, wrong))
    }),
    ("http", |context, table, inputs, wrong| {
        StageSpec::Http(Box::new(context.http(table, inputs, wrong)))
    }),
    ("save", |context, table, _, wrong| {
        StageSpec::Save(context.save(table, wrong))
    }),
    ("merge", |context, table, _, wrong| {
        StageSpec::Merge(context.merge(table, wrong))
    }),
];

/// The keys of a stage of `kind` that are rendered for each video, frame or request: where
/// results and files go, and what servers are asked.
pub(in crate::recipe) fn rendered_later(kind: Option<&str>) -> &'static [&'static str] {
    match kind {
        Some("merge") => &["output_dir"],
        Some("save") => &["output_dir", "name"],
        Some("http") => &["request", "answer"],
        _ => &[],
    }
}

/// What a stage is read with.
pub(in crate::recipe) struct Context<'a> {
    pub(in crate::recipe) scope: &'a Scope,
    pub(in crate::recipe) sources: &'a SourceMap,
}

impl Context<'_> {
    /// Reads a stage; `None` where its kind is not known. `inputs` are not looked up yet.
    pub(in crate::recipe) fn stage(
        &self,
        mut section: Section,
        wrong: &mut Vec<Diagnostic>,
    ) -> Option<Stage> {
        let keys = places(&section.keys);
        let later = rendered_later(section.kind());
        self.render(&mut section.keys, later, wrong);
        let (kind, read) = section
            .known_kind("stage", &KINDS)
            .map_err(|diagnostic| wrong.push(diagnostic))
            .ok()?;
        section.keys.take("kind");
        let inputs = section.keys.take("inputs");
        let inputs = inputs.map_or_else(Vec::new, |entry| read_inputs(&entry, wrong));
        let take = self.take(kind, &mut section.keys, wrong);
        let spec = read(self, section.keys, &inputs, wrong);
        if let StageSpec::Http(http) = &spec {
            wrong.extend(keys_of_another(http, &keys));
            if !keys.contains_key("backend") {
                let message = format!("the stage `{}` has no `backend`", section.name);
                wrong.push(Diagnostic::error(section.span, message).help(
                    "declare one with `[backends.NAME]` and `kind = \"http\"`, and name it here",
                ));
            }
        }
        Some(Stage {
            id: StageId::from(section.name),
            span: section.span,
            inputs,
            take,
            spec,
            keys,
        })
    }

    /// Renders the strings of a table, but for the keys of `later`. What cannot be rendered is
    /// struck out.
    pub(in crate::recipe) fn render(
        &self,
        table: &mut Table,
        later: &[&str],
        wrong: &mut Vec<Diagnostic>,
    ) {
        table.0.retain_mut(|entry| {
            if later.contains(&entry.key.as_str()) {
                return true;
            }
            let mistakes = render(&mut entry.node, self.scope, self.sources);
            let good = mistakes.is_empty();
            wrong.extend(mistakes);
            good
        });
    }

    // The keys of a stage that say what it takes; tried, so that a mistake is told at once.
    fn take(&self, kind: &str, table: &mut Table, wrong: &mut Vec<Diagnostic>) -> TakeSpec {
        let keys: &[&str] = match kind {
            "yolo" | "http" => &TAKE_KEYS,
            "whisper" => &WHEN_KEYS,
            _ => &ENGINE_KEYS,
        };
        let own = keys.iter().filter_map(|key| table.take(key));
        let own = Table(own.collect());
        let places = places(&own);
        let mut spec: TakeSpec = read(own, &ENGINE_KEYS, wrong);
        let conditions = [
            ("when", &mut spec.when, values_of_facts(&sample())),
            (
                "filter",
                &mut spec.filter,
                values_of_box(&Detection::default()),
            ),
        ];
        for (key, condition, values) in conditions {
            let Some(written) = condition else { continue };
            *written = Condition::new(written.text(), self.scope.clone());
            if let (Err(fault), Some(&span)) = (written.holds(&values), places.get(key)) {
                wrong.push(placed(fault, written.text(), span, self.sources));
            }
        }
        spec
    }

    fn http(
        &self,
        mut table: Table,
        inputs: &[Input],
        wrong: &mut Vec<Diagnostic>,
    ) -> HttpStageSpec {
        let is_batch =
            |entry: &Entry| matches!(&entry.node.value, Value::Text(text) if text == "batch");
        let takes = |port| inputs.iter().find(|input| input.port == port);
        let about = if takes(Port::Sound).is_some() {
            Subject::Sound
        } else if takes(Port::Boxes).is_some() {
            Subject::Boxes
        } else if table.get("each").is_some_and(is_batch) {
            Subject::Batch
        } else {
            Subject::Frame
        };
        let mut reader = MappingReader {
            sources: self.sources,
            vars: self.scope.get("vars"),
            place: "stages.NAME",
            params: HttpStageSpec::default().params().keys().cloned().collect(),
            wrong,
        };
        let place = inputs.first().map(|input| input.span).unwrap_or_default();
        let mapping = reader.any(&mut table, about, place);
        let keys = [&TAKE_KEYS[..], &["request", "answer"]].concat();
        let spec: HttpStageSpec = read(table, &keys, wrong);
        HttpStageSpec { mapping, ..spec }
    }

    fn merge(&self, table: Table, wrong: &mut Vec<Diagnostic>) -> MergeSpec {
        let written = table.get("output_dir").map(|entry| entry.node.span);
        let mut spec: MergeSpec = read(table, &ENGINE_KEYS, wrong);
        spec.output_dir = Template::new(spec.output_dir.text(), self.scope.clone());
        if let Some(span) = written {
            let folder = spec.folder(Path::new(SAMPLE_VIDEO));
            wrong.extend(self.check_folder(folder, spec.output_dir.text(), span));
        }
        spec
    }

    fn save(&self, table: Table, wrong: &mut Vec<Diagnostic>) -> SaveSpec {
        let written = |key| table.get(key).map(|entry| entry.node.span);
        let (folder_span, name_span) = (written("output_dir"), written("name"));
        let mut spec: SaveSpec = read(table, &ENGINE_KEYS, wrong);
        spec.output_dir = Template::new(spec.output_dir.text(), self.scope.clone());
        spec.name = Template::new(spec.name.text(), self.scope.clone());
        let video = Path::new(SAMPLE_VIDEO);
        if let Some(span) = folder_span {
            wrong.extend(self.check_folder(spec.folder(video), spec.output_dir.text(), span));
        }
        if let Some(span) = name_span {
            let names = sample_moments().map(|moment| spec.file(video, &moment));
            wrong.extend(match names {
                [Err(fault), _] | [_, Err(fault)] => {
                    Some(placed(fault, spec.name.text(), span, self.sources))
                }
                [Ok(one), Ok(other)] if one == other => Some(
                    Diagnostic::error(span, "`name` is the same for every frame")
                        .help("let it hold `{{ frame.index }}`"),
                ),
                [Ok(_), Ok(_)] => None,
            });
        }
        spec
    }

    fn check_folder(
        &self,
        folder: Result<String, Fault>,
        text: &str,
        span: Span,
    ) -> Option<Diagnostic> {
        match folder {
            Ok(folder) if folder.trim().is_empty() => Some(
                Diagnostic::error(span, "`output_dir` comes out empty")
                    .help("write the path of a folder; `.` is the one you are in"),
            ),
            Ok(_) => None,
            Err(fault) => Some(placed(fault, text, span, self.sources)),
        }
    }
}

// What is said about frames is of no use to a stage that takes sound, and so on.
fn keys_of_another(http: &HttpStageSpec, keys: &BTreeMap<String, Span>) -> Vec<Diagnostic> {
    let frames = (&["each", "every", "filter", "padding"][..], "frames");
    let sound = (&["track", "chunk", "codec", "vad_filter"][..], "sound");
    let (others, takes, help): (&[_], _, _) = match http.mapping.about {
        Subject::Frame | Subject::Batch => (
            &[sound],
            "frames",
            "sound is that of an input such as `\"extract.sound\"`",
        ),
        Subject::Sound => (
            &[frames],
            "sound",
            "frames are those of an input such as `\"extract\"`",
        ),
        Subject::Boxes => (
            &[frames, sound, (&["when"], "frames")],
            "what another stage found",
            "the other stage says which frames it takes",
        ),
    };
    let all = others
        .iter()
        .flat_map(|(names, what)| names.iter().map(move |name| (name, what)));
    let written = all.filter_map(|(name, what)| Some((name, what, *keys.get(*name)?)));
    written
        .map(|(name, what, span)| {
            let message = format!("`{name}` is about {what}, and the stage takes {takes}");
            Diagnostic::error(span, message).help(help)
        })
        .collect()
}

// Two frames of one video that differ in everything.
fn sample_moments() -> [Moment; 2] {
    [0, 1].map(|index| Moment {
        video: VideoId(0),
        index,
        frame_number: index * 30,
        pts: Pts(index.cast_signed()),
        seconds: index as f64,
        samples: 1,
        part: None,
    })
}

/// Where each value of a table stands.
fn places(table: &Table) -> BTreeMap<String, Span> {
    let entries = table.0.iter();
    entries
        .map(|entry| (entry.key.clone(), entry.node.span))
        .collect()
}

// What `when` is tried on when the recipe is read.
fn sample() -> VideoFacts {
    VideoFacts {
        id: VideoId(0),
        path: SAMPLE_VIDEO.into(),
        size: Size {
            width: 1920,
            height: 1080,
        },
        duration: Some(60.0),
        fps: Some(Ratio::ONE),
        codec: "h264".to_owned(),
        rotation: 0,
        has_sound: true,
        expected_frames: Some(60),
        heard_from: 0.0,
        heard_until: None,
        digest: String::new(),
    }
}

fn read_inputs(entry: &Entry, wrong: &mut Vec<Diagnostic>) -> Vec<Input> {
    let Value::List(items) = &entry.node.value else {
        let what = entry.node.what();
        let help = match &entry.node.value {
            Value::Text(name) => format!("write `inputs = [{name:?}]`"),
            _ => "write the ids of stages, such as `inputs = [\"extract\"]`".to_owned(),
        };
        wrong.push(
            Diagnostic::error(
                entry.node.span,
                format!("`inputs` takes a list, not {what}"),
            )
            .help(help),
        );
        return Vec::new();
    };
    let mut inputs: Vec<Input> = Vec::new();
    for item in items {
        let Value::Text(name) = &item.value else {
            let what = item.what();
            wrong.push(
                Diagnostic::error(
                    item.span,
                    format!("an input is the id of a stage, not {what}"),
                )
                .help("write it in quotes, such as `inputs = [\"extract\"]`"),
            );
            continue;
        };
        // Names have no dots, so the first one is before the port.
        let (stage, port) = match name.split_once('.') {
            None => (name.as_str(), Ok(Port::Main)),
            Some((stage, "crops")) => (stage, Ok(Port::Crops)),
            Some((stage, "boxes")) => (stage, Ok(Port::Boxes)),
            Some((stage, "sound")) => (stage, Ok(Port::Sound)),
            Some((stage, port)) => (stage, Err(port)),
        };
        let port = port.unwrap_or_else(|port| {
            wrong.push(
                Diagnostic::error(item.span, format!("there is no `{port}` of a stage")).help(
                    suggest(
                        port,
                        ["crops", "boxes", "sound"],
                        "what can be named after a stage and a dot",
                    ),
                ),
            );
            Port::Main
        });
        let stage = StageId::from(stage);
        match inputs
            .iter()
            .find(|input| input.stage == stage && input.port == port)
        {
            Some(first) => wrong.push(
                Diagnostic::error(item.span, format!("`{name}` is named twice in `inputs`"))
                    .also(first.span, "the first time")
                    .help("remove one of them"),
            ),
            None => inputs.push(Input {
                stage,
                port,
                span: item.span,
            }),
        }
    }
    inputs
}
