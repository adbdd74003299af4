//! `whisper` at a server: a chunk as one request, and its answer read with suspicion.
//!
//! Does not know what becomes of the passages.

use super::halve::halve;
use crate::backends::openai::Listening;
use crate::backends::openai::Transcriptions;
use crate::backends::runpod::Endpoint;
use crate::backends::runpod::Submission;
use crate::backends::whisper;
use crate::engine::BoxFuture;
use crate::engine::Call;
use crate::engine::Submitted;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Item;
use crate::name::StageId;
use crate::name::Ticket;
use crate::recipe::WhisperSpec;
use crate::recipe::WhisperTask;
use crate::speech::Chunk;
use crate::speech::Codec;
use crate::speech::Heard;
use crate::speech::Passage;
use crate::speech::Waves;
use crate::speech::seconds;
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// Who listens elsewhere.
#[derive(Debug)]
pub enum Listener {
    /// A worker of RunPod's.
    Runpod(Box<Endpoint>),
    /// A server that speaks OpenAI's API.
    Openai(Transcriptions),
}

/// Asks `listener` as `stage`.
pub fn ask(stage: &StageId, spec: &WhisperSpec, listener: Listener) -> Arc<dyn Call> {
    Arc::new(Ask {
        stage: stage.clone(),
        spec: spec.clone(),
        listener,
        refused: AtomicU64::new(u64::MAX),
    })
}

/// What a stage asks of a server that speaks OpenAI's API.
pub fn listening(spec: &WhisperSpec) -> Listening {
    Listening {
        model: spec.model.clone().unwrap_or_else(|| "whisper-1".to_owned()),
        language: spec.language.clone(),
        translate: spec.task == WhisperTask::Translate,
        words: spec.word_timestamps,
    }
}

struct Ask {
    stage: StageId,
    spec: WhisperSpec,
    listener: Listener,
    // The samples of the shortest chunk that was too large.
    refused: AtomicU64,
}

impl Ask {
    fn answer(&self, item: &Item, output: &Value) -> Result<Vec<Item>, Failure> {
        let length = match item {
            Item::Chunk(Chunk { stretch, .. }) => {
                seconds(stretch.range.end.saturating_sub(stretch.range.start))
            }
            _ => 0.0,
        };
        Ok(passage(
            &self.stage,
            item,
            Ok(whisper::heard(output, length)?),
        ))
    }

    async fn listen(
        &self,
        item: &Item,
        body: Bytes,
        exchange: &mut Exchange,
    ) -> Result<Submitted, Failure> {
        let Some((codec, _)) = file(item) else {
            return Ok(Submitted::Answer(unasked(&self.stage, item)));
        };
        match &self.listener {
            Listener::Runpod(endpoint) => match endpoint.submit(body, exchange).await? {
                Submission::Ticket(ticket) => Ok(Submitted::Ticket(ticket)),
                Submission::Output(output) => self.answer(item, &output).map(Submitted::Answer),
            },
            Listener::Openai(server) => {
                let (extension, media_type) = (codec.extension(), codec.media_type());
                // What OpenAI calls Opus is the container that it comes in.
                let extension = if codec == Codec::Opus {
                    "ogg"
                } else {
                    extension
                };
                let output = server.listen(body, extension, media_type, exchange).await?;
                self.answer(item, &output).map(Submitted::Answer)
            }
        }
    }
}

impl Call for Ask {
    fn prepare(&self, item: &Item) -> Result<Bytes, Failure> {
        match (&self.listener, file(item)) {
            (_, None) => Ok(Bytes::new()),
            (Listener::Runpod(endpoint), Some((_, file))) => {
                endpoint.body(&whisper::input(&self.spec, file)?)
            }
            (Listener::Openai(server), Some((_, file))) => {
                server.fits(file)?;
                Ok(file.clone())
            }
        }
    }

    fn submit<'a>(
        &'a self,
        item: &'a Item,
        body: Bytes,
        exchange: &'a mut Exchange,
    ) -> BoxFuture<'a, Result<Submitted, Failure>> {
        Box::pin(self.listen(item, body, exchange))
    }

    fn wait<'a>(
        &'a self,
        item: &'a Item,
        ticket: &'a Ticket,
        exchange: &'a mut Exchange,
    ) -> BoxFuture<'a, Result<Vec<Item>, Failure>> {
        Box::pin(async move {
            match &self.listener {
                Listener::Runpod(endpoint) => {
                    self.answer(item, &endpoint.wait(ticket, exchange).await?)
                }
                Listener::Openai(_) => {
                    Err(Failure::new(Class::Lost, "the server gives no tickets"))
                }
            }
        })
    }

    fn cancel<'a>(&'a self, ticket: &'a Ticket, running: bool) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            match &self.listener {
                Listener::Runpod(endpoint) => endpoint.withdraw(ticket, running).await,
                Listener::Openai(_) => false,
            }
        })
    }

    fn split(&self, item: &Item) -> Option<(Item, Item)> {
        let Item::Chunk(chunk) = item else {
            return None;
        };
        let range = &chunk.stretch.range;
        self.refused
            .fetch_min(range.end.saturating_sub(range.start), Ordering::Relaxed);
        let (first, second) = halve(chunk)?;
        Some((Item::Chunk(first), Item::Chunk(second)))
    }

    fn advice(&self) -> Option<String> {
        let refused = self.refused.load(Ordering::Relaxed);
        let half = (refused < u64::MAX).then(|| (seconds(refused) / 2.0).ceil().max(5.0))?;
        Some(format!(
            "{:.0} s of sound were too large for its server; `chunk = {half}` saves the requests \
             that were refused",
            seconds(refused)
        ))
    }

    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        passage(&self.stage, item, Err(failure.clone()))
    }
}

fn file(item: &Item) -> Option<(Codec, &Bytes)> {
    match item {
        Item::Chunk(Chunk {
            content: Ok(Waves::Coded { codec, file }),
            ..
        }) => Some((*codec, file)),
        _ => None,
    }
}

/// What is known of a chunk without asking: nothing is said in silence, and a gap stays one.
pub(super) fn unasked(stage: &StageId, item: &Item) -> Vec<Item> {
    let heard = match item {
        Item::Chunk(Chunk {
            content: Err(failure),
            ..
        }) => Err(failure.clone()),
        _ => Ok(Heard::default()),
    };
    passage(stage, item, heard)
}

/// What `stage` heard in a chunk.
pub(super) fn passage(stage: &StageId, item: &Item, heard: Result<Heard, Failure>) -> Vec<Item> {
    match item {
        Item::Chunk(chunk) => vec![Item::Passage(Passage {
            stage: stage.clone(),
            stretch: chunk.stretch.clone(),
            heard,
        })],
        _ => Vec::new(),
    }
}
