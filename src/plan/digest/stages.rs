//! The digests of a recipe: one for each stage that asks, in which those of the stages it takes
//! from are, and one for how frames are sampled.
//!
//! A frame is asked about under its time stamp, so how many are sampled does not count: at another
//! `fps` only the frames that are new are asked about. Likewise `every`, `when` and `filter` say
//! which frames and boxes are asked about, and not what is answered; but `filter` counts for a
//! stage that takes the objects which were found in crops, since it numbers them. Where sound is
//! cut does not count either: a chunk is asked about under its samples.

use crate::answer::StageDigest;
use crate::facts::Facts;
use crate::facts::Placement;
use crate::name::StageId;
use crate::plan::checked::CheckedRecipe;
use crate::plan::digest::encoding::digest;
use crate::plan::digest::server;
use crate::plan::digest::server::NamesUsed;
use crate::plan::digest::tellable::tellable;
use crate::plan::digest::terms;
use crate::plan::digest::terms::Terms;
use crate::plan::graph::stages::StageGraph;
use crate::recipe::ExtractSpec;
use crate::recipe::Inference;
use crate::recipe::Medium;
use crate::recipe::Port;
use crate::recipe::SIGHT_NAMES;
use crate::recipe::SaveSpec;
use crate::recipe::Stage;
use crate::recipe::StageSpec;
use crate::recipe::TrackSpec;
use crate::template::Condition;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;

/// What in a template differs with the way frames are sampled.
const OF_SAMPLING: [&str; 3] = ["frame.index", "frames", "video.frames"];

/// What in it differs with the name of a video, which is known by its content.
const OF_NAME: [&str; 2] = ["video.name", "video.stem"];

/// What is kept under which digest.
#[derive(Clone, Debug)]
pub(in crate::plan) struct StageDigests {
    sampling: StageDigest,
    // What each stage is asked, of one item.
    asked: BTreeMap<StageId, StageDigest>,
    // What it gives for a frame: of crops, what was found in all of them.
    given: BTreeMap<StageId, StageDigest>,
    transcripts: BTreeMap<StageId, StageDigest>,
    sounds: BTreeMap<StageId, StageDigest>,
    files: BTreeMap<StageId, StageDigest>,
    // What those are made of that are told where they differ.
    sampling_terms: Value,
    asked_terms: BTreeMap<StageId, Value>,
}

impl StageDigests {
    /// The digests of `recipe`.
    pub(in crate::plan) fn of(recipe: &CheckedRecipe, facts: &Facts) -> Self {
        let extract = recipe.extract().cloned().unwrap_or_default();
        let sampling_terms = terms::sampling(&extract, facts.first);
        let sampling = digest(&sampling_terms);
        let graph = StageGraph::of(recipe);
        let mut making = Making {
            graph: &graph,
            facts,
            extract,
            digests: Self {
                sampling,
                asked: BTreeMap::new(),
                given: BTreeMap::new(),
                transcripts: BTreeMap::new(),
                sounds: BTreeMap::new(),
                files: BTreeMap::new(),
                sampling_terms,
                asked_terms: BTreeMap::new(),
            },
        };
        let inferences: BTreeMap<_, _> = recipe.inferences().collect();
        for &node in &graph.order {
            let stage = graph.graph[node];
            making.stage(stage, inferences.get(&stage.id).copied());
        }
        making.digests
    }

    /// That of the sampled frames.
    pub(in crate::plan) fn sampling(&self) -> StageDigest {
        self.sampling
    }

    /// That of what `stage` is asked of one item.
    pub(in crate::plan) fn asked(&self, stage: &StageId) -> Option<StageDigest> {
        self.asked.get(stage).copied()
    }

    /// What decides which frames are sampled.
    pub(in crate::plan) fn sampling_terms(&self) -> &Value {
        &self.sampling_terms
    }

    /// What decides the answers of `stage`, without the texts of the recipe's own.
    pub(in crate::plan) fn asked_terms(&self, stage: &StageId) -> Option<&Value> {
        self.asked_terms.get(stage)
    }

    /// That of the transcript which `stage` makes of a video.
    pub(in crate::plan) fn transcript(&self, stage: &StageId) -> Option<StageDigest> {
        self.transcripts.get(stage).copied()
    }

    /// That of the sound which its transcript is made of.
    pub(in crate::plan) fn sound(&self, stage: &StageId) -> Option<StageDigest> {
        self.sounds.get(stage).copied()
    }

    /// That of the files which `stage` writes.
    pub(in crate::plan) fn files(&self, stage: &StageId) -> Option<StageDigest> {
        self.files.get(stage).copied()
    }
}

struct Making<'a> {
    graph: &'a StageGraph<'a>,
    facts: &'a Facts,
    extract: ExtractSpec,
    digests: StageDigests,
}

