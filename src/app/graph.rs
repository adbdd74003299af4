//! `graph`: a recipe drawn, and after a run what each stage took in it.

use crate::app::compile;
use crate::app::error::AppError;
use crate::name::StageId;
use crate::output;
use crate::output::Spread;
use crate::output::StageRun;
use crate::plan::DrawFormat;
use crate::plan::GraphOptions;
use crate::recipe::Request;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

/// What is drawn of a recipe.
#[derive(Clone, Debug)]
pub struct GraphRequest {
    /// How.
    pub format: DrawFormat,
    /// Whether the stages are drawn, and not the steps that they compile to.
    pub stages: bool,
    /// A results file of the recipe, whose figures are written beside each stage.
    pub results: Option<PathBuf>,
}

/// Draws what a recipe compiles to.
pub fn graph(request: &Request, drawing: &GraphRequest) -> Result<String, AppError> {
    let recipe = compile::load(request)?;
    let compiled = compile::compile(&recipe, &request.allowed_hosts, Vec::new(), None)?;
    let figures = drawing.results.as_deref().map(figures).transpose()?;
    let drawn = GraphOptions {
        stages: drawing.stages,
        figures: figures.unwrap_or_default(),
    };
    Ok(compiled.plan.draw_with(drawing.format, &drawn))
}

fn figures(path: &Path) -> Result<BTreeMap<StageId, Vec<String>>, AppError> {
    let results = output::read_results(path).map_err(|error| AppError::unread(&error))?;
    let stages = results.run.stages.into_iter();
    Ok(stages.map(|(id, run)| (id, words(&run))).collect())
}

// The file may come from anywhere: its numbers are drawn, its names are not.
fn words(run: &StageRun) -> Vec<String> {
    let Some(asked) = &run.requests else {
        return Vec::new();
    };
    let mut words = vec![format!(
        "{} requests, {} sent again, {} halved, {:.1} MB",
        asked.count,
        run.retries,
        run.splits,
        asked.bytes_sent as f64 / 1e6
    )];
    let time = |place: &str, spread: Option<Spread>| {
        spread.map(|Spread { p50, p95 }| format!("{place} {p50} s, 95 % within {p95} s"))
    };
    words.extend(time("in the queue", asked.queue_seconds));
    words.extend(time("at a worker", asked.execution_seconds));
    let billed = asked.billed_seconds.zip(asked.cost_usd);
    words.extend(
        billed.map(|(seconds, cost)| {
            format!("{seconds} s of {} workers, ${cost}", asked.workers_seen)
        }),
    );
    words
}
