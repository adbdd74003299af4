//! The forecast of a plan: three figures for each stage on a server, and what they assume.
//!
//! Pure over the plan and the facts it was made from. What nobody measured is the recipe's where it
//! says so, else a documented default, and a forecast tells which; so there are three figures of
//! each: low, expected and high. Run a recipe with what `run.stages` of earlier results say, and
//! the three come together.

use crate::facts::Facts;
use crate::facts::FleetFacts;
use crate::facts::RemoteFacts;
use crate::name::StageId;
use crate::plan::forecast::requests;
use crate::plan::forecast::requests::RequestEstimate;
use crate::plan::forecast::time::Case;
use crate::plan::forecast::vram::Vram;
use crate::plan::step::Plan;
use crate::plan::step::Step;
use crate::plan::step::StepIndex;
use crate::plan::step::StepKind;
use serde::Serialize;
use std::time::Duration;

// Seconds that a worker with 24 GB takes for a frame of 1280 px: as the handler's documents
// promise (0.2 s for 16), as they measure (0.85 s), and as slow as they say it gets (1.2 s).
const A_FRAME: Estimate<f64> = Estimate::new(0.2 / 16.0, 0.85 / 16.0, 1.2 / 16.0);

// Seconds that a worker with faster-whisper takes for a second of sound: reports from the field
// have 7 to 14 s for ten minutes.
const A_SECOND: Estimate<f64> = Estimate::new(7.0 / 600.0, 10.0 / 600.0, 14.0 / 600.0);

// Seconds until a worker takes its first job, where the recipe does not say: from a snapshot,
// from a container that is on its host, and from one that is not.
const A_START: Estimate<f64> = Estimate::new(0.5, 10.0, 60.0);

// Seconds between two jobs of a worker. RunPod's SDK looks for the next one when it looks up from
// this one, which it does once a second.
const A_GAP: Estimate<f64> = Estimate::new(0.0, 0.2, 1.0);

// How much a time that the recipe states may be off.
const STATED: Estimate<f64> = Estimate::new(0.9, 1.0, 1.25);

// How much reading may be off that was measured on a few frames.
const READING: Estimate<f64> = Estimate::new(0.6, 1.0, 1.8);

/// What the stages of a run will ask that ask servers, beside what is known already.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Forecast {
    /// In the order of the plan.
    pub stages: Vec<StageForecast>,
    /// Seconds that this machine takes to make all frames ready that are needed; `None` where nothing was
    /// measured.
    pub reading: Option<f64>,
}

/// A figure that is not known, between two that it surely lies between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Estimate<T> {
    /// All goes as well as it can.
    pub low: T,
    /// As it usually goes.
    pub expected: T,
    /// All goes badly.
    pub high: T,
}

impl<T: Copy> Estimate<T> {
    pub(super) const fn new(low: T, expected: T, high: T) -> Self {
        Self {
            low,
            expected,
            high,
        }
    }

    pub(super) fn sure(figure: T) -> Self {
        Self::new(figure, figure, figure)
    }

    /// Each of the three, changed.
    pub fn map<U>(self, change: impl Fn(T) -> U) -> Estimate<U> {
        Estimate {
            low: change(self.low),
            expected: change(self.expected),
            high: change(self.high),
        }
    }

    pub(super) fn with<U: Copy, V>(
        self,
        other: Estimate<U>,
        join: impl Fn(T, U) -> V,
    ) -> Estimate<V> {
        Estimate {
            low: join(self.low, other.low),
            expected: join(self.expected, other.expected),
            high: join(self.high, other.high),
        }
    }
}

/// What one stage will ask, and what that takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StageForecast {
    /// The stage.
    pub stage: StageId,
    /// The host that gets frames or sound.
    pub host: String,
    /// What it calls the model, or the endpoint.
    pub endpoint: String,
    /// What is sent.
    pub work: Workload,
    /// Requests, if none is sent again.
    pub requests: Estimate<u64>,
    /// Bytes of all requests; `None` where no frame was looked at.
    pub bytes: Option<Estimate<u64>>,
    /// GPU memory that a request takes, where that is known of the kind of server.
    pub vram: Option<Vram>,
    /// Workers that can have something to do.
    pub workers: u64,
    /// How long it takes; `None` where nobody knows how much there is.
    pub times: Option<Times>,
    /// What it costs; `None` as above, and where workers are not paid by the second.
    pub cost: Option<Cost>,
    /// What the times are reckoned with, and where that is from.
    pub figures: Vec<Assumption>,
}

