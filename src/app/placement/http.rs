//! Where a stage on a backend of kind `http` is placed: a `yolo` stage, or one of kind `http`.

use crate::app::error::AppError;
use crate::app::placement::context::BackendRef;
use crate::app::placement::context::PlacementContext;
use crate::app::placement::context::named_in_recipe;
use crate::app::placement::placements::PlacedServer;
use crate::app::placement::placements::Placements;
use crate::backends::remote::mapping::Mapping;
use crate::backends::remote::service;
use crate::backends::remote::service::Service;
use crate::backends::transport::access::Access;
use crate::backends::transport::secret::Secret;
use crate::name::StageId;
use crate::recipe::BackendKind;
use crate::recipe::HttpSpec;
use crate::recipe::HttpStageSpec;
use crate::recipe::Recipe;
use crate::recipe::YoloSpec;
use crate::stages;
use crate::stages::KeptObjects;
use crate::stages::SpeechMapping;
use crate::stages::SpeechProtocol;

impl Placements {
    /// Places a `yolo` stage on a service.
    pub(in crate::app) fn yolo_on_http(
        &mut self,
        recipe: &Recipe,
        id: &StageId,
        yolo: &YoloSpec,
        (backend, spec): (&BackendRef, &HttpSpec),
        context: &PlacementContext<'_>,
    ) -> Result<(), AppError> {
        let why = named_in_recipe(&backend.name);
        let service = self.service(id, why, yolo.model.as_deref(), backend, spec, context)?;
        let mapping = Mapping::new(&spec.mapping).under(backend.answer_heading(id));
        let names = self.name_classes(recipe, id)?;
        let (params, kept) = (yolo.params(&names), KeptObjects::new(yolo, &names));
        let videos = &context.videos;
        let call = stages::vision_call(id, &params, mapping, Some(kept), service, videos);
        self.call(id, call);
        Ok(())
    }

    /// Places a stage of kind `http`, which has no other place.
    pub(in crate::app) fn http(
        &mut self,
        recipe: &Recipe,
        id: &StageId,
        http: &HttpStageSpec,
        spec: &HttpSpec,
        context: &PlacementContext<'_>,
    ) -> Result<(), AppError> {
        let backend = BackendRef::of(recipe, &http.backend, BackendKind::Http);
        let (why, model) = (String::new(), http.model.as_deref());
        let service = self.service(id, why, model, &backend, spec, context)?;
        let mapping = Mapping::new(&http.mapping).under(format!("[stages.{id}.answer]"));
        let params = http.params();
        if http.takes_sound() {
            let mapped = SpeechMapping {
                mapping,
                params,
                videos: context.videos.clone(),
            };
            let protocol = SpeechProtocol::Mapped(Box::new(mapped));
            self.call(id, stages::speech_call(id, service, protocol));
        } else {
            let videos = &context.videos;
            let call = stages::vision_call(id, &params, mapping, None, service, videos);
            self.call(id, call);
        }
        Ok(())
    }

    fn service(
        &mut self,
        id: &StageId,
        why: String,
        model: Option<&str>,
        backend: &BackendRef,
        spec: &HttpSpec,
        context: &PlacementContext<'_>,
    ) -> Result<Service, AppError> {
        let variable = spec.api_key_env.as_deref();
        let key = variable.and_then(|name| context.variable(name));
        let access = Access {
            base: spec.url.clone().unwrap_or_default(),
            shown: backend.template("url"),
            key: key.map(Secret::new),
            key_host: service::KEY_HOST,
            allowed: context.allowed_hosts.to_vec(),
            from_recipe: true,
            shared: context.shared.clone(),
        };
        if let (Some(variable), None) = (variable, &access.key) {
            let help = "set it, or remove `api_key_env` where the server needs no key";
            self.lack(backend, variable, help);
        }
        let service =
            Service::new(spec, &access).map_err(|failure| AppError::environment(&failure))?;
        let server = PlacedServer {
            why,
            model: model.map(str::to_owned),
            endpoint: None,
            max_body: spec.max_body,
            encoding: service.encoding(),
            fleet: None,
            key: variable.filter(|_| access.key.is_some()).map(str::to_owned),
        };
        self.place_on_server(id, backend, &spec.server, service.route(), server);
        Ok(service)
    }
}
