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
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;

/// A video of a replay.
#[derive(Clone, Debug)]
pub struct ReplayedVideo {
    /// Which input.
    pub id: VideoId,
    /// The file or folder, as the user names it.
    pub path: PathBuf,
    /// BLAKE3 of the content, in hexadecimal.
    pub digest: String,
    /// Whether it is there to be read.
    pub is_there: bool,
}

/// A cassette in place of every backend of a plan.
pub struct Replay {
    cassette: Arc<Cassette>,
    videos: BTreeMap<VideoId, PlacedVideo>,
    // The stages that ask a model, by what their answers are kept under.
    asked: HashMap<StageDigest, AskedStage>,
    // The stages that read, by what is kept of the end of that.
    read: HashMap<StageDigest, StageId>,
    sampling: Value,
    stages: Vec<StageId>,
    missed: Mutex<Missed>,
}

struct PlacedVideo {
    video: ReplayedVideo,
    // Its place in the cassette.
    place: Option<usize>,
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
    /// The answers of `cassette` for the stages of `plan` and these videos.
    pub fn new(
        cassette: &Arc<Cassette>,
        plan: &Plan,
        videos: impl Iterator<Item = ReplayedVideo>,
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
        let videos = videos.map(|video| {
            let place = cassette.place_of(&video.digest);
            (video.id, PlacedVideo { video, place })
        });
        let sampled = plan.sampler().map(|id| (plan.sampling(), id.clone()));
        let heard = plan.stages().iter();
        let heard = heard.filter_map(|stage| Some((plan.sound(&stage.id)?, stage.id.clone())));
        Self {
            asked: asked.collect(),
            read: heard.chain(sampled).collect(),
            videos: videos.collect(),
            sampling: plan.sampling_terms().clone(),
            stages: plan.stages().iter().map(|stage| stage.id.clone()).collect(),
            cassette: Arc::clone(cassette),
            missed: Mutex::default(),
        }
    }

    /// What was asked for so far and is not there.
    pub fn misses(&self) -> Misses {
        let missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        let mut misses = missed.misses.clone();
        let place = |stage: &StageId| self.stages.iter().position(|it| it == stage);
        misses.groups.sort_by_key(|group| place(&group.stage));
        misses
    }

    fn find(&self, key: &ItemKey) -> Option<&Answer> {
        let place = self.videos.get(&key.video)?.place?;
        self.cassette.answer(place, &key.stage, key.extent)
    }

    fn miss(&self, key: &ItemKey, stage: &AskedStage) -> Failure {
        let placed = self.videos.get(&key.video);
        let why = match (placed.and_then(|it| it.place), &stage.why) {
            (Some(_), Some(why)) => why.clone(),
            (Some(video), None) => self.why_of_item(video, key, stage),
            (None, _) => match placed {
                Some(PlacedVideo { video, .. }) => miss::of_video(&self.cassette, &video.path),
                None => "the video is not in it".to_owned(),
            },
        };
        self.missed(key, &stage.stage, &why)
    }

    // Why a video that is not there cannot be read; `None` where it is there.
    fn unreadable(&self, key: &ItemKey, stage: &StageId) -> Option<Failure> {
        let placed = self.videos.get(&key.video);
        placed.filter(|it| key.extent == Extent::Whole && !it.video.is_there)?;
        let why = match self.asked.values().find(|asked| asked.stage == *stage) {
            Some(AskedStage { why: Some(why), .. }) => why.clone(),
            Some(asked) => miss::of_sound(&self.cassette, stage, &asked.terms),
            None => miss::of_sampling(&self.cassette, &self.sampling, "these frames were"),
        };
        let why = format!("{why}; the video itself is needed");
        Some(self.missed(key, stage, &why))
    }

    fn missed(&self, key: &ItemKey, stage: &StageId, why: &str) -> Failure {
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        if missed.items.insert(*key) {
            missed.misses.add(stage, why);
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
            false => miss::of_sampling(&self.cassette, &self.sampling, "this frame was"),
        }
    }
}

impl Answers for Replay {
    fn look_up(&self, key: &ItemKey) -> Result<Option<Answer>, Failure> {
        match (self.find(key), self.asked.get(&key.stage)) {
            (Some(answer), _) => Ok(Some(answer.clone())),
            (None, Some(stage)) => Err(self.miss(key, stage)),
            (None, None) => {
                let read = self.read.get(&key.stage);
                let lack = read.and_then(|stage| self.unreadable(key, stage));
                // It is made again.
                lack.map_or(Ok(None), Err)
            }
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
        let place = self.videos.get(&video).and_then(|it| it.place);
        let extents = place.map(|video| self.cassette.extents(video, &stage));
        Ok(extents.unwrap_or_default())
    }

    fn open_tickets(&self) -> Result<Vec<OpenTicket>, Failure> {
        Ok(Vec::new())
    }
}
