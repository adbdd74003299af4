//! Placements of a replay: every stage is where its cassette says it was, and nothing is built that
//! could ask anyone.
//!
//! What the recipe says of a backend holds; `auto` is what it came to then. A model is the one on
//! this machine where it is here, so that a changed one is told, and else the recorded one.

use crate::app::error::AppError;
use crate::app::placement::placements::LocalBackend;
use crate::app::placement::placements::Placements;
use crate::app::placement::placements::unloadable;
use crate::backends::models::ModelError;
use crate::backends::models::ModelSource;
use crate::backends::models::model_facts;
use crate::backends::models::whisper::SpeechModelSource;
use crate::backends::models::whisper::speech_model_facts;
use crate::backends::remote::runpod;
use crate::engine::cassette::Cassette;
use crate::engine::cassette::CassettePlace;
use crate::facts::Encoding;
use crate::facts::ModelFacts;
use crate::facts::Placement;
use crate::facts::RemoteFacts;
use crate::name::BackendName;
use crate::name::StageId;
use crate::plan::CheckedRecipe;
use crate::recipe::BackendKind;
use crate::recipe::BodyForm;
use crate::recipe::HttpSpec;
use crate::recipe::Inference;
use crate::recipe::LocalSpec;
use crate::recipe::RunpodSpec;
use crate::recipe::ServerSpec;
use crate::recipe::WhisperBackend;
use crate::recipe::WhisperSpec;
use crate::recipe::YoloBackend;
use crate::recipe::YoloSpec;
use crate::stages;
use std::path::Path;

const WHY: &str = "the cassette says so";

/// Where each stage of `recipe` is in a replay of `cassette`.
pub(in crate::app) fn places(
    recipe: &CheckedRecipe,
    cassette: &Cassette,
) -> Result<Placements, AppError> {
    let mut placements = Placements::default();
    for (id, inference) in recipe.inferences() {
        let recorded = cassette.stage(id).and_then(|stage| stage.place.as_ref());
        let place = match inference {
            Inference::Yolo(spec, declared) => yolo(id, spec, declared.as_ref(), recorded)?,
            Inference::Whisper(spec, declared) => whisper(id, spec, declared.as_ref(), recorded)?,
            Inference::Http(spec, server) => on_http(&spec.backend, spec.model.clone(), server),
        };
        placements.place(id, place);
        if let Inference::Yolo(spec, _) = inference {
            placements.name_classes(id, spec)?;
        }
    }
    Ok(placements)
}

fn yolo(
    id: &StageId,
    spec: &YoloSpec,
    declared: Option<&YoloBackend>,
    recorded: Option<&CassettePlace>,
) -> Result<Placement, AppError> {
    let is_here = spec.model.is_some() || spec.backend.as_str() == BackendKind::Local.word();
    match declared {
        Some(YoloBackend::Runpod(server)) => Ok(on_runpod(&spec.backend, server)),
        Some(YoloBackend::Http(server)) => Ok(on_http(&spec.backend, spec.model.clone(), server)),
        Some(YoloBackend::Local(local)) => detector(id, spec, Some(local), recorded),
        None if is_here => detector(id, spec, None, recorded),
        None => match recorded {
            Some(CassettePlace::Local(_)) => detector(id, spec, None, recorded),
            other => Ok(as_recorded(other)),
        },
    }
}

fn whisper(
    id: &StageId,
    spec: &WhisperSpec,
    declared: Option<&WhisperBackend>,
    recorded: Option<&CassettePlace>,
) -> Result<Placement, AppError> {
    let is_folder = |model: &String| Path::new(model).is_dir();
    let is_here = spec.backend.as_str() == BackendKind::Local.word()
        || spec.model.as_ref().is_some_and(is_folder);
    match declared {
        Some(WhisperBackend::Runpod(server)) => Ok(on_runpod(&spec.backend, server)),
        Some(WhisperBackend::Openai(server)) => {
            let model = stages::transcription_params(spec).model;
            let place = remote(&spec.backend, Some(model), &server.server);
            Ok(Placement::Remote(RemoteFacts {
                max_body: server.max_body,
                encoding: Encoding::Raw,
                ..place
            }))
        }
        Some(WhisperBackend::Local(local)) => voice(id, spec, Some(local), recorded),
        None if is_here => voice(id, spec, None, recorded),
        None => match recorded {
            Some(CassettePlace::Local(_)) => voice(id, spec, None, recorded),
            other => Ok(as_recorded(other)),
        },
    }
}

