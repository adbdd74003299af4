//! Layers: a text with its escapes decoded once more in each, and where each letter came from.
//!
//! Pure.

use std::ops::Range;

/// Stands for whatever no key holds.
const OTHER: char = '\0';

/// Entities that stand for what a key may hold.
const ENTITIES: [(&str, char); 24] = [
    ("amp", '&'),
    ("apos", '\''),
    ("ast", '*'),
    ("bsol", '\\'),
    ("colon", ':'),
    ("comma", ','),
    ("commat", '@'),
    ("dollar", '$'),
    ("equals", '='),
    ("excl", '!'),
    ("gt", '>'),
    ("Hat", '^'),
    ("lowbar", '_'),
    ("lpar", '('),
    ("lt", '<'),
    ("num", '#'),
    ("percnt", '%'),
    ("period", '.'),
    ("plus", '+'),
    ("quest", '?'),
    ("quot", '"'),
    ("rpar", ')'),
    ("sol", '/'),
    ("tilde", '~'),
];

/// ASCII letters, each with the bytes of the text that it stands for.
#[derive(Debug, Default)]
pub(super) struct Layer {
    letters: String,
    places: Vec<Range<usize>>,
}

impl Layer {
    /// The letters of `text` as they stand there, without what is not to be seen. Spaces are passed
    /// over unless `with_spaces`, line breaks always.
    pub(super) fn of(text: &str, with_spaces: bool) -> Self {
        let mut layer = Self::default();
        for (at, letter) in text.char_indices() {
            layer.push(letter, at..at + letter.len_utf8(), with_spaces);
        }
        layer
    }

    /// The letters.
    pub(super) fn letters(&self) -> &str {
        &self.letters
    }

    /// The bytes of the text that the letters of `range` stand for.
    pub(super) fn place(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let last = range.end.checked_sub(1)?;
        Some(self.places.get(range.start)?.start..self.places.get(last)?.end)
    }

    /// The same with its escapes decoded; `None` where it has none.
    pub(super) fn decoded(&self, with_spaces: bool) -> Option<Self> {
        if !self.letters.contains(['\\', '%', '&']) {
            return None;
        }
        let mut decoded = Self::default();
        let mut at = 0;
        while let Some(rest) = self.letters.get(at..)
            && let Some(first) = rest.chars().next()
        {
            let (letter, length) = match first {
                '\\' => backslash(rest),
                '%' => percent(rest),
                '&' => entity(rest),
                other => (other, 1),
            };
            let end = (at + length).min(self.letters.len());
            let place = self.place(&(at..end)).unwrap_or_default();
            decoded.push(letter, place, with_spaces);
            at = end;
        }
        Some(decoded)
    }

    /// What is spelled in hexadecimal digits, whatever stands between two of them.
    pub(super) fn hex_digits(&self) -> Self {
        let mut digits = Self::default();
        let mut before = OTHER;
        for (letter, place) in self.letters.chars().zip(&self.places) {
            // `0x41`: neither is a digit.
            if letter.eq_ignore_ascii_case(&'x') && before == '0' {
                digits.letters.pop();
                digits.places.pop();
            } else if letter.is_ascii_hexdigit() {
                digits.add(letter.to_ascii_lowercase(), place.clone());
            } else if !":-,;_ ".contains(letter) {
                digits.add(OTHER, place.clone());
            }
            before = letter;
        }
        digits
    }

    /// What is spelled as a list of numbers, one a letter.
    pub(super) fn numbers(&self) -> Self {
        let mut spelled = Self::default();
        let mut at = 0;
        while let Some(rest) = self.letters.get(at..)
            && let Some(first) = rest.chars().next()
        {
            let digits = rest.find(|letter: char| !letter.is_ascii_digit());
            let digits = digits.unwrap_or(rest.len());
            let length = digits.max(1);
            let place = self.place(&(at..at + length)).unwrap_or_default();
            match rest.get(..digits).and_then(|digits| digits.parse().ok()) {
                Some(code @ 0_u8..=127) => spelled.add(char::from(code), place),
                Some(_) => spelled.add(OTHER, place),
                None if ",; ".contains(first) => {}
                None => spelled.add(OTHER, place),
            }
            at += length;
        }
        spelled
    }

