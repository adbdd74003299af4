//! Warnings: what of a recipe can be run and will disappoint.
//!
//! Each is about a value that the user wrote, at its place: what a preset says, or nobody, is for this
//! program to know. Pure over the recipe, its plan and the facts. Knows nothing of errors.

use crate::diag::Diagnostic;
use crate::diag::Span;
use crate::facts::Facts;
use crate::facts::FleetFacts;
use crate::facts::RemoteFacts;
use crate::plan::forecast::vram::Fit;
use crate::plan::forecast::vram::Vram;
use crate::plan::found::FoundForm;
use crate::plan::step::Plan;
use crate::plan::step::StepKind;
use crate::recipe::ExtractSpec;
use crate::recipe::Recipe;
use crate::recipe::Stage;
use crate::recipe::StageKind;

/// So many requests a worker keep it at work; of more, most wait in the queue.
const REQUESTS_PER_WORKER: usize = 4;

/// Bytes that a pixel of a video usually has as JPEG of quality 85.
const BYTES_PER_PIXEL: f64 = 0.11;

/// Everything that will disappoint of `recipe`, in the order of its texts.
pub fn warnings(recipe: &Recipe, plan: &Plan, facts: &Facts) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    for (index, step) in plan.steps() {
        let Some(stage) = recipe.stage(&step.stage) else {
            continue;
        };
        let (StepKind::VisionRequest { place, .. } | StepKind::SpeechRequest { place, .. }) =
            &step.kind
        else {
            continue;
        };
        let fleet = place.fleet.as_ref();
        let backend = backend_of(recipe, stage);
        if let Some(span) = recipe.written(stage, "concurrency").or(backend) {
            let limit = step.limit.max;
            warnings.extend(fleet.and_then(|fleet| too_many_requests(span, limit, fleet)));
        }
        let StepKind::VisionRequest { side, .. } = &step.kind else {
            continue;
        };
        let size = plan.frames_per_request(index);
        let batch = batch_of(recipe, stage);
        let batch_size = batch.and_then(|batch| recipe.written(batch, "size"));
        let own_side = recipe.written(stage, "imgsz");
        let card = fleet.zip(*side);
        if let Some((span, (fleet, side))) = batch_size.or(own_side).or(backend).zip(card) {
            warnings.extend(memory(span, batch.is_some(), size, side, fleet));
        }
        let feed = plan.feed(index);
        if fleet.is_some() && side.is_some() && feed.max_bytes.is_none() {
            warnings.extend(one_by_one(recipe, stage));
        }
        let mut stages = recipe.stages.iter();
        let extract = stages.find(|stage| stage.spec.kind() == StageKind::Extract);
        let of_frame = |key| extract.and_then(|stage| recipe.written(stage, key));
        let frame = || of_frame("max_side").or_else(|| of_frame("quality"));
        let span = batch_size.or_else(frame).or(backend);
        if let Some((span, max_bytes)) = span
            .zip(feed.max_bytes)
            .filter(|_| feed.found != Some(FoundForm::Crops))
        {
            warnings.extend(body_too_large(recipe, facts, span, size, max_bytes, place));
        }
    }
    warnings.sort_by_key(Diagnostic::span);
    warnings.dedup();
    warnings
}

// Objects are looked for in many frames at once for little more than in one.
fn one_by_one(recipe: &Recipe, stage: &Stage) -> Option<Diagnostic> {
    let span = recipe.written(stage, "inputs")?;
    let inputs = stage.inputs.iter();
    let inputs = inputs.map(|input| format!("\"{}{}\"", input.stage, input.port.suffix()));
    let inputs: Vec<String> = inputs.collect();
    let message = format!("`{}` asks its workers about one frame a request", stage.id);
    Some(Diagnostic::warning(span, message).help(format!(
        "put `[stages.batch]` with `inputs = [{}]` between, and write `inputs = [\"batch\"]` here",
        inputs.join(", ")
    )))
}

