//! `whisper` and `http` on a remote backend: a chunk of sound as one request, and its answer as a
//! transcript.

use crate::backends::Remote;
use crate::backends::Submission;
use crate::backends::remote::mapping;
use crate::backends::remote::mapping::Mapping;
use crate::backends::remote::openai::TranscriptDetail;
use crate::backends::remote::openai::TranscriptionParams;
use crate::backends::remote::speech;
use crate::backends::remote::speech::SentSound;
use crate::backends::transport::form::Attachment;
use crate::backends::transport::redaction::Redaction;
use crate::engine::BoxFuture;
use crate::engine::Call;
use crate::engine::Heard;
use crate::engine::Submitted;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::failure::Verdict;
use crate::item::Item;
use crate::name::StageId;
use crate::name::Ticket;
use crate::name::VideoId;
use crate::recipe::WhisperSpec;
use crate::recipe::WhisperTask;
use crate::speech::AudioData;
use crate::speech::Chunk;
use crate::speech::ChunkTranscript;
use crate::speech::Codec;
use crate::speech::Recognition;
use crate::speech::seconds;
use crate::stages::redacted::Redacted;
use crate::stages::speech::halve::halve;
use crate::stages::trial::RenderedRequest;
use crate::stages::trial::Trial;
use crate::stages::trial::TrialAnswer;
use crate::template::Data;
use crate::template::Filled;
use crate::template::Names;
use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// The fields of requests about sound, and how their answers are read.
#[derive(Debug)]
pub enum SpeechProtocol {
    /// Those of a Whisper worker on RunPod.
    Worker(WhisperSpec),
    /// Those of OpenAI's API.
    Transcriptions(TranscriptionParams),
    /// Those of the recipe.
    Mapped(Box<SpeechMapping>),
}

/// How a recipe says that a server is asked about sound.
#[derive(Debug)]
pub struct SpeechMapping {
    /// The request, and how its answer is read.
    pub mapping: Mapping,
    /// The values that a request may take of the stage.
    pub params: Map<String, Value>,
    /// The values that a request may take of each video.
    pub videos: BTreeMap<VideoId, Map<String, Value>>,
}

impl SpeechMapping {
    // The values that a request may take of what it is about, the sound itself aside.
    fn names(&self, item: &Item) -> Names {
        let chunk = match item {
            Item::Chunk(Chunk { span, .. }) => json!({
                "start": seconds(span.range.start),
                "end": seconds(span.range.end),
            }),
            _ => Value::Null,
        };
        let video = self.videos.get(&item.video()).map(Data::new);
        Names::default()
            .with("params", Data::new(&self.params))
            .with("chunk", Data::new(&chunk))
            .with("video", video.unwrap_or_default())
    }
}

impl SpeechProtocol {
    fn names(&self, item: &Item) -> Names {
        match self {
            Self::Mapped(mapped) => mapped.names(item),
            Self::Worker(_) | Self::Transcriptions(_) => Names::default(),
        }
    }

    fn fields(&self, item: &Item, file: &Bytes) -> Result<Filled, Failure> {
        match self {
            Self::Worker(spec) => speech::input(spec, file),
            Self::Transcriptions(params) => Ok(params.fields()),
            Self::Mapped(mapped) => mapped.mapping.request(&mapped.names(item), &[file]),
        }
    }

    fn translates(&self) -> bool {
        match self {
            Self::Worker(spec) => spec.task == WhisperTask::Translate,
            Self::Transcriptions(params) => params.translate,
            Self::Mapped(_) => false,
        }
    }

    fn detail(&self) -> Option<&TranscriptDetail> {
        match self {
            Self::Transcriptions(params) => Some(&params.detail),
            Self::Worker(_) | Self::Mapped(_) => None,
        }
    }

    // What the user is told of an answer that cannot be read.
    fn help(&self, output: &Value, redaction: &Redaction) -> String {
        match self {
            Self::Worker(_) | Self::Transcriptions(_) => speech::unread_help(output, redaction),
            Self::Mapped(mapped) => mapping::help(&mapped.mapping, output, &[], redaction),
        }
    }

    fn recognition(&self, output: &Value, sent: &SentSound) -> Result<Recognition, Failure> {
        match self {
            Self::Worker(_) | Self::Transcriptions(_) => speech::recognition(output, sent),
            Self::Mapped(mapped) => mapped.mapping.recognition(output, sent),
        }
    }
}

/// Has `stage` ask `remote`, as `protocol` says.
pub fn speech_call(
    stage: &StageId,
    remote: impl Into<Remote>,
    protocol: SpeechProtocol,
) -> Arc<Redacted<SpeechCall>> {
    let remote = remote.into();
    let redaction = remote.redaction().clone();
    let call = SpeechCall {
        stage: stage.clone(),
        remote,
        protocol,
        refused: AtomicU64::new(u64::MAX),
        is_read: AtomicBool::new(false),
    };
    Redacted::new(call, &redaction)
}

