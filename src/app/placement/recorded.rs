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
        let replay = StageReplay {
            recipe,
            id,
            recorded: cassette.stage(id).and_then(|stage| stage.place.as_ref()),
        };
        let place = match inference {
            Inference::Yolo(spec, declared) => replay.yolo(spec, declared.as_ref())?,
            Inference::Whisper(spec, declared) => replay.whisper(spec, declared.as_ref())?,
            Inference::Http(spec, server) => on_http(&spec.backend, spec.model.clone(), server),
        };
        placements.place(id, place);
        if let Inference::Yolo(..) = inference {
            placements.name_classes(recipe, id)?;
        }
    }
    Ok(placements)
}

// A stage, and where it was recorded.
struct StageReplay<'a> {
    recipe: &'a CheckedRecipe,
    id: &'a StageId,
    recorded: Option<&'a CassettePlace>,
}

impl StageReplay<'_> {
    fn yolo(&self, spec: &YoloSpec, declared: Option<&YoloBackend>) -> Result<Placement, AppError> {
        let is_here = spec.model.is_some() || spec.backend.as_str() == BackendKind::Local.word();
        match declared {
            Some(YoloBackend::Runpod(server)) => Ok(on_runpod(&spec.backend, server)),
            Some(YoloBackend::Http(server)) => {
                Ok(on_http(&spec.backend, spec.model.clone(), server))
            }
            Some(YoloBackend::Local(local)) => self.detector(spec, Some(local)),
            None if is_here => self.detector(spec, None),
            None => match self.recorded {
                Some(CassettePlace::Local(_)) => self.detector(spec, None),
                other => Ok(as_recorded(other)),
            },
        }
    }

    fn whisper(
        &self,
        spec: &WhisperSpec,
        declared: Option<&WhisperBackend>,
    ) -> Result<Placement, AppError> {
        let is_here = spec.backend.as_str() == BackendKind::Local.word()
            || self.path("model").is_some_and(Path::is_dir);
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
            Some(WhisperBackend::Local(local)) => self.voice(spec, Some(local)),
            None if is_here => self.voice(spec, None),
            None => match self.recorded {
                Some(CassettePlace::Local(_)) => self.voice(spec, None),
                other => Ok(as_recorded(other)),
            },
        }
    }

    fn detector(
        &self,
        spec: &YoloSpec,
        declared: Option<&LocalSpec>,
    ) -> Result<Placement, AppError> {
        let source = match self.path("model") {
            Some(path) => ModelSource::File(path.to_owned()),
            None => ModelSource::Demo,
        };
        let found = model_facts(&source, self.path("names"));
        let model = self.model(spec.model.as_deref(), found)?;
        Ok(LocalBackend::replayed(&spec.backend, declared).placement(model, None))
    }

    fn voice(
        &self,
        spec: &WhisperSpec,
        declared: Option<&LocalSpec>,
    ) -> Result<Placement, AppError> {
        let source = match self.path("model") {
            Some(path) => SpeechModelSource::Folder(path.to_owned()),
            None => SpeechModelSource::Demo,
        };
        let model = self.model(spec.model.as_deref(), speech_model_facts(&source))?;
        Ok(LocalBackend::replayed(&spec.backend, declared).placement(model, None))
    }

    // What is known of the model that the recipe writes as `written`: what it says where it is here,
    // else what it said then. One of another name is another model.
    fn model(
        &self,
        written: Option<&str>,
        found: Result<ModelFacts, ModelError>,
    ) -> Result<ModelFacts, AppError> {
        match (found, self.recorded, written) {
            (Ok(facts), ..) => Ok(facts.called(written)),
            (Err(ModelError::Missing { .. }), Some(CassettePlace::Local(model)), Some(name))
                if model.is_called(Path::new(name)) =>
            {
                Ok(model.facts(name.to_owned()))
            }
            (Err(error), ..) => Err(unloadable(self.id, &error)),
        }
    }

    fn path(&self, key: &str) -> Option<&Path> {
        self.recipe.path(self.id, key)
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
