//! Shares: the forecast of some of the videos of a run, and what each of them has to ask.

use crate::facts::Facts;
use crate::facts::VideoFacts;
use crate::name::StageId;
use crate::name::VideoId;
use crate::plan::forecast::forecast::Estimate;
use crate::plan::forecast::forecast::Forecast;
use crate::plan::forecast::forecast::demand;
use crate::plan::forecast::forecast::forecast;
use crate::plan::step::Plan;
use std::collections::BTreeMap;

/// What `plan` will ask about `videos`, which are some of those of `facts`.
pub fn forecast_of(plan: &Plan, facts: &Facts, videos: &[VideoFacts]) -> Forecast {
    forecast(plan, &narrowed(facts, videos))
}

/// What the stages of `plan` that are paid by the second have to ask about each video: frames, or
/// seconds of sound. A stage that has nothing to ask about any case is left out.
pub fn open_work(
    plan: &Plan,
    facts: &Facts,
) -> BTreeMap<VideoId, BTreeMap<StageId, Estimate<f64>>> {
    let of_video = |video: &VideoFacts| {
        let facts = narrowed(facts, std::slice::from_ref(video));
        let amounts = plan.steps().filter_map(|(index, step)| {
            let (asked, place, ..) = demand(plan, &facts, index, step)?;
            let is_paid = place.fleet.is_some() && asked.amount.high > 0.0;
            is_paid.then(|| (step.stage.clone(), asked.amount))
        });
        (video.id, amounts.collect())
    };
    facts.videos.iter().map(of_video).collect()
}

fn narrowed(facts: &Facts, videos: &[VideoFacts]) -> Facts {
    let ids = || videos.iter().map(|video| video.id);
    Facts {
        videos: videos.to_vec(),
        surveys: ids()
            .filter_map(|id| Some((id, facts.surveys.get(&id)?.clone())))
            .collect(),
        known: ids()
            .filter_map(|id| Some((id, facts.known.get(&id)?.clone())))
            .collect(),
        placements: facts.placements.clone(),
        cores: facts.cores,
        decoder_frames: facts.decoder_frames,
        decoder_bytes: facts.decoder_bytes,
        first: facts.first,
        speeds: facts.speeds.clone(),
    }
}
