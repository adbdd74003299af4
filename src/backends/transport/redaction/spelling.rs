//! Spellings: where a key stands in a text, however it is written there.
//!
//! Found are a key as it is, in another case, split over lines or by what is not to be seen; behind
//! up to three layers of escapes (JSON, C, percent, HTML); in Base64, whatever stands before it; and
//! as hexadecimal digits or numbers, with or without something between them. The time is linear in
//! the text. Pure.

use super::layer::Layer;
use crate::backends::transport::secret::LEAST_LETTERS;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use std::ops::Range;

/// JSON in JSON in JSON.
const DECODED: usize = 3;

/// What is looked through at once; a key that begins in it may end behind it.
const WINDOW: usize = 64 << 10;

/// More bytes than one letter takes in any of the spellings, with what stands between two.
const LONGEST_LETTER: usize = 16;

/// A key, and what of it is looked for.
pub(super) struct Spellings {
    plain: Vec<String>,
    hex: String,
    base64: Vec<Base64Part>,
    // A key of letters alone may be two words that stand beside each other.
    with_spaces: bool,
    longest: usize,
}

// What all of Base64 has in common that holds a key at the same place of its groups of three bytes.
struct Base64Part {
    letters: String,
    // Whether the letters before and behind it hold bits of the key.
    before: bool,
    behind: bool,
}

impl Spellings {
    pub(super) fn new(key: &str) -> Self {
        let with_spaces = key.chars().all(|letter| letter.is_ascii_alphabetic());
        let layer = Layer::of(key, with_spaces);
        let mut plain = vec![layer.letters().to_ascii_lowercase()];
        // A key that looks like an escape is decoded with the text.
        if let Some(decoded) = layer.decoded(with_spaces)
            && decoded.letters().len() >= LEAST_LETTERS
        {
            plain.push(decoded.letters().to_ascii_lowercase());
        }
        Self {
            plain,
            hex: key.bytes().map(|byte| format!("{byte:02x}")).collect(),
            base64: (0..3).map(|shift| base64_part(key, shift)).collect(),
            with_spaces,
            longest: key.len() * LONGEST_LETTER + 256,
        }
    }

    /// The most bytes that the key takes in a text.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Adds where the key stands in `text`.
    pub(super) fn find(&self, text: &str, found: &mut Vec<Range<usize>>) {
        let mut start = 0;
        while start < text.len() {
            let end = text.floor_char_boundary(start + WINDOW + self.longest);
            let window = text.get(start..end).unwrap_or_default();
            let first = found.len();
            self.find_in_window(window, found);
            for place in found.iter_mut().skip(first) {
                *place = place.start + start..place.end + start;
            }
            if end == text.len() {
                return;
            }
            start = text.floor_char_boundary(start + WINDOW);
        }
    }

    fn find_in_window(&self, text: &str, found: &mut Vec<Range<usize>>) {
        let mut layer = Layer::of(text, self.with_spaces);
        for _ in 0..DECODED {
            self.find_in_layer(&layer, found);
            match layer.decoded(self.with_spaces) {
                Some(decoded) => layer = decoded,
                None => return,
            }
        }
        self.find_in_layer(&layer, found);
    }

    fn find_in_layer(&self, layer: &Layer, found: &mut Vec<Range<usize>>) {
        let mut note = |layer: &Layer, range: Range<usize>| found.extend(layer.place(&range));
        let numbers = layer.numbers();
        for layer in [layer, &numbers] {
            let letters = layer.letters().to_ascii_lowercase();
            for plain in &self.plain {
                for (at, _) in letters.match_indices(plain) {
                    note(layer, at..at + plain.len());
                }
            }
        }
        let digits = layer.hex_digits();
        for (at, _) in digits.letters().match_indices(&self.hex) {
            note(&digits, at..at + self.hex.len());
        }
        let coded = layer.base64();
        let is_coded = |at: Option<usize>| {
            let letter = at.and_then(|at| coded.letters().as_bytes().get(at));
            letter.is_some_and(|it| it.is_ascii_alphanumeric() || b"+/".contains(it))
        };
        for part in &self.base64 {
            for (at, _) in coded.letters().match_indices(&part.letters) {
                let end = at + part.letters.len();
                let before = part.before && is_coded(at.checked_sub(1));
                let behind = part.behind && is_coded(Some(end));
                note(&coded, at - usize::from(before)..end + usize::from(behind));
            }
        }
    }
}

// The letters of Base64 that hold nothing but bits of `key`, where `shift` bytes stand before it.
fn base64_part(key: &str, shift: usize) -> Base64Part {
    let mut bytes = vec![0; shift];
    bytes.extend_from_slice(key.as_bytes());
    let (first, end) = (shift * 8, bytes.len() * 8);
    let coded = STANDARD_NO_PAD.encode(bytes);
    let letters = coded.get(first.div_ceil(6)..end / 6).unwrap_or_default();
    Base64Part {
        letters: letters.to_owned(),
        before: first % 6 != 0,
        behind: end % 6 != 0,
    }
}
