//! What a stage will ask: frames or sound in requests, and their bytes. What is known already is not
//! asked.
//!
//! Knows nothing of how long that takes.

use crate::facts::Encoding;
use crate::facts::Facts;
use crate::facts::KnownWork;
use crate::facts::RemoteFacts;
use crate::facts::Survey;
use crate::facts::VideoFacts;
use crate::name::StageId;
use crate::name::VideoId;
use crate::plan::forecast::forecast::Estimate;
use crate::plan::forecast::forecast::Workload;
use crate::plan::found::FoundForm;
use crate::plan::lower::chunk::ChunkLength;
use crate::plan::step::Plan;
use crate::plan::step::RequestFeed;
use crate::plan::step::Step;
use crate::plan::step::StepIndex;
use crate::plan::step::StepKind;
use crate::speech::Codec;
use crate::speech::RATE;
use std::collections::BTreeMap;

// Crops of a frame, where nobody knows what will be found; and what of its bytes they have.
const CROPS: Estimate<f64> = Estimate::new(0.0, 1.0, 10.0);
const OF_A_FRAME: Estimate<f64> = Estimate::new(0.01, 0.1, 1.0);

// Frames in which something is found, likewise.
const FOUND: Estimate<f64> = Estimate::new(0.0, 0.5, 1.0);

// Around each frame: quotes and a comma in JSON, or the header of a part of a form; and what
// stands around all of them.
const QUOTES: f64 = 3.0;
const PART_HEADER: f64 = 170.0;
const AROUND_ALL: Estimate<f64> = Estimate::new(100.0, 250.0, 1_000.0);

// What is left of sound where silence is dropped.
const SPOKEN: Estimate<f64> = Estimate::new(0.05, 1.0, 1.0);

// How far a chunk reaches of what it may: it ends at a pause in its last fifth.
const OF_A_CHUNK: Estimate<f64> = Estimate::new(1.0, 0.9, 0.78);

/// What a stage will ask.
pub(in crate::plan) struct RequestEstimate {
    pub(in crate::plan) work: Workload,
    /// Frames, or seconds of sound.
    pub(in crate::plan) amount: Estimate<f64>,
    pub(in crate::plan) requests: Estimate<u64>,
    pub(in crate::plan) bytes: Option<Estimate<u64>>,
}

// Of one video.
struct Part<'a> {
    frames: u64,
    // Those of them that are asked about.
    left: Estimate<u64>,
    survey: Option<&'a Survey>,
}

// The sound of one video that is wanted, in seconds, those of its parts, and what of it is asked about.
struct Sound {
    all: f64,
    parts: Vec<f64>,
    left: Estimate<f64>,
}

/// The frames that the step at `index`, of `stage`, sends.
pub(in crate::plan) fn frames(
    plan: &Plan,
    facts: &Facts,
    index: StepIndex,
    stage: &StageId,
    encoding: Encoding,
) -> RequestEstimate {
    let feed = plan.feed(index);
    let parts: Option<Vec<Part<'_>>> = facts
        .videos
        .iter()
        .map(|video| part(facts, stage, &feed, video))
        .collect();
    let is_known = parts.is_some();
    let parts = parts.unwrap_or_default();
    let left = sum(parts.iter().map(|part| part.left));
    let of_crops = feed.found == Some(FoundForm::Crops);
    let a_frame = match feed.found {
        Some(FoundForm::Crops) => CROPS,
        Some(FoundForm::Frames) => FOUND,
        None => Estimate::sure(1.0),
    };
    let mut amount = a_frame.with(left, |each, frames| each * frames as f64);
    if feed.repeats {
        let begun = parts.iter().filter(|part| part.left.low > 0).count();
        amount.low = amount.low.min(begun as f64);
    }
    let requests = requests(&parts, &feed, a_frame, amount.low);
    let surveyed = !parts.is_empty() && parts.iter().all(|part| part.survey.is_some());
    let bytes = surveyed.then(|| bytes(&parts, &feed, amount, left, requests, encoding));
    let count = Some(left.expected).filter(|_| is_known);
    let all = parts.iter().map(|part| part.frames).sum();
    let all = Some(all).filter(|_| is_known);
    let exact = parts
        .iter()
        .all(|part| part.survey.is_some_and(|survey| survey.exact));
    let exact = exact && left.low == left.high;
    RequestEstimate {
        work: if of_crops {
            Workload::Crops { frames: count, all }
        } else {
            Workload::Frames {
                count,
                all,
                exact: exact && is_known && !feed.repeats && feed.found.is_none(),
            }
        },
        amount,
        requests,
        bytes,
    }
}

