//! `check`, `graph` and `models`: what can be said without a video.

use super::compile;
use super::error::AppError;
use super::report::Checked;
use super::report::FoundModel;
use crate::backends::local;
use crate::backends::local::ModelSource;
use crate::diag::Report;
use crate::plan::Format;
use crate::recipe::Request;
use std::path::PathBuf;

/// Compiles a recipe and says what it would do.
pub fn check(request: &Request) -> Result<Checked, AppError> {
    let recipe = compile::load(request)?;
    let compiled = compile::compile(&recipe, &request.allowed_hosts, Vec::new())?;
    let missing = &compiled.placed.missing;
    let warnings = (!missing.is_empty()).then(|| Report {
        sources: recipe.sources.clone(),
        diagnostics: missing.clone(),
    });
    Ok(Checked {
        recipe: recipe.name,
        stages: compiled.rows(),
        peak: compiled.plan.peak(),
        warnings,
    })
}

/// Draws the steps that a recipe compiles to.
pub fn graph(request: &Request, format: Format) -> Result<String, AppError> {
    let recipe = compile::load(request)?;
    let compiled = compile::compile(&recipe, &request.allowed_hosts, Vec::new())?;
    Ok(compiled.plan.draw(format))
}

/// The models in `folders`, after the built-in one.
pub fn models(folders: &[PathBuf]) -> Result<Vec<FoundModel>, AppError> {
    let found = local::find_models(folders);
    Ok(found
        .into_iter()
        .map(|model| FoundModel {
            path: match model.source {
                ModelSource::File(path) => Some(path),
                ModelSource::Demo => None,
            },
            facts: model.facts.map_err(|error| error.to_string()),
        })
        .collect())
}
