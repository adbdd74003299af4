//! A recipe as it is run: all its layers as one text, and where each value came from.

use crate::diag::SourceMap;
use crate::diag::Span;
use crate::recipe::inference::Inference;
use crate::recipe::inference::WhisperBackend;
use crate::recipe::inference::YoloBackend;
use crate::recipe::kind::BackendKind;
use crate::recipe::load::environment::Environment;
use crate::recipe::load::environment::LoadError;
use crate::recipe::load::environment::Request;
use crate::recipe::load::layers;
use crate::recipe::load::load::lay;
use crate::recipe::load::load::load;
use crate::recipe::load::parse;
use crate::recipe::load::render;
use crate::recipe::load::section::Section;
use crate::recipe::load::set::COMMAND_LINE;
use crate::recipe::load::stage::rendered_later;
use crate::recipe::load::tree::Entry;
use crate::recipe::load::tree::Node;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::recipe::Recipe;
use crate::recipe::recipe::Stage;
use crate::recipe::tools::built_in::BuiltIn;
use crate::template::Scope;
use std::path::Path;

const MODEL: &str = "model";

// Where origins begin, so that values stand together.
const MARGIN: usize = 40;

/// All layers of a recipe as one, the values of its stages rendered.
pub(in crate::recipe) struct Laid {
    pub(in crate::recipe) description: Option<String>,
    pub(in crate::recipe) vars: Table,
    pub(in crate::recipe) stages: Vec<Section>,
    /// Their templates may read the environment, so they are as they were written.
    pub(in crate::recipe) backends: Vec<Section>,
    pub(in crate::recipe) sources: SourceMap,
}

/// The recipe of `request`; `None` is never what a recipe without mistakes gives.
pub(in crate::recipe) fn lay_out(
    request: &Request,
    environment: &dyn Environment,
) -> Result<Option<Laid>, LoadError> {
    let recipe = load(request, environment)?;
    // It has no mistakes, so nothing is reported from here on.
    let mut wrong = Vec::new();
    let mut sources = SourceMap::default();
    let Ok(layers) = layers::collect(&request.recipe, environment, &mut sources)? else {
        return Ok(None);
    };
    let merged = lay(request, layers, &mut sources, &mut wrong);
    let scope = render::scope_of(merged.vars.clone(), &sources, &mut wrong);
    let stages = merged.stages.into_iter().map(|section| {
        let later = rendered_later(&section);
        let mut keys = rendered(section.keys.clone(), later, &scope, &sources);
        see_from_here(&mut keys, &section.name, &recipe, environment);
        Section { keys, ..section }
    });
    Ok(Some(Laid {
        description: merged.description,
        stages: stages.collect(),
        vars: rendered(merged.vars, &[], &scope, &sources),
        backends: merged.backends,
        sources,
    }))
}

/// What [`show`] writes besides the recipe.
#[derive(Clone, Copy, Debug, Default)]
pub struct Showing {
    /// Beside each value the text and line that it came from.
    pub origins: bool,
    /// The values of keys that are not written.
    pub built_in: bool,
}

/// The recipe of `request` as one TOML text that means the same by itself: what it extends and what
/// the command line changes is in it, and templates of stages have their values. What is not in it
/// has its built-in value, or is nothing.
///
/// # Errors
///
/// Where the recipe cannot be read or has mistakes.
pub fn show(
    request: &Request,
    environment: &dyn Environment,
    showing: Showing,
) -> Result<String, LoadError> {
    let Some(laid) = lay_out(request, environment)? else {
        return Ok(String::new());
    };
    let built_in = showing.built_in.then(BuiltIn::new);
    let mut page = Page {
        text: "version = 1\n".to_owned(),
        sources: &laid.sources,
        origins: showing.origins,
    };
    if let Some(description) = &laid.description {
        let value = parse::printed_text(description);
        page.text += &format!("description = {value}\n");
    }
    if !laid.vars.0.is_empty() {
        page.text += "\n[vars]\n";
        page.table(&laid.vars);
    }
    for section in &laid.backends {
        page.text += &format!("\n[backends.{}]\n", section.name);
        page.table(&section.keys);
        if let Some((built_in, kind)) = built_in.as_ref().zip(section.kind()) {
            page.rest(&built_in.of_backend(kind), &section.keys);
        }
    }
    for section in &laid.stages {
        page.text += &format!("\n[stages.{}]\n", section.name);
        page.table(&section.keys);
        if let Some((built_in, kind)) = built_in.as_ref().zip(section.kind()) {
            page.rest(&built_in.of_stage(kind), &section.keys);
        }
    }
    Ok(page.text)
}

