//! Diagnostics: what is wrong with a recipe, where, and what to do about it.
//!
//! A recipe is made of several texts (a preset, the file that extends it, `--set`); a
//! [`SourceMap`] holds them end to end, so that one [`Span`] names a place in any of them.
//! Knows nothing of how a diagnostic is drawn.

use std::ops::Range;

/// A range of bytes in a [`SourceMap`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self {
            start: range.start,
            end: range.end,
        }
    }
}

/// One text of a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    /// What the user knows it by: a path, `preset default`, `command line`.
    pub name: String,
    /// The whole text.
    pub text: String,
    // Whether it is a part of this program: what stands in it, the user did not write.
    is_built_in: bool,
    start: usize,
    // Where each line begins.
    lines: Vec<usize>,
}

impl SourceText {
    /// The lines of a range, with so many before and after them: the number of the first, from 1,
    /// and the bytes of all of them.
    pub fn lines(&self, range: Range<usize>, before: usize, after: usize) -> (usize, Range<usize>) {
        let start_of = |line: usize| self.lines.get(line.saturating_sub(1)).copied();
        let first = self.line_at(range.start).0.saturating_sub(before).max(1);
        let last = self.line_at(range.end).0.saturating_add(after);
        let end = start_of(last.saturating_add(1)).unwrap_or(self.text.len());
        (first, start_of(first).unwrap_or(0)..end)
    }

    /// The number of the line with this byte, from 1, and where it begins.
    fn line_at(&self, byte: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= byte);
        let start = self.lines.get(line.saturating_sub(1));
        (line, start.copied().unwrap_or(0))
    }
}

/// The texts of a recipe, end to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceMap {
    sources: Vec<SourceText>,
}

/// A place as people and editors count: from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location<'a> {
    /// The text.
    pub source: &'a SourceText,
    /// The range of bytes within that text.
    pub range: Range<usize>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl SourceMap {
    /// Adds a text and gives the offset that turns its own byte positions into spans.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> usize {
        self.add_text(name.into(), text.into(), false)
    }

    /// The same of a text that is a part of this program.
    pub fn add_built_in(&mut self, name: impl Into<String>, text: impl Into<String>) -> usize {
        self.add_text(name.into(), text.into(), true)
    }

    fn add_text(&mut self, name: String, text: String, is_built_in: bool) -> usize {
        let start = self.end();
        let after = text.match_indices('\n').map(|(end, _)| end + 1);
        self.sources.push(SourceText {
            name,
            is_built_in,
            lines: [0].into_iter().chain(after).collect(),
            text,
            start,
        });
        start
    }

    /// Where the next text will begin.
    pub fn end(&self) -> usize {
        // One byte between texts, so that the end of one is not the start of the next.
        let last = self.sources.last();
        last.map_or(0, |last| last.start + last.text.len() + 1)
    }

    /// Whether the user wrote what stands there.
    pub fn is_users(&self, span: Span) -> bool {
        let place = self.place(span);
        place.is_some_and(|place| !place.source.is_built_in)
    }

    /// The texts in the order in which they were added.
    pub fn sources(&self) -> &[SourceText] {
        &self.sources
    }

    /// The characters of a span.
    pub fn text(&self, span: Span) -> Option<&str> {
        let source = self.sources.iter().rfind(|it| it.start <= span.start)?;
        let range = span.start - source.start..span.end.checked_sub(source.start)?;
        source.text.get(range)
    }

    /// The text and line of a span; `None` for a map without texts.
    pub fn place(&self, span: Span) -> Option<Location<'_>> {
        let source = self
            .sources
            .iter()
            .rev()
            .find(|source| source.start <= span.start)?;
        let clamp = |position: usize| position.saturating_sub(source.start).min(source.text.len());
        let range = clamp(span.start)..clamp(span.end.max(span.start));
        let (line, start) = source.line_at(range.start);
        let before = source.text.get(start..range.start).unwrap_or_default();
        let column = before.chars().count() + 1;
        Some(Location {
            source,
            range,
            line,
            column,
        })
    }
}

/// More mistakes than anybody mends at once: of more than these the number is told.
pub const MOST_TOLD: usize = 100;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The recipe cannot be run.
    Error,
    /// It can be run, and will disappoint.
    Warning,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where, and what to write beside the caret. The first is the main one.
    pub labels: Vec<(Span, String)>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, span, message)
    }

    /// A warning at `span`.
    pub fn warning(span: Span, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, span, message)
    }

    fn new(severity: Severity, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity,
            message: message.into(),
            labels: vec![(span, String::new())],
            help: None,
        }
    }

    /// The text beside the caret of the main place.
    pub fn label(mut self, text: impl Into<String>) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.1 = text.into();
        }
        self
    }

    /// A further place that explains the first.
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push((span, text.into()));
        self
    }

    /// What to do about it.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// The main place.
    pub fn span(&self) -> Span {
        self.labels
            .first()
            .map(|(span, _)| *span)
            .unwrap_or_default()
    }
}

/// The texts of a recipe and what is wrong with them: all that is needed to draw the mistakes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", summary(.diagnostics))]
pub struct Report {
    /// Where the spans point.
    pub sources: SourceMap,
    /// The mistakes in the order of their places.
    pub diagnostics: Vec<Diagnostic>,
}

fn summary(diagnostics: &[Diagnostic]) -> String {
    match diagnostics {
        [] => "nothing is wrong".to_owned(),
        [one] => one.message.clone(),
        [first, rest @ ..] => format!("{} (and {} more)", first.message, rest.len()),
    }
}

/// The candidate that `word` was probably meant to be, if one is near enough: at most a third
/// of its letters differ.
pub fn did_you_mean<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| {
            let edits = strsim::osa_distance(&word.to_lowercase(), &candidate.to_lowercase());
            (edits, candidate)
        })
        .filter(|(edits, candidate)| {
            *edits
                <= candidate
                    .chars()
                    .count()
                    .max(word.chars().count())
                    .div_ceil(3)
        })
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::SourceMap;
    use super::Span;
    use super::did_you_mean;

    #[test]
    fn a_span_names_a_place_in_any_text() {
        let mut map = SourceMap::default();
        assert_eq!(map.add("a", "one\ntwo"), 0);
        let base = map.add("b", "dr\u{e9}i\nvier");
        let place = map
            .place(Span {
                start: base + 6,
                end: base + 10,
            })
            .unwrap();
        assert_eq!(
            (place.source.name.as_str(), place.line, place.column),
            ("b", 2, 1)
        );
        assert_eq!(place.range, 6..10);
        let place = map.place(Span { start: 5, end: 900 }).unwrap();
        assert_eq!(
            (place.source.name.as_str(), place.line, place.column),
            ("a", 2, 2)
        );
    }

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        let keys = ["conf", "iou", "imgsz", "concurrency"];
        assert_eq!(did_you_mean("imgsize", keys), Some("imgsz"));
        assert_eq!(did_you_mean("cofn", keys), Some("conf"));
        assert_eq!(did_you_mean("colour", keys), None);
    }
}
