//! `--set`, `--var`, `--without` and the four short flags: the last layer, written on the command
//! line.

use crate::diag::Diagnostic;
use crate::diag::SourceMap;
use crate::diag::Span;
use crate::recipe::kind::StageKind;
use crate::recipe::load::environment::Request;
use crate::recipe::load::merge::Merged;
use crate::recipe::load::parse;
use crate::recipe::load::section::Section;
use crate::recipe::load::tree::Entry;
use crate::recipe::load::tree::Node;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::stages::parameters::ENABLED;
use crate::recipe::tools::suggest::suggest;
use std::path::Path;

// The name of the source that one option is.
pub(in crate::recipe) const COMMAND_LINE: &str = "command line";

/// Applies what `request` changes: the short flags, then `--set`, which is more exact, then
/// `--without` and `--var`. Nothing comes after the folder that it is confined to.
pub(in crate::recipe) fn apply(
    request: &Request,
    merged: &mut Merged,
    sources: &mut SourceMap,
    wrong: &mut Vec<Diagnostic>,
) {
    for flag in flags(request) {
        wrong.extend(flag.apply(merged, sources).err());
    }
    for set in &request.sets {
        wrong.extend(apply_set(set, merged, sources).err());
    }
    for stage in &request.without {
        wrong.extend(apply_without(stage, merged, sources).err());
    }
    for var in &request.vars {
        wrong.extend(apply_var(var, merged, sources).err());
    }
    if let Some(folder) = &request.confined_to {
        confine(folder, merged, sources);
    }
}

fn confine(folder: &str, merged: &mut Merged, sources: &mut SourceMap) {
    let start = sources.add(COMMAND_LINE, folder);
    let span = Span::from(start..start + folder.len());
    for (place, section) in merged.stages.iter_mut().enumerate() {
        let kind = section.kind().and_then(StageKind::of);
        if matches!(kind, Some(StageKind::Merge | StageKind::Save)) {
            // The name of a stage may lead elsewhere.
            let own = Path::new(folder).join(place.to_string());
            section.keys.put(Entry {
                key: "output_dir".to_owned(),
                span,
                node: Node {
                    span,
                    value: Value::Text(own.to_string_lossy().into_owned()),
                },
            });
        }
    }
}

struct Flag {
    option: &'static str,
    kinds: &'static [StageKind],
    key: &'static str,
    text: String,
    value: Value,
}