// Paths that are seen from the folder of another text become those from the working directory, where
// the text of all layers is as good as any of them.
fn see_from_here(keys: &mut Table, stage: &str, recipe: &Recipe, environment: &dyn Environment) {
    let Some(stage) = recipe.stage(&stage.into()) else {
        return;
    };
    let is_home = |text: &str| Path::new(text).starts_with("~");
    for (key, path) in &stage.paths {
        let is_file = key != MODEL || has_model_here(stage, path, recipe, environment);
        if let Some(entry) = keys.get_mut(key)
            && let Value::Text(text) = &mut entry.node.value
            && is_file
            && !is_home(text)
        {
            *text = path.to_string_lossy().into_owned();
        }
    }
}

// Whether the model of a stage is the file or folder at `path`, and not a server's name of one.
fn has_model_here(
    stage: &Stage,
    path: &Path,
    recipe: &Recipe,
    environment: &dyn Environment,
) -> bool {
    match Inference::of(stage, &recipe.backends) {
        Ok(Some(Inference::Yolo(_, backend))) => {
            matches!(backend, None | Some(YoloBackend::Local(_)))
        }
        Ok(Some(Inference::Whisper(_, Some(backend)))) => {
            matches!(backend, WhisperBackend::Local(_))
        }
        Ok(Some(Inference::Whisper(spec, None))) => {
            spec.backend.as_str() == BackendKind::Local.word() || environment.has_folder(path)
        }
        Ok(Some(Inference::Http(..)) | None) | Err(_) => false,
    }
}

fn rendered(mut table: Table, later: &[&str], scope: &Scope, sources: &SourceMap) -> Table {
    for entry in &mut table.0 {
        if !later.contains(&entry.key.as_str()) {
            // Loading has rendered it without a mistake.
            render::render(&mut entry.node, scope, sources);
        }
    }
    table
}

struct Page<'a> {
    text: String,
    sources: &'a SourceMap,
    origins: bool,
}

impl Page<'_> {
    fn table(&mut self, table: &Table) {
        for Entry { key, node, .. } in &table.0 {
            let origin = self.origin(node.span);
            self.line(key, node, origin);
        }
    }

    // What is built in and not `written`.
    fn rest(&mut self, built_in: &Table, written: &Table) {
        for Entry { key, node, .. } in &built_in.0 {
            if written.get(key).is_none() {
                let origin = self.origins.then(|| "built in".to_owned());
                self.line(key, node, origin);
            }
        }
    }

    fn line(&mut self, key: &str, node: &Node, origin: Option<String>) {
        let line = format!("{key} = {}", parse::printed(&node.value));
        self.text += &match origin {
            Some(origin) => format!("{line:MARGIN$} # {origin}\n"),
            None => format!("{line}\n"),
        };
    }

    // `preset default:7`, or the option where it was given on the command line.
    fn origin(&self, span: Span) -> Option<String> {
        let place = self.sources.place(span).filter(|_| self.origins)?;
        Some(if place.source.name == COMMAND_LINE {
            place.source.text.replace('\n', " ")
        } else {
            format!("{}:{}", place.source.name, place.line)
        })
    }
}
