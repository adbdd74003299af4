//! Python literals: how exporters write class names and sizes into a model's metadata.
//!
//! Reads what `repr` gives for strings, numbers, `True`, `False`, `None`, lists, tuples and
//! dicts, and JSON. Knows nothing of what the values mean.

// Enough for any metadata, and no more than the stack can take.
const DEEPEST: usize = 16;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::backends) enum Literal {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// A whole or broken number.
    Number(f64),
    /// A string.
    Text(String),
    /// A list or a tuple.
    List(Vec<Literal>),
    /// A dict, in its order.
    Dict(Vec<(Literal, Literal)>),
}

impl Literal {
    /// The value that `text` is the literal of, if it is one.
    pub(in crate::backends) fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader { rest: text.trim() };
        let value = reader.value(0)?;
        reader.rest.is_empty().then_some(value)
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Option<Literal> {
        if depth > DEEPEST {
            return None;
        }
        match self.rest.chars().next()? {
            '{' => self.dict(depth),
            '[' => self.list(']', depth),
            '(' => self.list(')', depth),
            quote @ ('\'' | '"') => self.text(quote),
            _ => self.word(),
        }
    }

    fn dict(&mut self, depth: usize) -> Option<Literal> {
        let mut entries = Vec::new();
        self.eat('{');
        while !self.eat('}') {
            let key = self.value(depth + 1)?;
            self.eat(':').then_some(())?;
            entries.push((key, self.value(depth + 1)?));
            (self.eat(',') || self.rest.starts_with('}')).then_some(())?;
        }
        Some(Literal::Dict(entries))
    }

    fn list(&mut self, end: char, depth: usize) -> Option<Literal> {
        let mut items = Vec::new();
        self.take(1);
        while !self.eat(end) {
            items.push(self.value(depth + 1)?);
            (self.eat(',') || self.rest.starts_with(end)).then_some(())?;
        }
        Some(Literal::List(items))
    }

    fn text(&mut self, quote: char) -> Option<Literal> {
        let mut text = String::new();
        let mut chars = self.rest.chars();
        chars.next();
        loop {
            match chars.next()? {
                '\\' => text.push(escaped(&mut chars)?),
                c if c == quote => break,
                c => text.push(c),
            }
        }
        self.rest = chars.as_str().trim_start();
        Some(Literal::Text(text))
    }

    fn word(&mut self) -> Option<Literal> {
        let end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || "+-._".contains(c)))
            .unwrap_or(self.rest.len());
        match self.take(end)? {
            "None" | "null" => Some(Literal::None),
            "True" | "true" => Some(Literal::Bool(true)),
            "False" | "false" => Some(Literal::Bool(false)),
            number => number.parse().ok().map(Literal::Number),
        }
    }

    /// Takes `length` bytes and the space after them.
    fn take(&mut self, length: usize) -> Option<&str> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest.trim_start();
        Some(taken)
    }

    fn eat(&mut self, token: char) -> bool {
        self.rest.starts_with(token) && self.take(token.len_utf8()).is_some()
    }
}

/// The character that is written after a backslash.
fn escaped(chars: &mut std::str::Chars<'_>) -> Option<char> {
    let digits = match chars.next()? {
        'n' => return Some('\n'),
        c @ '/' => return Some(c),
        'r' => return Some('\r'),
        't' => return Some('\t'),
        c @ ('\\' | '\'' | '"') => return Some(c),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => return None,
    };
    let (code, rest) = chars.as_str().split_at_checked(digits)?;
    *chars = rest.chars();
    u32::from_str_radix(code, 16).ok().and_then(char::from_u32)
}

#[cfg(test)]
mod tests {
    use super::Literal;
    use proptest::prelude::proptest;

    fn text(text: &str) -> Literal {
        Literal::Text(text.to_owned())
    }

    #[test]
    fn literals_are_read_as_python_writes_them() {
        let number = Literal::Number;
        let cases = [
            ("32", number(32.0)),
            ("-1.5e3", number(-1500.0)),
            (" None ", Literal::None),
            (
                "[640, 480]",
                Literal::List(vec![number(640.0), number(480.0)]),
            ),
            ("(1,)", Literal::List(vec![number(1.0)])),
            ("[]", Literal::List(Vec::new())),
            (r#"'it\'s'"#, text("it's")),
            (r#""it's""#, text("it's")),
            (
                r#"'\xe9 \u4eba \U0001f600 \\ \n'"#,
                text("\u{e9} \u{4eba} \u{1f600} \\ \n"),
            ),
            (
                "{0: 'a, b', 1: \"c}'\", }",
                Literal::Dict(vec![
                    (number(0.0), text("a, b")),
                    (number(1.0), text("c}'")),
                ]),
            ),
            (
                "{'nms': True, 'data': None}",
                Literal::Dict(vec![
                    (text("nms"), Literal::Bool(true)),
                    (text("data"), Literal::None),
                ]),
            ),
        ];
        for (written, value) in cases {
            assert_eq!(Literal::parse(written), Some(value), "{written}");
        }
    }

    #[test]
    fn what_is_no_literal_is_none() {
        let deep = "[".repeat(100_000);
        for written in [
            "",
            "{",
            "{0}",
            "[1 2]",
            "'a",
            r"'\q'",
            r"'\ud800'",
            "nope",
            "1 2",
            &deep,
        ] {
            assert_eq!(Literal::parse(written), None);
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(written in ".{0,60}") {
            Literal::parse(&written);
        }
    }
}
