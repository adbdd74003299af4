//! Jobs of sound: what is asked in either schema, and the answers.
//!
//! | schema | sound | known by |
//! |---|---|---|
//! | that of the handler of vpipe's first users | `audio`, in base64 | `audio` |
//! | RunPod's own faster-whisper worker | `audio_base64`; `audio`, a URL, is refused | `audio_base64` |
//!
//! Does not know sessions.

use crate::backends::models::whisper::HeardSegment;
use crate::backends::models::whisper::Task;
use crate::backends::models::whisper::TranscribeParams;
use crate::serve::handlers::captions::TranscriptText;
use crate::serve::handlers::file;
use crate::serve::handlers::keys::Keys;
use crate::serve::handlers::number::millis;
use crate::serve::handlers::number::shortest;
use crate::serve::handlers::served::ServedName;
use crate::serve::handlers::transcribers::Hearing;
use crate::serve::handlers::transcribers::Sound;
use crate::serve::handlers::transcribers::Transcribers;
use crate::serve::handlers::validator;
use crate::serve::job::JobError;
use crate::serve::job::Update;
use crate::serve::job::Updates;
use crate::speech::language_code;
use bytes::Bytes;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;
use std::time::Instant;

/// How often the progress of a job is told.
const TELLING: Duration = Duration::from_secs(1);

/// What is said in a sound.
#[derive(Clone, Debug)]
pub struct SoundTranscript {
    /// The code of the language; of a sound in which nothing was heard, the one that was asked for.
    pub language: Option<String>,
    /// How sure the model is of it, from 0 to 1; 1 where it was asked for.
    pub language_probability: Option<f32>,
    /// Seconds of the sound.
    pub duration: f64,
    /// In order of time. Words are there where the model gives their times.
    pub segments: Vec<HeardSegment>,
}

/// How the answer to a job is written.
#[derive(Clone, Copy)]
enum Schema {
    Handler,
    FasterWhisper,
}

/// What a job asks for.
struct Wish {
    schema: Schema,
    file: Bytes,
    // The key that the sound is in, as sentences call it.
    name: &'static str,
    params: TranscribeParams,
    streams: bool,
    words: bool,
    text: TranscriptText,
    // A translation besides, written so.
    translation: Option<TranscriptText>,
}

/// Whether a job of sound asks for its segments as they come.
pub(super) fn streams(keys: Keys<'_>) -> bool {
    keys.value("stream").and_then(Value::as_bool) == Some(true)
}

/// Does a job.
pub(super) async fn transcribe(
    transcribers: &Transcribers,
    name: &ServedName,
    keys: Keys<'_>,
    updates: &Updates,
) -> Result<Value, JobError> {
    let begun = Instant::now();
    let wish = wish(keys)?;
    name.check(keys.text("model")?)?;
    check(transcribers, &wish.params)?;
    let translating = TranscribeParams {
        task: Task::Translate,
        ..wish.params.clone()
    };
    if wish.translation.is_some() {
        check(transcribers, &translating)?;
    }
    let sound = transcribers.read(wish.file.clone(), wish.name).await?;
    let mut teller = Teller {
        updates,
        schema: wish.streams.then_some(wish.schema),
        words: wish.words,
        told: begun,
    };
    let said = hear(transcribers, &sound, &wish.params, Some(&mut teller)).await?;
    let translated = match wish.translation {
        None => None,
        Some(text) => {
            let translated = hear(transcribers, &sound, &translating, None).await?;
            Some(written(text, &translated.segments))
        }
    };
    Ok(match wish.schema {
        Schema::Handler => of_handler(&said, wish.words, begun.elapsed()),
        Schema::FasterWhisper => {
            let device = transcribers.device();
            of_faster_whisper(
                &said,
                &wish,
                translated.as_deref(),
                [name.as_str(), &device],
            )
        }
    })
}

/// What is said in a sound file, which sentences call `name`.
pub(super) async fn transcription(
    transcribers: &Transcribers,
    file: Bytes,
    name: &'static str,
    params: &TranscribeParams,
) -> Result<SoundTranscript, JobError> {
    check(transcribers, params)?;
    let sound = transcribers.read(file, name).await?;
    hear(transcribers, &sound, params, None).await
}

