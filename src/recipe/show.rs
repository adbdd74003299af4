//! A recipe as it is run: all its layers as one text, and where each value came from.

use crate::diag::SourceMap;
use crate::diag::Span;
use crate::recipe::layers;
use crate::recipe::load::load;
use crate::recipe::merge::Section;
use crate::recipe::merge::merge;
use crate::recipe::parse;
use crate::recipe::render;
use crate::recipe::set;
use crate::recipe::stage::rendered_later;
use crate::recipe::tree::Entry;
use crate::recipe::tree::Table;
use crate::recipe::world::LoadError;
use crate::recipe::world::Request;
use crate::recipe::world::World;
use crate::template::Scope;

// Where origins begin, so that values stand together.
const MARGIN: usize = 40;

/// The recipe of `request` as one TOML text that means the same by itself: what it extends and what
/// the command line changes is in it, and templates of stages have their values. With `origins`
/// the text and line that each value came from stands beside it. What is not in it has its
/// built-in value.
///
/// # Errors
///
/// Where the recipe cannot be read or has mistakes.
pub fn show(request: &Request, world: &dyn World, origins: bool) -> Result<String, LoadError> {
    load(request, world)?;
    // It has no mistakes, so nothing is reported from here on.
    let mut wrong = Vec::new();
    let mut sources = SourceMap::default();
    let Ok(layers) = layers::collect(&request.recipe, world, &mut sources)? else {
        return Ok(String::new());
    };
    let mut merged = merge(layers, &mut wrong);
    set::apply(request, &mut merged, &mut sources, &mut wrong);
    let scope = render::scope_of(merged.vars.clone(), &sources, &mut wrong);
    let mut page = Page {
        text: "version = 1\n".to_owned(),
        sources: &sources,
        origins,
    };
    if let Some(description) = merged.description {
        let value = parse::printed_text(&description);
        page.text += &format!("description = {value}\n");
    }
    if !merged.vars.0.is_empty() {
        page.text += "\n[vars]\n";
        page.table(rendered(merged.vars, &[], &scope, &sources));
    }
    for Section { name, keys, .. } in merged.backends {
        // Their templates may read the environment, which is not shown.
        page.text += &format!("\n[backends.{name}]\n");
        page.table(keys);
    }
    for section in merged.stages {
        let later = rendered_later(section.kind());
        page.text += &format!("\n[stages.{}]\n", section.name);
        page.table(rendered(section.keys, later, &scope, &sources));
    }
    Ok(page.text)
}

fn rendered(mut table: Table, later: &[&str], scope: &Scope, sources: &SourceMap) -> Table {
    for entry in &mut table.0 {
        if !later.contains(&entry.key.as_str()) {
            // Loading has rendered it without a mistake.
            render::render(&mut entry.node, scope, sources);
        }
    }
    table
}

struct Page<'a> {
    text: String,
    sources: &'a SourceMap,
    origins: bool,
}

impl Page<'_> {
    fn table(&mut self, table: Table) {
        for Entry { key, node, .. } in table.0 {
            let line = format!("{key} = {}", parse::printed(&node.value));
            self.text += &match self.origin(node.span) {
                Some(origin) => format!("{line:MARGIN$} # {origin}\n"),
                None => format!("{line}\n"),
            };
        }
    }

    // `preset default:7`, or the option where it was given on the command line.
    fn origin(&self, span: Span) -> Option<String> {
        let place = self.sources.place(span).filter(|_| self.origins)?;
        Some(if place.source.name == set::COMMAND_LINE {
            place.source.text.replace('\n', " ")
        } else {
            format!("{}:{}", place.source.name, place.line)
        })
    }
}