impl Making<'_> {
    fn stage(&mut self, stage: &Stage, inference: Option<&Inference>) {
        if let StageSpec::Save(spec) = &stage.spec {
            self.file(stage, spec);
        }
        if let StageSpec::Track(spec) = &stage.spec {
            self.tracks(stage, spec);
        }
        let place = self.facts.placements.get(&stage.id);
        let Some((inference, place)) = inference.zip(place) else {
            return;
        };
        let as_file = matches!(place, Placement::Remote(_));
        let taken = self.taken(stage, as_file);
        let Some((terms, taken)) = terms::asked(inference, place).zip(taken) else {
            return;
        };
        let Terms { all, used } = terms;
        let terms = json!({
            "asked": all,
            "taken": taken,
            "sampling": self.sampling_in(&used),
            "videos": self.names_in(&used),
        });
        let asked = digest(&terms);
        let id = || stage.id.clone();
        self.digests.asked.insert(id(), asked);
        self.digests.given.insert(id(), self.given(stage, asked));
        let mut terms = terms;
        if let Some(sound) = stage.spec.sound() {
            let range = terms::range(&self.extract.wanted(self.facts.first));
            terms["joined"] = json!({ "chunk": sound.chunk, "range": range });
            let transcript = digest(&json!({
                "transcript": asked.to_string(),
                "chunk": sound.chunk,
                "range": range,
            }));
            let heard = digest(&json!({ "sound of": transcript.to_string() }));
            self.digests.transcripts.insert(id(), transcript);
            self.digests.sounds.insert(id(), heard);
        }
        self.digests.asked_terms.insert(id(), tellable(&terms));
    }

    // What of a frame is written; where that is cut out, or drawn on it, it is known by who found it.
    fn file(&mut self, stage: &Stage, spec: &SaveSpec) {
        let mut terms = terms::file(spec, &self.extract);
        if let Some(from) = self.graph.crops_of(stage) {
            let Some(given) = self.digests.given.get(from) else {
                return;
            };
            terms["crops"] = given.to_string().into();
            terms["padding"] = stage.take.padding.to_string().into();
        }
        if let Some(from) = &spec.draw {
            let Some(given) = self.digests.given.get(from) else {
                return;
            };
            terms["drawn"] = json!({
                "of": given.to_string(),
                "filter": stage.take.filter.as_ref().map(server::condition),
            });
        }
        self.digests.files.insert(stage.id.clone(), digest(&terms));
    }

    // What a stage takes; `None` where it takes from a stage that is asked nothing.
    fn taken(&self, stage: &Stage, as_file: bool) -> Option<Value> {
        let given = |from: &StageId| self.digests.given.get(from).map(ToString::to_string);
        match (stage.spec.medium()?, self.graph.crops_of(stage)) {
            (Medium::Frames, None) => Some(json!({
                "frames": terms::look(&self.extract, as_file),
            })),
            (Medium::Frames, Some(from)) => Some(json!({
                "crops": given(from)?,
                "padding": stage.take.padding.to_string(),
                "frames": terms::look(&self.extract, as_file),
            })),
            (Medium::Boxes, _) => {
                let mut inputs = stage.inputs.iter();
                let from = inputs.find(|input| input.port == Port::Boxes)?;
                Some(json!({ "boxes": given(&from.stage)? }))
            }
            (Medium::Sound, _) => {
                let sound = terms::heard(stage.spec.sound()?, as_file);
                Some(json!({ "sound": sound }))
            }
        }
    }

    // What tracks asks nobody, and decides what those are asked that take what it gives.
    fn tracks(&mut self, stage: &Stage, spec: &TrackSpec) {
        let mut inputs = stage.inputs.iter();
        let of = inputs.find_map(|input| self.digests.given.get(&input.stage));
        if let Some(of) = of {
            let given = digest(&json!({ "tracks of": of.to_string(), "how": terms::track(spec) }));
            self.digests.given.insert(stage.id.clone(), given);
        }
    }

    // Of a frame, all that was found in its crops.
    fn given(&self, stage: &Stage, asked: StageDigest) -> StageDigest {
        let Some(from) = self.graph.crops_of(stage) else {
            return asked;
        };
        let mut terms = json!({
            "of crops": asked.to_string(),
            "filter": stage.take.filter.as_ref().map(server::condition),
        });
        let names = stage.take.filter.as_ref().map(Condition::names);
        let names = names.unwrap_or_default();
        let chooses = SIGHT_NAMES.iter().any(|&name| names.contains(name));
        let mut tracks = self.graph.recipe.tracks();
        let tracks = tracks.find(|(stage, ..)| chooses && stage.id == *from);
        if let Some((.., spec)) = tracks {
            terms["sights"] = terms::sights(spec);
        }
        digest(&terms)
    }

    fn sampling_in(&self, used: &NamesUsed) -> Option<String> {
        let is_in = used.has(&OF_SAMPLING);
        is_in.then(|| self.digests.sampling.to_string())
    }

    // A name is no part of what a video is known by; where it is sent, answers are kept for the
    // names of the run.
    fn names_in(&self, used: &NamesUsed) -> Option<Vec<String>> {
        used.has(&OF_NAME).then(|| {
            let videos = self.facts.videos.iter();
            let names = videos.filter_map(|video| video.path.file_name());
            let mut names: Vec<_> = names
                .map(|name| name.to_string_lossy().into_owned())
                .collect();
            names.sort_unstable();
            names
        })
    }
}