/// What a `whisper` stage asks of a server with OpenAI's API.
pub fn transcription_params(spec: &WhisperSpec) -> TranscriptionParams {
    TranscriptionParams {
        model: spec.model.clone().unwrap_or_else(|| "whisper-1".to_owned()),
        language: spec.language.clone(),
        translate: spec.task == WhisperTask::Translate,
        words: spec.word_timestamps,
        detail: TranscriptDetail::default(),
    }
}

/// A stage that asks a remote backend about sound.
#[derive(Debug)]
pub struct SpeechCall {
    stage: StageId,
    remote: Remote,
    protocol: SpeechProtocol,
    // The samples of the shortest chunk that was too large.
    refused: AtomicU64,
    // Whether an answer was read already.
    is_read: AtomicBool,
}

impl SpeechCall {
    fn body(&self, fields: &Filled, codec: Codec, file: &Bytes) -> Result<Bytes, Failure> {
        let file = Attachment {
            name: format!("sound.{}", extension(codec)),
            media_type: codec.media_type(),
            bytes: file.clone(),
        };
        self.remote.body(fields, &[file])
    }

    // Sends a request; where the server refuses what it does not give, another one for less.
    async fn send_body(
        &self,
        item: &Item,
        codec: Codec,
        mut body: Bytes,
        exchange: &mut Exchange,
    ) -> Result<Submission, Failure> {
        let names = self.protocol.names(item);
        // What another request was refused since this one was made is not asked for.
        if (self.protocol.detail()).is_some_and(TranscriptDetail::has_shrunk) {
            body = self.prepare(item)?;
        }
        loop {
            let submitted = self
                .remote
                .submit(&names, codec.media_type(), body.clone(), exchange)
                .await;
            if submitted.is_ok() || self.protocol.detail().is_none() {
                return submitted;
            }
            // Made before the server said what it does not give.
            let again = self.prepare(item)?;
            if again == body {
                return submitted;
            }
            body = again;
        }
    }

    fn answer(&self, item: &Item, output: &Value) -> Result<Vec<Item>, Failure> {
        let sent = SentSound {
            seconds: match item {
                Item::Chunk(Chunk { span, .. }) => {
                    seconds(span.range.end.saturating_sub(span.range.start))
                }
                _ => 0.0,
            },
            translate: self.protocol.translates(),
        };
        let is_read = self.is_read.load(Ordering::Relaxed);
        let recognition = self.protocol.recognition(output, &sent);
        let recognition = recognition.map_err(|failure| match is_read {
            true => failure,
            false => failure.help(self.protocol.help(output, self.remote.redaction())),
        })?;
        self.is_read.store(true, Ordering::Relaxed);
        Ok(chunk_transcript(&self.stage, item, Ok(recognition)))
    }

    // The shortest chunk that was too large is advised against.
    fn learn<T>(&self, item: &Item, answer: Result<T, Failure>) -> Result<T, Failure> {
        if let (Err(failure), Item::Chunk(chunk)) = (&answer, item)
            && failure.class.verdict() == Verdict::Split
        {
            let range = &chunk.span.range;
            let length = range.end.saturating_sub(range.start);
            self.refused.fetch_min(length, Ordering::Relaxed);
        }
        answer
    }
}

impl Call for SpeechCall {
    fn prepare(&self, item: &Item) -> Result<Bytes, Failure> {
        let body = match file(item) {
            None => Ok(Bytes::new()),
            Some((codec, file)) => {
                let fields = self.protocol.fields(item, file);
                fields.and_then(|fields| self.body(&fields, codec, file))
            }
        };
        self.learn(item, body)
    }

