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
use crate::plan::step::Step;
use crate::plan::step::StepKind;
use crate::recipe::SoundSpec;
use crate::recipe::Stage;
use crate::recipe::WhisperSpec;

impl Lowering<'_> {
    pub(in crate::plan) fn whisper(&mut self, stage: &Stage, spec: &WhisperSpec) -> StageFate {
        match self.facts.placements.get(&stage.id) {
            Some(Placement::Local(place)) => {
                let kind = StepKind::Transcribe {
                    spec: spec.clone(),
                    place: place.clone(),
                };
                let listen = self.inferring(stage, "transcribe", kind, spec.concurrency, place);
                let length = ChunkLength::local(&spec.sound);
                self.listen(stage, &spec.sound, length, listen)
            }
            Some(Placement::Remote(place)) => {
                self.ask_about_sound(stage, &spec.sound, spec.concurrency, place)
            }
            Some(Placement::Skipped { why }) => StageFate::Skipped(why.clone()),
            None => StageFate::Skipped("it has no backend".to_owned()),
        }
    }

    /// A stage that asks the server at `place` about sound.
    pub(in crate::plan) fn ask_about_sound(
        &mut self,
        stage: &Stage,
        sound: &SoundSpec,
        concurrency: usize,
        place: &RemoteFacts,
    ) -> StageFate {
        let Some(length) = ChunkLength::remote(sound, concurrency, place) else {
            self.wrong.push(too_little_sound(stage, sound, place));
            return StageFate::Skipped("its requests are too small".to_owned());
        };
        let kind = StepKind::Ask {
            codec: sound.codec,
            place: place.clone(),
        };
        let listen = self.asking(stage, kind, concurrency, place);
        self.listen(stage, sound, length, listen)
    }

    // The steps around `listen`, which infers.
    fn listen(
        &mut self,
        stage: &Stage,
        sound: &SoundSpec,
        length: ChunkLength,
        mut listen: Step,
    ) -> StageFate {
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
            track: sound.track,
            without: without.clone(),
        };
        let read = self.step(stage, "sound", kind, Lane::Source, memory::OPEN_VIDEOS);
        let kind = StepKind::CutSound {
            length,
            drop_silence: sound.vad_filter,
        };
        let cut = self.step(stage, "cut", kind, Lane::Fold, 1);
        // Sound that leaves the machine is coded.
        let code = (listen.lane == Lane::Calls).then(|| {
            // One keeps many workers busy; each holds two chunks.
            let kind = StepKind::Code { codec: sound.codec };
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
        let steps = [Some(read), Some(cut), code, Some(listen), Some(compose)];
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
}

fn too_little_sound(stage: &Stage, sound: &SoundSpec, place: &RemoteFacts) -> Diagnostic {
    let (most, codec) = (place.max_body, sound.codec.extension());
    let message = format!("a request of {most} bytes holds less than 5 seconds of {codec}");
    Diagnostic::error(stage.key("codec"), message)
        .help("set `codec = \"opus\"`, or `max_body` of the backend to what its server takes")
}
