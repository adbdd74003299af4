//! What a table of a recipe is read with: the values in reach of its templates, the texts of the
//! recipe and their folders.
//!
//! Knows nothing of which kinds of tables there are.

use crate::diag::Diagnostic;
use crate::diag::SourceMap;
use crate::diag::Span;
use crate::recipe::load::paths::Folders;
use crate::recipe::load::render::placed;
use crate::recipe::load::render::render;
use crate::recipe::load::tree::Table;
use crate::template::Fault;
use crate::template::Scope;

/// What a table is read with.
pub(in crate::recipe) struct Context<'a> {
    pub(in crate::recipe) scope: &'a Scope,
    pub(in crate::recipe) sources: &'a SourceMap,
    pub(in crate::recipe) folders: &'a Folders,
}

impl Context<'_> {
    /// Renders the strings of a table, but for the keys of `later`. What cannot be rendered is
    /// struck out.
    pub(in crate::recipe) fn render(
        &self,
        table: &mut Table,
        later: &[&str],
        wrong: &mut Vec<Diagnostic>,
    ) {
        table.0.retain_mut(|entry| {
            if later.contains(&entry.key.as_str()) {
                return true;
            }
            let mistakes = render(&mut entry.node, self.scope, self.sources);
            let good = mistakes.is_empty();
            wrong.extend(mistakes);
            good
        });
    }

    /// The mistake of a template, `text` at `span`.
    pub(in crate::recipe) fn placed(&self, fault: Fault, text: &str, span: Span) -> Diagnostic {
        placed(fault, text, span, self.sources)
    }

    /// What is wrong with an `output_dir`, `text` at `span`, that came out as `folder`.
    pub(in crate::recipe) fn check_folder(
        &self,
        folder: Result<String, Fault>,
        text: &str,
        span: Span,
    ) -> Option<Diagnostic> {
        match folder {
            Ok(folder) if folder.trim().is_empty() => Some(
                Diagnostic::error(span, "`output_dir` comes out empty")
                    .help("write the path of a folder; `.` is the one you are in"),
            ),
            Ok(_) => None,
            Err(fault) => Some(self.placed(fault, text, span)),
        }
    }
}