/// What a stage sends.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum Workload {
    /// Frames of videos.
    Frames {
        /// How many are not answered yet; `None` where a video does not say how long it is, and
        /// then nothing is estimated.
        count: Option<u64>,
        /// How many there are; `None` as above.
        all: Option<u64>,
        /// Whether it will be just so many.
        exact: bool,
    },
    /// What another stage finds, cut out of frames.
    Crops {
        /// The frames that are cut and not answered yet; `None` as above.
        frames: Option<u64>,
        /// All that are cut; `None` as above.
        all: Option<u64>,
    },
    /// Sound.
    Sound {
        /// Seconds that are not answered yet; `None` as above.
        seconds: Option<f64>,
        /// Seconds that there are; `None` as above.
        all: Option<f64>,
    },
}

impl Workload {
    /// Whether the amount is known before the run.
    pub(super) fn is_known(&self) -> bool {
        !matches!(
            self,
            Self::Frames { count: None, .. }
                | Self::Crops { frames: None, .. }
                | Self::Sound { seconds: None, .. }
        )
    }
}

/// How long a stage is expected to take, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Times {
    /// Everything read first, and then each request sent when the one before it is answered.
    pub one_by_one: f64,
    /// As it is run.
    pub parallel: Estimate<f64>,
    /// All workers there and at work from the first moment to the last.
    pub ideal: f64,
}

/// What a stage is expected to cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// US dollars a second of one worker.
    pub price_per_second: f64,
    /// What is paid.
    pub estimate: Estimate<Bill>,
}

/// Worker time by what it is paid for, all workers together, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bill {
    /// For frames or sound.
    pub execution: f64,
    /// Until the first job.
    pub start: f64,
    /// Between jobs.
    pub gaps: f64,
    /// After the last one.
    pub idle: f64,
    /// Paid: the sum, rounded up for each worker.
    pub billed: u64,
    /// US dollars.
    pub cost: f64,
}

/// One of the figures that times are reckoned with.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Assumption {
    /// What takes so long.
    pub what: AssumptionKind,
    /// Seconds.
    pub seconds: Estimate<f64>,
    /// Who says so.
    pub source: AssumptionSource,
}

/// What takes time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssumptionKind {
    /// A frame, at a worker.
    Frame,
    /// A second of sound, at a worker.
    SecondOfSound,
    /// A worker, until it takes its first job.
    Start,
    /// A worker, between two jobs.
    Gap,
}

/// Where a figure is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AssumptionSource {
    /// The recipe.
    Recipe,
    /// This program's documents.
    Default,
}

impl Forecast {
    /// What all stages together cost from here on, in US dollars.
    pub fn cost(&self) -> Estimate<f64> {
        let costs = self.stages.iter().filter_map(|stage| stage.cost.as_ref());
        costs.fold(Estimate::default(), |sum: Estimate<f64>, cost| {
            sum.with(cost.estimate, |sum, estimate| sum + estimate.cost)
        })
    }
}

impl Plan {
    /// The stages whose workers are paid by the second; and how many of them a worker takes for a
    /// frame, or for a second of sound.
    pub fn fleets(&self) -> impl Iterator<Item = (&StageId, &FleetFacts, Estimate<f64>)> {
        self.steps().filter_map(|(_, step)| {
            let (place, each) = match &step.kind {
                StepKind::VisionRequest { place, .. } => (place, frame(place)),
                StepKind::SpeechRequest { place, .. } => (place, second(place)),
                _ => return None,
            };
            Some((&step.stage, place.fleet.as_ref()?, each.seconds))
        })
    }
}

/// How long a worker of `fleet` is expected to start, and is paid for it.
pub fn usual_start(fleet: &FleetFacts) -> Duration {
    if fleet.cold_start.is_zero() {
        Duration::from_secs_f64(A_START.expected)
    } else {
        fleet.cold_start
    }
}

/// What `plan`, made from `facts`, will ask.
pub fn forecast(plan: &Plan, facts: &Facts) -> Forecast {
    let reading = reading(facts);
    let stages = plan
        .steps()
        .filter_map(|(index, step)| stage(plan, facts, index, step, reading));
    Forecast {
        stages: stages.collect(),
        reading,
    }
}

// Seconds until the last frame is decoded and encoded; all cores have a part in both. What nobody
// needs to see is neither, and its packets are about its share of all.
fn reading(facts: &Facts) -> Option<f64> {
    let surveys = facts.surveys.iter();
    let seconds = surveys.map(|(video, survey)| {
        let encoding = survey.frames as f64 * survey.encoding / facts.cores.max(1) as f64;
        let unneeded = facts.known.get(video).map_or(0, |known| known.unneeded);
        let needed = survey.frames.saturating_sub(unneeded) as f64;
        let share = needed / survey.frames.max(1) as f64;
        share * (survey.packets as f64 * survey.decoding + encoding)
    });
    (!facts.surveys.is_empty()).then(|| seconds.sum())
}