// A stage that the cassette does not know is placed where it can be asked, and so is missed.
fn as_recorded(recorded: Option<&CassettePlace>) -> Placement {
    match recorded {
        Some(CassettePlace::Skipped { why }) => Placement::Skipped { why: why.clone() },
        Some(CassettePlace::Remote { backend, .. }) => on_runpod(backend, &RunpodSpec::default()),
        Some(CassettePlace::Local(_)) | None => {
            on_runpod(&BackendKind::Runpod.word().into(), &RunpodSpec::default())
        }
    }
}

fn detector(
    id: &StageId,
    spec: &YoloSpec,
    declared: Option<&LocalSpec>,
    recorded: Option<&CassettePlace>,
) -> Result<Placement, AppError> {
    let source = match &spec.model {
        Some(model) => ModelSource::File(model.into()),
        None => ModelSource::Demo,
    };
    let names = spec.names.as_deref().map(Path::new);
    let found = model_facts(&source, names);
    let model = model(id, source.to_string(), found, recorded)?;
    Ok(LocalBackend::of(&spec.backend, declared).placement(model))
}

fn voice(
    id: &StageId,
    spec: &WhisperSpec,
    declared: Option<&LocalSpec>,
    recorded: Option<&CassettePlace>,
) -> Result<Placement, AppError> {
    let source = match &spec.model {
        Some(model) => SpeechModelSource::Folder(model.into()),
        None => SpeechModelSource::Demo,
    };
    let model = model(
        id,
        source.to_string(),
        speech_model_facts(&source),
        recorded,
    )?;
    Ok(LocalBackend::of(&spec.backend, declared).placement(model))
}

// What is known of a model that is called `name`: what it says where it is here, else what it said
// then. One of another name is another model.
fn model(
    id: &StageId,
    name: String,
    found: Result<ModelFacts, ModelError>,
    recorded: Option<&CassettePlace>,
) -> Result<ModelFacts, AppError> {
    match (found, recorded) {
        (Ok(facts), _) => Ok(facts),
        (Err(ModelError::Missing { .. }), Some(CassettePlace::Local(model)))
            if model.is_called(Path::new(&name)) =>
        {
            Ok(model.facts(name))
        }
        (Err(error), _) => Err(unloadable(id, &error)),
    }
}

fn on_runpod(name: &BackendName, spec: &RunpodSpec) -> Placement {
    Placement::Remote(RemoteFacts {
        max_body: runpod::max_body(spec),
        ..remote(name, None, &spec.server)
    })
}

fn on_http(name: &BackendName, model: Option<String>, spec: &HttpSpec) -> Placement {
    Placement::Remote(RemoteFacts {
        max_body: spec.max_body,
        encoding: match spec.body {
            BodyForm::Json => Encoding::Base64,
            BodyForm::Form | BodyForm::File => Encoding::Raw,
        },
        ..remote(name, model, &spec.server)
    })
}

fn remote(backend: &BackendName, model: Option<String>, server: &ServerSpec) -> RemoteFacts {
    RemoteFacts {
        why: WHY.to_owned(),
        backend: backend.clone(),
        host: String::new(),
        model,
        endpoint: None,
        concurrency: server.concurrency,
        max_body: 0,
        encoding: Encoding::Base64,
        attempts: server.attempts,
        retry_time: server.retry_time,
        outage_timeout: server.outage_timeout,
        fleet: None,
        class_names: Vec::new(),
        variables: Vec::new(),
        key: None,
        proxy: None,
    }
}
