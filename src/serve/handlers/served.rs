//! What all served models have in common: their names, their threads, and why one cannot be served.

use crate::app::AppError;
use crate::backends::engine::ChoiceError;
use crate::backends::models::ModelError;
use crate::failure::Failure;
use crate::serve::job::JobError;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread;

/// Who is told what whoever runs the program should know: a line.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Why models cannot be served: one sentence for the user.
#[derive(Debug, thiserror::Error)]
pub enum ServingError {
    /// A model cannot be loaded.
    #[error("{0}")]
    Model(#[from] ModelError),
    /// Nothing computes as it was asked for.
    #[error("{0}")]
    Choice(#[from] ChoiceError),
    /// A loaded model cannot be run.
    #[error("{0}")]
    Session(Failure),
    /// The system gives no thread to run a model on.
    #[error("no thread can be started to run a model on: {0}")]
    Thread(io::Error),
}

impl From<ServingError> for AppError {
    fn from(error: ServingError) -> Self {
        let message = error.to_string();
        let help = Some("`vpipe models` lists what is here, and says how to get more".to_owned());
        match error {
            ServingError::Choice(error) => AppError::from(error),
            ServingError::Model(ModelError::Missing { .. }) => Self::Request { message, help },
            ServingError::Model(_) | ServingError::Session(_) | ServingError::Thread(_) => {
                Self::Environment { message, help }
            }
        }
    }
}

/// Starts a thread.
pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), ServingError> {
    let thread = thread::Builder::new().name(name.to_owned()).spawn(work);
    thread.map(|_| ()).map_err(ServingError::Thread)
}

/// What a served model is called by those who ask: they are not told where it lies.
#[derive(Clone, Debug)]
pub(super) struct ServedName {
    own: String,
    shown: String,
}

impl ServedName {
    /// The name of a model that calls itself `own`: a path, or that of a built-in one.
    pub(super) fn new(own: &str) -> Self {
        let stem = match own.strip_suffix(".onnx") {
            Some(stem) => Path::new(stem).file_name(),
            None => Path::new(own).file_name(),
        };
        Self {
            own: own.to_owned(),
            shown: stem.map_or_else(|| own.to_owned(), |it| it.to_string_lossy().into_owned()),
        }
    }

    /// The name.
    pub(super) fn as_str(&self) -> &str {
        &self.shown
    }

    /// What the model says of itself, without where it lies.
    pub(super) fn hidden(&self, error: &JobError) -> JobError {
        JobError(error.0.replace(&self.own, &self.shown))
    }

    /// Refuses a job for another model. `whisper-base`, `openai/whisper-base` and `base` are one, and
    /// so are `yolo11m.pt` and `yolo11m`.
    pub(super) fn check(&self, asked: Option<&str>) -> Result<(), JobError> {
        let Some(asked) = asked.filter(|asked| plain(asked) != plain(&self.shown)) else {
            return Ok(());
        };
        let asked: String = asked.chars().take(60).collect();
        Err(JobError(format!(
            "the model `{asked}` is not served here; `{}` is",
            self.shown
        )))
    }
}

fn plain(name: &str) -> String {
    let name = name.to_lowercase();
    let last = name.rsplit('/').next().unwrap_or_default();
    let last = last.strip_prefix("faster-").unwrap_or(last);
    let last = last.strip_prefix("whisper-").unwrap_or(last);
    let last = last.strip_suffix(".pt").unwrap_or(last);
    let last = last.strip_suffix(".onnx").unwrap_or(last);
    match last {
        "turbo" => "large-v3-turbo".to_owned(),
        "large" => "large-v3".to_owned(),
        last => last.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::ServedName;
    use crate::serve::job::JobError;

    #[test]
    fn a_model_is_known_by_the_names_that_it_goes_by() {
        let speech = ServedName::new("/models/a b/whisper-large-v3-turbo");
        for name in [
            "turbo",
            "openai/whisper-large-v3-turbo",
            "Whisper-large-v3-turbo",
        ] {
            assert_eq!(speech.check(Some(name)), Ok(()), "{name}");
        }
        assert_eq!(speech.check(None), Ok(()));
        let told = "the model `base` is not served here; `whisper-large-v3-turbo` is";
        assert_eq!(speech.check(Some("base")), Err(JobError(told.to_owned())));
        let detector = ServedName::new("/models/yolo11m.onnx");
        assert_eq!(detector.check(Some("yolo11m.pt")), Ok(()));
        assert!(detector.check(Some("yolo11n")).is_err());
        assert_eq!(
            ServedName::new("built-in shapes").as_str(),
            "built-in shapes"
        );
    }

    #[test]
    fn who_asks_is_not_told_where_a_model_lies() {
        let name = ServedName::new("/models/yolo11m.onnx");
        let error = JobError("/models/yolo11m.onnx could not be run: no".to_owned());
        assert_eq!(name.hidden(&error).0, "yolo11m could not be run: no");
    }
}
