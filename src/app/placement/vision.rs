//! Where a `yolo` stage is placed.
//!
//! On a backend that the recipe names; with a model that is a file, on this machine; on the endpoint
//! of the environment; with the built-in model where no stage of the recipe has a backend; else it is
//! skipped.

use crate::app::error::AppError;
use crate::app::placement::context::BackendRef;
use crate::app::placement::context::PlacementContext;
use crate::app::placement::placements::Placements;
use crate::app::placement::placements::unloadable;
use crate::backends::models::class_names;
use crate::backends::remote::mapping::Mapping;
use crate::facts::Placement;
use crate::name::StageId;
use crate::recipe::AUTO;
use crate::recipe::BackendKind;
use crate::recipe::LocalSpec;
use crate::recipe::Recipe;
use crate::recipe::RunpodSpec;
use crate::recipe::YoloBackend;
use crate::recipe::YoloSpec;
use crate::stages;
use crate::stages::KeptObjects;
use std::sync::Arc;

const ENDPOINT: &str = "RUNPOD_YOLO_ENDPOINT_ID";

const NO_BACKEND: &str = "it has no backend: set `model` to an ONNX file, or \
                          RUNPOD_API_KEY and RUNPOD_YOLO_ENDPOINT_ID in the environment";

/// Whether a `yolo` stage has a backend, in the recipe or in the environment.
pub(in crate::app) fn has_backend(yolo: &YoloSpec, context: &PlacementContext<'_>) -> bool {
    is_in_recipe(yolo) || context.has_endpoint(ENDPOINT)
}

fn is_in_recipe(yolo: &YoloSpec) -> bool {
    yolo.model.is_some() || yolo.backend.as_str() != AUTO
}

impl Placements {
    /// Places a `yolo` stage.
    pub(in crate::app) fn yolo(
        &mut self,
        recipe: &Recipe,
        id: &StageId,
        yolo: &YoloSpec,
        declared: Option<&YoloBackend>,
        context: &PlacementContext<'_>,
    ) -> Result<(), AppError> {
        let backend = BackendRef::of(recipe, &yolo.backend, BackendKind::Runpod);
        match declared {
            Some(YoloBackend::Runpod(spec)) => {
                self.yolo_on_runpod(recipe, id, yolo, (&backend, spec), context)
            }
            Some(YoloBackend::Http(spec)) => {
                self.yolo_on_http(recipe, id, yolo, (&backend, spec), context)
            }
            Some(YoloBackend::Local(spec)) => self.yolo_here(recipe, id, yolo, Some(spec), context),
            None if !is_in_recipe(yolo) && context.has_endpoint(ENDPOINT) => self.yolo_on_runpod(
                recipe,
                id,
                yolo,
                (&backend, &RunpodSpec::default()),
                context,
            ),
            None if is_in_recipe(yolo) || !context.has_backend => {
                self.yolo_here(recipe, id, yolo, None, context)
            }
            None => {
                self.skip(id, NO_BACKEND);
                Ok(())
            }
        }
    }

    fn yolo_on_runpod(
        &mut self,
        recipe: &Recipe,
        id: &StageId,
        yolo: &YoloSpec,
        (backend, spec): (&BackendRef, &RunpodSpec),
        context: &PlacementContext<'_>,
    ) -> Result<(), AppError> {
        let endpoint = self.endpoint(id, backend, spec, ENDPOINT, context)?;
        let names = self.name_classes(recipe, id)?;
        if let Some(endpoint) = endpoint {
            let mapping = Mapping::new(&spec.mapping).under(backend.answer_heading(id));
            let (params, kept) = (yolo.params(&names), KeptObjects::new(yolo, &names));
            let videos = &context.videos;
            let call = stages::vision_call(id, &params, mapping, Some(kept), endpoint, videos);
            self.call(id, call);
        }
        Ok(())
    }

    /// What the model of a stage that is placed on a server calls its classes, where the recipe says
    /// it.
    pub(in crate::app) fn name_classes(
        &mut self,
        recipe: &Recipe,
        id: &StageId,
    ) -> Result<Vec<Arc<str>>, AppError> {
        let names = recipe.path(id, "names").map(class_names).transpose();
        let names = names.map_err(|error| unloadable(id, &error))?;
        let names = names.unwrap_or_default();
        if let Some(Placement::Remote(place)) = self.facts.get_mut(id) {
            place.class_names.clone_from(&names);
        }
        Ok(names)
    }

    fn yolo_here(
        &mut self,
        recipe: &Recipe,
        id: &StageId,
        yolo: &YoloSpec,
        declared: Option<&LocalSpec>,
        context: &PlacementContext<'_>,
    ) -> Result<(), AppError> {
        let backend = self.local_backend(&yolo.backend, declared, context)?;
        let (model, names) = (recipe.path(id, "model"), recipe.path(id, "names"));
        let loaded = self.models.detector(id, model, names, &backend.loading())?;
        let (detector, computed) = (loaded.model, loaded.computed);
        self.note(loaded.notices);
        let model = detector.facts().clone().called(yolo.model.as_deref());
        if !model.demo {
            let params = stages::detect_params(yolo, &model.classes);
            let stage = recipe.stage(id);
            let is_written = |key: &str| stage.is_some_and(|it| recipe.written(it, key).is_some());
            self.notices.extend(detector.notices(&params, is_written));
        }
        self.place(id, backend.placement(model, Some(computed)));
        self.detectors.insert(id.clone(), detector);
        Ok(())
    }
}