fn batch_of<'a>(recipe: &'a Recipe, stage: &Stage) -> Option<&'a Stage> {
    let mut inputs = stage.inputs.iter();
    let input = inputs.find_map(|input| recipe.stage(&input.stage))?;
    (input.spec.kind() == StageKind::Batch).then_some(input)
}

// Where the user wrote the backend that a stage names.
fn backend_of(recipe: &Recipe, stage: &Stage) -> Option<Span> {
    let backend = recipe.backends.get(stage.spec.backend()?)?;
    Some(backend.span).filter(|span| recipe.sources.is_users(*span))
}

fn too_many_requests(span: Span, limit: usize, fleet: &FleetFacts) -> Option<Diagnostic> {
    let workers = fleet.workers;
    (limit > workers * REQUESTS_PER_WORKER).then(|| {
        let message = format!("{limit} requests in flight for {workers} workers");
        Diagnostic::warning(span, message)
            .label("most of them only wait in the queue")
            .help(format!(
                "{} keep them at work; if the endpoint has more workers, say so with `fleet` in \
                 its backend",
                workers * 2
            ))
    })
}

fn memory(
    span: Span,
    has_batch: bool,
    size: usize,
    side: u32,
    fleet: &FleetFacts,
) -> Option<Diagnostic> {
    let vram = Vram::of(size, side, fleet.vram_gb);
    let how = match vram.fit {
        Fit::Good | Fit::Full => return None,
        Fit::Risky => "a worker may run out of memory",
        Fit::TooLarge => "a worker runs out of memory",
    };
    let card = if vram.card_is_assumed {
        "that a card is taken to have; `vram_gb` of the backend says what yours has"
    } else {
        "of the backend's `vram_gb`"
    };
    let frames = if size == 1 { "frame" } else { "frames" };
    let message = format!(
        "{size} {frames} of {side} px take about {} GB of a GPU: {how}",
        vram.gb
    );
    let best = vram.best();
    let help = match has_batch {
        true => format!("set `size` to {best} or less, or `imgsz` to less than {side}"),
        false => format!("set `imgsz` to less than {side}"),
    };
    Some(
        Diagnostic::warning(span, message)
            .label(format!(
                "more than is safe of the {} GB {card}",
                vram.card_gb
            ))
            .help(help),
    )
}

fn body_too_large(
    recipe: &Recipe,
    facts: &Facts,
    span: Span,
    size: usize,
    max_bytes: usize,
    place: &RemoteFacts,
) -> Option<Diagnostic> {
    let extract = recipe.extract()?;
    let one = a_frame(extract, facts);
    let fit = ((max_bytes as f64 / one) as usize).max(1);
    (fit < size).then(|| {
        let (mb, side) = (place.max_body as f64 / 1e6, extract.max_side);
        let message = format!(
            "{size} frames of up to {side} px do not fit into a request of {mb} MB: it will \
             have about {fit}",
        );
        Diagnostic::warning(span, message).help(format!(
            "set `size` to {fit}, or `max_side` or `quality` of `extract` to less; `max_body` of the \
             backend says what its server takes"
        ))
    })
}

// Bytes of a JPEG: of the frames that were tried; where there are none, what is usual for the
// largest frame of the usual shape.
fn a_frame(spec: &ExtractSpec, facts: &Facts) -> f64 {
    let sizes = facts.surveys.values().flat_map(|survey| &survey.sizes);
    let (sum, count) = sizes.fold((0, 0), |(sum, count), size| (sum + size, count + 1));
    if count > 0 {
        return sum as f64 / f64::from(count);
    }
    let side = f64::from(spec.max_side);
    let quality = f64::from(spec.quality);
    let scale = if quality > 85.0 {
        ((quality - 85.0) / 12.5).exp()
    } else {
        (quality / 85.0).powf(1.5)
    };
    side * side * 9.0 / 16.0 * BYTES_PER_PIXEL * scale
}
