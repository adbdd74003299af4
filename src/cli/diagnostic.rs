//! How a mistake in a recipe looks: the line, a caret under it, and what to do.
//!
//! The only file that knows the `miette` crate. Does not know what the mistakes are.

use crate::cli::streams::is_obeyed;
use crate::cli::streams::visible;
use crate::diag::Diagnostic;
use crate::diag::Location;
use crate::diag::Report;
use crate::diag::Severity;
use crate::diag::SourceMap;
use miette::GraphicalReportHandler;
use miette::GraphicalTheme;
use miette::LabeledSpan;
use miette::NamedSource;
use std::fmt;
use std::ops::Range;

// Wider lines than this are wrapped, on every terminal alike.
const WIDTH: usize = 100;

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
    let theme = match style {
        Style::Plain => GraphicalTheme::unicode_nocolor(),
        Style::Colour => GraphicalTheme::unicode(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(WIDTH)
        .with_links(false)
        .without_primary_span_start()
        .without_syntax_highlighting();
    let mut text = String::new();
    for severity in [Severity::Error, Severity::Warning] {
        for diagnostic in of(report, severity) {
            for block in blocks(diagnostic, &report.sources) {
                // Should a drawing fail, the sentence is still worth having.
                if handler.render_report(&mut text, &block).is_err() {
                    text.push_str(&visible(&diagnostic.message));
                }
                text.push('\n');
            }
        }
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
fn blocks(diagnostic: &Diagnostic, sources: &SourceMap) -> Vec<Block> {
    let severity = match diagnostic.severity {
        Severity::Error => miette::Severity::Error,
        Severity::Warning => miette::Severity::Warning,
    };
    let mut main = Block::new(&diagnostic.message, severity);
    main.help = (diagnostic.help.as_ref()).map(|help| visible(help).into_owned());
    let mut others = Vec::new();
    let home = sources.place(diagnostic.span()).map(|place| place.source);
    for (span, text) in &diagnostic.labels {
        let Some(place) = sources.place(*span) else {
            continue;
        };
        if Some(place.source) == home {
            let text = Some(visible(text).into_owned()).filter(|text| !text.is_empty());
            main.add(&place, text);
        } else {
            let mut other = Block::new(text, miette::Severity::Advice);
            other.add(&place, None);
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

/// What `miette` draws in one go: a sentence and the places that lie in one text.
#[derive(Debug)]
struct Block {
    message: String,
    severity: miette::Severity,
    help: Option<String>,
    source: NamedSource<String>,
    labels: Vec<LabeledSpan>,
}

impl Block {
    fn new(message: &str, severity: miette::Severity) -> Self {
        Self {
            message: visible(message).into_owned(),
            severity,
            help: None,
            source: NamedSource::new("", String::new()),
            labels: Vec::new(),
        }
    }

    fn add(&mut self, place: &Location<'_>, label: Option<String>) {
        // A caret after the last line is drawn only if that line ends.
        let mut text = in_place(&place.source.text);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        // `miette` would count the column in bytes.
        let name = visible(&place.source.name);
        let name = format!("{name}:{}:{}", place.line, place.column);
        if self.labels.is_empty() {
            self.source = NamedSource::new(name, text);
        }
        let Range { start, end } = place.range.clone();
        let label = if self.labels.is_empty() {
            LabeledSpan::new_primary_with_span(label, start..end)
        } else {
            LabeledSpan::new_with_span(label, start..end)
        };
        self.labels.push(label);
    }
}

impl fmt::Display for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Block {}

impl miette::Diagnostic for Block {
    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let help = self.help.as_ref()?;
        Some(Box::new(help))
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        (!self.labels.is_empty()).then(|| Box::new(self.labels.iter().cloned()) as Box<_>)
    }
}
