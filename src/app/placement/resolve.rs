//! Every stage of a recipe that infers is placed: on this machine, on a remote backend, or nowhere.

use crate::app::environment::ProcessEnvironment;
use crate::app::error::AppError;
use crate::app::placement::context::PlacementContext;
use crate::app::placement::placements::Placements;
use crate::app::placement::speech;
use crate::app::placement::vision;
use crate::facts::VideoFacts;
use crate::recipe::Recipe;
use crate::recipe::StageSpec;
use crate::recipe::World;

/// Places every stage of `recipe` that infers. Keys go to their own hosts and to `allowed_hosts`.
pub(in crate::app) fn resolve(
    recipe: &Recipe,
    allowed_hosts: &[String],
    videos: &[VideoFacts],
) -> Result<Placements, AppError> {
    let variables = ProcessEnvironment.variables();
    let mut context = PlacementContext::new(variables, allowed_hosts, videos);
    let stages = || recipe.stages.iter().map(|stage| (&stage.id, &stage.spec));
    context.has_backend = stages().any(|(_, spec)| match spec {
        StageSpec::Yolo(yolo) => vision::has_backend(yolo, &context),
        StageSpec::Whisper(whisper) => speech::has_backend(whisper, &context),
        StageSpec::Http(_) => true,
        StageSpec::Extract(_) | StageSpec::Batch(_) | StageSpec::Save(_) | StageSpec::Merge(_) => {
            false
        }
    });
    let mut placements = Placements::default();
    for (id, spec) in stages() {
        match spec {
            StageSpec::Yolo(yolo) => placements.yolo(recipe, id, yolo, &context)?,
            StageSpec::Whisper(whisper) => placements.whisper(recipe, id, whisper, &context)?,
            StageSpec::Http(http) => placements.http(recipe, id, http, &context)?,
            StageSpec::Extract(_)
            | StageSpec::Batch(_)
            | StageSpec::Save(_)
            | StageSpec::Merge(_) => {}
        }
    }
    Ok(placements)
}