fn flags(request: &Request) -> Vec<Flag> {
    let flag = |option, kinds, key, text: String, value| Flag {
        option,
        kinds,
        key,
        text,
        value,
    };
    let count = |option, kinds, key, number: u64| {
        let value = i64::try_from(number).unwrap_or(i64::MAX);
        flag(
            option,
            kinds,
            key,
            number.to_string(),
            Value::Integer(value),
        )
    };
    [
        request.fps.map(|fps| {
            flag(
                "--fps",
                &[StageKind::Extract],
                "fps",
                fps.to_string(),
                Value::Float(fps),
            )
        }),
        request
            .max_workers
            .map(|number| count("--max-workers", &[StageKind::Yolo], "concurrency", number)),
        request
            .batch_size
            .map(|number| count("--batch-size", &[StageKind::Batch], "size", number)),
        request.output_dir.clone().map(|folder| {
            let value = Value::Text(folder.clone());
            let kinds = &[StageKind::Merge, StageKind::Save];
            flag("--output-dir", kinds, "output_dir", folder, value)
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

impl Flag {
    fn apply(self, merged: &mut Merged, sources: &mut SourceMap) -> Result<(), Diagnostic> {
        let Self {
            option,
            kinds,
            key,
            text,
            value,
        } = self;
        let line = format!("{option} {text}");
        let end = line.len();
        let start = sources.add(COMMAND_LINE, line);
        let name = Span::from(start..start + option.len());
        let span = Span::from(start + option.len() + 1..start + end);
        let mut of_kind = merged
            .stages
            .iter_mut()
            .filter(|section| {
                let kind = section.kind().and_then(StageKind::of);
                kind.is_some_and(|kind| kinds.contains(&kind))
            })
            .peekable();
        if of_kind.peek().is_none() {
            let kinds = StageKind::list(kinds);
            return Err(Diagnostic::error(
                name,
                format!("the recipe has no {kinds} stage for {option}"),
            )
            .help(format!("leave {option} out, or add such a stage")));
        }
        for section in of_kind {
            section.keys.put(Entry {
                key: key.to_owned(),
                span: name,
                node: Node {
                    span,
                    value: value.clone(),
                },
            });
        }
        Ok(())
    }
}

/// `PATH=VALUE`, taken apart.
struct Assignment<'a> {
    path: Vec<(&'a str, Span)>,
    whole: Span,
    value: &'a str,
    value_start: usize,
}

impl<'a> Assignment<'a> {
    fn parse(option: &str, text: &'a str, sources: &mut SourceMap) -> Result<Self, Diagnostic> {
        let start = sources.add(COMMAND_LINE, format!("{option} {text}")) + option.len() + 1;
        let whole = Span::from(start..start + text.len());
        let Some((path, value)) = text.split_once('=') else {
            return Err(
                Diagnostic::error(whole, format!("{option} is given no value")).help(format!(
                    "write `{option} {}=VALUE`",
                    if text.is_empty() { "NAME" } else { text }
                )),
            );
        };
        let mut position = start;
        let parts = path.split('.').map(|part| {
            let span = Span::from(position..position + part.len());
            position = span.end + 1;
            (part, span)
        });
        Ok(Self {
            path: parts.collect(),
            whole,
            value,
            value_start: start + path.len() + 1,
        })
    }

    fn value_span(&self) -> Span {
        Span::from(self.value_start..self.value_start + self.value.len())
    }
}

fn apply_set(text: &str, merged: &mut Merged, sources: &mut SourceMap) -> Result<(), Diagnostic> {
    let set = Assignment::parse("--set", text, sources)?;
    let (sections, what, name, key) = match set.path.as_slice() {
        path if path.iter().any(|(part, _)| part.is_empty()) => return Err(unnamed(&set)),
        [("vars", _), name] => {
            let node = parse::bare_value(set.value, set.value_start)?;
            let text = match &node.value {
                Value::Text(text) => text,
                _ => set.value,
            };
            return declare(&set, *name, text, &mut merged.vars);
        }
        [("backends", _), name, key] => (&mut merged.backends, "backend", name, key),
        [("stages", _), name, key] | [name, key] => (&mut merged.stages, "stage", name, key),
        [(key, _)] => return Err(without_stage(&set, key, &merged.stages)),
        _ => return Err(unnamed(&set)),
    };
    let section = find(sections, what, *name)?;
    let node = parse::bare_value(set.value, set.value_start)?;
    section.keys.put(Entry {
        key: key.0.to_owned(),
        span: key.1,
        node,
    });
    Ok(())
}

fn apply_without(
    stage: &str,
    merged: &mut Merged,
    sources: &mut SourceMap,
) -> Result<(), Diagnostic> {
    let start = sources.add(COMMAND_LINE, format!("--without {stage}")) + "--without ".len();
    let span = Span::from(start..start + stage.len());
    let section = find(&mut merged.stages, "stage", (stage, span))?;
    section.keys.put(Entry {
        key: ENABLED.to_owned(),
        span,
        node: Node {
            span,
            value: Value::Flag(false),
        },
    });
    Ok(())
}

// A key alone: of the stages that have it, if any.
fn without_stage(set: &Assignment<'_>, key: &str, stages: &[Section]) -> Diagnostic {
    let having = stages.iter().filter(|stage| stage.keys.get(key).is_some());
    let written = having.map(|stage| format!("`--set {}.{key}={}`", stage.name, set.value));
    let written: Vec<String> = written.collect();
    match written.is_empty() {
        true => unnamed(set),
        false => Diagnostic::error(
            set.whole,
            format!("--set does not say which stage's `{key}`"),
        )
        .help(format!("write {}", written.join(" or "))),
    }
}

fn unnamed(set: &Assignment<'_>) -> Diagnostic {
    Diagnostic::error(set.whole, "--set does not name one value").help(
        "write STAGE.KEY=VALUE, such as `--set yolo.conf=0.2`; \
         or backends.NAME.KEY=VALUE, or vars.NAME=VALUE",
    )
}

fn find<'a>(
    sections: &'a mut [Section],
    what: &str,
    (name, span): (&str, Span),
) -> Result<&'a mut Section, Diagnostic> {
    match sections.iter().position(|section| section.name == name) {
        Some(index) => Ok(&mut sections[index]),
        None => {
            let known = sections.iter().map(|section| section.name.as_str());
            Err(
                Diagnostic::error(span, format!("the recipe has no {what} `{name}`"))
                    .help(suggest(name, known, &format!("{what}s of this recipe"))),
            )
        }
    }
}

fn apply_var(text: &str, merged: &mut Merged, sources: &mut SourceMap) -> Result<(), Diagnostic> {
    let var = Assignment::parse("--var", text, sources)?;
    match var.path.as_slice() {
        [name] => declare(&var, *name, var.value, &mut merged.vars),
        _ => Err(
            Diagnostic::error(var.whole, "--var takes the name of one variable")
                .help("write `--var NAME=VALUE`; `--set` changes keys of stages"),
        ),
    }
}

// A variable keeps the type with which it was declared: a version of "1.10" stays text.
fn declare(
    assignment: &Assignment<'_>,
    (name, span): (&str, Span),
    text: &str,
    vars: &mut Table,
) -> Result<(), Diagnostic> {
    let Some(entry) = vars.get_mut(name) else {
        return Err(
            Diagnostic::error(span, format!("the recipe declares no variable `{name}`"))
                .help(suggest(name, vars.keys(), "declared under [vars]")),
        );
    };
    let value = match &entry.node.value {
        Value::Integer(_) | Value::Float(_) => number(text),
        Value::Flag(_) => text.parse().ok().map(Value::Flag),
        _ => Some(Value::Text(text.to_owned())),
    };
    let Some(value) = value else {
        let declared = entry.node.what();
        return Err(Diagnostic::error(
            assignment.value_span(),
            format!("`{name}` cannot be {text:?}"),
        )
        .also(entry.node.span, "declared here")
        .help(format!(
            "the recipe declares it as {declared}: give one of the same type"
        )));
    };
    entry.node = Node {
        span: assignment.value_span(),
        value,
    };
    Ok(())
}

fn number(text: &str) -> Option<Value> {
    let whole = text.parse().ok().map(Value::Integer);
    let any = || {
        text.parse()
            .ok()
            .filter(|x: &f64| x.is_finite())
            .map(Value::Float)
    };
    whole.or_else(any)
}
