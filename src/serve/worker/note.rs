//! Notes: what a worker tells whoever started it, a line each. No key and nothing of an input is in one.

use std::fmt;
use std::sync::Arc;

/// How much a note matters. The first matters most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteLevel {
    /// Something is lost, or cannot go on.
    Error,
    /// Something went wrong and is made good.
    Warn,
    /// What was done.
    Info,
    /// How it was done.
    Debug,
}

impl NoteLevel {
    /// The word for it, as RunPod's log has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
        }
    }

    /// The level of a word, case aside.
    pub fn of(word: &str) -> Option<Self> {
        let all = [Self::Error, Self::Warn, Self::Info, Self::Debug];
        let same = |level: &Self| word.trim().eq_ignore_ascii_case(level.word());
        all.into_iter().find(same)
    }
}

/// One line of what a worker tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerNote {
    /// How much it matters.
    pub level: NoteLevel,
    /// The job that it is about, if it is about one.
    pub job: Option<String>,
    /// One sentence without a full stop.
    pub message: String,
}

/// Where notes go. Clones are the same place.
#[derive(Clone)]
pub struct Notes(Arc<dyn Fn(&WorkerNote) + Send + Sync>);

impl Notes {
    /// Each is given to `take`.
    pub fn to(take: impl Fn(&WorkerNote) + Send + Sync + 'static) -> Self {
        Self(Arc::new(take))
    }

    /// Tells something of the worker.
    pub(super) fn tell(&self, level: NoteLevel, message: impl Into<String>) {
        let (job, message) = (None, message.into());
        (self.0)(&WorkerNote {
            level,
            job,
            message,
        });
    }

    /// Tells something of a job.
    pub(super) fn tell_of(&self, level: NoteLevel, job: &str, message: impl Into<String>) {
        let (job, message) = (Some(job.to_owned()), message.into());
        (self.0)(&WorkerNote {
            level,
            job,
            message,
        });
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notes(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::NoteLevel;

    #[test]
    fn a_level_is_known_by_its_word() {
        assert_eq!(NoteLevel::of(" warn "), Some(NoteLevel::Warn));
        assert_eq!(NoteLevel::of("TRACE"), None);
        assert!(NoteLevel::Error < NoteLevel::Debug);
    }
}
