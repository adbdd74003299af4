//! `whisper` at a server: a chunk as one request, and its answer read with suspicion.
//!
//! Does not know what becomes of the passages.

use crate::backends::remote::mapping::Mapping;
use crate::backends::remote::openai::Listening;
use crate::backends::remote::openai::Transcriptions;
use crate::backends::remote::runpod::Endpoint;
use crate::backends::remote::runpod::Submission;
use crate::backends::remote::service::Service;
use crate::backends::remote::speech;
use crate::backends::remote::speech::SentSound;
use crate::backends::transport::form::Attachment;
use crate::engine::BoxFuture;
use crate::engine::Call;
use crate::engine::Submitted;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Item;
use crate::name::StageId;
use crate::name::Ticket;
use crate::name::VideoId;
use crate::recipe::WhisperSpec;
use crate::recipe::WhisperTask;
use crate::speech::Chunk;
use crate::speech::Codec;
use crate::speech::Heard;
use crate::speech::Passage;
use crate::speech::Waves;
use crate::speech::seconds;
use crate::stages::speech::halve::halve;
use crate::stages::trial::Rendered;
use crate::stages::trial::Trial;
use crate::template::Data;
use crate::template::Filled;
use crate::template::Names;
use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
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
    /// A server of one's own.
    Service(Box<Hearing>),
}

/// How a server of one's own is asked about sound.
#[derive(Debug)]
pub struct Hearing {
    /// The server.
    pub service: Service,
    /// What it is asked, and how its answers are read.
    pub mapping: Mapping,
    /// What a request may say of the stage.
    pub params: Map<String, Value>,
    /// What a request may say of each video.
    pub videos: BTreeMap<VideoId, Map<String, Value>>,
}

impl Hearing {
    // What a request may say of what it is about, the sound itself aside.
    fn names(&self, item: &Item) -> Names {
        let chunk = match item {
            Item::Chunk(Chunk { stretch, .. }) => json!({
                "start": seconds(stretch.range.start),
                "end": seconds(stretch.range.end),
            }),
            _ => Value::Null,
        };
        let video = self.videos.get(&item.video()).map(Data::new);
        Names::default()
            .with("params", Data::new(&self.params))
            .with("chunk", Data::new(&chunk))
            .with("video", video.unwrap_or_default())
    }

    fn request(&self, item: &Item, file: &Bytes) -> Result<Filled, Failure> {
        self.mapping.request(&self.names(item), &[file])
    }

    fn body(&self, fields: &Filled, codec: Codec, file: &Bytes) -> Result<Bytes, Failure> {
        let file = Attachment {
            name: format!("sound.{}", extension(codec)),
            media_type: codec.media_type(),
            bytes: file.clone(),
        };
        self.service.body(fields, &[file])
    }

    async fn ask(
        &self,
        item: &Item,
        codec: Codec,
        body: Bytes,
        exchange: &mut Exchange,
    ) -> Result<Value, Failure> {
        let head = self.service.head(&self.names(item))?;
        let media_type = codec.media_type();
        self.service.ask(head, body, media_type, exchange).await
    }
}

/// Asks `listener` as `stage`.
pub fn ask(stage: &StageId, spec: &WhisperSpec, listener: Listener) -> Arc<Ask> {
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

/// A stage that asks a server about sound.
#[derive(Debug)]
pub struct Ask {
    stage: StageId,
    spec: WhisperSpec,
    listener: Listener,
    // The samples of the shortest chunk that was too large.
    refused: AtomicU64,
}

impl Ask {
    fn answer(&self, item: &Item, output: &Value) -> Result<Vec<Item>, Failure> {
        let sent = SentSound {
            seconds: match item {
                Item::Chunk(Chunk { stretch, .. }) => {
                    seconds(stretch.range.end.saturating_sub(stretch.range.start))
                }
                _ => 0.0,
            },
            translate: self.spec.task == WhisperTask::Translate,
        };
        let heard = match &self.listener {
            Listener::Service(hearing) => hearing.mapping.heard(output, &sent)?,
            Listener::Runpod(_) | Listener::Openai(_) => speech::heard(output, &sent)?,
        };
        Ok(passage(&self.stage, item, Ok(heard)))
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
                let (extension, media_type) = (extension(codec), codec.media_type());
                let output = server.listen(body, extension, media_type, exchange).await?;
                self.answer(item, &output).map(Submitted::Answer)
            }
            Listener::Service(hearing) => {
                let output = hearing.ask(item, codec, body, exchange).await?;
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
                endpoint.body(&speech::input(&self.spec, file)?)
            }
            (Listener::Openai(server), Some((_, file))) => {
                server.fits(file)?;
                Ok(file.clone())
            }
            (Listener::Service(hearing), Some((codec, file))) => {
                hearing.body(&hearing.request(item, file)?, codec, file)
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
                Listener::Openai(_) | Listener::Service(_) => {
                    Err(Failure::new(Class::Lost, "the server gives no tickets"))
                }
            }
        })
    }

    fn cancel<'a>(&'a self, ticket: &'a Ticket, running: bool) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            match &self.listener {
                Listener::Runpod(endpoint) => endpoint.withdraw(ticket, running).await,
                Listener::Openai(_) | Listener::Service(_) => false,
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

impl Trial for Ask {
    fn rendered(&self, item: &Item) -> Result<Rendered, Failure> {
        let (Listener::Service(hearing), Some((codec, file))) = (&self.listener, file(item)) else {
            return Err(no_trial());
        };
        let fields = hearing.request(item, file)?;
        let head = hearing.service.head(&hearing.names(item))?;
        Ok(Rendered {
            head: hearing.service.show(&head, codec.media_type())?,
            bytes: hearing.body(&fields, codec, file)?.len(),
            fields,
        })
    }

    fn send<'a>(&'a self, item: &'a Item) -> BoxFuture<'a, Result<Value, Failure>> {
        Box::pin(async move {
            match (&self.listener, file(item)) {
                (Listener::Service(hearing), Some((codec, _))) => {
                    let body = self.prepare(item)?;
                    let mut exchange = Exchange::default();
                    hearing.ask(item, codec, body, &mut exchange).await
                }
                _ => Err(no_trial()),
            }
        })
    }

    fn read(&self, item: &Item, answer: &Value) -> Result<Vec<Item>, Failure> {
        self.answer(item, answer)
    }
}

fn no_trial() -> Failure {
    let message = "there is no sound here that a server of your own is asked about";
    Failure::new(Class::Refused, message)
}

// What OpenAI and others call Opus is the container that it comes in.
fn extension(codec: Codec) -> &'static str {
    match codec {
        Codec::Opus => "ogg",
        Codec::Flac | Codec::Wav => codec.extension(),
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
