//! From a request to a recipe, or to everything that is wrong with it.

use crate::diag::Diagnostic;
use crate::diag::Report;
use crate::diag::SourceMap;
use crate::name::BackendName;
use crate::recipe::backends::http::BodyForm;
use crate::recipe::backends::http::HttpSpec;
use crate::recipe::http::mapping::Subject;
use crate::recipe::load::layers;
use crate::recipe::load::merge::Merged;
use crate::recipe::load::merge::Section;
use crate::recipe::load::merge::merge;
use crate::recipe::load::render;
use crate::recipe::load::set;
use crate::recipe::load::stage::Context;
use crate::recipe::load::world::LoadError;
use crate::recipe::load::world::Request;
use crate::recipe::load::world::World;
use crate::recipe::recipe::AUTO;
use crate::recipe::recipe::Backend;
use crate::recipe::recipe::BackendSpec;
use crate::recipe::recipe::LOCAL;
use crate::recipe::recipe::OPENAI;
use crate::recipe::recipe::RUNPOD;
use crate::recipe::recipe::Recipe;
use crate::recipe::recipe::Stage;
use crate::recipe::recipe::StageSpec;
use crate::recipe::stages::http::HttpStageSpec;
use crate::recipe::tools::suggest::suggest;
use std::collections::BTreeMap;

/// Reads the recipe of `request`: its layers, what the command line changes, its templates,
/// then every key. The graph is not looked at beyond the names in `inputs`.
pub fn load(request: &Request, world: &dyn World) -> Result<Recipe, LoadError> {
    let mut sources = SourceMap::default();
    let layers = match layers::collect(&request.recipe, world, &mut sources)? {
        Ok(layers) => layers,
        Err(diagnostic) => {
            return Err(LoadError::Wrong(Report {
                sources,
                diagnostics: vec![diagnostic],
            }));
        }
    };
    let mut wrong = Vec::new();
    let mut merged = merge(layers, &mut wrong);
    set::apply(request, &mut merged, &mut sources, &mut wrong);
    let recipe = resolve(request, merged, world, sources, &mut wrong);
    if wrong.is_empty() {
        return Ok(recipe);
    }
    wrong.sort_by_key(Diagnostic::span);
    Err(LoadError::Wrong(Report {
        sources: recipe.sources,
        diagnostics: wrong,
    }))
}

fn resolve(
    request: &Request,
    merged: Merged,
    world: &dyn World,
    sources: SourceMap,
    wrong: &mut Vec<Diagnostic>,
) -> Recipe {
    let ids = names(&merged.stages);
    let declared = names(&merged.backends);
    let scope = render::scope_of(merged.vars, &sources, wrong);
    let for_backends = render::with_environment(&scope, world.variables());
    let context = Context {
        scope: &for_backends,
        sources: &sources,
    };
    let backends: BTreeMap<BackendName, Backend> = merged
        .backends
        .into_iter()
        .filter_map(|section| context.backend(section, wrong))
        .collect();
    let context = Context {
        scope: &scope,
        sources: &sources,
    };
    let stages: Vec<Stage> = merged
        .stages
        .into_iter()
        .filter_map(|section| context.stage(section, wrong))
        .collect();
    for stage in &stages {
        check_inputs(stage, &ids, wrong);
        wrong.extend(check_backend(stage, &declared));
        wrong.extend(check_use(stage, &backends));
        wrong.extend(check_end(stage));
    }
    Recipe {
        name: layers::title(&request.recipe),
        description: merged.description,
        stages,
        backends,
        sources,
    }
}

// Those of stages and backends with mistakes too: naming one is not a mistake.
fn names(sections: &[Section]) -> Vec<String> {
    let names = sections.iter().map(|section| section.name.clone());
    names.collect()
}

