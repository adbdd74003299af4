//! `graph`: a recipe drawn, and after a run what each stage took in it.

use crate::app::compile;
use crate::app::error::AppError;
use crate::duration::spelled;
use crate::output;
use crate::output::Results;
use crate::output::Spread;
use crate::output::StageRun;
use crate::plan::DrawFormat;
use crate::plan::GraphOptions;
use crate::recipe::Recipe;
use crate::recipe::Request;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

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

/// A recipe, drawn.
#[derive(Clone, Debug)]
pub struct Drawing {
    /// In the format that was asked for.
    pub text: String,
    /// What the user should know of the results, if anything.
    pub notice: Option<String>,
}

/// Draws what a recipe compiles to.
pub fn graph(request: &Request, drawing: &GraphRequest) -> Result<Drawing, AppError> {
    let recipe = compile::load(request)?;
    let compiled = compile::compile(&recipe, &request.allowed_hosts, Vec::new(), None)?;
    let results = match &drawing.results {
        Some(path) => Some(read(path)?),
        None => None,
    };
    let paths = drawing.results.iter().zip(&results);
    let notice = paths
        .filter_map(|(path, results)| of_another(path, results, &recipe))
        .next();
    let stages = results.into_iter().flat_map(|results| results.run.stages);
    let drawn = GraphOptions {
        stages: drawing.stages,
        figures: stages.map(|(id, run)| (id, words(&run))).collect(),
    };
    Ok(Drawing {
        text: compiled.plan.draw_with(drawing.format, &drawn),
        notice,
    })
}

fn read(path: &Path) -> Result<Results, AppError> {
    output::read_results(path).map_err(|error| AppError::unread(&error))
}

// That results are not of this recipe as it is now.
fn of_another(path: &Path, results: &Results, recipe: &Recipe) -> Option<String> {
    let was = &results.recipe;
    if was.digest == recipe.settings_digest() {
        return None;
    }
    let path = path.display();
    Some(match was.name == recipe.name {
        true => format!(
            "{path} is of `{}` with other settings: its figures may not be those of this drawing",
            was.name
        ),
        false => format!(
            "{path} is of another recipe, `{}`: its figures may not be those of this drawing",
            was.name
        ),
    })
}

fn length(seconds: f64) -> String {
    spelled(Duration::try_from_secs_f64(seconds).unwrap_or_default())
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
        spread.map(|Spread { p50, p95 }| {
            format!("{place} {}, 95 % within {}", length(p50), length(p95))
        })
    };
    words.extend(time("in the queue", asked.queue_seconds));
    words.extend(time("at a worker", asked.execution_seconds));
    let billed = asked.billed_seconds.zip(asked.cost_usd);
    words.extend(billed.map(|(seconds, cost)| {
        format!(
            "{} of {} workers, ${cost}",
            length(seconds as f64),
            asked.workers_seen
        )
    }));
    words
}