fn stage(
    plan: &Plan,
    facts: &Facts,
    index: StepIndex,
    step: &Step,
    reading: Option<f64>,
) -> Option<StageForecast> {
    let size = plan.frames_per_request(index);
    let (asked, place, vram, each) = demand(plan, facts, index, step)?;
    // Sound is read in no time beside the frames.
    let is_vision = matches!(step.kind, StepKind::VisionRequest { .. });
    let reading = reading.filter(|_| is_vision);
    let fleet = place.fleet.as_ref();
    let limit = step.limit.max as u64;
    let limit = fleet.map_or(limit, |fleet| limit.min(fleet.workers as u64));
    let (start, gap) = fleet.map(start).zip(fleet.map(gap)).unzip();
    let seconds = |of: Option<&Assumption>| of.map_or(Estimate::sure(0.0), |of| of.seconds);
    let (amount, requests) = (asked.amount, asked.requests);
    let reading = READING.map(|share| share * reading.unwrap_or(0.0));
    let ahead = (size as f64 / amount.expected.max(1.0)).min(1.0);
    let cases = amount
        .with(each.seconds, |amount, seconds| amount * seconds)
        .with(requests, |execution, requests| (execution, requests))
        .with(seconds(start.as_ref()), |case, start| (case, start))
        .with(seconds(gap.as_ref()), |case, gap| (case, gap))
        .with(reading, |(((execution, requests), start), gap), reading| {
            Case {
                workers: limit.min(requests),
                requests,
                execution,
                start,
                gap,
                reading,
                ahead,
            }
        });
    let is_known = asked.work.is_known();
    let cost = fleet.map(|fleet| Cost {
        price_per_second: fleet.price_per_second,
        estimate: cases.map(|case| case.paid(fleet)),
    });
    Some(StageForecast {
        stage: step.stage.clone(),
        host: place.host.clone(),
        endpoint: place.endpoint.clone().unwrap_or_default(),
        work: asked.work,
        requests,
        bytes: asked.bytes.filter(|_| is_known),
        vram,
        workers: limit.min(requests.expected),
        times: is_known.then(|| Times {
            one_by_one: cases.expected.one_by_one(),
            parallel: cases.map(|case| case.wall()),
            ideal: cases.expected.ideal(),
        }),
        cost: cost.filter(|_| is_known),
        figures: [Some(each), start, gap].into_iter().flatten().collect(),
    })
}

// What a step will ask of its backend, where, with how much GPU memory, and how long an item takes;
// `None` for a step that asks nothing.
pub(super) fn demand<'a>(
    plan: &Plan,
    facts: &Facts,
    index: StepIndex,
    step: &'a Step,
) -> Option<(RequestEstimate, &'a RemoteFacts, Option<Vram>, Assumption)> {
    match &step.kind {
        StepKind::VisionRequest { place, side } => {
            let card = place.fleet.as_ref().map(|fleet| fleet.vram_gb).zip(*side);
            let size = plan.frames_per_request(index);
            let vram = card.map(|(card, side)| Vram::of(size, side, card));
            let asked = requests::frames(plan, facts, index, &step.stage, place.encoding);
            Some((asked, place, vram, frame(place)))
        }
        StepKind::SpeechRequest { place, .. } => {
            let asked = requests::sound(plan, facts, step, place);
            Some((asked, place, None, second(place)))
        }
        _ => None,
    }
}

fn figure(what: AssumptionKind, stated: Option<Duration>, default: Estimate<f64>) -> Assumption {
    let stated = stated.map(|stated| STATED.map(|share| share * stated.as_secs_f64()));
    Assumption {
        what,
        seconds: stated.unwrap_or(default),
        source: match stated {
            Some(_) => AssumptionSource::Recipe,
            None => AssumptionSource::Default,
        },
    }
}

fn frame(place: &RemoteFacts) -> Assumption {
    let stated = place.fleet.as_ref().and_then(|fleet| fleet.frame_time);
    figure(AssumptionKind::Frame, stated, A_FRAME)
}

fn second(place: &RemoteFacts) -> Assumption {
    let stated = place.fleet.as_ref().and_then(|fleet| fleet.sound_time);
    figure(AssumptionKind::SecondOfSound, stated, A_SECOND)
}

fn start(fleet: &FleetFacts) -> Assumption {
    let stated = Some(fleet.cold_start).filter(|start| !start.is_zero());
    let mut start = figure(AssumptionKind::Start, stated, A_START);
    if start.source == AssumptionSource::Recipe {
        // They may be there already.
        start.seconds.low = 0.0;
    }
    start
}

fn gap(fleet: &FleetFacts) -> Assumption {
    figure(AssumptionKind::Gap, fleet.job_gap, A_GAP)
}
