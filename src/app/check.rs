//! `check`: whether a recipe is right, and what it would do.

use crate::app::compile;
use crate::app::compile::StageRow;
use crate::app::error::AppError;
use crate::diag::Report;
use crate::plan::Peak;
use crate::recipe::Request;

/// A recipe that is right, and what it would do.
#[derive(Clone, Debug)]
pub struct CheckReport {
    /// What the user calls the recipe.
    pub recipe: String,
    /// The stages in the order of the recipe.
    pub stages: Vec<StageRow>,
    /// The most that frames would take in memory.
    pub peak: Peak,
    /// What can be run and will disappoint.
    pub warnings: Option<Report>,
}

/// Compiles a recipe and reports what it would do.
pub fn check(request: &Request) -> Result<CheckReport, AppError> {
    let recipe = compile::load(request)?;
    let compiled = compile::compile(&recipe, &request.allowed_hosts, Vec::new(), None)?;
    let warnings = compiled.warnings(&recipe);
    Ok(CheckReport {
        recipe: recipe.name.clone(),
        stages: compiled.rows(),
        peak: compiled.plan.peak(),
        warnings,
    })
}