fn check(transcribers: &Transcribers, params: &TranscribeParams) -> Result<(), JobError> {
    transcribers.transcriber().check(params).map_err(JobError)
}

async fn hear(
    transcribers: &Transcribers,
    sound: &Sound,
    params: &TranscribeParams,
    mut teller: Option<&mut Teller<'_>>,
) -> Result<SoundTranscript, JobError> {
    let mut hearing = transcribers.hear(sound, params).await?;
    let mut known = 0;
    while let Some((new, until)) = hearing.more(known).await {
        known += new.len();
        if let Some(teller) = teller.as_deref_mut() {
            teller.tell(&new, until, sound.seconds()).await;
        }
    }
    whole(hearing, sound, params).await
}

async fn whole(
    hearing: Hearing,
    sound: &Sound,
    params: &TranscribeParams,
) -> Result<SoundTranscript, JobError> {
    let (recognition, segments) = hearing.whole().await?;
    Ok(SoundTranscript {
        language_probability: match params.language {
            Some(_) => Some(1.0),
            None => recognition.language_probability,
        },
        language: recognition.language,
        duration: sound.seconds(),
        segments,
    })
}

/// Tells how far a job is, and what is heard where that is asked for.
struct Teller<'a> {
    updates: &'a Updates,
    // How segments are told; `None` where they are not.
    schema: Option<Schema>,
    words: bool,
    told: Instant,
}

impl Teller<'_> {
    async fn tell(&mut self, segments: &[HeardSegment], until: f64, of: f64) {
        if let Some(schema) = self.schema {
            for segment in segments {
                let told = match schema {
                    Schema::Handler => handler_segment(segment, self.words),
                    Schema::FasterWhisper => worker_segment(segment),
                };
                self.updates.tell(Update::Chunk(told)).await;
            }
        }
        if self.told.elapsed() >= TELLING {
            self.told = Instant::now();
            let progress = json!({ "done": millis(until), "of": millis(of) });
            self.updates.tell(Update::Progress(progress)).await;
        }
    }
}

fn wish(keys: Keys<'_>) -> Result<Wish, JobError> {
    match keys.has("audio_base64") {
        true => wish_of_faster_whisper(keys),
        false => wish_of_handler(keys),
    }
}

fn wish_of_handler(keys: Keys<'_>) -> Result<Wish, JobError> {
    keys.flag("vad_filter")?;
    keys.flag("stream")?;
    let task = match keys.text("task")? {
        None | Some("transcribe") => Task::Transcribe,
        Some("translate") => Task::Translate,
        Some(_) => {
            let message = "`task` has to be \"transcribe\" or \"translate\", and is another text";
            return Err(JobError(message.to_owned()));
        }
    };
    let words = keys.flag("word_timestamps")?.unwrap_or(false);
    let params = TranscribeParams {
        language: language(keys)?,
        task,
        ..TranscribeParams::default()
    };
    Ok(Wish {
        schema: Schema::Handler,
        file: file::decoded(keys.text("audio")?.unwrap_or_default(), "`audio`")?,
        name: "`audio`",
        params,
        streams: streams(keys),
        words,
        text: TranscriptText::Plain,
        translation: None,
    })
}

fn wish_of_faster_whisper(keys: Keys<'_>) -> Result<Wish, JobError> {
    validator::validate(keys)?;
    if keys.has("audio") {
        let message = "Must provide either audio or audio_base64, not both";
        return Err(JobError(message.to_owned()));
    }
    let usual = TranscribeParams::default();
    let beam_size = keys.whole("beam_size", 1..=20)?;
    let condition = keys.flag("condition_on_previous_text")?;
    let params = TranscribeParams {
        language: language(keys)?,
        task: Task::Transcribe,
        beam_size: beam_size.map_or(usual.beam_size, |size| size as usize),
        condition_on_previous_text: condition.unwrap_or(usual.condition_on_previous_text),
    };
    let text = text(keys, "transcription")?;
    let translation = text_of_translation(keys)?;
    Ok(Wish {
        schema: Schema::FasterWhisper,
        file: file::decoded(
            keys.text("audio_base64")?.unwrap_or_default(),
            "`audio_base64`",
        )?,
        name: "`audio_base64`",
        params,
        streams: streams(keys),
        words: keys.flag("word_timestamps")?.unwrap_or(false),
        text,
        translation,
    })
}

