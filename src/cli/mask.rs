//! Masks: what looks like a key is not shown again, wherever in a recipe or on the command line it
//! was written.
//!
//! A recipe names its keys (`api_key_env`), so one that stands in it stands where none belongs, and
//! a mistake there would be drawn with the key.

use std::ops::Range;

/// How keys of known services begin.
const PREFIXES: [&str; 12] = [
    "rpa_",
    "sk-",
    "sk_",
    "hf_",
    "ghp_",
    "gho_",
    "github_pat_",
    "glpat-",
    "xox",
    "AKIA",
    "AIza",
    "eyJ",
];

/// A word that begins like one is a key from this length on.
const LEAST_WITH_PREFIX: usize = 12;

/// Another one from this length on, if letters of both cases and digits are mixed in it.
const LEAST: usize = 24;

/// So many of each at least.
const LEAST_OF_EACH: usize = 4;

/// What follows a name with one of these words is a secret, unless the name only says where it is.
const NAMES: [&str; 5] = ["token", "secret", "password", "passwd", "authorization"];

/// A text that a user wrote, with an asterisk for each byte of what looks like a key or stands where
/// one is given.
pub(super) fn masked_text(text: &str) -> String {
    let given = words(text).filter(|(_, name)| names_secret(name));
    let given = given.filter_map(|(start, name)| value_after(text, start + name.len()));
    masked_words(&with_stars(text, given))
}

/// A sentence, likewise for what looks like a key in it.
pub(super) fn masked_words(sentence: &str) -> String {
    let keys = words(sentence).filter(|(_, word)| is_key(word));
    with_stars(
        sentence,
        keys.map(|(start, word)| start..start + word.len()),
    )
}

fn with_stars(text: &str, places: impl Iterator<Item = Range<usize>>) -> String {
    let mut masked = text.to_owned();
    for place in places {
        let stars = "*".repeat(place.len());
        masked.replace_range(place, &stars);
    }
    masked
}

// Runs of the letters that keys are made of, and where each begins.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let is_other = |letter: char| !(letter.is_ascii_alphanumeric() || "_-".contains(letter));
    let mut at = 0;
    text.split_inclusive(is_other).map(move |part| {
        let start = at;
        at += part.len();
        (start, part.trim_end_matches(is_other))
    })
}

fn is_key(word: &str) -> bool {
    let begins = PREFIXES.iter().any(|prefix| word.starts_with(prefix));
    let count = |is: fn(&u8) -> bool| word.bytes().filter(is).count();
    let is_mixed = [
        count(u8::is_ascii_uppercase),
        count(u8::is_ascii_lowercase),
        count(u8::is_ascii_digit),
    ]
    .into_iter()
    .all(|count| count >= LEAST_OF_EACH);
    begins && word.len() >= LEAST_WITH_PREFIX || is_mixed && word.len() >= LEAST
}

// `api_key`, and not `api_key_env`, which names a variable.
fn names_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let parts: Vec<&str> = name.split(['_', '-']).collect();
    let is_named = parts.iter().any(|part| NAMES.contains(part));
    let is_key = parts.len() > 1 && parts.last() == Some(&"key");
    let is_elsewhere = ["env", "variable", "name", "header"];
    (is_named || is_key) && !parts.iter().any(|part| is_elsewhere.contains(part))
}

// What the name that ends at `end` is given: `name = "VALUE"`, `name=VALUE`, `"name": "VALUE"`.
fn value_after(text: &str, end: usize) -> Option<Range<usize>> {
    let blanks = [' ', '\t'];
    let after = text.get(end..)?;
    let rest = after
        .trim_start_matches(['"', '\''])
        .trim_start_matches(blanks);
    let rest = rest.strip_prefix(['=', ':'])?.trim_start_matches(blanks);
    let (from, ends): (_, &[char]) = match rest.chars().next()? {
        '"' => (1, &['"', '\n']),
        '\'' => (1, &['\'', '\n']),
        _ => (0, &[' ', '\t', '\n', ',', '}']),
    };
    let value = rest.get(from..)?.split(ends).next()?;
    // A template takes it from elsewhere.
    let is_written = !value.is_empty() && !value.contains("{{");
    let start = text.len() - rest.len() + from;
    is_written.then_some(start..start + value.len())
}

#[cfg(test)]
mod tests {
    use super::masked_text;

    #[test]
    fn what_looks_like_a_key_is_masked_in_place() {
        for (text, shown) in [
            ("api_key = \"1234\"", "api_key = \"****\""),
            ("--set yolo.api_key=abc", "--set yolo.api_key=***"),
            ("{ token: 'a b', x = 1 }", "{ token: '***', x = 1 }"),
            ("X-Api-Key = 'ab'", "X-Api-Key = '**'"),
            ("conf = \"rpa_ABCDEF12345\"", "conf = \"***************\""),
            (
                "url = \"http://h/sk-abcdefghijkl\"",
                "url = \"http://h/***************\"",
            ),
            (
                "model = \"q8Xz1LmN4pRs7TuV2wYb9KcD\"",
                "model = \"************************\"",
            ),
        ] {
            assert_eq!(masked_text(text), shown);
        }
    }

    #[test]
    fn all_else_stays() {
        for text in [
            "api_key_env = \"RUNPOD_API_KEY\"",
            "api_key = \"{{ env.VPIPE_KEY }}\"",
            "model = \"Systran/faster-whisper-large-v3\"",
            "model = \"/home/a/My Models/yolo11n-320x320-Fp16.onnx\"",
            "keys = 3\nkey = \"b\"\nmonkey = \"b\"\napi_key_header = \"x\"",
            "digest = \"af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262\"",
            "é = 'ü'; sk-short",
        ] {
            assert_eq!(masked_text(text), text);
        }
    }
}
