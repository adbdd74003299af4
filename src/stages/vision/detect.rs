//! `yolo` on this machine: a session of the model on each thread, a frame at a time.

use crate::backends::models::yolo::DetectParams;
use crate::backends::models::yolo::Detector;
use crate::backends::models::yolo::DetectorSession;
use crate::engine::Map;
use crate::engine::MapState;
use crate::failure::Failure;
use crate::item::Detections;
use crate::item::Found;
use crate::item::Item;
use crate::item::Repeat;
use crate::name::StageId;
use crate::recipe::ClassRef;
use crate::recipe::YoloSpec;
use std::sync::Arc;

/// Runs `detector` as `stage`.
pub(in crate::stages) fn detect(
    stage: &StageId,
    spec: &YoloSpec,
    detector: &Detector,
) -> Arc<dyn Map> {
    Arc::new(Detect {
        stage: stage.clone(),
        params: Arc::new(detect_params(spec, &detector.facts().classes)),
        detector: detector.clone(),
    })
}

/// What a `yolo` stage asks of a local model that calls its classes `names`.
pub fn detect_params(spec: &YoloSpec, names: &[Arc<str>]) -> DetectParams {
    let numbers = |class: &ClassRef| class.numbers(names);
    let own = spec.conf.classes.iter();
    let own = own.flat_map(|(class, conf)| numbers(class).into_iter().map(|class| (class, *conf)));
    let classes = spec.classes.iter().flat_map(numbers).collect();
    DetectParams {
        conf: spec.conf.default,
        class_conf: own.collect(),
        iou: spec.iou,
        imgsz: spec.imgsz,
        half: spec.half,
        classes: (!spec.classes.is_empty()).then_some(classes),
        max_det: spec.max_det,
    }
}

struct Detect {
    stage: StageId,
    params: Arc<DetectParams>,
    detector: Detector,
}

impl Map for Detect {
    fn state(&self) -> Result<Box<dyn MapState>, Failure> {
        Ok(Box::new(DetectThread {
            stage: self.stage.clone(),
            params: Arc::clone(&self.params),
            session: self
                .detector
                .session()
                .map_err(|failure| failure.of(&self.stage))?,
        }))
    }

    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        answer(&self.stage, item, Found::without_answer(failure))
    }
}

struct DetectThread {
    stage: StageId,
    params: Arc<DetectParams>,
    session: DetectorSession,
}

impl MapState for DetectThread {
    fn map(&mut self, item: &Item) -> Result<Vec<Item>, Failure> {
        let frame = match item {
            Item::Frame(frame) => frame,
            Item::Repeat(repeat) => return Ok(of_repeat(&self.stage, repeat)),
            _ => return Ok(Vec::new()),
        };
        let objects = self.session.detect(frame, &self.params);
        let objects = objects.map_err(|failure| failure.of(&self.stage))?;
        Ok(answer(&self.stage, item, Found::Objects(objects)))
    }
}

fn answer(stage: &StageId, item: &Item, found: Found) -> Vec<Item> {
    match item {
        Item::Frame(frame) => {
            let (stage, moment) = (stage.clone(), frame.moment.clone());
            vec![Item::Detections(Detections {
                stage,
                moment,
                found,
                same_as: None,
            })]
        }
        Item::Repeat(repeat) => of_repeat(stage, repeat),
        _ => Vec::new(),
    }
}

fn of_repeat(stage: &StageId, repeat: &Repeat) -> Vec<Item> {
    vec![Item::Detections(Detections::of_repeat(stage, repeat))]
}
