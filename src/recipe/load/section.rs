//! One `[stages.NAME]` or `[backends.NAME]` of all layers together, before its kind is known.

use crate::diag::Diagnostic;
use crate::diag::Span;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::tools::suggest::quoted;
use crate::recipe::tools::suggest::suggest;

/// A `[stages.NAME]` or `[backends.NAME]`.
pub(in crate::recipe) struct Section {
    pub(in crate::recipe) name: String,
    /// Where the name stands.
    pub(in crate::recipe) span: Span,
    pub(in crate::recipe) keys: Table,
}

impl Section {
    /// The word for its kind: its `kind`, or its name where it has none; `None` where `kind` is no
    /// text.
    pub(in crate::recipe) fn kind(&self) -> Option<&str> {
        match self.keys.get("kind").map(|entry| &entry.node.value) {
            Some(Value::Text(kind)) => Some(kind),
            Some(_) => None,
            None => Some(&self.name),
        }
    }

    /// Its kind is none of `words`, which are those of every kind of `what`.
    pub(in crate::recipe) fn no_kind<'a>(
        &self,
        what: &str,
        words: impl IntoIterator<Item = &'a str>,
    ) -> Diagnostic {
        let written = self.keys.get("kind");
        let Some(kind) = self.kind() else {
            let span = written.map_or(self.span, |entry| entry.node.span);
            return Diagnostic::error(span, "`kind` takes a string")
                .help(format!("kinds of {what}: {}", quoted(words)));
        };
        let help = suggest(kind, words, &format!("kinds of {what}"));
        match written {
            Some(entry) => Diagnostic::error(
                entry.node.span,
                format!("there is no kind of {what} called `{kind}`"),
            )
            .help(help),
            None => Diagnostic::error(
                self.span,
                format!("`{kind}` has no `kind`, and is not the name of one"),
            )
            .help(format!("a name of your own needs `kind = \"...\"`; {help}")),
        }
    }
}
