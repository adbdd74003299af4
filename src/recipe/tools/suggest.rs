//! What to write instead of a word that is not known.

use crate::diag::did_you_mean;

// More names than these are not compared and not listed.
const MOST: usize = 1000;
const LISTED: usize = 40;

/// "did you mean `x`?" where one of `known` is near, else all of them after `label`.
pub(in crate::recipe) fn suggest<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    label: &str,
) -> String {
    let known: Vec<&str> = known.into_iter().take(MOST).collect();
    match did_you_mean(word, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None if known.is_empty() => format!("{label}: none"),
        None if known.len() > LISTED => {
            let few = known.into_iter().take(LISTED);
            format!("{label}: {} and others", quoted(few))
        }
        None => format!("{label}: {}", quoted(known)),
    }
}

/// "`a`, `b`, `c`".
pub(in crate::recipe) fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    words.join(", ")
}