    /// The letters of Base64, those of its form for addresses as those of the other.
    pub(super) fn base64(&self) -> Self {
        let mut coded = Self::default();
        for (letter, place) in self.letters.chars().zip(&self.places) {
            match letter {
                ' ' => {}
                '-' => coded.add('+', place.clone()),
                '_' => coded.add('/', place.clone()),
                other => coded.add(other, place.clone()),
            }
        }
        coded
    }

    fn push(&mut self, letter: char, place: Range<usize>, with_spaces: bool) {
        match letter {
            OTHER => {}
            // Line breaks, and what UTF-16 looks like when it is read as something else.
            letter if letter.is_control() || is_unseen(letter) => {}
            letter if letter.is_whitespace() => {
                if with_spaces {
                    self.add(' ', place);
                }
            }
            letter if letter.is_ascii() => self.add(letter, place),
            _ => self.add(OTHER, place),
        }
    }

    // Both have as many entries as there are ASCII letters.
    fn add(&mut self, letter: char, place: Range<usize>) {
        self.letters.push(letter);
        self.places.push(place);
    }
}

// Letters without width that some writers put between others, and line breaks that are no control.
fn is_unseen(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}' | '\u{feff}'
    )
}

// What the escape that a text begins with stands for, and how many letters it has. A line break is
// a control, as in `\n`.
fn backslash(text: &str) -> (char, usize) {
    let Some(kind) = text.chars().nth(1) else {
        return ('\\', 1);
    };
    let fixed = |digits: usize| {
        let hex = text.get(2..2 + digits)?;
        Some((code(hex, 16)?, 2 + digits))
    };
    let braced = || {
        let (hex, _) = text.get(3..)?.split_once('}')?;
        Some((code(hex, 16)?, 4 + hex.len()))
    };
    let octal = || {
        let rest = text.get(1..).unwrap_or_default();
        let digits = rest
            .bytes()
            .take(3)
            .take_while(|it| (b'0'..=b'7').contains(it));
        let length = digits.count();
        Some((code(rest.get(..length)?, 8)?, 1 + length))
    };
    let decoded = match kind {
        'u' if text.starts_with("\\u{") => braced(),
        'u' => fixed(4),
        'U' => fixed(8),
        'x' => fixed(2),
        '0'..='7' => octal(),
        'n' | 'r' | 't' | 'b' | 'f' | 'v' | 'a' | 'e' => Some(('\u{1}', 2)),
        _ => None,
    };
    decoded.unwrap_or((kind, 2))
}

fn percent(text: &str) -> (char, usize) {
    let long = || Some((code(text.strip_prefix("%u")?.get(..4)?, 16)?, 6));
    let short = || Some((code(text.get(1..3)?, 16)?, 3));
    long().or_else(short).unwrap_or(('%', 1))
}

fn entity(text: &str) -> (char, usize) {
    let end = text.bytes().take(12).position(|letter| letter == b';');
    let name = end.and_then(|end| text.get(1..end)).unwrap_or_default();
    let number = name.strip_prefix('#');
    let decoded = match number.map(|number| (number, number.strip_prefix(['x', 'X']))) {
        Some((_, Some(hex))) => code(hex, 16),
        Some((decimal, None)) => code(decimal, 10),
        None if name == "Tab" || name == "NewLine" => Some('\u{1}'),
        None => {
            let known = ENTITIES.iter().find(|(known, _)| *known == name);
            known.map(|(_, letter)| *letter)
        }
    };
    decoded.map_or(('&', 1), |letter| (letter, name.len() + 2))
}

// The letter of a code. Half a surrogate pair is something that no key holds.
fn code(digits: &str, radix: u32) -> Option<char> {
    let is_digits = digits.chars().all(|digit| digit.is_digit(radix));
    let code = u32::from_str_radix(digits, radix)
        .ok()
        .filter(|_| is_digits)?;
    Some(char::from_u32(code).unwrap_or('\u{fffd}'))
}
