//! A stage that listens: its own way through the sound of a video, from the file to a transcript.

use crate::diag::Diagnostic;
use crate::facts::Placement;
use crate::facts::RemoteFacts;
use crate::item::ItemKind;
use crate::plan::lower::chunk::ChunkLength;
use crate::plan::lower::compile::Lowering;
use crate::plan::lower::compile::Outlets;
use crate::plan::lower::feed::picking;
use crate::plan::lower::memory;
use crate::plan::step::Lane;
use crate::plan::step::StageFate;
use crate::plan::step::StepKind;
use crate::recipe::Stage;
use crate::recipe::WhisperSpec;

impl Lowering<'_> {
    pub(in crate::plan) fn whisper(&mut self, stage: &Stage, spec: &WhisperSpec) -> StageFate {
        let (length, codec, mut listen) = match self.facts.placements.get(&stage.id) {
            Some(Placement::Local(place)) => {
                let kind = StepKind::Transcribe {
                    spec: spec.clone(),
                    place: place.clone(),
                };
                let step = self.inferring(stage, "transcribe", kind, spec.concurrency, place);
                (ChunkLength::local(spec), None, step)
            }
            Some(Placement::Remote(place)) => {
                let Some(length) = ChunkLength::remote(spec, place) else {
                    self.wrong.push(too_little_sound(stage, spec, place));
                    return StageFate::Skipped("its requests are too small".to_owned());
                };
                let kind = StepKind::Ask {
                    spec: spec.clone(),
                    place: place.clone(),
                };
                let step = self.asking(stage, kind, spec.concurrency, place);
                (length, Some(spec.codec), step)
            }
            Some(Placement::Skipped { why }) => return StageFate::Skipped(why.clone()),
            None => return StageFate::Skipped("it has no backend".to_owned()),
        };
        let without = match picking(stage, &self.facts.videos) {
            Ok(picking) => picking.without,
            Err(wrong) => {
                self.wrong.extend(wrong);
                return StageFate::Skipped("`when` cannot be told".to_owned());
            }
        };
        // Chunks are large: one that is taken next is enough.
        listen.inbox = 1;
        let kind = StepKind::Sound {
            track: spec.track,
            without: without.clone(),
        };
        let sound = self.step(stage, "sound", kind, Lane::Source, memory::OPEN_VIDEOS);
        let kind = StepKind::CutSound {
            length,
            drop_silence: spec.vad_filter,
        };
        let cut = self.step(stage, "cut", kind, Lane::Fold, 1);
        let code = codec.map(|codec| {
            // One keeps many workers busy; each holds two chunks.
            let kind = StepKind::Code { codec };
            let mut step = self.step(stage, "encode", kind, Lane::Threads, 1);
            step.inbox = 1;
            step
        });
        let compose = self.step(
            stage,
            "compose",
            StepKind::Compose { without },
            Lane::Fold,
            1,
        );
        let steps = [Some(sound), Some(cut), code, Some(listen), Some(compose)];
        let kinds = [
            ItemKind::Sound,
            ItemKind::Sound,
            ItemKind::Chunk,
            ItemKind::Chunk,
            ItemKind::Passage,
        ];
        let mut names = Vec::new();
        let mut before = None;
        for (mut step, kind) in steps
            .into_iter()
            .zip(kinds)
            .filter_map(|(s, k)| Some((s?, k)))
        {
            step.last = matches!(step.lane, Lane::Calls)
                || matches!(step.kind, StepKind::Transcribe { .. });
            names.push(step.id.clone());
            let node = self.graph.add_node(step);
            if let Some(before) = before.replace(node) {
                self.graph.add_edge(before, node, kind);
            }
        }
        let outlets = Outlets {
            transcript: before,
            ..Outlets::default()
        };
        self.outlets.insert(stage.id.clone(), outlets);
        StageFate::Runs(names)
    }

    // A JPEG of the quality of `extract` is made there, once for all who want it.
}

fn too_little_sound(stage: &Stage, spec: &WhisperSpec, place: &RemoteFacts) -> Diagnostic {
    let (most, codec) = (place.max_body, spec.codec.extension());
    let message = format!("a request of {most} bytes holds less than 5 seconds of {codec}");
    Diagnostic::error(stage.key("codec"), message)
        .help("set `codec = \"opus\"`, or `max_body` of the backend to what its server takes")
}
