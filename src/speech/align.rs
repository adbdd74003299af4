//! Alignment: where the words of an answer stand in the text of its segments.
//!
//! Servers give words in other pieces than the text: with or without the punctuation, cut at an
//! apostrophe, a character each, or spelled differently. Letters and digits are compared, case
//! aside; what does not match is left out, and the words after it are found again.

use std::ops::Range;

/// How far ahead a word is looked for where the text goes on differently, in letters.
const LOOK_AHEAD: usize = 400;

/// Letters that have to agree before a word is taken to be found further ahead.
const PROOF: usize = 6;

/// The byte range of each word in `text`, in order and without overlaps; `None` for a word that is
/// not in it, or that has no letters.
pub fn align<'a>(
    text: &str,
    words: impl IntoIterator<Item = &'a str>,
) -> Vec<Option<Range<usize>>> {
    let text = letters(text);
    let mut spoken = Vec::new();
    let words: Vec<Range<usize>> = words
        .into_iter()
        .map(|word| {
            let start = spoken.len();
            spoken.extend(letters(word).into_iter().map(|letter| letter.folded));
            start..spoken.len()
        })
        .collect();
    let mut next = 0;
    let place = |word: Range<usize>| {
        let length = word.len();
        let found = find(&text, next, &spoken, &word)?;
        next = found + length;
        let (first, last) = (text.get(found)?, text.get(next - 1)?);
        Some(first.bytes.start..last.bytes.end)
    };
    words.into_iter().map(place).collect()
}

/// The letters and digits of `text`.
pub fn letter_count(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

// A letter, or a digit, of a text.
struct Letter {
    folded: char,
    bytes: Range<usize>,
}

fn letters(text: &str) -> Vec<Letter> {
    let letters = text.char_indices().filter(|(_, c)| c.is_alphanumeric());
    letters
        .map(|(at, c)| Letter {
            // Of a letter that becomes several the first is enough to compare.
            folded: c.to_lowercase().next().unwrap_or(c),
            bytes: at..at + c.len_utf8(),
        })
        .collect()
}

// The letter of `text` from `from` on at which `word` of `spoken` begins.
fn find(text: &[Letter], from: usize, spoken: &[char], word: &Range<usize>) -> Option<usize> {
    if word.is_empty() {
        return None;
    }
    let agrees = |at: usize, letters: &[char]| {
        let text = text.get(at..at + letters.len());
        text.is_some_and(|text| text.iter().map(|it| it.folded).eq(letters.iter().copied()))
    };
    let own = spoken.get(word.clone())?;
    // What comes after it tells one short word from another; at the end there is less of it.
    let proof = spoken.get(word.start..spoken.len().min(word.end.max(word.start + PROOF)))?;
    let last = text.len().min(from + LOOK_AHEAD);
    let ends_a_word = |at: usize| {
        let end = at + own.len();
        let border = text.get(end - 1).zip(text.get(end));
        border.is_none_or(|(last, next)| last.bytes.end < next.bytes.start)
    };
    let proven = (from..last).find(|at| agrees(*at, proof));
    match proven {
        Some(at) if at == from => Some(at),
        _ if agrees(from, own) && ends_a_word(from) => Some(from),
        proven => proven,
    }
}

#[cfg(test)]
mod tests {
    use super::align;

    fn places<'a>(text: &'a str, words: &[&str]) -> Vec<Option<&'a str>> {
        let places = align(text, words.iter().copied());
        places.into_iter().map(|place| text.get(place?)).collect()
    }

    #[test]
    fn words_are_found_however_they_are_cut() {
        let text = "The circle, which doesn't move; it's RED.";
        for words in [
            vec!["The", "circle", "which", "doesn't", "move", "it's", "red"],
            vec![
                " The", " circle,", " which", " doesn't", " move;", " it's", " RED.",
            ],
        ] {
            let found = places(text, &words);
            let wanted = ["The", "circle", "which", "doesn't", "move", "it's", "RED"];
            assert_eq!(found, wanted.map(Some));
        }
        let pieces = [
            " The", " circle", ",", " which", " does", "n", "'t", " move", ";",
        ];
        let wanted = ["The", "circle", "", "which", "does", "n", "t", "move", ""];
        let wanted = wanted.map(|word| Some(word).filter(|word| !word.is_empty()));
        assert_eq!(places(text, &pieces), wanted);
        let signs = ["红", "色", "的", "圆"];
        assert_eq!(places("红色的圆。", &signs), signs.map(Some));
    }

    #[test]
    fn what_differs_is_left_out_and_the_rest_is_found() {
        let text = "It moves 40 steps to the left, then it stops.";
        let words = [
            "It", "moves", "forty", "steps", "to", "left", "then", "it", "stops",
        ];
        let wanted = [
            "It", "moves", "", "steps", "to", "left", "then", "it", "stops",
        ];
        let wanted = wanted.map(|word| Some(word).filter(|word| !word.is_empty()));
        assert_eq!(places(text, &words), wanted);
        assert_eq!(
            places("a b c", &["x", "a", "b", "c"]),
            [None, Some("a"), Some("b"), Some("c")]
        );
        assert_eq!(places("", &["a"]), [None]);
        assert_eq!(places("a b", &[]), []);
        assert_eq!(places("♪ ♪", &["♪", ""]), [None, None]);
    }
}