    fn submit<'a>(
        &'a self,
        item: &'a Item,
        body: Bytes,
        exchange: &'a mut Exchange,
    ) -> BoxFuture<'a, Result<Submitted, Failure>> {
        Box::pin(async move {
            let Some((codec, _)) = file(item) else {
                return Ok(Submitted::Answer(unasked(&self.stage, item)));
            };
            let submitted = self.send_body(item, codec, body, exchange).await;
            match self.learn(item, submitted)? {
                Submission::Ticket(ticket) => Ok(Submitted::Ticket(ticket)),
                Submission::Output(output) => self.answer(item, &output).map(Submitted::Answer),
            }
        })
    }

    fn wait<'a>(
        &'a self,
        item: &'a Item,
        ticket: &'a Ticket,
        exchange: &'a mut Exchange,
        heard: &'a Heard<'a>,
    ) -> BoxFuture<'a, Result<Vec<Item>, Failure>> {
        Box::pin(async move {
            let output = self.learn(item, self.remote.wait(ticket, exchange, heard).await)?;
            self.answer(item, &output)
        })
    }

    fn cancel<'a>(&'a self, ticket: &'a Ticket, running: bool) -> BoxFuture<'a, bool> {
        Box::pin(self.remote.cancel(ticket, running))
    }

    fn split(&self, item: &Item) -> Option<(Item, Item)> {
        let Item::Chunk(chunk) = item else {
            return None;
        };
        let (first, second) = halve(chunk)?;
        Some((Item::Chunk(first), Item::Chunk(second)))
    }

    fn address(&self) -> String {
        self.remote.address()
    }

    fn first_goes_alone(&self) -> bool {
        match &self.remote {
            Remote::Runpod(_) | Remote::Service(_) => true,
            // Its answers are in a known shape.
            Remote::Openai(_) => false,
        }
    }

    fn advice(&self) -> Option<String> {
        let refused = self.refused.load(Ordering::Relaxed);
        let too_large = (refused < u64::MAX).then(|| {
            let half = (seconds(refused) / 2.0).ceil().max(5.0);
            format!(
                "{:.0} s of sound were too large for its server; `chunk = {half}` saves the \
                 requests that were refused",
                seconds(refused)
            )
        });
        let detail = self.protocol.detail();
        let untimed = detail.filter(|detail| detail.is_text_alone()).map(|_| {
            "its model gives text without times, so each chunk of sound is one segment; a smaller \
             `chunk` tells more closely when something is said"
                .to_owned()
        });
        let advice: Vec<String> = too_large.into_iter().chain(untimed).collect();
        (!advice.is_empty()).then(|| advice.join("; "))
    }

    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        chunk_transcript(&self.stage, item, Err(failure.clone()))
    }
}

impl Trial for SpeechCall {
    fn rendered(&self, item: &Item) -> Result<RenderedRequest, Failure> {
        let (codec, file) = file(item).ok_or_else(no_sound)?;
        let fields = self.protocol.fields(item, file)?;
        let names = self.protocol.names(item);
        Ok(RenderedRequest {
            head: self.remote.show(&names, codec.media_type())?,
            bytes: self.body(&fields, codec, file)?.len(),
            fields,
        })
    }

    fn ask<'a>(&'a self, item: &'a Item) -> BoxFuture<'a, Result<TrialAnswer, Failure>> {
        Box::pin(async move {
            let (codec, _) = file(item).ok_or_else(no_sound)?;
            let body = self.prepare(item)?;
            let mut exchange = Exchange::default();
            let came = match self.send_body(item, codec, body, &mut exchange).await? {
                Submission::Output(output) => output,
                Submission::Ticket(ticket) => {
                    self.remote.wait(&ticket, &mut exchange, &|_| {}).await?
                }
            };
            let read = self.answer(item, &came);
            Ok(TrialAnswer { came, read })
        })
    }
}

fn no_sound() -> Failure {
    Failure::new(Class::Refused, "there is no sound to be asked about")
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
            content: Ok(AudioData::File { codec, file }),
            ..
        }) => Some((*codec, file)),
        _ => None,
    }
}

/// The answer for a chunk without a request: silence has no speech, and a gap stays one.
pub(super) fn unasked(stage: &StageId, item: &Item) -> Vec<Item> {
    let recognition = match item {
        Item::Chunk(Chunk {
            content: Err(failure),
            ..
        }) => Err(failure.clone()),
        _ => Ok(Recognition::default()),
    };
    chunk_transcript(stage, item, recognition)
}

/// The same; `None` where there is something to be asked.
pub(in crate::stages) fn without_request(stage: &StageId, item: &Item) -> Option<Vec<Item>> {
    match item {
        Item::Chunk(Chunk {
            content: Ok(AudioData::Samples(_) | AudioData::File { .. }),
            ..
        }) => None,
        _ => Some(unasked(stage, item)),
    }
}

/// What stands for a chunk that has no answer because of `failure`.
pub(in crate::stages) fn without_answer(
    stage: &StageId,
    item: &Item,
    failure: &Failure,
) -> Vec<Item> {
    chunk_transcript(stage, item, Err(failure.clone()))
}

/// The transcript of `stage` for a chunk.
pub(super) fn chunk_transcript(
    stage: &StageId,
    item: &Item,
    recognition: Result<Recognition, Failure>,
) -> Vec<Item> {
    match item {
        Item::Chunk(chunk) => vec![Item::ChunkTranscript(ChunkTranscript {
            stage: stage.clone(),
            span: chunk.span.clone(),
            recognition,
        })],
        _ => Vec::new(),
    }
}
