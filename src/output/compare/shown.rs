//! Names, texts and numbers of the files, as they are shown.

/// The most letters of a name or a text of a file.
const LONGEST: usize = 60;

/// A name or a text of a file: short, and without anything that a terminal obeys.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (at, letter) in text.chars().enumerate() {
        if at == LONGEST {
            shown.push_str("...");
            break;
        }
        match letter {
            letter if letter.is_control() || turns_text(letter) => {
                shown.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => shown.push(letter),
        }
    }
    shown
}

/// The same, in quotation marks.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", shown(text))
}

// What makes text run the other way, or be drawn elsewhere.
fn turns_text(letter: char) -> bool {
    matches!(letter,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// `1 frame`, `2 frames`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    match (count, noun.ends_with('s')) {
        (1, _) => format!("1 {noun}"),
        (count, true) => format!("{count} {noun}es"),
        (count, false) => format!("{count} {noun}s"),
    }
}
