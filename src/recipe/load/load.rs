//! From a request to a recipe, or to everything that is wrong with it.

use crate::diag::Diagnostic;
use crate::diag::MOST_TOLD;
use crate::diag::Report;
use crate::diag::SourceMap;
use crate::name::BackendName;
use crate::recipe::backends::facts::AUTO;
use crate::recipe::context::Context;
use crate::recipe::inference::Inference;
use crate::recipe::kind::BackendKind;
use crate::recipe::load::backend::read_backend;
use crate::recipe::load::enabled;
use crate::recipe::load::environment::Environment;
use crate::recipe::load::environment::LoadError;
use crate::recipe::load::environment::Request;
use crate::recipe::load::layers;
use crate::recipe::load::layers::Layer;
use crate::recipe::load::merge::Merged;
use crate::recipe::load::merge::merge;
use crate::recipe::load::paths::Folders;
use crate::recipe::load::render;
use crate::recipe::load::section::Section;
use crate::recipe::load::set;
use crate::recipe::load::stage::read_stage;
use crate::recipe::recipe::Backend;
use crate::recipe::recipe::Recipe;
use crate::recipe::recipe::Stage;
use crate::recipe::tools::suggest::suggest;
use crate::template::Variables;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Reads the recipe of `request`: its layers, what the command line changes, its templates,
/// then every key. The graph is not looked at beyond the names in `inputs`.
pub fn load(request: &Request, environment: &dyn Environment) -> Result<Recipe, LoadError> {
    let mut sources = SourceMap::default();
    let layers = match layers::collect(&request.recipe, environment, &mut sources)? {
        Ok(layers) => layers,
        Err(diagnostic) => {
            return Err(LoadError::Wrong(Report {
                sources,
                diagnostics: vec![diagnostic],
            }));
        }
    };
    let mut wrong = Vec::new();
    let files = layers::files(&layers);
    let command_line = sources.end();
    let texts = layers
        .iter()
        .map(|layer| (layer.start, layer.folder().to_owned()));
    let texts = texts.chain([(command_line, request.folder.clone())]);
    let folders = Folders::new(texts, environment.home());
    let merged = lay(request, layers, &mut sources, &mut wrong);
    let reading = Reading {
        request,
        environment,
        folders: folders.with_variables(&merged.vars),
    };
    let recipe = Recipe {
        files,
        command_line,
        ..resolve(reading, merged, sources, &mut wrong)
    };
    if wrong.is_empty() {
        return Ok(recipe);
    }
    wrong.sort_by_key(Diagnostic::span);
    Err(LoadError::Wrong(Report {
        sources: recipe.sources,
        diagnostics: wrong,
    }))
}

/// `layers` as one recipe, changed as `request` says, without the stages that it leaves out.
pub(in crate::recipe) fn lay(
    request: &Request,
    layers: Vec<Layer>,
    sources: &mut SourceMap,
    wrong: &mut Vec<Diagnostic>,
) -> Merged {
    let mut merged = merge(layers, wrong);
    set::apply(request, &mut merged, sources, wrong);
    enabled::leave_out(&mut merged.stages, wrong);
    merged
}

// What a recipe is read for and with.
struct Reading<'a> {
    request: &'a Request,
    environment: &'a dyn Environment,
    folders: Folders,
}

fn resolve(
    reading: Reading<'_>,
    merged: Merged,
    sources: SourceMap,
    wrong: &mut Vec<Diagnostic>,
) -> Recipe {
    let Reading {
        request,
        environment,
        folders,
    } = reading;
    let ids = Declared::of(&merged.stages);
    let declared = Declared::of(&merged.backends);
    let scope = render::scope_of(merged.vars, &sources, wrong);
    let allowed = request.allowed_variables.iter().cloned();
    let mut variables = Variables::new(environment.variables(), allowed);
    if request.optional_variables {
        variables = variables.optional();
    }
    let context = Context {
        scope: &scope,
        sources: &sources,
        folders: &folders,
    };
    let mut backends: BTreeMap<BackendName, Backend> = BTreeMap::new();
    let mut stages: Vec<Stage> = Vec::new();
    // What is beyond the mistakes that are told is not read.
    for section in merged.backends {
        if wrong.len() < MOST_TOLD {
            backends.extend(read_backend(&context, &variables, section, wrong));
        }
    }
    for section in merged.stages {
        if wrong.len() < MOST_TOLD {
            stages.extend(read_stage(&context, section, wrong));
        }
    }
    for stage in &stages {
        if wrong.len() >= MOST_TOLD {
            break;
        }
        check_inputs(stage, &ids, wrong);
        wrong.extend(check_backend(stage, &declared));
        wrong.extend(Inference::of(stage, &backends).err());
    }
    Recipe {
        name: layers::title(&request.recipe),
        description: merged.description,
        stages: stages.into(),
        backends,
        device: request.device,
        sources,
        files: Vec::new(),
        command_line: usize::MAX,
    }
}

/// The names of stages or backends, in the order of the recipe. Those with mistakes too: naming one
/// is not a mistake.
struct Declared {
    names: Vec<String>,
    sorted: BTreeSet<String>,
}

impl Declared {
    fn of(sections: &[Section]) -> Self {
        let names = sections.iter().map(|section| section.name.clone());
        let names: Vec<String> = names.collect();
        Self {
            sorted: names.iter().cloned().collect(),
            names,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.sorted.contains(name)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }
}

fn check_inputs(stage: &Stage, ids: &Declared, wrong: &mut Vec<Diagnostic>) {
    for input in &stage.inputs {
        let name = input.stage.as_str();
        if !ids.has(name) && wrong.len() < MOST_TOLD {
            let known = ids.names().filter(|id| *id != stage.id.as_str());
            wrong.push(
                Diagnostic::error(input.span, format!("there is no stage `{name}`")).help(suggest(
                    name,
                    known,
                    "stages of this recipe",
                )),
            );
        }
    }
}

fn check_backend(stage: &Stage, declared: &Declared) -> Option<Diagnostic> {
    let name = stage.spec.backend()?.as_str();
    if name.is_empty() {
        // Told where it is read.
        return None;
    }
    let found = [AUTO, BackendKind::Local.word()];
    let usual: &[&str] = if stage.spec.kind().facts().finds_backend {
        &found
    } else {
        &[]
    };
    (!usual.contains(&name) && !declared.has(name)).then(|| {
        let help = suggest(
            name,
            usual.iter().copied().chain(declared.names()),
            "declare it with `[backends.NAME]`, or use one of",
        );
        Diagnostic::error(
            stage.key("backend"),
            format!("there is no backend `{name}`"),
        )
        .help(help)
    })
}
