//! The check of a recipe as a whole: its graph, and the backends that its stages name.
//!
//! Knows nothing of what the environment offers.

use crate::diag::Diagnostic;
use crate::diag::Report;
use crate::name::StageId;
use crate::plan::graph::sights;
use crate::plan::graph::stages;
use crate::recipe::Inference;
use crate::recipe::Recipe;
use std::ops::Deref;

/// A recipe whose graph is right and whose stages name backends that they can use: the only one
/// that can be placed and compiled.
#[derive(Clone, Debug)]
pub struct CheckedRecipe {
    recipe: Recipe,
    inferences: Vec<(StageId, Inference)>,
}

impl CheckedRecipe {
    /// The stages that have a model, in the order of the recipe, with the backends that they name.
    pub fn inferences(&self) -> impl Iterator<Item = (&StageId, &Inference)> {
        self.inferences
            .iter()
            .map(|(id, inference)| (id, inference))
    }
}

impl Deref for CheckedRecipe {
    type Target = Recipe;

    fn deref(&self) -> &Recipe {
        &self.recipe
    }
}

/// Checks a recipe.
///
/// # Errors
///
/// Everything that is wrong with it, in the order of its texts.
pub fn check(recipe: Recipe) -> Result<CheckedRecipe, Report> {
    let mut wrong = stages::check(&recipe);
    let stages = recipe.stages.iter();
    wrong.extend(stages.flat_map(|stage| sights::check(&recipe, stage)));
    let mut inferences = Vec::new();
    for stage in &recipe.stages {
        match Inference::of(stage, &recipe.backends) {
            Ok(inference) => inferences.extend(inference.map(|it| (stage.id.clone(), it))),
            Err(mistake) => wrong.push(mistake),
        }
    }
    if wrong.is_empty() {
        return Ok(CheckedRecipe { recipe, inferences });
    }
    wrong.sort_by_key(Diagnostic::span);
    Err(Report {
        sources: recipe.sources,
        diagnostics: wrong,
    })
}
