//! The form of a request: its fields, as OpenAI's clients send them.

use crate::speech::language_code;
use axum::extract::FromRequest;
use axum::extract::Multipart;
use axum::extract::Request;
use axum::extract::multipart::Field;
use bytes::Bytes;

/// A form has at most so many fields; those of one that OpenAI's client sends are ten.
const MOST_FIELDS: usize = 64;

/// What a request asks for.
#[derive(Debug, Default)]
pub(super) struct Form {
    /// A sound or video file.
    pub(super) file: Option<Bytes>,
    pub(super) model: Option<String>,
    /// The code of what is spoken.
    pub(super) language: Option<String>,
    pub(super) format: ResponseFormat,
    /// Which times are asked for, where it says.
    granularities: Vec<Granularity>,
}

/// How the transcript is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ResponseFormat {
    #[default]
    Json,
    Text,
    Srt,
    VerboseJson,
    Vtt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Granularity {
    Word,
    Segment,
}

/// What is wrong with a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FormError {
    /// The field.
    pub(super) param: Option<&'static str>,
    /// A sentence.
    pub(super) why: String,
}

/// What is wrong with a field.
pub(super) fn wrong(param: &'static str, why: impl Into<String>) -> FormError {
    FormError {
        param: Some(param),
        why: why.into(),
    }
}

impl Form {
    /// Reads the form of a request whose body is in memory.
    pub(super) async fn read(request: Request) -> Result<Self, FormError> {
        let unreadable = |why: String| FormError { param: None, why };
        let form = Multipart::from_request(request, &()).await;
        let mut fields = form.map_err(|error| unreadable(error.body_text()))?;
        let mut form = Self::default();
        let mut count = 0;
        loop {
            let field = fields.next_field().await;
            let field = field.map_err(|error| unreadable(error.body_text()))?;
            let Some(field) = field else {
                break;
            };
            count += 1;
            if count > MOST_FIELDS {
                let why = format!("the form has more than {MOST_FIELDS} fields");
                return Err(unreadable(why));
            }
            form.take(field).await?;
        }
        match form.granularities.is_empty() || form.format == ResponseFormat::VerboseJson {
            true => Ok(form),
            false => Err(wrong(
                "timestamp_granularities",
                "times are in the response_format verbose_json alone",
            )),
        }
    }

    // What is not known here is left alone: clients of tomorrow say more.
    async fn take(&mut self, field: Field<'_>) -> Result<(), FormError> {
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(|error| FormError {
            param: None,
            why: error.body_text(),
        })?;
        let text = || String::from_utf8_lossy(&bytes).trim().to_owned();
        match name.as_str() {
            "file" => self.file = Some(bytes),
            "model" => self.model = Some(text()).filter(|text| !text.is_empty()),
            "language" => self.language = language(&text())?,
            "response_format" => self.format = format(&text())?,
            "timestamp_granularities[]" | "timestamp_granularities" => {
                self.granularities.push(granularity(&text())?);
            }
            "temperature" => temperature(&text())?,
            _ => {}
        }
        Ok(())
    }

    /// Whether the times of words are asked for.
    pub(super) fn words(&self) -> bool {
        self.granularities.contains(&Granularity::Word)
    }

    /// Whether segments are; they are, where nothing is said.
    pub(super) fn segments(&self) -> bool {
        self.granularities.is_empty() || self.granularities.contains(&Granularity::Segment)
    }
}

fn language(text: &str) -> Result<Option<String>, FormError> {
    match (text.is_empty(), language_code(text)) {
        (true, _) => Ok(None),
        (false, Some(code)) => Ok(Some(code)),
        (false, None) => Err(wrong("language", "`language` is no ISO 639-1 code")),
    }
}

fn format(text: &str) -> Result<ResponseFormat, FormError> {
    match text {
        "json" => Ok(ResponseFormat::Json),
        "text" => Ok(ResponseFormat::Text),
        "srt" => Ok(ResponseFormat::Srt),
        "verbose_json" => Ok(ResponseFormat::VerboseJson),
        "vtt" => Ok(ResponseFormat::Vtt),
        _ => Err(wrong(
            "response_format",
            "`response_format` is one of json, text, srt, verbose_json, vtt",
        )),
    }
}

fn granularity(text: &str) -> Result<Granularity, FormError> {
    match text {
        "word" => Ok(Granularity::Word),
        "segment" => Ok(Granularity::Segment),
        _ => Err(wrong(
            "timestamp_granularities",
            "`timestamp_granularities[]` is word or segment",
        )),
    }
}

// Which temperatures are tried is decided by how the text looks, from 0 on, as at OpenAI.
fn temperature(text: &str) -> Result<(), FormError> {
    let number = text.parse().ok();
    let is_one = number.is_some_and(|number: f64| (0.0..=1.0).contains(&number));
    let why = "`temperature` is a number from 0 to 1";
    is_one
        .then_some(())
        .ok_or_else(|| wrong("temperature", why))
}
