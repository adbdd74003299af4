//! Scripts: whether words are written with spaces between them.

/// Whether a space goes between two texts where one follows the other: not between two in scripts
/// that write none, such as Chinese, Japanese and Thai.
pub fn has_space_between(text: &str, next: &str) -> bool {
    let last = text.trim_end().chars().next_back();
    let first = next.trim_start().chars().next();
    match (last, first) {
        (Some(last), Some(first)) => !(is_unspaced(last) && is_unspaced(first)),
        _ => false,
    }
}

/// `texts` as one, with spaces between them where their scripts write some.
pub fn join<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut whole = String::new();
    for text in texts.into_iter().map(str::trim) {
        if has_space_between(&whole, text) {
            whole.push(' ');
        }
        whole.push_str(text);
    }
    whole
}

/// Whether a letter or a sign is of a script that writes no spaces between words, by the blocks of
/// the Unicode standard.
pub fn is_unspaced(c: char) -> bool {
    matches!(c,
        // Thai, Lao, Tibetan, Myanmar, Khmer.
        '\u{0e00}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        // Ideographs, their punctuation, kana and bopomofo.
        | '\u{2e80}'..='\u{312f}' | '\u{31a0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff9f}'
        | '\u{20000}'..='\u{3ffff}'
    )
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn spaces_stand_where_a_script_has_them() {
        assert_eq!(
            join([" It moves.", " Then it stops. "]),
            "It moves. Then it stops."
        );
        assert_eq!(join(["红色的圆。", "蓝色"]), "红色的圆。蓝色");
        assert_eq!(join(["วงกลม", "สีแดง"]), "วงกลมสีแดง");
        assert_eq!(join(["빨간 원이", "움직인다"]), "빨간 원이 움직인다");
        assert_eq!(join(["", "a", " ", "b"]), "a b");
    }
}
