//! Class names, as exporters and people write them: Python literals, JSON, Ultralytics' `data.yaml`,
//! or a name a line.

use crate::backends::models::yolo::literal::Literal;
use std::sync::Arc;

/// The most classes that a model is taken to know.
pub(in crate::backends) const MOST_CLASSES: usize = 100_000;

/// The name of a class that has none.
pub(in crate::backends) fn number(class: usize) -> Arc<str> {
    class.to_string().into()
}

/// The names in a text that lists them, by class: a list, a dict by index, or either under `names`.
/// `None` where it is no such text.
pub(in crate::backends) fn listed(text: &str) -> Option<Vec<Arc<str>>> {
    let names = match Literal::parse(text) {
        Some(literal) => of_literal(&literal),
        None => of_yaml(text),
    };
    names.filter(|names| !names.is_empty())
}

/// The names in a file: those that it lists, else one a line. `None` where it is a file of another
/// kind.
pub(in crate::backends) fn in_file(text: &str) -> Option<Vec<Arc<str>>> {
    let text = text.trim_start_matches('\u{feff}');
    if let Some(names) = listed(text) {
        return Some(names);
    }
    let is_broken = text.trim_start().starts_with(['[', '{']);
    let is_yaml = text
        .lines()
        .any(|line| line.starts_with("train:") || line.starts_with("names:"));
    if is_broken || is_yaml {
        return None;
    }
    let names = text.lines().map(str::trim).filter(|name| !name.is_empty());
    Some(names.map(Arc::from).collect())
}

fn of_literal(literal: &Literal) -> Option<Vec<Arc<str>>> {
    let name = |value: &Literal| match value {
        Literal::Text(name) => Some(name.as_str().into()),
        _ => None,
    };
    let index = |key: &Literal| match key {
        Literal::Number(index) if *index >= 0.0 => Some(*index as usize),
        // JSON has no other keys.
        Literal::Text(key) => key.parse::<usize>().ok(),
        _ => None,
    };
    match literal {
        Literal::List(names) => names.iter().map(name).collect(),
        Literal::Dict(entries) => {
            let is_names = |key: &Literal| *key == Literal::Text("names".to_owned());
            if let Some((_, names)) = entries.iter().find(|(key, _)| is_names(key)) {
                return of_literal(names);
            }
            let mut names = Vec::new();
            for (key, value) in entries {
                put(&mut names, index(key)?, name(value)?)?;
            }
            Some(names)
        }
        _ => None,
    }
}

fn put(names: &mut Vec<Arc<str>>, index: usize, name: Arc<str>) -> Option<()> {
    if index >= MOST_CLASSES {
        return None;
    }
    names.extend((names.len()..=index).map(number));
    *names.get_mut(index)? = name;
    Some(())
}

// What stands under `names:` at the beginning of a line: the rest of it, or the lines below it.
fn of_yaml(text: &str) -> Option<Vec<Arc<str>>> {
    let without_comment = |line: &str| match line.find(" #").or(line.starts_with('#').then_some(0))
    {
        Some(at) => line.get(..at).unwrap_or_default().trim_end().to_owned(),
        None => line.trim_end().to_owned(),
    };
    let lines: Vec<String> = text.lines().map(without_comment).collect();
    let start = lines.iter().position(|line| line.starts_with("names:"))?;
    let mut lines = lines.into_iter().skip(start);
    let rest = lines.next()?.trim_start_matches("names:").trim().to_owned();
    let is_below = |line: &String| line.is_empty() || line.starts_with([' ', '-', ']', '}']);
    let below: Vec<String> = lines.take_while(is_below).collect();
    if !rest.is_empty() {
        return of_literal(&Literal::parse(&format!("{rest} {}", below.join(" ")))?);
    }
    let mut names = Vec::new();
    for line in below
        .iter()
        .map(|line| line.trim())
        .filter(|line| !line.is_empty())
    {
        let (index, name) = match line.strip_prefix("- ") {
            Some(name) => (names.len(), name),
            None => {
                let (index, name) = line.split_once(':')?;
                (index.trim().parse().ok()?, name)
            }
        };
        let name = match Literal::parse(name) {
            Some(Literal::Text(name)) => name,
            _ => name.trim().to_owned(),
        };
        put(&mut names, index, name.into())?;
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use super::in_file;
    use super::listed;

    #[test]
    fn names_are_read_from_dicts_and_lists() {
        let read = |text| listed(text).map(|names| names.join("|"));
        for (text, names) in [
            ("{0: 'a', 1: \"it's\"}", "a|it's"),
            ("{2: 'c', 0: 'a'}", "a|1|c"),
            ("['a', 'b']", "a|b"),
            ("[\"a\", \"\\u00e9\"]", "a|é"),
            ("{\"0\": \"a\", \"1\": \"b\"}", "a|b"),
            ("{\"nc\": 2, \"names\": [\"a\", \"b\"]}", "a|b"),
            (
                "path: x\nnames:\n  0: person\n  1: 'traffic light' # both\n\nnc: 2",
                "person|traffic light",
            ),
            ("names:\n- a\n- b b\ntrain: images", "a|b b"),
            ("# classes\nnames: ['a',\n  'b']\n", "a|b"),
        ] {
            assert_eq!(read(text).as_deref(), Some(names), "{text}");
        }
        for bad in [
            "{}",
            "{0: 1}",
            "{'a': 'b'}",
            "{99999999999: 'a'}",
            "person",
            "names: 3",
            "names:\n  a",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_file_has_a_name_a_line_or_lists_them() {
        let read = |text| in_file(text).map(|names| names.join("|"));
        assert_eq!(read("\u{feff}a\n\n b c \r\n").as_deref(), Some("a|b c"));
        assert_eq!(read("\u{feff}[\"a\"]").as_deref(), Some("a"));
        for other in ["[\"a\"", "{\"a\": 1}", "path: x\ntrain: y\nval: z\n"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
