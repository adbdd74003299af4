//! `/audio/transcriptions` and `/audio/translations`: a sound file in, what is said in it out.

use crate::backends::remote::openai::outcome;
use crate::backends::transport::http::Access;
use crate::backends::transport::http::File;
use crate::backends::transport::http::Server;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::recipe::OpenaiSpec;
use bytes::Bytes;
use serde_json::Value;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

/// The host that keys are for.
pub const HOST: &str = "api.openai.com";

/// Where the API is, unless the recipe says otherwise.
pub const DEFAULT_BASE: &str = "https://api.openai.com/v1";

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Listening {
    /// What the server calls its model.
    pub model: String,
    /// ISO 639-1 code of what is spoken; found out by the server where absent.
    pub language: Option<String>,
    /// Whether to write it down in English.
    pub translate: bool,
    /// Whether each word has its time.
    pub words: bool,
}

/// A server that listens.
#[derive(Debug)]
pub struct Transcriptions {
    server: Server,
    listening: Listening,
    // The most bytes of a file, as far as the server has shown.
    most: AtomicUsize,
}

impl Transcriptions {
    /// The server behind `access`.
    ///
    /// # Errors
    ///
    /// Of class `refused` where the address is none, or the key would go astray.
    pub fn new(spec: &OpenaiSpec, access: &Access, listening: Listening) -> Result<Self, Failure> {
        let server = Server::new(access, spec.request_timeout, spec.max_answer)?;
        Ok(Self {
            server,
            listening,
            most: AtomicUsize::new(usize::MAX),
        })
    }

    /// The host that gets the sound.
    pub fn host(&self) -> String {
        self.server.host()
    }

    /// Whether it is worth sending a file of this size.
    ///
    /// # Errors
    ///
    /// Of class `too-large` where the server refused one that was hardly larger.
    pub fn fits(&self, file: &Bytes) -> Result<(), Failure> {
        let most = self.most.load(Ordering::Relaxed);
        match file.len() <= most {
            true => Ok(()),
            false => {
                let why = format!("the sound is larger than {most} bytes");
                Err(Failure::new(Class::TooLarge, why))
            }
        }
    }

    /// Has a sound file listened to and notes in `exchange` what is told of it. `extension` and
    /// `media_type` say what the file is.
    ///
    /// # Errors
    ///
    /// Where there is no answer; the class says whether it is worth asking again.
    pub async fn listen(
        &self,
        file: Bytes,
        extension: &str,
        media_type: &str,
        exchange: &mut Exchange,
    ) -> Result<Value, Failure> {
        let Listening {
            model,
            language,
            translate,
            words,
        } = &self.listening;
        let path = if *translate {
            "audio/translations"
        } else {
            "audio/transcriptions"
        };
        let mut fields = vec![
            ("model", model.clone()),
            ("response_format", "verbose_json".to_owned()),
        ];
        // Translations know neither.
        if !translate {
            fields.extend(language.clone().map(|code| ("language", code)));
            fields.push(("timestamp_granularities[]", "segment".to_owned()));
            if *words {
                fields.push(("timestamp_granularities[]", "word".to_owned()));
            }
        }
        let size = file.len();
        exchange.sent = size as u64;
        let file = File {
            field: "file",
            // Servers go by the extension.
            name: format!("sound.{extension}"),
            media_type: media_type.to_owned(),
            bytes: file,
        };
        let answer = outcome::answer(&self.server.post_form(path, fields, file).await?);
        if matches!(&answer, Err(failure) if failure.class == Class::TooLarge) {
            // Chunks are about as large as each other: what is hardly smaller is not tried.
            self.most.fetch_min(size / 8 * 7, Ordering::Relaxed);
        }
        answer
    }
}
