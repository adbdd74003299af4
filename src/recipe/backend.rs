//! One `[backends.NAME]` table.

use crate::diag::Diagnostic;
use crate::name::BackendName;
use crate::recipe::merge::Section;
use crate::recipe::read::read;
use crate::recipe::spec::AUTO;
use crate::recipe::spec::Backend;
use crate::recipe::spec::BackendSpec;
use crate::recipe::spec::LOCAL;
use crate::recipe::stage::Context;
use crate::recipe::tree::Table;

type Read = fn(Table, &mut Vec<Diagnostic>) -> BackendSpec;

const KINDS: [(&str, Read); 1] = [(LOCAL, |table, wrong| {
    BackendSpec::Local(read(table, &["kind"], wrong))
})];

impl Context<'_> {
    /// Reads a backend; `None` where its name or kind cannot be.
    pub(super) fn backend(
        &self,
        mut section: Section,
        wrong: &mut Vec<Diagnostic>,
    ) -> Option<(BackendName, Backend)> {
        if section.name == AUTO {
            wrong.push(
                Diagnostic::error(section.span, "a backend cannot be called `auto`")
                    .help("`backend = \"auto\"` lets the program choose; take another name"),
            );
            return None;
        }
        self.render(&mut section.keys, None, wrong);
        let (_, read) = section
            .known_kind("backend", &KINDS)
            .map_err(|diagnostic| wrong.push(diagnostic))
            .ok()?;
        section.keys.take("kind");
        let spec = read(section.keys, wrong);
        let backend = Backend {
            span: section.span,
            spec,
        };
        Some((BackendName::from(section.name), backend))
    }
}
