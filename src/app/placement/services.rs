//! Where a stage is placed that asks a server of the user's own, about frames or about sound.

use crate::app::error::AppError;
use crate::app::placement::resolve::Named;
use crate::app::placement::resolve::Placed;
use crate::app::placement::resolve::Surroundings;
use crate::backends::remote::mapping::Mapping;
use crate::backends::remote::service;
use crate::backends::remote::service::Service;
use crate::backends::transport::http::Access;
use crate::backends::transport::http::Secret;
use crate::facts::Placement;
use crate::facts::RemoteFacts;
use crate::name::StageId;
use crate::recipe::BackendSpec;
use crate::recipe::HTTP;
use crate::recipe::HttpSpec;
use crate::recipe::HttpStageSpec;
use crate::recipe::Recipe;
use crate::recipe::YoloSpec;
use crate::stages;
use crate::stages::Hearing;
use crate::stages::Listener;

impl Placed {
    /// Places a stage of kind `yolo` at a service.
    pub(in crate::app) fn look(
        &mut self,
        id: &StageId,
        yolo: &YoloSpec,
        backend: &Named,
        spec: &HttpSpec,
        around: &Surroundings<'_>,
    ) -> Result<(), AppError> {
        let service = self.service(id, yolo.model.as_deref(), backend, spec, around)?;
        let mapping = Mapping::new(&spec.mapping);
        let params = yolo.params();
        let caller = stages::request(id, &params, mapping, service, &around.videos);
        self.asks(id, caller);
        Ok(())
    }

    /// Places a stage of kind `http`.
    pub(in crate::app) fn http(
        &mut self,
        recipe: &Recipe,
        id: &StageId,
        http: &HttpStageSpec,
        around: &Surroundings<'_>,
    ) -> Result<(), AppError> {
        let declared = recipe.backends.get(&http.backend);
        let Some((declared, BackendSpec::Http(spec))) =
            declared.map(|backend| (backend, &backend.spec))
        else {
            // The recipe is refused before.
            self.skip(id, "it has no backend");
            return Ok(());
        };
        let backend = Named {
            name: http.backend.clone(),
            span: Some(declared.span),
        };
        let service = self.service(id, http.model.as_deref(), &backend, spec, around)?;
        let mapping = Mapping::new(&http.mapping);
        let params = http.params();
        if http.listens() {
            let hearing = Hearing {
                service,
                mapping,
                params,
                videos: around.videos.clone(),
            };
            let listener = Listener::Service(Box::new(hearing));
            self.asks(id, stages::ask(id, &http.listening(), listener));
        } else {
            let caller = stages::request(id, &params, mapping, service, &around.videos);
            self.asks(id, caller);
        }
        Ok(())
    }

    fn service(
        &mut self,
        id: &StageId,
        model: Option<&str>,
        backend: &Named,
        spec: &HttpSpec,
        around: &Surroundings<'_>,
    ) -> Result<Service, AppError> {
        let variable = spec.api_key_env.as_deref();
        let access = Access {
            base: spec.url.clone().unwrap_or_default(),
            key: variable.and_then(|name| around.get(name)).map(Secret::new),
            key_host: service::KEY_HOST,
            allowed: around.allowed.to_vec(),
        };
        if let (Some(variable), None) = (variable, &access.key) {
            let help = "set it, or remove `api_key_env` where the server needs no key";
            self.lack(backend, variable, help);
        }
        let service =
            Service::new(spec, &access).map_err(|failure| AppError::environment(&failure))?;
        self.placements.insert(
            id.clone(),
            Placement::Remote(RemoteFacts {
                backend: backend.name.clone(),
                kind: HTTP,
                host: service.host(),
                model: model.unwrap_or(HTTP).to_owned(),
                concurrency: spec.concurrency,
                max_body: spec.max_body,
                attempts: spec.attempts,
                retry_time: spec.retry_time,
                fleet: None,
            }),
        );
        Ok(service)
    }
}
