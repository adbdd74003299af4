//! A file of Rust as the rules see it: comments, texts and tests blanked out, lines kept.
//!
//! A lexer of the few things that can hide code or look like it. Knows no rule.

use std::fs;
use std::path::Path;

/// Files of Rust.
pub(crate) struct Tree {
    /// In the order of their paths.
    pub(crate) files: Vec<File>,
}

impl Tree {
    /// All files below folders of this repository.
    pub(crate) fn of(folders: &[&str]) -> Self {
        let mut files = Vec::new();
        for folder in folders {
            collect(Path::new(folder), &mut files);
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        assert!(files.len() > 20, "{folders:?} hold no source");
        Self { files }
    }

    /// Files of these paths and texts.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| File::new(path, text));
        Self {
            files: files.collect(),
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<File>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let path = folder.join(entry.unwrap().file_name());
        if root.join(&path).is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(root.join(&path)).unwrap();
            let path = path.to_str().unwrap().replace('\\', "/");
            files.push(File::new(&path, &text));
        }
    }
}

/// One file under `src/`.
pub(crate) struct File {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    /// As it is on disk.
    pub(crate) text: String,
    /// Without comments and the insides of literals.
    pub(crate) code: String,
    /// `code` without what only tests see.
    pub(crate) live: String,
}

impl File {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let code = blank(text);
        let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
        let live = if is_test {
            blanked(&code)
        } else {
            without_tests(&code)
        };
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            live,
        }
    }

    /// The room, by the first part of the path under `src/`.
    pub(crate) fn room(&self) -> &str {
        let inner = self.path.trim_start_matches("src/");
        inner
            .split('/')
            .next()
            .unwrap_or(inner)
            .trim_end_matches(".rs")
    }

    /// Its name in its folder.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// How many modules deep it is: 1 for `src/time.rs` and `src/plan/mod.rs`.
    pub(crate) fn depth(&self) -> usize {
        self.path.matches('/').count() - usize::from(self.path.ends_with("/mod.rs"))
    }
}

/// The lines of a text with their numbers from 1.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line))
}

/// The words of a line, each with what stands before and after it.
pub(crate) fn words(line: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + line[from..].find(is_word)?;
        let end = line[start..]
            .find(|c| !is_word(c))
            .map_or(line.len(), |length| start + length);
        from = end;
        Some((&line[..start], &line[start..end], &line[end..]))
    })
}

/// A function, where it begins and how long it is.
pub(crate) struct Function<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// The line of its name.
    pub(crate) line: usize,
    /// Its lines, from the one of its name to the one of its closing brace.
    pub(crate) length: usize,
}

/// The functions of a code that have a body.
pub(crate) fn functions(code: &str) -> impl Iterator<Item = Function<'_>> {
    words(code).filter_map(|(before, word, _)| {
        let (_, name, rest) = words(&code[before.len()..]).nth(1)?;
        let rest = &code[code.len() - rest.len()..];
        let is_one = word == "fn" && code[before.len() + 2..].trim_start().starts_with(name);
        let length = is_one.then(|| body_end(rest)).flatten()?;
        let whole = &code[before.len()..code.len() - rest.len() + length];
        Some(Function {
            name,
            line: before.matches('\n').count() + 1,
            length: whole.matches('\n').count() + 1,
        })
    })
}

// Where the braces close that open outside of all brackets; `None` where a `;` comes first.
fn body_end(text: &str) -> Option<usize> {
    let (mut brackets, mut braces) = (0, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' => brackets += 1,
            ')' | ']' => brackets -= 1,
            '{' => braces += 1,
            '}' if braces == 1 => return Some(at + 1),
            '}' => braces -= 1,
            ';' if brackets == 0 && braces == 0 => return None,
            _ => {}
        }
    }
    None
}

/// `text` with everything but its line breaks blanked out.
fn blanked(text: &str) -> String {
    let keep = |c| if c == '\n' { '\n' } else { ' ' };
    text.chars().map(keep).collect()
}

/// Blanks out comments, and what stands between the quotes of texts and characters.
pub(crate) fn blank(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let before = out.chars().next_back();
        let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = raw_text(rest).filter(|_| !in_word) {
            length
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' && is_character(rest) {
            quoted(rest, '\'')
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        out.push_str(&blanked(&rest[..length]));
        rest = &rest[length..];
    }
    out
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    loop {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else {
            match text[at..].chars().next() {
                Some(c) => at += c.len_utf8(),
                None => return at,
            }
        }
        if depth == 0 {
            return at;
        }
    }
}

// `r"..."`, `r#"..."#` and the same after `b` or `c`.
fn raw_text(text: &str) -> Option<usize> {
    let after = text
        .strip_prefix(['b', 'c'])
        .unwrap_or(text)
        .strip_prefix('r')?;
    let inner = after.trim_start_matches('#');
    let hashes = after.len() - inner.len();
    let inner = inner.strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - inner.len();
    Some(
        inner
            .find(&end)
            .map_or(text.len(), |at| start + at + end.len()),
    )
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

// And not a lifetime: `'a'`, `'\n'`, but `'a`.
fn is_character(text: &str) -> bool {
    let mut after = text.chars().skip(1);
    match after.next() {
        Some('\\') => true,
        Some(_) => after.next() == Some('\''),
        None => false,
    }
}

// Blanks out every item under `#[cfg(test)]`: up to its closing brace, or its semicolon.
fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(MARK) {
        let (before, item) = rest.split_at(at);
        let end = item_end(item);
        out.push_str(before);
        out.push_str(&blanked(&item[..end]));
        rest = &item[end..];
    }
    out + rest
}

fn item_end(item: &str) -> usize {
    let mut depth = 0;
    for (at, c) in item.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    item.len()
}

#[test]
fn comments_texts_and_tests_are_blanked_out() {
    assert_eq!(blank("a\"b\nc\"d // e\nf"), "a  \n  d     \nf");
    let tests = "#[cfg(test)]\nmod tests { fn f() {} }\nfn g() {}";
    assert_eq!(File::new("src/a.rs", tests).live.trim(), "fn g() {}");
    assert_eq!(File::new("src/a/tests.rs", tests).live.trim(), "");
}

#[test]
fn functions_are_found_with_their_lines() {
    let code = "fn a() {}\nimpl B {\n  fn b(x: fn(u8) -> [u8; 3]) {\n    fn c() {}\n  }\n}\ntrait D { fn d(); }\n";
    let found: Vec<_> = functions(code)
        .map(|function| (function.name, function.line, function.length))
        .collect();
    assert_eq!(found, [("a", 1, 1), ("b", 3, 3), ("c", 4, 1)]);
}
