//! Where a stage that listens is placed.
//!
//! A backend that the recipe names, or the endpoint of the environment; a stage with neither is
//! skipped with its reason.

use super::error::AppError;
use super::resolve::Named;
use super::resolve::Placed;
use super::resolve::Surroundings;
use crate::backends::http::Access;
use crate::backends::http::Secret;
use crate::backends::openai;
use crate::backends::openai::Transcriptions;
use crate::diag::Diagnostic;
use crate::facts::Placement;
use crate::facts::RemoteFacts;
use crate::name::StageId;
use crate::recipe::AUTO;
use crate::recipe::BackendSpec;
use crate::recipe::OPENAI;
use crate::recipe::OpenaiSpec;
use crate::recipe::RUNPOD;
use crate::recipe::Recipe;
use crate::recipe::RunpodSpec;
use crate::recipe::WhisperSpec;
use crate::stages;
use crate::stages::Listener;

/// Which endpoint a stage that listens goes to where the recipe does not say.
const ENDPOINT: &str = "RUNPOD_WHISPER_ENDPOINT_ID";

const OPENAI_KEY: &str = "OPENAI_API_KEY";

const NO_SPEECH: &str = "it has no backend: set RUNPOD_API_KEY and RUNPOD_WHISPER_ENDPOINT_ID in \
                         the environment, or name a backend of kind `openai` or `runpod`";

/// Whether a stage that listens has somewhere to go.
pub(super) fn has_backend(whisper: &WhisperSpec, around: &Surroundings<'_>) -> bool {
    whisper.backend.as_str() != AUTO || around.has_fleet(ENDPOINT)
}

impl Placed {
    /// Places a stage that listens.
    pub(super) fn listen(
        &mut self,
        recipe: &Recipe,
        id: &StageId,
        whisper: &WhisperSpec,
        around: &Surroundings<'_>,
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
            None if around.has_fleet(ENDPOINT) => {
                self.ask_fleet(id, whisper, &backend, &RunpodSpec::default(), around)
            }
            // One of kind `http` hears nothing: the recipe is refused before.
            Some(BackendSpec::Local(_) | BackendSpec::Http(_)) | None => {
                self.skip(id, NO_SPEECH);
                Ok(())
            }
        }
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
            Some(variable) => {
                let message = format!("{variable} is not set, and `{}` needs it", backend.name);
                let missing = Diagnostic::warning(backend.span.unwrap_or_default(), message)
                    .help("set it to a key of your account");
                self.lack(missing);
            }
            None => {
                let caller = stages::ask(id, whisper, Listener::Openai(server));
                self.callers.insert(id.clone(), caller);
            }
        }
        Ok(())
    }
}
