//! Secrets: the keys for servers. None is ever printed.

use std::fmt;

/// A key of fewer letters is sent and not taken out of anything: it may be a word like any other.
pub const LEAST_LETTERS: usize = 8;

/// A key. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(in crate::backends::transport) String);

impl Secret {
    /// A key with this text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether it is too short to be told from a word of an answer.
    pub fn is_short(&self) -> bool {
        self.0.chars().count() < LEAST_LETTERS
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
