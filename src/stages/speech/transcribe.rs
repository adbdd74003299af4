//! `whisper` on this machine: a session of the model on each thread, a chunk at a time.
//!
//! Does not know what becomes of the transcripts.

use crate::backends::models::whisper::Task;
use crate::backends::models::whisper::TranscribeParams;
use crate::backends::models::whisper::Transcriber;
use crate::backends::models::whisper::TranscriberSession;
use crate::engine::Map;
use crate::engine::MapState;
use crate::failure::Failure;
use crate::item::Item;
use crate::name::StageId;
use crate::recipe::WhisperSpec;
use crate::recipe::WhisperTask;
use crate::speech::AudioData;
use crate::speech::Chunk;
use crate::stages::speech::call::chunk_transcript;
use crate::stages::speech::call::unasked;
use std::sync::Arc;

/// Runs `transcriber` as `stage`.
pub(in crate::stages) fn transcribe(
    stage: &StageId,
    spec: &WhisperSpec,
    transcriber: &Transcriber,
) -> Arc<dyn Map> {
    Arc::new(Transcribe {
        stage: stage.clone(),
        params: Arc::new(transcribe_params(spec)),
        transcriber: transcriber.clone(),
    })
}

/// What a `whisper` stage asks of a local model.
pub fn transcribe_params(spec: &WhisperSpec) -> TranscribeParams {
    let usual = TranscribeParams::default();
    TranscribeParams {
        language: spec.language.clone(),
        task: match spec.task {
            WhisperTask::Transcribe => Task::Transcribe,
            WhisperTask::Translate => Task::Translate,
        },
        beam_size: spec.beam_size.unwrap_or(usual.beam_size),
        condition_on_previous_text: spec
            .condition_on_previous_text
            .unwrap_or(usual.condition_on_previous_text),
    }
}

struct Transcribe {
    stage: StageId,
    params: Arc<TranscribeParams>,
    transcriber: Transcriber,
}

impl Map for Transcribe {
    fn state(&self) -> Result<Box<dyn MapState>, Failure> {
        Ok(Box::new(TranscribeLane {
            stage: self.stage.clone(),
            params: Arc::clone(&self.params),
            session: self
                .transcriber
                .session()
                .map_err(|failure| failure.of(&self.stage))?,
        }))
    }

    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        chunk_transcript(&self.stage, item, Err(failure.clone()))
    }
}

struct TranscribeLane {
    stage: StageId,
    params: Arc<TranscribeParams>,
    session: TranscriberSession,
}

impl MapState for TranscribeLane {
    fn map(&mut self, item: &Item) -> Result<Vec<Item>, Failure> {
        let Item::Chunk(Chunk {
            content: Ok(AudioData::Samples(samples)),
            ..
        }) = item
        else {
            return Ok(unasked(&self.stage, item));
        };
        let samples: Vec<f32> = samples.iter().map(|&it| f32::from(it) / 32_768.0).collect();
        let recognition = self.session.transcribe(&samples, &self.params);
        let recognition = recognition.map_err(|failure| failure.of(&self.stage))?;
        Ok(chunk_transcript(&self.stage, item, Ok(recognition)))
    }
}
