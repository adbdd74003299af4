//! Inference: a stage that has a model, with the backend that the recipe names for it, of a kind
//! that it can use.
//!
//! Knows nothing of what `auto` comes to.

use crate::diag::Diagnostic;
use crate::name::BackendName;
use crate::recipe::backends::http::BodyForm;
use crate::recipe::backends::http::HttpSpec;
use crate::recipe::backends::local::LocalSpec;
use crate::recipe::backends::openai::OpenaiSpec;
use crate::recipe::backends::runpod::RunpodSpec;
use crate::recipe::http::mapping::Subject;
use crate::recipe::kind::BackendSpec;
use crate::recipe::kind::InferenceSpec;
use crate::recipe::recipe::Backend;
use crate::recipe::recipe::Stage;
use crate::recipe::stages::http::HttpStageSpec;
use crate::recipe::stages::whisper::WhisperSpec;
use crate::recipe::stages::yolo::YoloSpec;
use std::collections::BTreeMap;

/// A stage that has a model, and the backend that it names; `None` where that is no table: `auto`,
/// or `local`.
#[derive(Clone, Debug)]
pub enum Inference {
    /// Objects in frames.
    Yolo(YoloSpec, Option<YoloBackend>),
    /// Words in sound.
    Whisper(WhisperSpec, Option<WhisperBackend>),
    /// Whatever a server of one's own makes of frames or sound.
    Http(Box<HttpStageSpec>, Box<HttpSpec>),
}

/// What `yolo` can run on.
#[derive(Clone, Debug)]
pub enum YoloBackend {
    /// A model on this machine.
    Local(LocalSpec),
    /// Workers of RunPod.
    Runpod(Box<RunpodSpec>),
    /// A server of one's own.
    Http(Box<HttpSpec>),
}

/// What `whisper` can run on.
#[derive(Clone, Debug)]
pub enum WhisperBackend {
    /// A model on this machine.
    Local(LocalSpec),
    /// Workers of RunPod.
    Runpod(Box<RunpodSpec>),
    /// A server that speaks OpenAI's API.
    Openai(OpenaiSpec),
}

impl Inference {
    /// The inference of `stage`; `None` where it has no model, or names a server that is not
    /// declared.
    ///
    /// # Errors
    ///
    /// Where the backend that it names is none that it can use.
    pub fn of(
        stage: &Stage,
        backends: &BTreeMap<BackendName, Backend>,
    ) -> Result<Option<Self>, Diagnostic> {
        let Some(spec) = stage.spec.inference() else {
            return Ok(None);
        };
        let backend = stage.spec.backend().and_then(|name| backends.get(name));
        Ok(match spec {
            InferenceSpec::Yolo(spec) => {
                let backend = backend.map(|backend| YoloBackend::of(stage, backend));
                Some(Self::Yolo(spec.clone(), backend.transpose()?))
            }
            InferenceSpec::Whisper(spec) => {
                let backend = backend.map(|backend| WhisperBackend::of(stage, backend));
                Some(Self::Whisper(spec.clone(), backend.transpose()?))
            }
            InferenceSpec::Http(spec) => match backend {
                Some(backend) => Some(Self::of_http(stage, spec, backend)?),
                None => None,
            },
        })
    }

    fn of_http(stage: &Stage, spec: &HttpStageSpec, backend: &Backend) -> Result<Self, Diagnostic> {
        match &backend.spec {
            BackendSpec::Http(server) => {
                check_request(stage, spec, server)?;
                Ok(Self::Http(Box::new(spec.clone()), server.clone()))
            }
            BackendSpec::Local(_) | BackendSpec::Runpod(_) | BackendSpec::Openai(_) => {
                let help = "name a backend of kind `http`";
                Err(unusable(stage, backend, "is no server of your own", help))
            }
        }
    }
}

impl YoloBackend {
    fn of(stage: &Stage, backend: &Backend) -> Result<Self, Diagnostic> {
        match &backend.spec {
            BackendSpec::Local(spec) => Ok(Self::Local(spec.clone())),
            BackendSpec::Runpod(spec) => Ok(Self::Runpod(spec.clone())),
            BackendSpec::Http(spec) => Ok(Self::Http(spec.clone())),
            BackendSpec::Openai(_) => {
                let help = "name a backend of kind `local`, `runpod` or `http`";
                let cannot = "listens to sound and sees no frames";
                Err(unusable(stage, backend, cannot, help))
            }
        }
    }
}

impl WhisperBackend {
    fn of(stage: &Stage, backend: &Backend) -> Result<Self, Diagnostic> {
        match &backend.spec {
            BackendSpec::Local(spec) => Ok(Self::Local(spec.clone())),
            BackendSpec::Runpod(spec) => Ok(Self::Runpod(spec.clone())),
            BackendSpec::Openai(spec) => Ok(Self::Openai(spec.clone())),
            BackendSpec::Http(_) => {
                let help = "name a backend of kind `openai` or `runpod`, or let a stage of kind \
                            `http` ask it";
                let cannot = "is not asked in the words of `whisper`";
                Err(unusable(stage, backend, cannot, help))
            }
        }
    }
}

fn unusable(stage: &Stage, backend: &Backend, cannot: &str, help: &str) -> Diagnostic {
    let name = stage.spec.backend().map_or("", BackendName::as_str);
    Diagnostic::error(stage.key("backend"), format!("`{name}` {cannot}"))
        .also(
            backend.span,
            format!("its kind is `{}`", backend.spec.kind()),
        )
        .help(help)
}

// A file is all of its request; anything else is written.
fn check_request(stage: &Stage, http: &HttpStageSpec, server: &HttpSpec) -> Result<(), Diagnostic> {
    let is_written = !http.mapping.request.is_null();
    let name = &http.backend;
    Err(match server.body {
        BodyForm::File if is_written => Diagnostic::error(
            stage.key("request"),
            format!("`{name}` takes a file and no `request`"),
        )
        .help("what belongs to the file goes into `query` or `headers` of the backend"),
        BodyForm::File if http.mapping.about == Subject::Boxes => Diagnostic::error(
            stage.key("backend"),
            format!("`{name}` takes a file, and what was found is none"),
        )
        .help("name a backend with `body = \"json\"`, which is the usual one"),
        BodyForm::Json | BodyForm::Form if !is_written => {
            Diagnostic::error(stage.span, format!("`{}` asks nothing", stage.id)).help(format!(
                "write what `{name}` is sent, in `[stages.{}.request]`",
                stage.id
            ))
        }
        BodyForm::Json if http.mapping.names_a_file() => {
            Diagnostic::error(stage.key("request"), "a file cannot travel in JSON").help(
                "write `image` or `sound`, which are text, or `body = \"form\"` for the backend",
            )
        }
        BodyForm::Json | BodyForm::Form | BodyForm::File => return Ok(()),
    })
}
