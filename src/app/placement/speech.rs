//! Where a `whisper` stage is placed.
//!
//! On a backend that the recipe names; with a model that is a folder, on this machine; on the
//! endpoint of the environment; with the built-in model where no stage of the recipe has a backend;
//! else it is skipped.

use crate::app::error::AppError;
use crate::app::placement::context::BackendRef;
use crate::app::placement::context::PlacementContext;
use crate::app::placement::context::named_in_recipe;
use crate::app::placement::placements::PlacedServer;
use crate::app::placement::placements::Placements;
use crate::backends::remote::openai;
use crate::backends::remote::openai::Transcriptions;
use crate::backends::transport::access::Access;
use crate::backends::transport::secret::Secret;
use crate::facts::Encoding;
use crate::name::StageId;
use crate::recipe::AUTO;
use crate::recipe::BackendKind;
use crate::recipe::LocalSpec;
use crate::recipe::OpenaiSpec;
use crate::recipe::Recipe;
use crate::recipe::RunpodSpec;
use crate::recipe::WhisperBackend;
use crate::recipe::WhisperSpec;
use crate::recipe::WhisperWorker;
use crate::stages;
use crate::stages::SpeechProtocol;
use std::path::Path;

const ENDPOINT: &str = "RUNPOD_WHISPER_ENDPOINT_ID";

const NO_BACKEND: &str = "it has no backend: set `model` to a folder with Whisper as ONNX, or \
                          RUNPOD_API_KEY and RUNPOD_WHISPER_ENDPOINT_ID in the environment, or \
                          name a backend of kind `openai` or `runpod`";

/// Whether a `whisper` stage has a backend, in the recipe or in the environment.
pub(in crate::app) fn has_backend(whisper: &WhisperSpec, context: &PlacementContext<'_>) -> bool {
    whisper.backend.as_str() != AUTO || whisper.model.is_some() || context.has_endpoint(ENDPOINT)
}

// Whether its model is on this machine, whatever the environment offers.
fn is_here(recipe: &Recipe, id: &StageId, whisper: &WhisperSpec) -> bool {
    whisper.backend.as_str() == BackendKind::Local.word()
        || recipe.path(id, "model").is_some_and(Path::is_dir)
}

impl Placements {
    /// Places a `whisper` stage.
    pub(in crate::app) fn whisper(
        &mut self,
        recipe: &Recipe,
        id: &StageId,
        whisper: &WhisperSpec,
        declared: Option<&WhisperBackend>,
        context: &PlacementContext<'_>,
    ) -> Result<(), AppError> {
        let backend = BackendRef::of(recipe, &whisper.backend, BackendKind::Runpod);
        match declared {
            Some(WhisperBackend::Runpod(spec)) => {
                self.whisper_on_runpod(id, whisper, &backend, spec, context)
            }
            Some(WhisperBackend::Openai(spec)) => {
                self.whisper_on_openai(id, whisper, &backend, spec, context)
            }
            Some(WhisperBackend::Local(spec)) => {
                self.whisper_here(recipe, id, whisper, Some(spec), context)
            }
            None if is_here(recipe, id, whisper) => {
                self.whisper_here(recipe, id, whisper, None, context)
            }
            None if context.has_endpoint(ENDPOINT) => {
                self.whisper_on_runpod(id, whisper, &backend, &RunpodSpec::default(), context)
            }
            // A model that is not found is an error, not a reason to skip the stage.
            None if whisper.model.is_some() || !context.has_backend => {
                self.whisper_here(recipe, id, whisper, None, context)
            }
            None => {
                self.skip(id, NO_BACKEND);
                Ok(())
            }
        }
    }