fn check_inputs(stage: &Stage, ids: &[String], wrong: &mut Vec<Diagnostic>) {
    for input in &stage.inputs {
        let name = input.stage.as_str();
        if !ids.iter().any(|id| id == name) {
            let known = ids
                .iter()
                .map(String::as_str)
                .filter(|id| *id != stage.id.as_str());
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

// A server that listens has no eyes, and one that looks has no ears.
fn check_use(stage: &Stage, backends: &BTreeMap<BackendName, Backend>) -> Option<Diagnostic> {
    let find = |name: &BackendName| backends.get(name).map(|backend| (name.clone(), backend));
    let (name, backend, cannot, kind, help) = match &stage.spec {
        StageSpec::Yolo(yolo) => {
            let (name, backend) = find(&yolo.backend)?;
            let BackendSpec::Openai(_) = backend.spec else {
                return None;
            };
            let help = "name a backend of kind `local`, `runpod` or `http`";
            let cannot = "listens to sound and sees no frames";
            (name, backend, cannot, "openai", help)
        }
        StageSpec::Whisper(whisper) => {
            let (name, backend) = find(&whisper.backend)?;
            let BackendSpec::Http(_) = backend.spec else {
                return None;
            };
            let help =
                "name a backend of kind `openai` or `runpod`, or let a stage of kind `http` ask it";
            let cannot = "is not asked in the words of `whisper`";
            (name, backend, cannot, "http", help)
        }
        StageSpec::Http(http) => {
            let (name, backend) = find(&http.backend)?;
            let kind = match &backend.spec {
                BackendSpec::Http(server) => return check_request(stage, http, server),
                BackendSpec::Local(_) => LOCAL,
                BackendSpec::Runpod(_) => RUNPOD,
                BackendSpec::Openai(_) => OPENAI,
            };
            let help = "name a backend of kind `http`";
            (name, backend, "is no server of your own", kind, help)
        }
        _ => return None,
    };
    let message = format!("`{name}` {cannot}");
    Some(
        Diagnostic::error(stage.key("backend"), message)
            .also(backend.span, format!("its kind is `{kind}`"))
            .help(help),
    )
}

// A file is all of its request; anything else is written.
fn check_request(stage: &Stage, http: &HttpStageSpec, server: &HttpSpec) -> Option<Diagnostic> {
    let is_written = !http.mapping.request.is_null();
    let name = &http.backend;
    match server.body {
        BodyForm::File if is_written => Some(
            Diagnostic::error(
                stage.key("request"),
                format!("`{name}` takes a file and no `request`"),
            )
            .help("what belongs to the file goes into `query` or `headers` of the backend"),
        ),
        BodyForm::File if http.mapping.about == Subject::Boxes => Some(
            Diagnostic::error(
                stage.key("backend"),
                format!("`{name}` takes a file, and what was found is none"),
            )
            .help("name a backend with `body = \"json\"`, which is the usual one"),
        ),
        BodyForm::Json | BodyForm::Form if !is_written => Some(
            Diagnostic::error(stage.span, format!("`{}` asks nothing", stage.id)).help(format!(
                "write what `{name}` is sent, in `[stages.{}.request]`",
                stage.id
            )),
        ),
        BodyForm::Json => http.mapping.names_a_file().then(|| {
            Diagnostic::error(stage.key("request"), "a file cannot travel in JSON").help(
                "write `image` or `sound`, which are text, or `body = \"form\"` for the backend",
            )
        }),
        BodyForm::Form | BodyForm::File => None,
    }
}

fn check_end(stage: &Stage) -> Option<Diagnostic> {
    let StageSpec::Extract(spec) = &stage.spec else {
        return None;
    };
    let end = spec.end.filter(|end| *end <= spec.start)?;
    let (start, end) = (spec.start.as_secs_f64(), end.as_secs_f64());
    let message = format!("`end` is {end} s, which is not after `start`");
    let diagnostic = Diagnostic::error(stage.key("end"), message);
    Some(
        match stage.keys.get("start") {
            Some(span) => diagnostic.also(*span, format!("{start} s")),
            None => diagnostic,
        }
        .help("both count from the first frame of the video; leave `end` out to go on to its end"),
    )
}

fn check_backend(stage: &Stage, declared: &[String]) -> Option<Diagnostic> {
    let backend: &BackendName = match &stage.spec {
        StageSpec::Yolo(spec) => &spec.backend,
        StageSpec::Whisper(spec) => &spec.backend,
        // Told where it is read.
        StageSpec::Http(spec) if spec.backend.as_str().is_empty() => return None,
        StageSpec::Http(spec) => &spec.backend,
        StageSpec::Extract(_) | StageSpec::Batch(_) | StageSpec::Save(_) | StageSpec::Merge(_) => {
            return None;
        }
    };
    let name = backend.as_str();
    let declared = declared.iter().map(String::as_str);
    let usual: &[&str] = match &stage.spec {
        StageSpec::Http(_) => &[],
        _ => &[AUTO, LOCAL],
    };
    let known: Vec<&str> = usual.iter().copied().chain(declared).collect();
    (!known.contains(&name)).then(|| {
        let help = suggest(
            name,
            known,
            "declare it with `[backends.NAME]`, or use one of",
        );
        Diagnostic::error(
            stage.key("backend"),
            format!("there is no backend `{name}`"),
        )
        .help(help)
    })
}
