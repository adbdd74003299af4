//! The edges of a recipe: `inputs = ["STAGE", "STAGE.PORT"]`.
//!
//! Knows nothing of which stages there are.

use crate::diag::Diagnostic;
use crate::diag::Span;
use crate::name::StageId;
use crate::recipe::load::tree::Entry;
use crate::recipe::load::tree::Node;
use crate::recipe::load::tree::Value;
use crate::recipe::tools::suggest::suggest;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry as MapEntry;

/// One entry of `inputs`: `STAGE`, or `STAGE.PORT`.
#[derive(Clone, Debug)]
pub struct StageInput {
    /// The stage it names; not yet known to exist.
    pub stage: StageId,
    /// Which of the things that the stage gives.
    pub port: Port,
    /// Where it is named.
    pub span: Span,
}

/// Which of the things that a stage gives flows on an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Port {
    /// What its kind is for.
    #[default]
    Main,
    /// `crops`: what the stage found, cut out of the frame that it looked at.
    Crops,
    /// `frames`: the frames that the stage looked at, where it found something that the next one
    /// wants.
    Frames,
    /// `boxes`: what the stage found, without the frame that it looked at.
    Boxes,
    /// `sound`: of what the stage reads, what is heard.
    Sound,
}

impl Port {
    /// Those that are named after a dot.
    pub const NAMED: [Self; 4] = [Self::Crops, Self::Frames, Self::Boxes, Self::Sound];

    /// The word after the dot; empty for the main one.
    pub fn word(self) -> &'static str {
        match self {
            Self::Main => "",
            Self::Crops => "crops",
            Self::Frames => "frames",
            Self::Boxes => "boxes",
            Self::Sound => "sound",
        }
    }

    /// What follows the id of a stage: a dot and the word; nothing for the main one.
    pub fn suffix(self) -> String {
        match self {
            Self::Main => String::new(),
            named => format!(".{}", named.word()),
        }
    }
}

/// Reads `inputs`.
pub(in crate::recipe) fn read_inputs(
    entry: &Entry,
    wrong: &mut Vec<Diagnostic>,
) -> Vec<StageInput> {
    let Value::List(items) = &entry.node.value else {
        wrong.push(no_list(entry));
        return Vec::new();
    };
    let mut inputs: Vec<StageInput> = Vec::new();
    let mut named = BTreeMap::new();
    for item in items {
        let Some(input) = read_input(item, wrong) else {
            continue;
        };
        let name = format!("{}{}", input.stage, input.port.suffix());
        match named.entry(name) {
            MapEntry::Occupied(first) => {
                let message = format!("`{}` is named twice in `inputs`", first.key());
                wrong.push(
                    Diagnostic::error(item.span, message)
                        .also(*first.get(), "the first time")
                        .help("remove one of them"),
                );
            }
            MapEntry::Vacant(place) => {
                place.insert(item.span);
                inputs.push(input);
            }
        }
    }
    inputs
}

fn no_list(entry: &Entry) -> Diagnostic {
    let what = entry.node.what();
    let help = match &entry.node.value {
        Value::Text(name) => format!("write `inputs = [{name:?}]`"),
        _ => "write the ids of stages, such as `inputs = [\"extract\"]`".to_owned(),
    };
    let message = format!("`inputs` takes a list, not {what}");
    Diagnostic::error(entry.node.span, message).help(help)
}

fn read_input(item: &Node, wrong: &mut Vec<Diagnostic>) -> Option<StageInput> {
    let Value::Text(name) = &item.value else {
        let message = format!("an input is the id of a stage, not {}", item.what());
        let mistake = Diagnostic::error(item.span, message);
        wrong.push(mistake.help("write it in quotes, such as `inputs = [\"extract\"]`"));
        return None;
    };
    // Names have no dots, so the first one is before the port.
    let (stage, word) = name.split_once('.').unwrap_or((name, ""));
    let mut ports = Port::NAMED.into_iter();
    let port = ports.find(|port| port.word() == word);
    if port.is_none() && name.contains('.') {
        let known = Port::NAMED.map(Port::word);
        let help = suggest(word, known, "what can be named after a stage and a dot");
        let message = format!("there is no `{word}` of a stage");
        wrong.push(Diagnostic::error(item.span, message).help(help));
    }
    Some(StageInput {
        stage: StageId::from(stage),
        port: port.unwrap_or_default(),
        span: item.span,
    })
}
