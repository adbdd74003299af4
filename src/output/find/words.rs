//! Texts as the words that are compared: case, accents and punctuation make no difference, as in the
//! search of the page.

use crate::speech::is_unspaced;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Adds the words of `text` to `words`, each with a space behind it. A letter of a script without
/// spaces is a word; an apostrophe parts none: "don't" is "dont".
pub(super) fn push_words(text: &str, words: &mut String) {
    match text.is_ascii() {
        true => push(text.chars().map(|it| it.to_ascii_lowercase()), words),
        false => push(plain(text), words),
    }
}

fn push(letters: impl Iterator<Item = char>, words: &mut String) {
    let mut is_within = false;
    for letter in letters.filter(|it| !is_apostrophe(*it)) {
        let is_alone = is_unspaced(letter);
        if is_within && (is_alone || !letter.is_alphanumeric()) {
            words.push(' ');
            is_within = false;
        }
        if letter.is_alphanumeric() {
            words.push(letter);
            is_within = !is_alone;
            if is_alone {
                words.push(' ');
            }
        }
    }
    if is_within {
        words.push(' ');
    }
}

/// Whether two names are the same, case and accents aside.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    match one.is_ascii() && other.is_ascii() {
        true => one.eq_ignore_ascii_case(other),
        false => plain(one).eq(plain(other)),
    }
}

// Letters without their case and their accents, however those are written.
fn plain(text: &str) -> impl Iterator<Item = char> {
    let bare = text.nfkd().filter(|it| !is_combining_mark(*it));
    let small = bare.flat_map(char::to_lowercase);
    // The sigma that ends a word is another letter.
    small.map(|it| if it == 'ς' { 'σ' } else { it })
}

fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '\u{2019}' | '\u{02bc}')
}

#[cfg(test)]
mod tests {
    use super::is_same;
    use super::push_words;

    fn words(text: &str) -> String {
        let mut words = String::new();
        push_words(text, &mut words);
        words
    }

    #[test]
    fn words_end_at_all_that_is_no_letter() {
        for (text, told) in [
            ("Well-known, left/right!", "well known left right "),
            ("don't DON\u{2019}T 'tis", "dont dont tis "),
            ("3.5 m", "3 5 m "),
            ("红色car的", "红 色 car 的 "),
            ("?! \u{301}", ""),
        ] {
            assert_eq!(words(text), told, "{text}");
        }
    }

    #[test]
    fn case_accents_and_ways_to_write_them_make_no_difference() {
        for (one, other) in [
            ("Caf\u{e9}", "cafe"),
            ("cafe\u{301}", "caf\u{e9}"),
            ("ΟΔΟΣ", "οδος"),
            ("οδός", "ΟΔΟΣ"),
            ("İstanbul", "istanbul"),
            ("ﬁne", "fine"),
        ] {
            assert_eq!(words(one), words(other), "{one} {other}");
            assert!(is_same(one, other), "{one} {other}");
        }
        assert!(!is_same("cafe", "café au lait"));
        assert!(is_same("Stop Sign", "stop sign"));
    }
}
