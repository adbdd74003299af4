//! A speech stage: its own way through the sound of a video, from the file to a transcript.

use crate::diag::Diagnostic;
use crate::facts::Placement;
use crate::facts::RemoteFacts;
use crate::item::ItemKind;
use crate::plan::lower::chunk::ChunkLength;
use crate::plan::lower::compile::Lowering;
use crate::plan::lower::compile::StageOutputs;
use crate::plan::lower::feed::selection;
use crate::plan::lower::memory;
use crate::plan::step::Execution;
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
                let listen = self.local_step(stage, "transcribe", kind, spec.concurrency, place);
                let length = ChunkLength::local(&spec.sound, spec.concurrency, place);
                self.speech_steps(stage, &spec.sound, length, listen)
            }
            Some(Placement::Remote(place)) => {
                self.speech_on_server(stage, &spec.sound, spec.concurrency, place)
            }
            Some(Placement::Skipped { why }) => StageFate::Skipped(why.clone()),
            None => StageFate::Skipped("it has no backend".to_owned()),
        }
    }

    /// A stage that asks the server at `place` about sound.
    pub(in crate::plan) fn speech_on_server(
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
        let kind = StepKind::SpeechRequest {
            codec: sound.codec,
            place: place.clone(),
        };
        let listen = self.request_step(stage, kind, concurrency, place);
        self.speech_steps(stage, sound, length, listen)
    }

    // The steps around `listen`, which infers.
    fn speech_steps(
        &mut self,
        stage: &Stage,
        sound: &SoundSpec,
        length: ChunkLength,
        mut listen: Step,
    ) -> StageFate {
        let without = match selection(stage, &self.facts.videos) {
            Ok(selection) => selection.without,
            Err(wrong) => {
                self.wrong.extend(wrong);
                return StageFate::Skipped("`when` cannot be told".to_owned());
            }
        };
        // Chunks are large: one that is taken next is enough.
        listen.inbox = 1;
        let kind = StepKind::ReadSound {
            track: sound.track,
            without: without.clone(),
        };
        let read = self.step(stage, "sound", kind, Execution::Source, memory::OPEN_VIDEOS);
        let kind = StepKind::ChunkSound {
            length,
            drop_silence: sound.vad_filter,
        };
        let cut = self.step(stage, "cut", kind, Execution::Fold, 1);
        // Sound that leaves the machine is coded.
        let code = (listen.execution == Execution::Calls).then(|| {
            // One keeps many workers busy; each holds two chunks.
            let kind = StepKind::EncodeSound { codec: sound.codec };
            let mut step = self.step(stage, "encode", kind, Execution::Threads, 1);
            step.inbox = 1;
            step
        });
        let compose = self.step(
            stage,
            "compose",
            StepKind::ComposeTranscript { without },
            Execution::Fold,
            1,
        );
        self.speech_chain(
            stage,
            [Some(read), Some(cut), code, Some(listen), Some(compose)],
        )
    }

    // Joins the steps, each to the next that there is.
    fn speech_chain(&mut self, stage: &Stage, steps: [Option<Step>; 5]) -> StageFate {
        let kinds = [
            ItemKind::Sound,
            ItemKind::Sound,
            ItemKind::Chunk,
            ItemKind::Chunk,
            ItemKind::ChunkTranscript,
        ];
        let mut names = Vec::new();
        let mut before = None;
        for (mut step, kind) in steps
            .into_iter()
            .zip(kinds)
            .filter_map(|(s, k)| Some((s?, k)))
        {
            step.last = matches!(step.execution, Execution::Calls)
                || matches!(step.kind, StepKind::Transcribe { .. });
            names.push(step.id.clone());
            let node = self.graph.add_node(step);
            if let Some(before) = before.replace(node) {
                self.graph.add_edge(before, node, kind);
            }
        }
        let outputs = StageOutputs {
            transcript: before,
            ..StageOutputs::default()
        };
        self.outputs.insert(stage.id.clone(), outputs);
        StageFate::Runs(names)
    }
}

fn too_little_sound(stage: &Stage, sound: &SoundSpec, place: &RemoteFacts) -> Diagnostic {
    let (most, codec) = (place.max_body, sound.codec.extension());
    let message = format!("a request of {most} bytes holds less than 5 seconds of {codec}");
    Diagnostic::error(stage.key("codec"), message)
        .help("set `codec = \"opus\"`, or `max_body` of the backend to what its server takes")
}
