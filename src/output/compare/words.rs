//! Words: those of a text, and which of them are those of another.
//!
//! A word is its letters and digits, case aside. In scripts without spaces between words each letter
//! is one. Two texts are as far apart as the least number of words that turns one into the other
//! (the word error rate counts so).

use crate::speech::is_unspaced;
use rapidfuzz::distance::levenshtein;
use similar::Algorithm;
use similar::DiffOp;
use similar::capture_diff_slices;
use std::collections::HashMap;
use std::ops::Range;

/// Texts that are further apart are not told word by word: that would take hours, and helps nobody.
const MOST_EDITS_TOLD: usize = 1_000;

/// The words of `text`: as written, without what is around them, and as they are compared.
pub(super) fn words(text: &str) -> impl Iterator<Item = (&str, String)> {
    let pieces = text.split_whitespace().flat_map(pieces);
    let trimmed = pieces.map(|piece| piece.trim_matches(|c: char| !c.is_alphanumeric()));
    let read = trimmed.map(|word| {
        let letters = word.chars().filter(|c| c.is_alphanumeric());
        (word, letters.flat_map(char::to_lowercase).collect())
    });
    read.filter(|(_, letters): &(&str, String)| !letters.is_empty())
}

// The parts of a text without spaces that are words: each letter of a script that writes no spaces,
// and what is between them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let alone = |c: char| is_unspaced(c);
    text.split_inclusive(alone).flat_map(move |part| {
        let last = part.char_indices().next_back().filter(|(_, c)| alone(*c));
        let (before, letter) = part.split_at(last.map_or(part.len(), |(at, _)| at));
        [before, letter]
    })
}

/// Words of two texts, one of which stands for a run of the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    /// Of the old words.
    pub(super) old: Range<usize>,
    /// Of the new words.
    pub(super) new: Range<usize>,
    /// Whether they are equal, one by one.
    pub(super) is_equal: bool,
}

/// How two lists of words differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alignment {
    /// The least number of words put in, left out or replaced.
    pub(super) edits: usize,
    /// All words of both, in order. One run that is not equal where they differ in too much.
    pub(super) runs: Vec<Run>,
}

/// Which of the words `old` are which of the words `new`, all as they are compared.
pub(super) fn align(old: &[String], new: &[String]) -> Alignment {
    let (old, new) = numbered(old, new);
    let edits = levenshtein::distance(old.iter().copied(), new.iter().copied());
    if edits > MOST_EDITS_TOLD {
        let whole = Run {
            old: 0..old.len(),
            new: 0..new.len(),
            is_equal: false,
        };
        let runs = vec![whole];
        return Alignment { edits, runs };
    }
    let runs = capture_diff_slices(Algorithm::Myers, &old, &new).into_iter();
    let runs = runs.map(|op| Run {
        old: op.old_range(),
        new: op.new_range(),
        is_equal: matches!(op, DiffOp::Equal { .. }),
    });
    Alignment {
        edits,
        runs: runs.collect(),
    }
}

/// The word error rate of a text: words that differ, as a share of those of `old`.
pub(super) fn text_error_rate(old: &str, new: &str) -> f64 {
    let letters = |text| words(text).map(|(_, letters)| letters).collect();
    let (old, new): (Vec<String>, Vec<String>) = (letters(old), letters(new));
    let count = old.len().max(1) as f64;
    let (old, new) = numbered(&old, &new);
    levenshtein::distance(old, new) as f64 / count
}

// A number for each word, the same for the same.
fn numbered(old: &[String], new: &[String]) -> (Vec<u32>, Vec<u32>) {
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut number = |word| {
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        *numbers.entry(word).or_insert(next)
    };
    let old = old.iter().map(|word| number(word.as_str())).collect();
    let new = new.iter().map(|word| number(word.as_str())).collect();
    (old, new)
}

#[cfg(test)]
mod tests {
    use super::MOST_EDITS_TOLD;
    use super::align;
    use super::text_error_rate;
    use super::words;

    fn letters(text: &str) -> Vec<String> {
        words(text).map(|(_, letters)| letters).collect()
    }

    #[test]
    fn a_word_is_its_letters() {
        for (text, wanted) in [
            ("", vec![]),
            (" - \u{1f600} ... ", vec![]),
            (
                "It's 3.5 m, \u{ab}RED\u{bb}!",
                vec!["its", "35", "m", "red"],
            ),
            (
                "\u{7ea2}\u{8272}\u{3002}is OK",
                vec!["\u{7ea2}", "\u{8272}", "is", "ok"],
            ),
            ("GPT\u{7684}", vec!["gpt", "\u{7684}"]),
        ] {
            assert_eq!(letters(text), wanted, "{text}");
        }
        let written: Vec<_> = words("\u{ab}Red\u{bb}, don't!")
            .map(|(word, _)| word)
            .collect();
        assert_eq!(written, ["Red", "don't"]);
    }

    // By hand.
    #[test]
    fn the_least_edits_are_counted() {
        for (old, new, edits) in [
            ("", "", 0),
            ("a b c", "a b c", 0),
            ("a b c", "a x c", 1),
            ("a b c", "a c", 1),
            ("a c", "a b c", 1),
            ("a b c", "c x y", 3),
            ("a b c d", "b c d a", 2),
            ("a b", "", 2),
        ] {
            let alignment = align(&letters(old), &letters(new));
            assert_eq!(alignment.edits, edits, "{old} / {new}");
            let runs = &alignment.runs;
            let covered: usize = runs.iter().map(|run| run.old.len()).sum();
            assert_eq!(covered, letters(old).len(), "{old} / {new}");
            let covered: usize = runs.iter().map(|run| run.new.len()).sum();
            assert_eq!(covered, letters(new).len(), "{old} / {new}");
        }
        assert_eq!(text_error_rate("a b c d", "a x c d"), 0.25);
        assert_eq!(text_error_rate("", "a b"), 2.0);
    }

    #[test]
    fn texts_that_have_nothing_in_common_are_one_run() {
        let many = |word: &str| -> Vec<String> {
            let count = MOST_EDITS_TOLD + 1;
            (0..count).map(|at| format!("{word}{at}")).collect()
        };
        let alignment = align(&many("a"), &many("b"));
        assert_eq!(alignment.edits, MOST_EDITS_TOLD + 1);
        assert_eq!(alignment.runs.len(), 1);
    }
}
