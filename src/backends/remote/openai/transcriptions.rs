//! `/audio/transcriptions` and `/audio/translations`: a form with a sound file in, its transcript
//! out.

use crate::backends::remote::openai::outcome;
use crate::backends::transport::form;
use crate::backends::transport::form::Attachment;
use crate::backends::transport::http::Access;
use crate::backends::transport::http::Outgoing;
use crate::backends::transport::http::Server;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::recipe::OpenaiSpec;
use crate::template::Data;
use crate::template::Filled;
use bytes::Bytes;
use serde_json::Value;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

/// The host that keys are for.
pub const HOST: &str = "api.openai.com";

/// Where the API is, unless the recipe says otherwise.
pub const DEFAULT_BASE: &str = "https://api.openai.com/v1";

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
        let mut texts = vec![
            ("model", self.model.as_str()),
            ("response_format", "verbose_json"),
        ];
        // Translations know neither.
        if !self.translate {
            texts.extend(self.language.as_deref().map(|code| ("language", code)));
            texts.push(("timestamp_granularities[]", "segment"));
            if self.words {
                texts.push(("timestamp_granularities[]", "word"));
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
    path: &'static str,
    boundary: String,
    // The most bytes of a request, as far as the server has shown.
    most: AtomicUsize,
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
            path: params.path(),
            // The same in every run, and nothing that a sound file holds.
            boundary: blake3::hash(access.base.as_bytes()).to_hex().to_string(),
            most: AtomicUsize::new(usize::MAX),
        })
    }

    /// The host that gets the sound.
    pub fn host(&self) -> String {
        self.server.host()
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
    /// Where there is no answer; the class says whether it is worth asking again.
    pub async fn submit(&self, body: Bytes, exchange: &mut Exchange) -> Result<Value, Failure> {
        let size = body.len();
        exchange.sent = size as u64;
        let request = Outgoing {
            method: "POST",
            path: self.path,
            query: &[],
            headers: &[],
            content_type: &form::media_type(&self.boundary),
            key_header: None,
            body,
        };
        let answer = outcome::answer(&self.server.send(&request).await?);
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
    use super::TranscriptionParams;

    #[test]
    fn a_translation_has_neither_language_nor_granularities() {
        let mut params = TranscriptionParams {
            model: "whisper-1".to_owned(),
            language: Some("de".to_owned()),
            translate: false,
            words: true,
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
    }
}
