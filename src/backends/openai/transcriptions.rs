//! `/audio/transcriptions` and `/audio/translations`: a sound file in, what is said in it out.

use super::outcome;
use crate::backends::http::Access;
use crate::backends::http::File;
use crate::backends::http::Server;
use crate::exchange::Exchange;
use crate::failure::Failure;
use crate::recipe::OpenaiSpec;
use bytes::Bytes;
use serde_json::Value;

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
}

impl Transcriptions {
    /// The server behind `access`.
    ///
    /// # Errors
    ///
    /// Of class `refused` where the address is none, or the key would go astray.
    pub fn new(spec: &OpenaiSpec, access: &Access, listening: Listening) -> Result<Self, Failure> {
        let server = Server::new(access, spec.request_timeout, spec.max_answer)?;
        Ok(Self { server, listening })
    }

    /// The host that gets the sound.
    pub fn host(&self) -> String {
        self.server.host()
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
        exchange.sent = file.len() as u64;
        let file = File {
            field: "file",
            // Servers go by the extension.
            name: format!("sound.{extension}"),
            media_type: media_type.to_owned(),
            bytes: file,
        };
        outcome::answer(&self.server.post_form(path, fields, file).await?)
    }
}
