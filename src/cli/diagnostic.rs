//! How a mistake in a recipe looks: the line, a caret under it, and what to do.
//!
//! The only file that knows the `miette` crate. Does not know what the mistakes are.

use crate::cli::mask::masked_text;
use crate::cli::mask::masked_words;
use crate::cli::streams::is_obeyed;
use crate::cli::streams::visible;
use crate::diag::Diagnostic;
use crate::diag::Location;
use crate::diag::MOST_TOLD;
use crate::diag::Report;
use crate::diag::Severity;
use crate::diag::SourceMap;
use crate::diag::SourceText;
use miette::GraphicalReportHandler;
use miette::GraphicalTheme;
use miette::LabeledSpan;
use miette::MietteError;
use miette::MietteSpanContents;
use miette::SourceCode;
use miette::SourceSpan;
use miette::SpanContents;
use std::fmt;
use std::ops::Range;
use std::ptr;

// Wider lines than this are wrapped, however wide a terminal is.
const WIDTH: usize = 100;

// What a place and its label need in any case.
const NARROWEST: usize = 40;

// Bytes of a text that are shown around a place, and of the place itself.
const WIDEST: usize = 1_000;
const FARTHEST: usize = 10 * WIDEST;

/// Whether it is drawn for a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without colour: files, pipes, `NO_COLOR`.
    Plain,
    /// With the terminal's own colours.
    Colour,
}

/// Draws the mistakes, errors before warnings, and counts them in the last line.
pub fn draw(report: &Report, style: Style) -> String {
    draw_within(report, style, WIDTH)
}

/// The same for a terminal of so many columns.
pub(super) fn draw_within(report: &Report, style: Style, width: usize) -> String {
    let theme = match style {
        Style::Plain => GraphicalTheme::unicode_nocolor(),
        Style::Colour => GraphicalTheme::unicode(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(width.clamp(NARROWEST, WIDTH))
        .with_links(false)
        .without_primary_span_start()
        .without_syntax_highlighting();
    let pages: Vec<Page<'_>> = report.sources.sources().iter().map(Page::of).collect();
    let mut text = String::new();
    let severities = [Severity::Error, Severity::Warning].into_iter();
    let told = severities.flat_map(|severity| of(report, severity));
    for diagnostic in told.take(MOST_TOLD) {
        for block in blocks(diagnostic, &report.sources, &pages) {
            // Should a drawing fail, the sentence is still worth having.
            if handler.render_report(&mut text, &block).is_err() {
                text.push_str(&visible(&masked_words(&diagnostic.message)));
            }
            text.push('\n');
        }
    }
    if report.diagnostics.len() > MOST_TOLD {
        text.push_str(&format!("the first {MOST_TOLD} of "));
    }
    text.push_str(&count(report));
    text.push('\n');
    text
}

fn of(report: &Report, severity: Severity) -> impl Iterator<Item = &Diagnostic> {
    let diagnostics = report.diagnostics.iter();
    diagnostics.filter(move |diagnostic| diagnostic.severity == severity)
}

fn count(report: &Report) -> String {
    let some = |severity, word: &str| match of(report, severity).count() {
        0 => None,
        1 => Some(format!("1 {word}")),
        number => Some(format!("{number} {word}s")),
    };
    let parts = [
        some(Severity::Error, "error"),
        some(Severity::Warning, "warning"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

// One block for the text that the mistake is in, and one for each further text.
fn blocks<'a>(
    diagnostic: &Diagnostic,
    sources: &'a SourceMap,
    pages: &'a [Page<'a>],
) -> Vec<Block<'a>> {
    let severity = match diagnostic.severity {
        Severity::Error => miette::Severity::Error,
        Severity::Warning => miette::Severity::Warning,
    };
    let mut main = Block::new(&diagnostic.message, severity);
    main.help = (diagnostic.help.as_ref()).map(|help| visible(&masked_words(help)).into_owned());
    let mut others = Vec::new();
    let home = sources.place(diagnostic.span()).map(|place| place.source);
    for (span, text) in &diagnostic.labels {
        let Some(place) = sources.place(*span) else {
            continue;
        };
        let mut page = pages
            .iter()
            .filter(|page| ptr::eq(page.source, place.source));
        let Some(page) = page.next() else {
            continue;
        };
        if Some(place.source) == home {
            let text = Some(visible(text).into_owned()).filter(|text| !text.is_empty());
            main.add(&place, page, text);
        } else {
            let mut other = Block::new(text, miette::Severity::Advice);
            other.add(&place, page, None);
            others.push(other);
        }
    }
    let mut blocks = vec![main];
    blocks.append(&mut others);
    blocks
}

// Without control characters, and every other byte where it was: the places are counted in bytes.
fn in_place(text: &str) -> String {
    let text = text.replace("\r\n", " \n");
    let letters = text.chars().map(|letter| match is_obeyed(letter) {
        true if letter.len_utf8() == 1 => '?',
        true => '\u{bf}',
        false => letter,
    });
    letters.collect()
}

/// A text of a recipe, fit to be drawn.
#[derive(Debug)]
struct Page<'a> {
    source: &'a SourceText,
    text: String,
}

impl<'a> Page<'a> {
    fn of(source: &'a SourceText) -> Self {
        let mut text = in_place(&masked_text(&source.text));
        // A caret after the last line is drawn only if that line ends.
        if !text.ends_with('\n') {
            text.push('\n');
        }
        Self { source, text }
    }
}

/// What `miette` draws in one go: a sentence and the places that lie in one text.
#[derive(Debug)]
struct Block<'a> {
    message: String,
    severity: miette::Severity,
    help: Option<String>,
    source: Option<Excerpts<'a>>,
    labels: Vec<LabeledSpan>,
}

