//! Every stage of a recipe that infers is placed: on this machine, on a remote backend, or nowhere.

use crate::app::environment::ProcessEnvironment;
use crate::app::error::AppError;
use crate::app::placement::context::PlacementContext;
use crate::app::placement::placements::Placements;
use crate::app::placement::speech;
use crate::app::placement::vision;
use crate::facts::VideoFacts;
use crate::plan::CheckedRecipe;
use crate::recipe::Environment;
use crate::recipe::Inference;

/// Places every stage of `recipe` that infers. Keys go to their own hosts and to `allowed_hosts`.
pub(in crate::app) fn resolve(
    recipe: &CheckedRecipe,
    allowed_hosts: &[String],
    videos: &[VideoFacts],
) -> Result<Placements, AppError> {
    let variables = ProcessEnvironment.variables();
    let mut context = PlacementContext::new(recipe, variables, allowed_hosts, videos);
    let mut inferences = recipe.inferences();
    context.has_backend = inferences.any(|(_, inference)| match inference {
        Inference::Yolo(yolo, _) => vision::has_backend(yolo, &context),
        Inference::Whisper(whisper, _) => speech::has_backend(whisper, &context),
        Inference::Http(..) => true,
    });
    let mut placements = Placements::default();
    for (id, inference) in recipe.inferences() {
        match inference {
            Inference::Yolo(yolo, backend) => {
                placements.yolo(recipe, id, yolo, backend.as_ref(), &context)?;
            }
            Inference::Whisper(whisper, backend) => {
                placements.whisper(recipe, id, whisper, backend.as_ref(), &context)?;
            }
            Inference::Http(http, server) => placements.http(recipe, id, http, server, &context)?,
        }
    }
    placements.tell_what_stays(&context);
    Ok(placements)
}
