//! From TOML to a [`Table`], with every place shifted to where the text lies in the source map;
//! and values back to TOML.
//!
//! The only file that knows the `toml` crate.

use crate::diag::Diagnostic;
use crate::diag::Span;
use crate::recipe::load::tree::Entry;
use crate::recipe::load::tree::Node;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use std::ops::Range;
use toml::Spanned;
use toml::de::DeTable;
use toml::de::DeValue;
use toml::de::Error;

/// The table of a whole text that begins at `base`, or its first syntax error: those after it
/// are mostly its echoes.
pub(in crate::recipe) fn document(text: &str, base: usize) -> Result<Table, Diagnostic> {
    // The parser does not skip the mark that some editors put first.
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let base = base + text.len() - bare.len();
    match DeTable::parse(bare) {
        Ok(parsed) => Ok(table(parsed.into_inner(), base)),
        Err(error) => Err(syntax(&error, bare, base)),
    }
}

/// The value that `text`, beginning at `base`, is in TOML. Text that is none and does not
/// begin like one needs no quotes: `--set` is written in a shell, which eats them.
pub(in crate::recipe) fn bare_value(text: &str, base: usize) -> Result<Node, Diagnostic> {
    match DeValue::parse(text) {
        Ok(parsed) => Ok(node(parsed, base)),
        Err(error) if text.starts_with(['"', '\'', '[', '{']) => Err(syntax(&error, text, base)),
        Err(_) => Ok(Node {
            span: shift(0..text.len(), base),
            value: Value::Text(text.to_owned()),
        }),
    }
}

fn shift(range: Range<usize>, base: usize) -> Span {
    Span::from(base + range.start..base + range.end)
}

fn table(parsed: DeTable<'_>, base: usize) -> Table {
    let entries = parsed.into_iter().map(|(key, value)| Entry {
        span: shift(key.span(), base),
        key: key.into_inner().into_owned(),
        node: node(value, base),
    });
    Table(entries.collect())
}

fn node(parsed: Spanned<DeValue<'_>>, base: usize) -> Node {
    let span = shift(parsed.span(), base);
    let value = match parsed.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| float(number.as_str()), Value::Integer),
        DeValue::Float(number) => float(number.as_str()),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(_) => Value::Time,
        DeValue::Array(list) => {
            Value::List(list.into_iter().map(|item| node(item, base)).collect())
        }
        DeValue::Table(inner) => Value::Table(table(inner, base)),
    };
    Node { span, value }
}

// An integer of more than 64 bits is far out of every range; so is infinity.
fn float(text: &str) -> Value {
    Value::Float(text.parse().unwrap_or(f64::INFINITY))
}

fn syntax(error: &Error, text: &str, base: usize) -> Diagnostic {
    let range = error.span().unwrap_or(0..0);
    let found = text.get(range.clone()).unwrap_or("").trim();
    let span = shift(range, base);
    let (what, expected) = error
        .message()
        .split_once(", expected ")
        .unwrap_or((error.message(), ""));
    match what {
        "duplicate key" => Diagnostic::error(span, format!("`{found}` is written twice"))
            .help("keep one of them; a table is opened once and holds all its keys"),
        "string values must be quoted" | "invalid boolean" if found.is_empty() => {
            Diagnostic::error(span, "a value is missing here")
                .help("write one after the `=`: a number, `true`, `false`, \"text\" or [a list]")
        }
        "string values must be quoted" | "invalid boolean" => {
            Diagnostic::error(span, format!("`{found}` is not a value"))
                .help("text needs quotes; `true` and `false` are written in lower case")
        }
        "key with no value" => Diagnostic::error(span, "a key has no value")
            .help("write `key = value`, or `[stages.NAME]` to open a table"),
        "unexpected key or value" => Diagnostic::error(span, "the line should have ended here")
            .help("one `key = value` a line; decimals are written with a point, lists in [ ]"),
        "invalid basic string" | "invalid literal string" => {
            Diagnostic::error(span, "this text is not closed")
                .help(format!("end it with {expected}"))
        }
        _ => {
            let diagnostic = Diagnostic::error(span, format!("this is not TOML: {what}"));
            match expected {
                "" | "nothing" => diagnostic,
                _ => diagnostic.help(format!("expected {expected}")),
            }
        }
    }
}

/// `value` as TOML writes it, on one line.
pub(in crate::recipe) fn printed(value: &Value) -> String {
    toml_value(value).to_string()
}

/// `text` as TOML writes it, on one line.
pub(in crate::recipe) fn printed_text(text: &str) -> String {
    printed(&Value::Text(text.to_owned()))
}

/// `key` as TOML writes it.
pub(in crate::recipe) fn printed_key(key: &str) -> String {
    let is_bare = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    match !key.is_empty() && key.chars().all(is_bare) {
        true => key.to_owned(),
        false => printed_text(key),
    }
}

fn toml_value(value: &Value) -> toml::Value {
    match value {
        Value::Text(text) => toml::Value::String(text.clone()),
        Value::Integer(number) => toml::Value::Integer(*number),
        Value::Float(number) => toml::Value::Float(*number),
        Value::Flag(flag) => toml::Value::Boolean(*flag),
        // No key takes one, so no recipe without mistakes has it.
        Value::Time => toml::Value::String(String::new()),
        Value::List(items) => {
            toml::Value::Array(items.iter().map(|item| toml_value(&item.value)).collect())
        }
        Value::Table(table) => {
            let entries = table.0.iter();
            let entries = entries.map(|entry| (entry.key.clone(), toml_value(&entry.node.value)));
            toml::Value::Table(entries.collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::bare_value;
    use super::document;
    use crate::recipe::load::tree::Value;

    #[test]
    fn places_are_shifted_to_the_text() {
        let table = document("a = 1\nb = [2, 0x10]\n", 100).unwrap();
        let entry = table.get("b").unwrap();
        assert_eq!((entry.span.start, entry.node.span.end), (106, 119));
        let table = document("\u{feff}a = 1", 0).unwrap();
        assert_eq!(table.get("a").unwrap().span.start, 3);
    }

    #[test]
    fn a_word_needs_no_quotes_where_a_shell_eats_them() {
        for (text, expected) in [
            ("0.2", "Float(0.2)"),
            ("true", "Flag(true)"),
            ("models/yolo11n.pt", "Text(\"models/yolo11n.pt\")"),
            ("0,2", "Text(\"0,2\")"),
            ("", "Text(\"\")"),
        ] {
            let node = bare_value(text, 0).unwrap();
            assert_eq!(format!("{:?}", node.value), expected);
        }
        assert!(matches!(
            bare_value("[1, 2]", 0).unwrap().value,
            Value::List(_)
        ));
        assert!(bare_value("[1, 2", 0).is_err());
    }
}
