//! A rule that a file keeps or breaks by itself, with examples of both.

use crate::scan::File;
use crate::scan::lines;

/// A line and what is wrong with it.
pub(crate) type Breach = (usize, String);

/// A rule.
pub(crate) struct Rule {
    /// What breaks it in a file.
    pub(crate) check: fn(&File) -> Vec<Breach>,
    /// A path, what stands there, and a part of what is told of it. In what stands there,
    /// `<60 lines>` are as many empty lines.
    pub(crate) broken_by: &'static [(&'static str, &'static str, &'static str)],
    /// A path, and what may well stand there.
    pub(crate) kept_by: &'static [(&'static str, &'static str)],
}

impl Rule {
    /// A line of text for everything in a file that breaks the rule.
    pub(crate) fn breaches(&self, file: &File) -> Vec<String> {
        let told = |(line, what)| format!("{}:{line}: {what}", file.path);
        (self.check)(file).into_iter().map(told).collect()
    }
}

/// The text of an example, with its `<60 lines>` written out.
pub(crate) fn written_out(text: &str) -> String {
    let mut parts = text.split('<');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let count = part
            .split_once(" lines>")
            .and_then(|(count, rest)| Some((count.parse().ok()?, rest)));
        match count {
            Some((count, rest)) => out += &("\n".repeat(count) + rest),
            None => out += &format!("<{part}"),
        }
    }
    out
}

/// A breach for every line that holds a pattern.
pub(crate) fn find(text: &str, pattern: &str, what: &str) -> Vec<Breach> {
    lines(text)
        .filter(|(_, line)| line.contains(pattern))
        .map(|(number, _)| (number, what.to_owned()))
        .collect()
}
