//! Names: what stages, steps, backends and videos are called.
//!
//! Each is a type of its own, so that one cannot stand where another is meant. Knows nothing
//! of what the named things are.

use serde::Deserialize;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name! {
    /// The id of a stage: its key under `[stages]`.
    StageId
}

name! {
    /// The id of a step, `<stage>.<what it does>`, such as `yolo.infer`.
    StepId
}

name! {
    /// The name of a backend: its key under `[backends]`, or the kind of a built-in one.
    BackendName
}

name! {
    /// What a remote backend gives for work it has accepted, before the answer is there: a job id.
    Ticket
}

/// One video (or folder of pictures) of a run, by its place on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct VideoId(pub u32);

impl VideoId {
    /// The first input of a run.
    pub const FIRST: Self = Self(0);

    /// Numbers the inputs of a run, which are in the order of the command line.
    pub fn number<T>(inputs: impl IntoIterator<Item = T>) -> impl Iterator<Item = (Self, T)> {
        (0..).map(Self).zip(inputs)
    }
}

impl fmt::Display for VideoId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "video {}", self.0)
    }
}

/// Bytes that file systems allow the name of a file.
const LONGEST_FILE_NAME: usize = 255;

/// `name` as that of a file whose ending takes so many bytes more. One that is too long is cut, and
/// told apart by a digest of the whole.
pub fn file_name(name: &str, ending: usize) -> String {
    let room = LONGEST_FILE_NAME.saturating_sub(ending);
    if name.len() <= room {
        return name.to_owned();
    }
    let digest = blake3::hash(name.as_bytes()).to_hex();
    let digest: String = digest.chars().take(8).collect();
    let room = room.saturating_sub(digest.len() + 1);
    let ends = name
        .char_indices()
        .map(|(at, letter)| at + letter.len_utf8());
    let end = ends.take_while(|end| *end <= room).last();
    let kept = end.and_then(|end| name.get(..end)).unwrap_or_default();
    format!("{kept}-{digest}")
}
