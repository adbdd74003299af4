//! OpenAI's speech API: what is said in a file, in one request.

use crate::backends::models::whisper::Task;
use crate::backends::models::whisper::TranscribeParams;
use crate::serve::handlers::Handlers;
use crate::serve::http::body;
use crate::serve::http::body::BodyError;
use crate::serve::http::connections::Line;
use crate::serve::http::openai::answer::answer;
use crate::serve::http::openai::form::Form;
use crate::serve::http::openai::form::FormError;
use crate::serve::http::openai::form::wrong;
use crate::serve::http::refusal::Refusal;
use crate::serve::http::service::Service;
use axum::Extension;
use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use axum::routing::post;
use serde_json::json;
use std::sync::Arc;

/// The largest file of OpenAI's is 25 MB; the form around it is small.
const MOST_MIB: usize = 26;

/// What every client of OpenAI's knows a speech model by; the one of this server answers to it.
const USUAL_MODEL: &str = "whisper-1";

/// The routes.
pub(in crate::serve::http) fn routes() -> Router<Arc<Service>> {
    Router::new()
        .route("/v1/audio/transcriptions", post(transcriptions))
        .route("/v1/audio/translations", post(translations))
        .route("/v1/models", get(models))
}

async fn transcriptions(
    State(service): State<Arc<Service>>,
    Extension(line): Extension<Arc<Line>>,
    request: Request,
) -> Result<Response, OpenaiRefusal> {
    transcribe(&service, &line, request, Task::Transcribe).await
}

async fn translations(
    State(service): State<Arc<Service>>,
    Extension(line): Extension<Arc<Line>>,
    request: Request,
) -> Result<Response, OpenaiRefusal> {
    transcribe(&service, &line, request, Task::Translate).await
}

async fn models(State(service): State<Arc<Service>>) -> Response {
    let name = service.handlers().and_then(|it| it.speech_model());
    let model = |id| json!({ "id": id, "object": "model", "created": 0, "owned_by": "vpipe" });
    let data: Vec<_> = name.into_iter().map(model).collect();
    Json(json!({ "object": "list", "data": data })).into_response()
}

async fn transcribe(
    service: &Service,
    line: &Line,
    request: Request,
    task: Task,
) -> Result<Response, OpenaiRefusal> {
    let handlers = service.handlers().ok_or_else(loading)?;
    let _turn = service.enter()?;
    let (head, body) = request.into_parts();
    let read = body::read(body, MOST_MIB << 20, &service.jobs, line).await;
    let read = read.map_err(of_body)?;
    // A form has its file in memory a second time.
    let copy = service.jobs.reserve(read.bytes.len());
    let _copy = copy.ok_or_else(|| of_body(BodyError::Full))?;
    let request = Request::from_parts(head, Body::from(read.bytes));
    let form = Form::read(request).await?;
    check_model(handlers, form.model.as_deref())?;
    let file = form.file.clone();
    let file = file.ok_or_else(|| wrong("file", "the form has no `file`"))?;
    let params = TranscribeParams {
        language: form.language.clone(),
        task,
        ..TranscribeParams::default()
    };
    let said = handlers.transcribe(file, "`file`", &params).await;
    let said = said.map_err(|error| Refusal::bad(error.to_string()))?;
    let are_timed = said.segments.iter().all(|it| !it.segment.words.is_empty());
    if form.words() && !are_timed {
        let why = "the model of this server gives no times of words";
        return Err(wrong("timestamp_granularities", why).into());
    }
    Ok(answer(&said, task, &form))
}

/// Why a request is refused, as OpenAI's API tells it.
struct OpenaiRefusal {
    refusal: Refusal,
    // Which field it is about.
    param: Option<&'static str>,
    // What programs know it by.
    code: Option<&'static str>,
}

impl From<Refusal> for OpenaiRefusal {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            param: None,
            code: None,
        }
    }
}

impl From<FormError> for OpenaiRefusal {
    fn from(error: FormError) -> Self {
        Self {
            refusal: Refusal::bad(error.why),
            param: error.param,
            code: None,
        }
    }
}

impl IntoResponse for OpenaiRefusal {
    fn into_response(self) -> Response {
        self.refusal.as_openai(self.param, self.code)
    }
}

fn loading() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "the models of this server are being loaded; try again later",
    )
}

fn of_body(error: BodyError) -> Refusal {
    let refusal = Refusal::of_body(error, MOST_MIB);
    match error {
        BodyError::TooLarge => Refusal {
            status: StatusCode::PAYLOAD_TOO_LARGE,
            ..refusal
        },
        BodyError::Full | BodyError::Slow | BodyError::Broken => refusal,
    }
}

fn check_model(handlers: &Handlers, asked: Option<&str>) -> Result<(), OpenaiRefusal> {
    let asked = asked.filter(|asked| *asked != USUAL_MODEL);
    let checked = handlers.check_speech_model(asked);
    checked.map_err(|error| OpenaiRefusal {
        refusal: Refusal::new(StatusCode::NOT_FOUND, error.to_string()),
        param: Some("model"),
        code: Some("model_not_found"),
    })
}
