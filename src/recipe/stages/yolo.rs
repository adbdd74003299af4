//! Parameters of `yolo`: which objects are looked for in frames, and with which model.

use crate::item::ItemKind;
use crate::name::BackendName;
use crate::recipe::backends::facts::AUTO;
use crate::recipe::load::value;
use crate::recipe::stages::classes;
use crate::recipe::stages::classes::ClassRef;
use crate::recipe::stages::classes::Confidence;
use crate::recipe::stages::parameters::InputCount;
use crate::recipe::stages::parameters::Medium;
use crate::recipe::stages::parameters::Ports;
use crate::recipe::stages::parameters::StageFacts;
use crate::recipe::stages::parameters::StageParameters;
use crate::recipe::stages::take;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;

/// What holds of every stage of the kind.
pub(in crate::recipe) const FACTS: StageFacts = StageFacts {
    word: "yolo",
    take_keys: take::ALL_KEYS,
    keys_by_input: &["filter", "padding", "regions"],
    rendered_later: &[],
    paths: &["model", "names"],
    takes_sound: false,
    is_mapped: false,
    finds_backend: true,
    is_outcome: false,
    input_help: "name a stage that gives frames or batches, such as `batch`",
};

/// The side, in pixels, that frames are fitted to where neither a recipe nor a model says another.
pub const USUAL_IMGSZ: u32 = 1280;

/// The word that stands for the names of COCO's classes, where a file of names may be written.
pub const COCO: &str = "coco";

/// Parameters of `yolo`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct YoloSpec {
    /// `auto`, `local`, or a name under `[backends]`.
    #[serde(deserialize_with = "value::text")]
    #[schemars(with = "String")]
    pub backend: BackendName,
    /// An ONNX file, as a path from the folder of the recipe (`~` is the home folder), or the
    /// server's name of its model.
    #[serde(deserialize_with = "value::optional")]
    pub model: Option<String>,
    /// The names of the classes, where the model does not carry them or is at a server: a file (one
    /// a line, JSON, or Ultralytics' `data.yaml`), as a path from the folder of the recipe, or
    /// `coco` for the 80 of COCO.
    #[serde(deserialize_with = "value::optional")]
    pub names: Option<String>,
    /// Requests in flight; on `local`, sessions at most.
    #[serde(deserialize_with = "value::concurrency")]
    pub concurrency: usize,
    /// The lowest confidence of a box that is kept: a number, or a table of them by class, such as
    /// `{ person = 0.4, default = 0.15 }`. A server is asked for the lowest.
    pub conf: Confidence,
    /// The overlap from which the weaker of two boxes of a class is dropped.
    #[serde(deserialize_with = "value::share")]
    pub iou: f32,
    /// The side, in pixels, that frames are fitted to; where absent, what a local model was exported
    /// for, else 1280.
    #[serde(deserialize_with = "value::imgsz")]
    pub imgsz: Option<u32>,
    /// Whether a GPU worker may use half precision.
    #[serde(deserialize_with = "value::flag")]
    pub half: bool,
    /// The classes to keep, by name or by number; all where empty.
    #[serde(deserialize_with = "classes::classes")]
    pub classes: Vec<ClassRef>,
    /// Boxes in one frame, at most.
    #[serde(deserialize_with = "value::max_det")]
    pub max_det: usize,
}

impl Default for YoloSpec {
    fn default() -> Self {
        Self {
            backend: BackendName::from(AUTO),
            model: None,
            names: None,
            concurrency: 5,
            conf: Confidence::default(),
            iou: 0.5,
            imgsz: None,
            half: true,
            classes: Vec::new(),
            max_det: 300,
        }
    }
}

impl YoloSpec {
    /// What a request may say of the stage where the model calls its classes `names`, by their
    /// numbers, which may not be known: `conf`, the lowest of all, `iou, imgsz, half, max_det`, and
    /// `classes` (numbers), `class_names` and `model`, which are `none` where the recipe does not
    /// set them.
    pub fn params(&self, names: &[Arc<str>]) -> Map<String, Value> {
        // As it was written: the nearest double of 0.15 is not that of the float.
        let share = |share: f32| share.to_string().parse::<f64>().unwrap_or(f64::from(share));
        let params = [
            ("conf", json!(share(self.conf.lowest()))),
            ("iou", json!(share(self.iou))),
            ("imgsz", json!(self.imgsz.unwrap_or(USUAL_IMGSZ))),
            ("half", json!(self.half)),
            ("classes", json!(self.class_numbers(names))),
            ("class_names", json!(self.class_names(names))),
            ("max_det", json!(self.max_det)),
            ("model", json!(self.model)),
        ];
        params
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// The numbers of the classes that are kept where the model calls its classes `names`; `None`
    /// for all, and where one of them has no number.
    pub fn class_numbers(&self, names: &[Arc<str>]) -> Option<Vec<u32>> {
        let classes = self.classes.iter().map(|class| class.numbers(names));
        let classes: Vec<_> = classes.collect();
        let all_known = !classes.is_empty() && !classes.iter().any(Vec::is_empty);
        all_known.then(|| classes.concat())
    }

    // Their names; `None` for all, and where one of them has no name.
    fn class_names(&self, names: &[Arc<str>]) -> Option<Vec<Arc<str>>> {
        let name = |class: &ClassRef| match class {
            ClassRef::Name(name) => Some(Arc::clone(name)),
            ClassRef::Number(number) => names.get(*number as usize).cloned(),
        };
        let classes: Option<Vec<_>> = self.classes.iter().map(name).collect();
        classes.filter(|classes| !classes.is_empty())
    }
}

impl StageParameters for YoloSpec {
    fn ports(&self) -> Ports {
        Ports {
            takes: &[ItemKind::Batch, ItemKind::Frame, ItemKind::Crop],
            inputs: InputCount::One,
            gives: &[ItemKind::Detections],
        }
    }

    fn medium(&self) -> Option<Medium> {
        Some(Medium::Frames)
    }

    fn backend(&self) -> Option<&BackendName> {
        Some(&self.backend)
    }
}