fn text_of_translation(keys: Keys<'_>) -> Result<Option<TranscriptText>, JobError> {
    let text = text(keys, "translation")?;
    let is_wanted = keys.flag("translate")?.unwrap_or(false);
    Ok(is_wanted.then_some(text))
}

fn text(keys: Keys<'_>, key: &str) -> Result<TranscriptText, JobError> {
    match keys.text(key)? {
        None | Some("plain_text") => Ok(TranscriptText::Plain),
        Some("formatted_text") => Ok(TranscriptText::Lines),
        Some("srt") => Ok(TranscriptText::Srt),
        Some("vtt") => Ok(TranscriptText::Vtt),
        Some(_) => Err(JobError(format!(
            "`{key}` has to be plain_text, formatted_text, srt or vtt, and is another text"
        ))),
    }
}

// Of a language by its code or its English name, the code; `None` where the model is to find it.
fn language(keys: Keys<'_>) -> Result<Option<String>, JobError> {
    let Some(told) = keys.text("language")?.filter(|told| !told.is_empty()) else {
        return Ok(None);
    };
    let code = language_code(told).ok_or_else(|| {
        JobError("`language` has to be a code such as en, and is another text".to_owned())
    })?;
    Ok(Some(code))
}

fn of_handler(said: &SoundTranscript, words: bool, took: Duration) -> Value {
    let segment = |it: &HeardSegment| handler_segment(it, words);
    json!({
        "transcription": said.segments.iter().map(segment).collect::<Vec<_>>(),
        "language": said.language,
        "language_probability": said.language_probability.map(shortest),
        "duration": millis(said.duration),
        "processing_time": millis(took.as_secs_f64()),
    })
}

fn handler_segment(heard: &HeardSegment, words: bool) -> Value {
    let segment = &heard.segment;
    let mut told = json!({
        "start": millis(segment.start),
        "end": millis(segment.end),
        "text": segment.text.trim(),
        "confidence": segment.avg_logprob.map(shortest),
    });
    if words
        && !segment.words.is_empty()
        && let Some(told) = told.as_object_mut()
    {
        told.insert("words".to_owned(), times_of_words(heard).collect());
    }
    told
}

fn of_faster_whisper(
    said: &SoundTranscript,
    wish: &Wish,
    translated: Option<&str>,
    [model, device]: [&str; 2],
) -> Value {
    let mut output = json!({
        "segments": numbered(&said.segments),
        "detected_language": said.language,
        "transcription": written(wish.text, &said.segments),
        "translation": translated,
        "device": device,
        "model": model,
    });
    if wish.words
        && let Some(output) = output.as_object_mut()
    {
        let words = said.segments.iter().flat_map(times_of_words);
        output.insert("word_timestamps".to_owned(), words.collect());
    }
    output
}

fn written(text: TranscriptText, segments: &[HeardSegment]) -> String {
    text.of(segments.iter().map(|it| &it.segment))
}

fn numbered(segments: &[HeardSegment]) -> Vec<Value> {
    let number = |(number, segment): (u64, &HeardSegment)| {
        let mut told = json!({ "id": number });
        if let (Some(told), Value::Object(rest)) = (told.as_object_mut(), worker_segment(segment)) {
            told.extend(rest);
        }
        told
    };
    (1..).zip(segments).map(number).collect()
}

fn worker_segment(heard: &HeardSegment) -> Value {
    let segment = &heard.segment;
    json!({
        "seek": heard.seek,
        "start": millis(segment.start),
        "end": millis(segment.end),
        "text": segment.text,
        "tokens": heard.tokens,
        "temperature": shortest(heard.temperature),
        "avg_logprob": segment.avg_logprob.map(shortest),
        "compression_ratio": shortest(heard.compression_ratio),
        "no_speech_prob": segment.no_speech_prob.map(shortest),
    })
}

fn times_of_words(heard: &HeardSegment) -> impl Iterator<Item = Value> {
    heard.segment.words.iter().map(|word| {
        json!({
            "word": word.word,
            "start": millis(word.start),
            "end": millis(word.end),
            "probability": word.probability.map(shortest),
        })
    })
}