fn part<'a>(
    facts: &'a Facts,
    stage: &StageId,
    feed: &RequestFeed<'_>,
    video: &VideoFacts,
) -> Option<Part<'a>> {
    let survey = facts.surveys.get(&video.id);
    let sampled = survey.map(|survey| survey.frames).or(video.expected_frames);
    let frames = match feed.selection {
        Some(selection) if selection.without.contains_key(&video.id) => 0,
        Some(selection) => sampled?.div_ceil(u64::from(selection.every.max(1))),
        None => sampled?,
    };
    let left = left(facts, stage, video, frames as f64);
    Some(Part {
        frames,
        left: left.map(|frames| frames as u64),
        survey,
    })
}

// What a stage still has to ask of a video that has so many frames, or seconds of sound.
fn left(facts: &Facts, stage: &StageId, video: &VideoFacts, all: f64) -> Estimate<f64> {
    let known = facts.known.get(&video.id);
    let known = known.and_then(|known| known.stages.get(stage).copied());
    let KnownWork { least, most } = known.unwrap_or_default();
    Estimate::new(most, most, least).map(|known| (all - known).max(0.0))
}

fn sum(figures: impl Iterator<Item = Estimate<u64>>) -> Estimate<u64> {
    figures.fold(Estimate::default(), |sum: Estimate<u64>, one| {
        sum.with(one, |a, b| a + b)
    })
}

// The last request of a video is not filled up from the next one, and one that would be too large
// is sent sooner.
fn requests(
    parts: &[Part<'_>],
    feed: &RequestFeed<'_>,
    a_frame: Estimate<f64>,
    least: f64,
) -> Estimate<u64> {
    let size = feed.size as u64;
    let count = |held: Estimate<u64>| {
        let of_one = |part: &Part<'_>| {
            let frames = a_frame.with(part.left, |each, left| (each * left as f64) as u64);
            frames.with(held, u64::div_ceil)
        };
        sum(parts.iter().map(of_one))
    };
    let by_bytes = |bytes: f64| match feed.max_bytes {
        Some(most) if bytes > 0.0 => ((most as f64 / bytes) as u64).clamp(1, size),
        _ => size,
    };
    let sizes: Vec<f64> = parts
        .iter()
        .filter_map(|part| part.survey)
        .flat_map(sizes)
        .collect();
    let mut held = Estimate::sure(size);
    if feed.found != Some(FoundForm::Crops) && !sizes.is_empty() {
        let mean = sizes.iter().sum::<f64>() / sizes.len() as f64;
        let largest = sizes.iter().copied().fold(0.0, f64::max);
        let smallest = sizes.iter().copied().fold(f64::MAX, f64::min);
        held = Estimate::new(by_bytes(smallest), by_bytes(mean), by_bytes(largest * 1.5));
    }
    let mut requests = count(held);
    let begun = (least / size as f64).ceil() as u64;
    if feed.repeats {
        requests.low = requests.low.min(begun);
    }
    requests
}

fn sizes(survey: &Survey) -> impl Iterator<Item = f64> {
    survey.sizes.iter().map(|size| *size as f64)
}