    fn whisper_here(
        &mut self,
        recipe: &Recipe,
        id: &StageId,
        whisper: &WhisperSpec,
        declared: Option<&LocalSpec>,
        context: &PlacementContext<'_>,
    ) -> Result<(), AppError> {
        let backend = self.local_backend(&whisper.backend, declared, context)?;
        let params = stages::transcribe_params(whisper);
        let mut loading = backend.loading();
        loading.options.packs_weights = params.beam_size > 1;
        let model = recipe.path(id, "model");
        let loaded = self.models.transcriber(id, model, &loading)?;
        let (transcriber, computed) = (loaded.model, loaded.computed);
        self.note(loaded.notices);
        let model = transcriber.facts().clone();
        let model = model.called(whisper.model.as_deref());
        if let Err(message) = transcriber.check(&params) {
            // The built-in model is a default; it is no error that it cannot do what is asked.
            if model.demo && whisper.backend.as_str() == AUTO {
                self.skip(id, NO_BACKEND);
                return Ok(());
            }
            return Err(AppError::Request {
                message,
                help: None,
            });
        }
        if whisper.word_timestamps && !model.demo {
            let name = &model.name;
            self.notices.push(format!(
                "{name} runs on this machine, where word_timestamps = true has no effect"
            ));
        }
        self.place(id, backend.placement(model, Some(computed)));
        self.transcribers.insert(id.clone(), transcriber);
        Ok(())
    }

    // What a server is not asked for is told, not passed over.
    fn tell_unused(&mut self, whisper: &WhisperSpec, place: &str) {
        for (key, is_given) in [
            ("beam_size", whisper.beam_size.is_some()),
            (
                "condition_on_previous_text",
                whisper.condition_on_previous_text.is_some(),
            ),
        ] {
            if is_given {
                self.notices.push(format!("{key} has no effect on {place}"));
            }
        }
    }

    fn whisper_on_runpod(
        &mut self,
        id: &StageId,
        whisper: &WhisperSpec,
        backend: &BackendRef,
        spec: &RunpodSpec,
        context: &PlacementContext<'_>,
    ) -> Result<(), AppError> {
        if whisper.worker == WhisperWorker::Handler {
            self.tell_unused(whisper, "a worker of kind `handler`");
        }
        if let Some(endpoint) = self.endpoint(id, backend, spec, ENDPOINT, context)? {
            let protocol = SpeechProtocol::Worker(whisper.clone());
            let call = stages::speech_call(id, endpoint, protocol);
            self.calls.insert(id.clone(), call);
        }
        Ok(())
    }

    fn whisper_on_openai(
        &mut self,
        id: &StageId,
        whisper: &WhisperSpec,
        backend: &BackendRef,
        spec: &OpenaiSpec,
        context: &PlacementContext<'_>,
    ) -> Result<(), AppError> {
        self.tell_unused(whisper, "a server of kind `openai`");
        let variable = spec.key_variable();
        let key = variable.and_then(|variable| context.variable(variable));
        let base = spec.base_url.as_deref().unwrap_or(openai::DEFAULT_BASE);
        let access = Access {
            base: base.to_owned(),
            shown: backend.template("base_url"),
            key: key.map(Secret::new),
            key_host: openai::HOST,
            allowed: context.allowed_hosts.to_vec(),
            from_recipe: spec.base_url.is_some(),
            shared: context.shared.clone(),
        };
        let params = stages::transcription_params(whisper);
        let server = Transcriptions::new(spec, &access, &params)
            .map_err(|failure| AppError::environment(&failure))?;
        let placed = PlacedServer {
            why: named_in_recipe(&backend.name),
            model: Some(params.model.clone()),
            endpoint: None,
            max_body: spec.max_body,
            encoding: Encoding::Raw,
            fleet: None,
            key: variable.filter(|_| access.key.is_some()).map(str::to_owned),
        };
        self.place_on_server(id, backend, &spec.server, server.route(), placed);
        match variable.filter(|_| access.key.is_none()) {
            Some(variable) => self.lack(backend, variable, "set it to a key of your account"),
            None => {
                let protocol = SpeechProtocol::Transcriptions(params);
                let call = stages::speech_call(id, server, protocol);
                self.calls.insert(id.clone(), call);
            }
        }
        Ok(())
    }
}
