//! What every kind of stage says of itself: its facts, and what its parameters come to.
//!
//! A kind is at home in the file of its name beside this one; `recipe::kind` lists all of them.

use crate::diag::Diagnostic;
use crate::diag::Span;
use crate::item::ItemKind;
use crate::name::BackendName;
use crate::recipe::input::Port;
use crate::recipe::input::StageInput;
use crate::recipe::load::read::read;
use crate::recipe::load::tree::Table;
use crate::recipe::stages::sound::SoundSpec;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// The key that says whether the recipe has the stage.
pub(in crate::recipe) const ENABLED: &str = "enabled";

/// The keys that every stage has.
pub(in crate::recipe) const ENGINE_KEYS: [&str; 3] = ["kind", "inputs", ENABLED];

/// What holds of every stage of a kind.
#[derive(Clone, Copy, Debug)]
pub struct StageFacts {
    /// The word for the kind in a recipe.
    pub word: &'static str,
    /// Which of the keys `when`, `every`, `filter` and `padding` it has.
    pub take_keys: &'static [&'static str],
    /// The keys that it may have with some inputs alone.
    pub keys_by_input: &'static [&'static str],
    /// The keys whose templates are rendered for each video, frame or request, and not when the
    /// recipe is read.
    pub rendered_later: &'static [&'static str],
    /// The keys that may name a file or folder, seen from the folder of the recipe.
    pub paths: &'static [&'static str],
    /// Whether it has the keys of [`SoundSpec`].
    pub takes_sound: bool,
    /// Whether it has `request` and `answer`.
    pub is_mapped: bool,
    /// Whether its backend may be left to be found: `auto`, or `local` without a table.
    pub finds_backend: bool,
    /// Whether what it gives is an outcome of the run: then nothing needs to take it.
    pub is_outcome: bool,
    /// What to name in `inputs`, said where something else is named.
    pub input_help: &'static str,
}

impl StageFacts {
    /// The keys that are read before those of the parameters are, and `own` ones.
    pub(in crate::recipe) fn keys(&self, own: &[&'static str]) -> Vec<&'static str> {
        [&ENGINE_KEYS, self.take_keys, own].concat()
    }
}

/// What the parameters of a stage come to.
pub trait StageParameters {
    /// What it takes and gives.
    fn ports(&self) -> Ports;

    /// What it infers on; `None` where it has no model.
    fn medium(&self) -> Option<Medium> {
        None
    }

    /// Which sound it infers on; `None` where that is none.
    fn sound(&self) -> Option<&SoundSpec> {
        None
    }

    /// The backend that it names; `None` for a kind that has none.
    fn backend(&self) -> Option<&BackendName> {
        None
    }
}

/// What a stage infers on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Frames, or crops of them.
    Frames,
    /// What another stage found in frames, without the frames.
    Boxes,
    /// Sound.
    Sound,
}

/// What a stage takes and gives.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// The kinds of items it takes; every input must give one of them.
    pub takes: &'static [ItemKind],
    /// How many inputs it may have.
    pub inputs: InputCount,
    /// The kinds of items it gives.
    pub gives: &'static [ItemKind],
}

impl Ports {
    /// These ports, of which only what `port` names is asked for.
    pub fn only(self, port: Port) -> Self {
        let gives: &[_] = match port {
            Port::Main => return self,
            Port::Crops if self.gives.contains(&ItemKind::Detections) => &[ItemKind::Crop],
            Port::Frames if self.gives.contains(&ItemKind::Detections) => &[ItemKind::Frame],
            Port::Boxes if self.gives.contains(&ItemKind::Detections) => &[ItemKind::Detections],
            Port::Sound if self.gives.contains(&ItemKind::Sound) => &[ItemKind::Sound],
            Port::Crops | Port::Frames | Port::Boxes | Port::Sound => &[],
        };
        Self { gives, ..self }
    }

    /// The kind that flows from a stage with these ports to one with `next`.
    pub fn kind_to(&self, next: &Self) -> Option<ItemKind> {
        next.takes
            .iter()
            .copied()
            .find(|kind| self.gives.contains(kind))
    }
}

/// How many inputs a stage may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputCount {
    /// None: it is a source.
    None,
    /// Exactly one.
    One,
    /// One or more.
    Many,
}

/// A `[stages.ID]` table whose keys of the engine have been read.
pub(in crate::recipe) struct StageTable<'a> {
    pub(in crate::recipe) id: &'a str,
    /// Where the id stands.
    pub(in crate::recipe) span: Span,
    pub(in crate::recipe) inputs: &'a [StageInput],
    /// Where the value of each key stands, those of the engine included.
    pub(in crate::recipe) written: &'a BTreeMap<String, Span>,
    /// The keys that are not read yet.
    pub(in crate::recipe) keys: Table,
}

impl StageTable<'_> {
    /// The parameters of a kind with `facts`; `own` keys were taken out before.
    pub(in crate::recipe) fn read<T: DeserializeOwned + Default>(
        self,
        facts: &StageFacts,
        own: &[&'static str],
        wrong: &mut Vec<Diagnostic>,
    ) -> T {
        read(self.keys, &facts.keys(own), wrong)
    }
}
