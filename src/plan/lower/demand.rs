//! Demand: which forms of frames, and whether sound, any stage takes as it is placed.
//!
//! Known before the first stage is lowered, so that nothing is read or encoded for nobody.

use crate::facts::Encoding;
use crate::facts::Facts;
use crate::facts::Placement;
use crate::facts::RemoteFacts;
use crate::name::StageId;
use crate::plan::found::FoundForm;
use crate::plan::graph::stages::StageGraph;
use crate::recipe::Medium;
use crate::recipe::SaveFormat;
use crate::recipe::SaveSpec;
use crate::recipe::Stage;
use crate::recipe::StageSpec;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// What the stages of a recipe take of the video, as they are placed.
pub(super) struct Demand {
    // Of any form.
    pub(super) frames: bool,
    pub(super) pixels: bool,
    pub(super) jpeg: bool,
    pub(super) sound: bool,
    // The stages that feed a server, with the bytes of JPEG that fit into its requests.
    pub(super) batches: BTreeMap<StageId, usize>,
    // Those whose users collect for themselves, because they do not take all.
    pub(super) own: BTreeSet<StageId>,
    // Those that track things of each of which somebody takes one sight.
    pub(super) chosen: BTreeSet<StageId>,
}

impl Demand {
    pub(super) fn of(graph: &StageGraph<'_>, facts: &Facts) -> Self {
        let mut demand = Self {
            frames: false,
            pixels: false,
            jpeg: false,
            sound: false,
            batches: BTreeMap::new(),
            own: BTreeSet::new(),
            chosen: BTreeSet::new(),
        };
        for stage in graph.graph.node_weights() {
            demand.note(graph, stage, facts.placements.get(&stage.id));
        }
        demand.frames |= demand.pixels || demand.jpeg;
        demand
    }

    // What `stage`, placed at `place`, takes of the video.
    fn note(&mut self, graph: &StageGraph<'_>, stage: &Stage, place: Option<&Placement>) {
        let filter = stage.take.filter.as_ref();
        if let Some((_, of)) = graph.found_of(stage)
            && filter.is_some_and(|filter| filter.names().contains("first"))
        {
            self.chosen.insert(of.clone());
        }
        if let StageSpec::Save(spec) = &stage.spec {
            self.note_files(graph, stage, spec);
        }
        match (stage.spec.medium(), place) {
            (_, None | Some(Placement::Skipped { .. })) | (None | Some(Medium::Boxes), _) => {}
            (Some(Medium::Sound), Some(_)) => self.sound = true,
            (Some(Medium::Frames), Some(Placement::Local(_))) => self.pixels = true,
            (Some(Medium::Frames), Some(Placement::Remote(place))) => {
                self.note_requests(graph, stage, place);
            }
        }
    }

    fn note_requests(&mut self, graph: &StageGraph<'_>, stage: &Stage, place: &RemoteFacts) {
        let found = graph.found_of(stage).map(|(form, _)| form);
        let sources = stage.inputs.iter().map(|input| input.stage.clone());
        if found.is_some() || !stage.take.is_all() {
            self.frames = true;
            self.pixels |= found == Some(FoundForm::Crops);
            self.own.extend(sources);
            return;
        }
        self.jpeg = true;
        for source in sources {
            let most = self.batches.entry(source).or_insert(usize::MAX);
            *most = (*most).min(jpeg_bytes(place));
        }
    }

    fn note_files(&mut self, graph: &StageGraph<'_>, stage: &Stage, spec: &SaveSpec) {
        let found = graph.found_of(stage).map(|(form, _)| form);
        let takes_jpeg = spec.format == SaveFormat::Jpeg && spec.quality.is_none();
        let is_changed = spec.draw.is_some() || found == Some(FoundForm::Crops);
        self.frames = true;
        self.pixels |= spec.format == SaveFormat::Png || is_changed;
        // Of the frames in which something is found there may be few: where nobody else takes all as
        // JPEG, theirs are made once it is known which they are.
        self.jpeg |= takes_jpeg && found.is_none();
    }
}

/// What of a request's body is left for JPEGs. In JSON the parameters and quotes around them stay
/// below a hundredth; in a form each has a header of its own, which stays below three.
pub(super) fn jpeg_bytes(place: &RemoteFacts) -> usize {
    let share = match place.encoding {
        Encoding::Base64 => 99,
        Encoding::Raw => 97,
    };
    place.encoding.held(place.max_body / 100 * share)
}
