//! Secrets: the keys for servers, and values of the environment that are sent to them. None is ever
//! printed.

use std::fmt;

/// A key of fewer letters is sent and not taken out of anything: it may be a word like any other.
pub const LEAST_LETTERS: usize = 8;

/// The longest word; what has more letters is none.
const LONGEST_WORD: usize = 20;

/// The most digits of a number that an answer may hold as well, such as a date.
const MOST_DIGITS: usize = 8;

/// A key, or the value of a variable. Never printed.
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

    /// Whether it is made of words and numbers, such as `warehouse-4`, which an answer may hold
    /// whatever it was sent; so is what is short.
    pub fn is_wordy(&self) -> bool {
        let digits = self.0.chars().filter(char::is_ascii_digit).count();
        let mut parts = self.0.trim().split([' ', '-', '_', '.', ',']);
        self.is_short()
            || digits <= MOST_DIGITS && parts.all(|part| is_word(part) || is_number(part))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

fn is_number(text: &str) -> bool {
    text.chars().all(|letter| letter.is_ascii_digit())
}

// In small letters, in capitals, or with a capital at its begin.
fn is_word(text: &str) -> bool {
    let mut behind = text.chars().skip(1);
    text.chars().count() <= LONGEST_WORD
        && text.chars().all(char::is_alphabetic)
        && (!behind.any(char::is_uppercase) || !text.chars().any(char::is_lowercase))
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn words_and_numbers_are_no_secrets() {
        for text in [
            "car",
            "delivery van",
            "warehouse-4",
            "Cam_0012",
            "NORTH-GATE",
            "2026-11-30",
            "stra\u{df}enbahn",
            "gpu.example.org",
            "a7!",
        ] {
            assert!(Secret::new(text).is_wordy(), "{text}");
        }
        for text in [
            "swordfish4",
            "postgres://u:hunter2@db/app",
            "982451653",
            "hooks/T000",
            "dGhpcyBp",
            "550e8400-e29b-41d4-a716-446655440000",
            "qwjxkzvhplmrtbndqwjxk",
            "McDonald",
            "password=letmein",
        ] {
            assert!(!Secret::new(text).is_wordy(), "{text}");
        }
    }
}
