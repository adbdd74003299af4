//! One `[backends.NAME]` table.

use crate::diag::Diagnostic;
use crate::name::BackendName;
use crate::recipe::backends::facts::AUTO;
use crate::recipe::backends::facts::BackendTable;
use crate::recipe::context::Context;
use crate::recipe::kind::BackendKind;
use crate::recipe::load::section::Section;
use crate::recipe::recipe::Backend;

/// Reads a backend; `None` where its name or kind cannot be.
pub(in crate::recipe) fn read_backend(
    context: &Context<'_>,
    mut section: Section,
    wrong: &mut Vec<Diagnostic>,
) -> Option<(BackendName, Backend)> {
    if section.name == AUTO {
        let message = format!("a backend cannot be called `{AUTO}`");
        wrong.push(Diagnostic::error(section.span, message).help(format!(
            "`backend = \"{AUTO}\"` lets the program choose; take another name"
        )));
        return None;
    }
    // Its `kind` may be a template, so those of every kind wait.
    let later = BackendKind::ALL.map(|kind| kind.facts().rendered_later);
    context.render(&mut section.keys, &later.concat(), wrong);
    let Some(kind) = section.kind().and_then(BackendKind::of) else {
        wrong.push(section.no_kind("backend", BackendKind::ALL.map(BackendKind::word)));
        return None;
    };
    section.keys.take("kind");
    let table = BackendTable {
        name: &section.name,
        span: section.span,
        keys: section.keys,
    };
    let spec = kind.read(context, table, wrong);
    let backend = Backend {
        span: section.span,
        spec,
    };
    Some((BackendName::from(section.name), backend))
}
