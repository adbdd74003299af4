//! `/audio/transcriptions` and `/audio/translations`: a form with a sound file in, its transcript
//! out.

use crate::backends::remote::openai::outcome;
use crate::backends::remote::openai::outcome::Unsupported;
use crate::backends::transport::access::Access;
use crate::backends::transport::access::Route;
use crate::backends::transport::form;
use crate::backends::transport::form::Attachment;
use crate::backends::transport::http::OutgoingRequest;
use crate::backends::transport::http::Server;
use crate::backends::transport::redaction::Redaction;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::recipe::OpenaiSpec;
use crate::template::Data;
use crate::template::Filled;
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

/// The host that keys are for.
pub const HOST: &str = "api.openai.com";

/// Where the API is, unless the recipe says otherwise.
pub const DEFAULT_BASE: &str = "https://api.openai.com/v1";

/// How much of a transcript a server gives for its model, as far as it has shown; shared by its
/// clones. Starts at the most and only shrinks, so that what was refused once is not asked for
/// again in a run.
#[derive(Clone, Debug)]
pub struct TranscriptDetail(Arc<AtomicU8>);

impl TranscriptDetail {
    // `json`: a text without times.
    const TEXT: u8 = 0;
    // `verbose_json` as it comes.
    const SEGMENTS: u8 = 1;
    // `verbose_json` with the granularities that are named.
    const GRANULARITIES: u8 = 2;

    /// How much it is now: the more, the higher.
    pub fn level(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }

    /// Whether the server has refused something.
    pub fn has_shrunk(&self) -> bool {
        self.level() < Self::GRANULARITIES
    }

    /// Whether the server has said that its model gives a text without times.
    pub fn is_text_alone(&self) -> bool {
        self.level() == Self::TEXT
    }

    fn lower(&self, unsupported: Unsupported) {
        let level = match unsupported {
            Unsupported::Granularity => Self::SEGMENTS,
            Unsupported::VerboseJson => Self::TEXT,
        };
        self.0.fetch_min(level, Ordering::Relaxed);
    }
}

impl Default for TranscriptDetail {
    fn default() -> Self {
        Self(Arc::new(AtomicU8::new(Self::GRANULARITIES)))
    }
}

/// What a request asks for.
#[derive(Clone, Debug)]
pub struct TranscriptionParams {
    /// What the server calls its model.
    pub model: String,
    /// ISO 639-1 code of what is spoken; the server finds it out where absent.
    pub language: Option<String>,
    /// Whether the transcript is in English.
    pub translate: bool,
    /// Whether each word has its time.
    pub words: bool,
    /// What of it the server gives.
    pub detail: TranscriptDetail,
}

impl TranscriptionParams {
    fn path(&self) -> &'static str {
        match self.translate {
            true => "audio/translations",
            false => "audio/transcriptions",
        }
    }

    /// The fields of the form; the sound is its one file.
    pub fn fields(&self) -> Filled {
        let level = self.detail.level();
        let format = match level {
            TranscriptDetail::TEXT => "json",
            _ => "verbose_json",
        };
        let mut texts = vec![("model", self.model.as_str()), ("response_format", format)];
        // Translations know neither.
        if !self.translate {
            texts.extend(self.language.as_deref().map(|code| ("language", code)));
            if level == TranscriptDetail::GRANULARITIES {
                texts.push(("timestamp_granularities[]", "segment"));
                texts.extend(self.words.then_some(("timestamp_granularities[]", "word")));
            }
        }
        let texts = texts.iter().map(|(name, text)| (*name, Data::new(text)));
        let fields = texts.chain([("file", Data::file(0))]);
        let fields = fields.map(|(name, data)| (name.to_owned(), Filled::Data(data)));
        Filled::Table(fields.collect())
    }
}

/// A server with OpenAI's API for sound.
#[derive(Debug)]
pub struct Transcriptions {
    server: Server,
    key_variable: Option<String>,
    path: &'static str,
    boundary: String,
    // The most bytes of a request, as far as the server has shown.
    most: AtomicUsize,
    detail: TranscriptDetail,
}