impl<'a> Block<'a> {
    fn new(message: &str, severity: miette::Severity) -> Self {
        Self {
            message: visible(&masked_words(message)).into_owned(),
            severity,
            help: None,
            source: None,
            labels: Vec::new(),
        }
    }

    fn add(&mut self, place: &Location<'a>, page: &'a Page<'a>, label: Option<String>) {
        let Range { start, mut end } = place.range.clone();
        if end - start > WIDEST {
            end = place.source.text.ceil_char_boundary(start + WIDEST);
        }
        let label = if self.labels.is_empty() {
            // `miette` would count the column in bytes.
            let name = visible(&place.source.name);
            self.source = Some(Excerpts {
                name: format!("{name}:{}:{}", place.line, place.column),
                page,
            });
            LabeledSpan::new_primary_with_span(label, start..end)
        } else {
            LabeledSpan::new_with_span(label, start..end)
        };
        self.labels.push(label);
    }
}

/// A text of which `miette` takes the lines around what it draws.
#[derive(Debug)]
struct Excerpts<'a> {
    name: String,
    page: &'a Page<'a>,
}

impl SourceCode for Excerpts<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let Page { source, text } = self.page;
        let (start, end) = (span.offset(), span.offset() + span.len());
        // Two places that are far from each other are drawn apart.
        if end > text.len() || span.len() > FARTHEST {
            return Err(MietteError::OutOfBounds);
        }
        let (line, lines) = source.lines(start..end, before, after);
        let from = text.ceil_char_boundary(lines.start.max(start.saturating_sub(WIDEST)));
        let to = match lines.end.min(end + WIDEST) {
            to if to >= source.text.len() => text.len(),
            to => text.floor_char_boundary(to),
        };
        let skipped = text.get(lines.start..from).unwrap_or_default();
        let line = line - 1 + skipped.matches('\n').count();
        let shown = text.get(from..to).unwrap_or_default();
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            shown.as_bytes(),
            (from, to - from).into(),
            line,
            0,
            shown.matches('\n').count(),
        )))
    }
}

impl fmt::Display for Block<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Block<'_> {}

impl miette::Diagnostic for Block<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        let source = self.source.as_ref()?;
        Some(source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as Box<_>)
    }
}
