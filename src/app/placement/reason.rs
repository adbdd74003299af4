//! Reasons: why a stage runs where it does, in a few words.
//!
//! Reads off what was decided; decides nothing.

use crate::facts::LocalFacts;
use crate::facts::Placement;
use crate::recipe::AUTO;
use crate::recipe::LOCAL;
use crate::recipe::Recipe;
use crate::recipe::Stage;
use crate::recipe::StageSpec;

/// Why `stage` is placed at `place`; empty where there is no choice.
pub(in crate::app) fn why(recipe: &Recipe, stage: &Stage, place: Option<&Placement>) -> String {
    let (backend, model, variable) = match &stage.spec {
        StageSpec::Yolo(spec) => (&spec.backend, &spec.model, "RUNPOD_YOLO_ENDPOINT_ID"),
        StageSpec::Whisper(spec) => (&spec.backend, &spec.model, "RUNPOD_WHISPER_ENDPOINT_ID"),
        _ => return String::new(),
    };
    match place {
        Some(Placement::Skipped { .. }) | None => String::new(),
        _ if recipe.backends.contains_key(backend) || backend.as_str() == LOCAL => {
            format!("the recipe says `backend = \"{backend}\"`")
        }
        Some(Placement::Local(LocalFacts { model, .. })) if model.demo => {
            "no stage has a model or a server".to_owned()
        }
        Some(Placement::Local(_)) if model.is_some() => "`model` is on this machine".to_owned(),
        Some(Placement::Remote(_)) if backend.as_str() == AUTO => {
            format!("RUNPOD_API_KEY and {variable} are set")
        }
        Some(_) => String::new(),
    }
}
