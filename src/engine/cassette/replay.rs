//! The answers of a cassette: nobody is asked, and what is not in it is an error that says why.

use crate::answer::Answer;
use crate::answer::Extent;
use crate::answer::ItemKey;
use crate::answer::OpenTicket;
use crate::answer::StageDigest;
use crate::engine::answers::Answers;
use crate::engine::answers::NotedAnswer;
use crate::engine::cassette::miss;
use crate::engine::cassette::miss::Misses;
use crate::engine::cassette::read::Cassette;
use crate::failure::Class;
use crate::failure::Failure;
use crate::name::StageId;
use crate::name::Ticket;
use crate::name::VideoId;
use crate::plan::Plan;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// A cassette in place of every backend of a plan.
pub struct Replay {
    cassette: Arc<Cassette>,
    // The place of each in the cassette.
    videos: BTreeMap<VideoId, Option<usize>>,
    // The stages that ask a model, by what their answers are kept under.
    asked: HashMap<StageDigest, AskedStage>,
    sampling: Value,
    missed: Mutex<Missed>,
}

struct AskedStage {
    stage: StageId,
    terms: Value,
    // Why none of its answers is there.
    why: Option<String>,
}

#[derive(Default)]
struct Missed {
    items: HashSet<ItemKey>,
    misses: Misses,
}

impl Replay {
    /// The answers of `cassette` for the stages of `plan` and these videos, by the digests of their
    /// contents.
    pub fn new(
        cassette: &Arc<Cassette>,
        plan: &Plan,
        videos: impl Iterator<Item = (VideoId, String)>,
    ) -> Self {
        let asked = plan.stages().iter().filter_map(|stage| {
            let digest = plan.digest(&stage.id)?;
            let terms = plan.terms(&stage.id)?.clone();
            let is_known = cassette.knows(&digest);
            let why = (!is_known).then(|| miss::of_stage(cassette, &stage.id, &terms));
            let stage = AskedStage {
                stage: stage.id.clone(),
                terms,
                why,
            };
            Some((digest, stage))
        });
        let videos = videos.map(|(id, digest)| (id, cassette.place_of(&digest)));
        Self {
            asked: asked.collect(),
            videos: videos.collect(),
            sampling: plan.sampling_terms().clone(),
            cassette: Arc::clone(cassette),
            missed: Mutex::default(),
        }
    }

    /// What was asked for so far and is not there.
    pub fn misses(&self) -> Misses {
        let missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        missed.misses.clone()
    }

    fn find(&self, key: &ItemKey) -> Option<&Answer> {
        let video = self.videos.get(&key.video).copied().flatten()?;
        self.cassette.answer(video, &key.stage, key.extent)
    }

    fn miss(&self, key: &ItemKey, stage: &AskedStage) -> Failure {
        let why = match (self.videos.get(&key.video), &stage.why) {
            (Some(Some(_)), Some(why)) => why.clone(),
            (Some(Some(video)), None) => self.why_of_item(*video, key, stage),
            _ => "the video is not in it".to_owned(),
        };
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        if missed.items.insert(*key) {
            missed.misses.add(&stage.stage, &why);
        }
        Failure::new(Class::NotRecorded, format!("not in the cassette: {why}"))
    }

    fn why_of_item(&self, video: usize, key: &ItemKey, stage: &AskedStage) -> String {
        let frame = match key.extent {
            Extent::Frame { pts, crop: None } => Extent::Frame { pts, crop: None },
            Extent::Frame { .. } => return "this crop was not looked at then".to_owned(),
            Extent::Whole | Extent::Sound { .. } => {
                return miss::of_sound(&self.cassette, &stage.stage, &stage.terms);
            }
        };
        let mut sampling = self.cassette.head().stages.iter();
        let was_sampled = sampling.any(|it| {
            let digest = it.sampling.as_ref();
            digest.is_some_and(|it| self.cassette.answer(video, it, frame).is_some())
        });
        match was_sampled {
            true => "this frame was not looked at then".to_owned(),
            false => miss::of_sampling(&self.cassette, &self.sampling),
        }
    }
}

impl Answers for Replay {
    fn look_up(&self, key: &ItemKey) -> Result<Option<Answer>, Failure> {
        match (self.find(key), self.asked.get(&key.stage)) {
            (Some(answer), _) => Ok(Some(answer.clone())),
            (None, Some(stage)) => Err(self.miss(key, stage)),
            // It is made again.
            (None, None) => Ok(None),
        }
    }

    // What is missed is not prepared for being asked.
    fn has(&self, key: &ItemKey) -> Result<bool, Failure> {
        Ok(self.find(key).is_some() || self.asked.contains_key(&key.stage))
    }

    fn note_ticket(&self, _: &OpenTicket) -> Result<(), Failure> {
        Ok(())
    }

    fn note_answers(&self, _: &[NotedAnswer]) -> Result<(), Failure> {
        Ok(())
    }

    fn drop_ticket(&self, _: &Ticket) -> Result<(), Failure> {
        Ok(())
    }

    fn extents(&self, video: VideoId, stage: StageDigest) -> Result<Vec<Extent>, Failure> {
        let video = self.videos.get(&video).copied().flatten();
        let extents = video.map(|video| self.cassette.extents(video, &stage));
        Ok(extents.unwrap_or_default())
    }

    fn open_tickets(&self) -> Result<Vec<OpenTicket>, Failure> {
        Ok(Vec::new())
    }
}
