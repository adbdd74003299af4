//! Ports: what each kind of stage takes and gives.
//!
//! The kinds of items are data, so that an edge can be checked and explained with its place.

use crate::item::ItemKind;
use crate::recipe::Answer;
use crate::recipe::Port;
use crate::recipe::StageSpec;
use crate::recipe::Subject;

/// What a kind of stage takes and gives.
pub(in crate::plan) struct Ports {
    /// The kinds it takes; every input must give one of them.
    pub(in crate::plan) takes: &'static [ItemKind],
    /// How many inputs it may have.
    pub(in crate::plan) inputs: Inputs,
    /// The kinds it gives.
    pub(in crate::plan) gives: &'static [ItemKind],
}

/// How many inputs a kind of stage may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::plan) enum Inputs {
    /// It is a source.
    None,
    /// Exactly one.
    One,
    /// One or more.
    Many,
}

impl Ports {
    pub(in crate::plan) fn of(spec: &StageSpec) -> Self {
        use ItemKind::Batch;
        use ItemKind::Crop;
        use ItemKind::Detections;
        use ItemKind::Fields;
        use ItemKind::Frame;
        use ItemKind::Record;
        use ItemKind::Saved;
        use ItemKind::Sound;
        use ItemKind::Transcript;
        let (takes, inputs, gives): (&[_], _, &[_]) = match spec {
            StageSpec::Extract(_) => (&[], Inputs::None, &[Frame, Sound]),
            StageSpec::Batch(_) => (&[Frame, Crop], Inputs::One, &[Batch]),
            StageSpec::Yolo(_) => (&[Batch, Frame, Crop], Inputs::One, &[Detections]),
            StageSpec::Whisper(_) => (&[Sound], Inputs::One, &[Transcript]),
            StageSpec::Http(http) => {
                let takes: &[_] = match http.mapping.about {
                    Subject::Frame => &[Frame, Crop],
                    Subject::Batch => &[Batch],
                    Subject::Boxes => &[Detections],
                    Subject::Sound => &[Sound],
                };
                let gives: &[_] = match &http.mapping.answer {
                    Answer::Detections(_) => &[Detections],
                    Answer::Record(_) => &[Fields],
                    Answer::Transcript(_) => &[Transcript],
                };
                (takes, Inputs::One, gives)
            }
            StageSpec::Save(_) => (&[Frame], Inputs::One, &[Saved]),
            StageSpec::Merge(_) => {
                let takes = &[Detections, Fields, Transcript, Saved];
                (takes, Inputs::Many, &[Record])
            }
        };
        Self {
            takes,
            inputs,
            gives,
        }
    }

    /// These ports, of which only what `port` names is asked for.
    pub(in crate::plan) fn only(self, port: Port) -> Self {
        let gives: &[_] = match port {
            Port::Main => return self,
            Port::Crops if self.gives.contains(&ItemKind::Detections) => &[ItemKind::Crop],
            Port::Boxes if self.gives.contains(&ItemKind::Detections) => &[ItemKind::Detections],
            Port::Sound if self.gives.contains(&ItemKind::Sound) => &[ItemKind::Sound],
            Port::Crops | Port::Boxes | Port::Sound => &[],
        };
        Self { gives, ..self }
    }

    /// The kind that flows from a stage with these ports to one with `next`.
    pub(in crate::plan) fn kind_to(&self, next: &Self) -> Option<ItemKind> {
        next.takes
            .iter()
            .copied()
            .find(|kind| self.gives.contains(kind))
    }
}

/// `frames`, `frames or batches`.
pub(in crate::plan) fn list(kinds: &[ItemKind]) -> String {
    kinds
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" or ")
}