impl Transcriptions {
    /// The server behind `access`.
    ///
    /// # Errors
    ///
    /// Of class `refused` where the address is none, or the key would go astray.
    pub fn new(
        spec: &OpenaiSpec,
        access: &Access,
        params: &TranscriptionParams,
    ) -> Result<Self, Failure> {
        let server = Server::new(access, spec.request_timeout, spec.server.max_answer)?;
        Ok(Self {
            server,
            key_variable: spec.key_variable().map(str::to_owned),
            path: params.path(),
            // The same in every run, and nothing that a sound file holds.
            boundary: blake3::hash(access.base.as_bytes()).to_hex().to_string(),
            most: AtomicUsize::new(usize::MAX),
            detail: params.detail.clone(),
        })
    }

    /// How it is reached.
    pub fn route(&self) -> Route {
        self.server.route()
    }

    /// Takes the keys of the run out of what is told and kept of its answers.
    pub fn redaction(&self) -> &Redaction {
        self.server.redaction()
    }

    /// The host that gets the sound.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// Where requests are sent, without the key.
    pub fn address(&self) -> String {
        let shown = self.server.address(self.path, &[]).unwrap_or_default();
        self.server.place(self.path, shown)
    }

    /// The form with these fields.
    ///
    /// # Errors
    ///
    /// Of class `too-large` where the server refused a request that was hardly larger.
    pub fn body(&self, fields: &Filled, files: &[Attachment]) -> Result<Bytes, Failure> {
        let body = form::encode(fields, files, &self.boundary)?;
        let most = self.most.load(Ordering::Relaxed);
        if body.len() > most {
            let why = format!("the request is larger than {most} bytes");
            return Err(Failure::new(Class::TooLarge, why));
        }
        Ok(body.into())
    }

    /// Sends a form and notes in `exchange` how large it is.
    ///
    /// # Errors
    ///
    /// Where there is no answer; the class says whether it is worth asking again. Where the server
    /// refuses what it does not give for its model, [`TranscriptDetail`] has shrunk, and a new form
    /// asks for less.
    pub async fn submit(&self, body: Bytes, exchange: &mut Exchange) -> Result<Value, Failure> {
        let size = body.len();
        exchange.sent += size as u64;
        let request = OutgoingRequest {
            method: "POST",
            path: self.path,
            query: &[],
            headers: &[],
            content_type: &form::media_type(&self.boundary),
            key_header: None,
            body,
        };
        let reply = self.server.send(&request).await?;
        if let Some(unsupported) = outcome::unsupported(&reply) {
            self.detail.lower(unsupported);
        }
        let answer = outcome::answer(&reply, self.key_variable.as_deref());
        if matches!(&answer, Err(failure) if failure.class == Class::TooLarge) {
            // Chunks are about as large as each other: what is hardly smaller is not tried.
            self.most.fetch_min(size / 8 * 7, Ordering::Relaxed);
        }
        answer
    }

    /// The address and the headers of a request, a line each, without the key.
    ///
    /// # Errors
    ///
    /// Of class `refused` where the address is none.
    pub fn show(&self) -> Result<String, Failure> {
        let url = self.server.address(self.path, &[])?;
        let key = match self.server.has_key() {
            true => "authorization: Bearer (the key)\n",
            false => "",
        };
        let content_type = form::media_type(&self.boundary);
        Ok(format!("POST {url}\n{key}content-type: {content_type}\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::TranscriptDetail;
    use super::TranscriptionParams;
    use super::Unsupported;

    #[test]
    fn a_translation_has_neither_language_nor_granularities() {
        let mut params = TranscriptionParams {
            model: "whisper-1".to_owned(),
            language: Some("de".to_owned()),
            translate: false,
            words: true,
            detail: TranscriptDetail::default(),
        };
        let names = |params: &TranscriptionParams| match params.fields() {
            crate::template::Filled::Table(fields) => {
                let names = fields.into_iter().map(|(name, _)| name);
                names.collect::<Vec<_>>().join(" ")
            }
            _ => String::new(),
        };
        assert_eq!(
            names(&params),
            "model response_format language timestamp_granularities[] timestamp_granularities[] file"
        );
        params.translate = true;
        assert_eq!(names(&params), "model response_format file");
        params.translate = false;
        params.detail.lower(Unsupported::Granularity);
        assert_eq!(names(&params), "model response_format language file");
        params.detail.lower(Unsupported::VerboseJson);
        params.detail.lower(Unsupported::Granularity);
        assert!(params.detail.is_text_alone());
    }
}