fn bytes(
    parts: &[Part<'_>],
    feed: &RequestFeed<'_>,
    amount: Estimate<f64>,
    left: Estimate<u64>,
    requests: Estimate<u64>,
    encoding: Encoding,
) -> Estimate<u64> {
    let around_one = match encoding {
        Encoding::Base64 => QUOTES,
        Encoding::Raw => PART_HEADER,
    };
    let all = parts
        .iter()
        .fold(Estimate::default(), |sum: Estimate<f64>, part| {
            let one = part.survey.map_or(Estimate::default(), mean);
            let bytes = part.left.with(one, |left, one| left as f64 * one);
            sum.with(bytes, |sum, bytes| sum + bytes)
        });
    let scale = match feed.found {
        Some(FoundForm::Crops) => OF_A_FRAME,
        Some(FoundForm::Frames) | None => Estimate::sure(1.0),
    };
    let share = amount.with(left, |amount, left| amount / left.max(1) as f64);
    let carried = all
        .with(scale, |bytes, scale| bytes * scale)
        .with(share, |bytes, share| bytes * share * encoding.growth())
        .with(amount, |bytes, amount| bytes + amount * around_one);
    let around = requests.with(AROUND_ALL, |requests, around| requests as f64 * around);
    carried.with(around, |carried, around| (carried + around) as u64)
}

// The bytes of a frame on average, as far as those that were tried tell: three times the error
// of their mean, and never less than the rounding of a run.
fn mean(survey: &Survey) -> Estimate<f64> {
    let tried = survey.sizes.len() as f64;
    if tried == 0.0 {
        return Estimate::default();
    }
    let mean = sizes(survey).sum::<f64>() / tried;
    let variance = sizes(survey).map(|size| (size - mean).powi(2)).sum::<f64>();
    let error = (variance / (tried - 1.0).max(1.0) / tried).sqrt();
    let all = survey.frames as f64 <= tried;
    let off = if all {
        0.01 * mean
    } else {
        3.0 * error + 0.05 * mean
    };
    Estimate::new((mean - off).max(0.0), mean, mean + off)
}

/// The sound that `step` sends.
pub(in crate::plan) fn sound(
    plan: &Plan,
    facts: &Facts,
    step: &Step,
    place: &RemoteFacts,
) -> RequestEstimate {
    let StepKind::SpeechRequest { codec, .. } = &step.kind else {
        return RequestEstimate::nothing();
    };
    let Some(heard) = heard(plan, facts, &step.stage) else {
        return RequestEstimate::nothing();
    };
    let growth = place.encoding.growth();
    let (amount, requests) = (heard.amount, heard.requests);
    let bytes = amount
        .with(a_second(*codec), |amount, bytes| amount * bytes * growth)
        .with(
            requests.with(AROUND_ALL, |requests, around| requests as f64 * around),
            |bytes, around| (bytes + around) as u64,
        );
    RequestEstimate {
        bytes: Some(bytes),
        ..heard
    }
}

/// The sound that `stage` listens to, in chunks; bytes are those of no codec. `None` where it hears
/// nothing.
pub(in crate::plan) fn heard(
    plan: &Plan,
    facts: &Facts,
    stage: &StageId,
) -> Option<RequestEstimate> {
    let (length, drop_silence, without) = heard_how(plan, stage)?;
    let heard = |video: &&VideoFacts| video.has_sound && !without.contains_key(&video.id);
    let heard = facts.videos.iter().filter(heard);
    let parts = heard.map(|video| {
        let all = video.heard()?;
        let left = left(facts, stage, video, all);
        let parts = video.heard_parts()?;
        Some(Sound { all, parts, left })
    });
    let parts: Option<Vec<Sound>> = parts.collect();
    let is_known = parts.is_some();
    let parts = parts.unwrap_or_default();
    let all: f64 = parts.iter().map(|part| part.all).sum();
    let left = parts.iter().fold(Estimate::sure(0.0), |sum, part| {
        sum.with(part.left, |sum, left| sum + left)
    });
    let spoken = if drop_silence {
        SPOKEN
    } else {
        Estimate::sure(1.0)
    };
    let requests = chunks(&parts, length, drop_silence);
    let amount = spoken.with(left, |share, seconds| share * seconds);
    Some(RequestEstimate {
        work: Workload::Sound {
            seconds: Some(left.expected).filter(|_| is_known),
            all: Some(all).filter(|_| is_known),
        },
        amount,
        requests,
        bytes: None,
    })
}

// How long the chunks of a stage are, whether silence is dropped, and which videos it goes without.
fn heard_how<'a>(
    plan: &'a Plan,
    stage: &StageId,
) -> Option<(ChunkLength, bool, &'a BTreeMap<VideoId, String>)> {
    let of_stage = || {
        plan.steps()
            .map(|(_, it)| it)
            .filter(|it| it.stage == *stage)
    };
    let (length, drop_silence) = of_stage().find_map(|it| match it.kind {
        StepKind::ChunkSound {
            length,
            drop_silence,
        } => Some((length, drop_silence)),
        _ => None,
    })?;
    let without = of_stage().find_map(|it| match &it.kind {
        StepKind::ComposeTranscript { without } => Some(without),
        _ => None,
    })?;
    Some((length, drop_silence, without))
}

// How many chunks of the sound of videos are asked about. Where silence is dropped there may be as
// few as one.
fn chunks(parts: &[Sound], length: ChunkLength, drop_silence: bool) -> Estimate<u64> {
    // No chunk is of two parts.
    let chunks = parts.iter().flat_map(|sound| {
        let longest = length.of(Some(sound.all)) as f64 / f64::from(RATE);
        sound.parts.iter().map(move |part| {
            sound.left.with(OF_A_CHUNK, |left, share| {
                let left = left * part / sound.all;
                let rest = (left - longest).max(0.0);
                u64::from(left > 0.0) + (rest / (longest * share)).ceil() as u64
            })
        })
    });
    let mut sum = sum(chunks);
    if drop_silence {
        sum.low = sum.low.min(1);
    }
    sum
}

// Bytes of a second of sound. FLAC has about 55 % of the samples of speech.
fn a_second(codec: Codec) -> Estimate<f64> {
    let most = codec.most_bytes_a_second() as f64;
    match codec {
        Codec::Flac => Estimate::new(0.15 * most, 0.55 * most, most),
        Codec::Wav => Estimate::sure(most),
        // What the encoder is told to have, and what it may have.
        Codec::Opus => Estimate::new(500.0, 3_000.0, most),
    }
}

impl RequestEstimate {
    fn nothing() -> Self {
        Self {
            work: Workload::Sound {
                seconds: None,
                all: None,
            },
            amount: Estimate::default(),
            requests: Estimate::default(),
            bytes: None,
        }
    }
}
