//! How long the stages on this machine take, as fast as their models were seen to be.
//!
//! All of them share its cores, so together they take as long as one after the other on all cores.

use crate::facts::Encoding;
use crate::facts::Facts;
use crate::facts::LocalFacts;
use crate::facts::LocalSpeed;
use crate::name::StageId;
use crate::plan::forecast::forecast::Workload;
use crate::plan::forecast::requests;
use crate::plan::step::Plan;
use crate::plan::step::StepKind;
use serde::Serialize;

/// What a stage on this machine will do.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LocalForecast {
    /// The stage.
    pub stage: StageId,
    /// What runs its model: `rten` or `ort`.
    pub engine: String,
    /// What it computes on, such as `cpu` or `cuda:0`.
    pub device: String,
    /// What it looks at or listens to.
    pub work: Workload,
    /// How many of its sessions work at once.
    pub at_once: usize,
    /// How fast one of them was seen to be.
    pub speed: LocalSpeed,
    /// Seconds that it takes alone; `None` where nobody knows how much there is.
    pub seconds: Option<f64>,
    /// What of all cores that takes, in seconds; nothing where another device computes.
    pub of_all_cores: Option<f64>,
}

/// What the stages of `plan` will do whose speed is known.
pub fn local_forecast(plan: &Plan, facts: &Facts) -> Vec<LocalForecast> {
    let steps = plan.steps().filter_map(|(index, step)| {
        let speed = *facts.speeds.get(&step.stage)?;
        let (place, asked) = match &step.kind {
            StepKind::Detect { place, .. } => {
                let asked = requests::frames(plan, facts, index, &step.stage, Encoding::Raw);
                (place, asked)
            }
            StepKind::Transcribe { place, .. } => {
                (place, requests::heard(plan, facts, &step.stage)?)
            }
            _ => return None,
        };
        let amount = asked.amount.expected;
        let is_known = asked.work.is_known();
        let LocalFacts {
            engine,
            device,
            threads,
            ..
        } = place;
        let lanes = step.limit.max.max(1);
        let one = amount * speed.seconds;
        let cores = facts.cores.max(1);
        let of_core = if place.is_on_cpu() {
            *threads as f64
        } else {
            0.0
        };
        Some(LocalForecast {
            stage: step.stage.clone(),
            engine: engine.clone(),
            device: device.clone(),
            work: asked.work,
            at_once: lanes,
            speed,
            seconds: Some(one / lanes as f64).filter(|_| is_known),
            of_all_cores: Some(of_core * one / cores as f64).filter(|_| is_known),
        })
    });
    steps.collect()
}

/// Seconds that several stages on this machine take together; `None` of a single one, and where one of
/// them is not known.
pub fn together(stages: &[LocalForecast]) -> Option<f64> {
    let sum: Option<f64> = stages.iter().map(|stage| stage.of_all_cores).sum();
    let alone = stages.iter().filter_map(|stage| stage.seconds);
    let longest = alone.fold(0.0, f64::max);
    sum.map(|sum| sum.max(longest)).filter(|_| stages.len() > 1)
}
