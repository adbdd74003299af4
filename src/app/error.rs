//! Errors: why a verb could not do its work at all.
//!
//! A failure of a single item is no error; it stands in the report.

use crate::backends::engine::ChoiceError;
use crate::diag::Report;
use crate::output::ReadError;
use crate::output::WriteError;
use crate::recipe::LoadError;
use std::error::Error;

/// Why a verb could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The recipe has mistakes.
    #[error(transparent)]
    Recipe(#[from] Report),
    /// What was asked for makes no sense, or names something that is not there.
    #[error("{message}")]
    Request {
        /// One sentence without a full stop.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// It would cost more than is allowed.
    #[error("{message}")]
    Budget {
        /// One sentence without a full stop.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
    /// A file, a model, a server or this machine fails.
    #[error("{message}")]
    Environment {
        /// One sentence without a full stop.
        message: String,
        /// What to do about it.
        help: Option<String>,
    },
}

impl AppError {
    /// A request that makes no sense, with all its causes.
    pub fn request(error: &dyn Error) -> Self {
        Self::Request {
            message: with_causes(error),
            help: None,
        }
    }

    /// A failure of the environment, with all its causes.
    pub fn environment(error: &dyn Error) -> Self {
        Self::Environment {
            message: with_causes(error),
            help: None,
        }
    }

    /// A file that may not be written is a matter of the request, one that cannot be of the
    /// environment.
    pub(super) fn unwritable(error: &WriteError) -> Self {
        match error {
            WriteError::Refused { why, .. } => Self::Request {
                message: error.to_string(),
                help: Some(why.help().to_owned()),
            },
            WriteError::Failed { .. } => Self::environment(error),
        }
    }

    /// The same, where another place is named by `option`, which is `-o` or `--clips`.
    pub(super) fn unwritable_to(option: &str, error: &WriteError) -> Self {
        match Self::unwritable(error) {
            Self::Request { message, .. } => Self::Request {
                message,
                help: Some(format!("give another name with {option}")),
            },
            error => error,
        }
    }

    /// A file that is named as results and is none.
    pub(super) fn unread(error: &ReadError) -> Self {
        Self::Request {
            message: error.to_string(),
            help: Some(error.help().to_owned()),
        }
    }

    /// Its exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Recipe(_) | Self::Request { .. } => 2,
            Self::Environment { .. } => 3,
            Self::Budget { .. } => 4,
        }
    }
}

impl From<ChoiceError> for AppError {
    fn from(error: ChoiceError) -> Self {
        let (message, help) = (error.to_string(), Some(error.help().to_owned()));
        match error {
            ChoiceError::Rten(_) => Self::Request { message, help },
            ChoiceError::Device { .. } => Self::Environment { message, help },
        }
    }
}

impl From<LoadError> for AppError {
    fn from(error: LoadError) -> Self {
        let help = error.help();
        match error {
            LoadError::Wrong(report) => Self::Recipe(report),
            error => Self::Request {
                message: with_causes(&error),
                help,
            },
        }
    }
}

// An error whose text has its cause in it already does not give it again.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let words = error.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::AppError;
    use crate::recipe::LoadError;
    use std::io;

    #[test]
    fn causes_are_told_once() {
        let source = io::Error::other("disk on fire");
        assert_eq!(AppError::environment(&source).to_string(), "disk on fire");
        let path = "a.toml".to_owned();
        let error = AppError::from(LoadError::Unreadable { path, source });
        assert_eq!(
            error.to_string(),
            "the recipe a.toml cannot be read: disk on fire"
        );
        assert_eq!(error.exit_code(), 2);
    }
}
