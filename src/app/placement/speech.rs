//! Where a stage that listens is placed.
//!
//! A backend that the recipe names, a model that is a folder, or the endpoint of the environment;
//! where no stage of the recipe has any of them, the built-in voice; else it is skipped with its
//! reason.

use crate::app::error::AppError;
use crate::app::placement::resolve::Named;
use crate::app::placement::resolve::Placed;
use crate::app::placement::resolve::Surroundings;
use crate::app::placement::resolve::here;
use crate::app::placement::resolve::load_options;
use crate::app::placement::resolve::local_backend;
use crate::app::placement::resolve::refused;
use crate::backends::models::whisper::Transcriber;
use crate::backends::models::whisper::VoiceSource;
use crate::backends::remote::openai;
use crate::backends::remote::openai::Transcriptions;
use crate::backends::transport::http::Access;
use crate::backends::transport::http::Secret;
use crate::facts::Placement;
use crate::facts::RemoteFacts;
use crate::name::StageId;
use crate::recipe::AUTO;
use crate::recipe::BackendSpec;
use crate::recipe::LOCAL;
use crate::recipe::OPENAI;
use crate::recipe::OpenaiSpec;
use crate::recipe::RUNPOD;
use crate::recipe::Recipe;
use crate::recipe::RunpodSpec;
use crate::recipe::WhisperSpec;
use crate::stages;
use crate::stages::Listener;
use std::path::Path;

/// Which endpoint a stage that listens goes to where the recipe does not say.
const ENDPOINT: &str = "RUNPOD_WHISPER_ENDPOINT_ID";

const OPENAI_KEY: &str = "OPENAI_API_KEY";

const NO_SPEECH: &str = "it has no backend: set `model` to a folder with Whisper as ONNX, or \
                         RUNPOD_API_KEY and RUNPOD_WHISPER_ENDPOINT_ID in the environment, or \
                         name a backend of kind `openai` or `runpod`";

/// Whether a stage that listens has somewhere to go.
pub(in crate::app) fn has_backend(whisper: &WhisperSpec, around: &Surroundings<'_>) -> bool {
    whisper.backend.as_str() != AUTO || whisper.model.is_some() || around.has_fleet(ENDPOINT)
}

// Whether the model of a stage is on this machine, whatever the environment offers.
fn is_here(whisper: &WhisperSpec) -> bool {
    let is_folder = |model: &String| Path::new(model).is_dir();
    whisper.backend.as_str() == LOCAL || whisper.model.as_ref().is_some_and(is_folder)
}

impl Placed {
    /// Places a stage that listens; `somewhere` tells whether any stage of the recipe has a backend.
    pub(in crate::app) fn listen(
        &mut self,
        recipe: &Recipe,
        id: &StageId,
        whisper: &WhisperSpec,
        around: &Surroundings<'_>,
        somewhere: bool,
    ) -> Result<(), AppError> {
        let declared = recipe.backends.get(&whisper.backend);
        let backend = Named {
            name: match declared {
                Some(_) => whisper.backend.clone(),
                None => RUNPOD.into(),
            },
            span: declared.map(|backend| backend.span),
        };
        match declared.map(|backend| &backend.spec) {
            Some(BackendSpec::Runpod(spec)) => self.ask_fleet(id, whisper, &backend, spec, around),
            Some(BackendSpec::Openai(spec)) => self.ask_server(id, whisper, &backend, spec, around),
            Some(BackendSpec::Local(_)) => self.transcribe(recipe, id, whisper),
            None if is_here(whisper) => self.transcribe(recipe, id, whisper),
            None if around.has_fleet(ENDPOINT) => {
                self.ask_fleet(id, whisper, &backend, &RunpodSpec::default(), around)
            }
            // A model that is nowhere is told as such, not passed over.
            None if whisper.model.is_some() || !somewhere => self.transcribe(recipe, id, whisper),
            // One of kind `http` hears nothing: the recipe is refused before.
            Some(BackendSpec::Http(_)) | None => {
                self.skip(id, NO_SPEECH);
                Ok(())
            }
        }
    }

    fn transcribe(
        &mut self,
        recipe: &Recipe,
        id: &StageId,
        whisper: &WhisperSpec,
    ) -> Result<(), AppError> {
        let source = match &whisper.model {
            Some(model) => VoiceSource::Folder(model.into()),
            None => VoiceSource::Demo,
        };
        let (backend, spec) = local_backend(recipe, &whisper.backend);
        let options = load_options(&spec);
        let transcriber = Transcriber::load(&source, &options).map_err(|error| refused(&error))?;
        let model = transcriber.facts().clone();
        if let Err(message) = transcriber.check(&stages::transcribing(whisper)) {
            // The built-in voice is offered where it can listen; nobody has asked for it.
            if model.demo && whisper.backend.as_str() == AUTO {
                self.skip(id, NO_SPEECH);
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
        self.placements
            .insert(id.clone(), here(backend, &spec, &options, model));
        self.transcribers.insert(id.clone(), transcriber);
        Ok(())
    }

    fn ask_fleet(
        &mut self,
        id: &StageId,
        whisper: &WhisperSpec,
        backend: &Named,
        spec: &RunpodSpec,
        around: &Surroundings<'_>,
    ) -> Result<(), AppError> {
        if let Some(endpoint) = self.endpoint(id, backend, spec, ENDPOINT, around)? {
            let listener = Listener::Runpod(Box::new(endpoint));
            let caller = stages::ask(id, whisper, listener);
            self.callers.insert(id.clone(), caller);
        }
        Ok(())
    }

    fn ask_server(
        &mut self,
        id: &StageId,
        whisper: &WhisperSpec,
        backend: &Named,
        spec: &OpenaiSpec,
        around: &Surroundings<'_>,
    ) -> Result<(), AppError> {
        // OpenAI's key is for OpenAI: another server gets the one that is named for it.
        let usual = spec.base_url.is_none().then_some(OPENAI_KEY);
        let variable = spec.api_key_env.as_deref().or(usual);
        let key = variable.and_then(|variable| around.get(variable));
        let access = Access {
            base: spec
                .base_url
                .as_deref()
                .unwrap_or(openai::DEFAULT_BASE)
                .to_owned(),
            key: key.map(Secret::new),
            key_host: openai::HOST,
            allowed: around.allowed.to_vec(),
        };
        let listening = stages::listening(whisper);
        let model = listening.model.clone();
        let server = Transcriptions::new(spec, &access, listening)
            .map_err(|failure| AppError::environment(&failure))?;
        self.placements.insert(
            id.clone(),
            Placement::Remote(RemoteFacts {
                backend: backend.name.clone(),
                kind: OPENAI,
                host: server.host(),
                model,
                concurrency: spec.concurrency,
                max_body: spec.max_body,
                attempts: spec.attempts,
                retry_time: spec.retry_time,
                fleet: None,
            }),
        );
        match variable.filter(|_| access.key.is_none()) {
            Some(variable) => self.lack(backend, variable, "set it to a key of your account"),
            None => {
                let caller = stages::ask(id, whisper, Listener::Openai(server));
                self.callers.insert(id.clone(), caller);
            }
        }
        Ok(())
    }
}
