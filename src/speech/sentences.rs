//! Sentences: where they end in a text (UAX #29), abbreviations and initials aside.

use icu_segmenter::SentenceSegmenter;
use std::ops::Range;

/// The bytes of each sentence of `text`, with the space after it; together they are the text.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut sentences: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for end in SentenceSegmenter::new(Default::default())
        .segment_str(text)
        .skip(1)
    {
        let sentence = text.get(start..end).unwrap_or_default();
        if end == text.len() || ends_sentence(sentence.trim_end()) {
            sentences.push(start..end);
            start = end;
        }
    }
    sentences
}

// Whether a text ends as a sentence does; after an abbreviation and an initial it goes on.
fn ends_sentence(text: &str) -> bool {
    const ABBREVIATIONS: [&str; 9] = ["dr", "mr", "mrs", "ms", "prof", "st", "vs", "no", "ca"];
    let Some(text) = text.strip_suffix('.') else {
        return true;
    };
    let word = text.rsplit(|c: char| !c.is_alphanumeric()).next();
    let word = word.unwrap_or_default();
    let is_initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    !is_initial && !ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::sentences;

    #[test]
    fn a_text_is_its_sentences() {
        for (text, wanted) in [
            (
                "It moves. \"It stops!\" It",
                vec!["It moves. ", "\"It stops!\" ", "It"],
            ),
            (
                "Dr. J. Smith moves 3.5 m.",
                vec!["Dr. J. Smith moves 3.5 m."],
            ),
            ("红色的圆。蓝色的方块？", vec!["红色的圆。", "蓝色的方块？"]),
            ("no end", vec!["no end"]),
            ("", vec![]),
        ] {
            let found = sentences(text).into_iter().map(|it| text.get(it).unwrap());
            assert_eq!(found.collect::<Vec<_>>(), wanted);
        }
    }
}
