//! The detector: a checked model, and sessions that find objects in frames.
//!
//! Knows nothing of videos, or of how many sessions there are.

use crate::backends::engine::header::FLOAT16;
use crate::backends::engine::load::LoadOptions;
use crate::backends::engine::load::load;
use crate::backends::engine::network::EngineError;
use crate::backends::engine::network::Input;
use crate::backends::engine::network::Tensor;
use crate::backends::engine::network::guarded;
use crate::backends::engine::watched::WatchedNetwork;
use crate::backends::engine::watched::WatchedSession;
use crate::backends::engine::watched::most_inputs;
use crate::backends::models::source::ModelError;
use crate::backends::models::source::ModelSource;
use crate::backends::models::source::describe;
use crate::backends::models::yolo::fitted::FittedFrame;
use crate::backends::models::yolo::layout::Layout;
use crate::backends::models::yolo::letterbox::Letterbox;
use crate::backends::models::yolo::nms::Candidate;
use crate::backends::models::yolo::nms::sort;
use crate::backends::models::yolo::nms::suppress;
use crate::backends::models::yolo::profile::Profile;
use crate::backends::transport::excerpt::excerpt;
use crate::facts::ModelFacts;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Detection;
use crate::item::Frame;
use crate::item::Size;
use crate::recipe::USUAL_IMGSZ;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// What is to be found.
#[derive(Clone, Debug)]
pub struct DetectParams {
    /// Objects must be surer than this, from 0 to 1.
    pub conf: f32,
    /// The same for those of some classes, by their numbers.
    pub class_conf: BTreeMap<u32, f32>,
    /// The weaker of two boxes of a class goes if they share more than this of their union.
    pub iou: f32,
    /// The side, in pixels, that frames are fitted to, where the model leaves the choice; where
    /// absent, what it was exported for, else [`USUAL_IMGSZ`](crate::recipe::USUAL_IMGSZ).
    pub imgsz: Option<u32>,
    /// Half precision, of servers; here a model computes as it was exported.
    pub half: bool,
    /// The classes to keep; `None` for all.
    pub classes: Option<Vec<u32>>,
    /// The most boxes a frame.
    pub max_det: usize,
}

impl DetectParams {
    // What a candidate of any class must be surer than.
    fn lowest_conf(&self) -> f32 {
        self.class_conf.values().copied().fold(self.conf, f32::min)
    }
}

/// A model that has been loaded and found to be a detector; clones share it.
#[derive(Clone)]
pub struct Detector(Arc<Loaded>);

struct Loaded {
    facts: ModelFacts,
    profile: Profile,
    /// Whether it takes half precision.
    is_half: bool,
    /// The names of its input and of the output that is read.
    ports: (String, String),
    network: WatchedNetwork,
}

impl Detector {
    /// Loads a model, with class names from the file `names` if there is one.
    ///
    /// # Errors
    ///
    /// One sentence for the user: what is wrong with the model, and what would do.
    pub fn load(
        source: &ModelSource,
        names: Option<&Path>,
        options: &LoadOptions,
    ) -> Result<Self, ModelError> {
        let content = source.content()?;
        let (header, facts, profile) = describe(source, &content, names)?;
        let options = LoadOptions {
            packs_weights: false,
            ..*options
        };
        match load(options, &header, content.into()) {
            Ok(network) => Ok(Self(Arc::new(Loaded {
                facts,
                profile,
                is_half: header.inputs.iter().any(|input| input.element == FLOAT16),
                ports: header.ports(),
                network,
            }))),
            Err(cause) => Err(ModelError::Engine {
                name: facts.name,
                engine: options.engine,
                device: options.device,
                cause,
            }),
        }
    }

    /// What the model says of itself.
    pub fn facts(&self) -> &ModelFacts {
        &self.0.facts
    }

    /// A session with its own threads, for one lane.
    ///
    /// # Errors
    ///
    /// Of class `model` where the engine cannot make one.
    pub fn session(&self) -> Result<DetectorSession, Failure> {
        let session = guarded(|| self.0.network.session());
        Ok(DetectorSession {
            session: session.map_err(|cause| self.0.failure(&cause))?,
            model: Arc::clone(&self.0),
        })
    }

    /// A frame fitted to what the model takes, at `imgsz` where it leaves the choice.
    ///
    /// # Errors
    ///
    /// The frame's own where it is a gap; of class `media` where it has no RGB pixels.
    pub fn fit(&self, frame: &Frame, imgsz: Option<u32>) -> Result<FittedFrame, Failure> {
        self.0.fit(frame, imgsz)
    }

    /// Whether it takes several frames at once.
    pub fn takes_batches(&self) -> bool {
        self.0.profile.takes_batches
    }

    /// The most frames of this input size that may go through the model at once: 1 where it was
    /// exported for one.
    pub fn most_at_once(&self, input: Size) -> usize {
        match self.takes_batches() {
            true => most_inputs(FittedFrame::bytes(input)),
            false => 1,
        }
    }

    /// What `params` ask for and this model cannot do: sentences to be shown once. `is_written` says
    /// which keys of a stage the user wrote: what has no effect is told of those alone.
    pub fn notices(&self, params: &DetectParams, is_written: impl Fn(&str) -> bool) -> Vec<String> {
        let name = &self.0.facts.name;
        let mut notices = Vec::new();
        notices.extend(self.other_size(params.imgsz, is_written("imgsz")));
        if !self.0.profile.is_named() {
            let why = match &self.0.profile.unread_names {
                Some(written) => format!("its `names` cannot be read: {}", excerpt(written)),
                None => "its metadata has no `names`".to_owned(),
            };
            notices.push(format!(
                "{name} does not name its classes ({why}), so they are called by their numbers; \
                 `names` of the stage is a file of them: one a line, JSON, or Ultralytics' \
                 data.yaml"
            ));
        }
        if params.half && !self.0.is_half && is_written("half") {
            notices.push(format!(
                "{name} was exported in single precision and computes in it: half = true has no effect"
            ));
        }
        notices
    }
}

impl Detector {
    // What is told where frames are fitted to another size than the model was exported for.
    fn other_size(&self, imgsz: Option<u32>, is_written: bool) -> Option<String> {
        let (facts, imgsz) = (&self.0.facts, imgsz?);
        let name = &facts.name;
        match (facts.fixed_size, facts.imgsz) {
            (Some(size), _) if (size.width, size.height) != (imgsz, imgsz) => {
                is_written.then(|| {
                    format!(
                        "{name} was exported for {size} and keeps that size: imgsz = {imgsz} has no \
                         effect"
                    )
                })
            }
            (None, Some(own)) if own != imgsz => Some(format!(
                "{name} was exported for {own} px, and imgsz = {imgsz}: it may miss objects or find \
                 wrong ones at another size; imgsz = {own} looks at frames as it was made to"
            )),
            _ => None,
        }
    }
}

impl Loaded {
    fn failure(&self, cause: &EngineError) -> Failure {
        let name = &self.facts.name;
        Failure::new(Class::Model, format!("{name} could not be run: {cause}"))
    }

    /// What the model found in each of `frames`, which it was given at once.
    fn found(
        &self,
        outputs: &[Tensor],
        frames: &[(&FittedFrame, &DetectParams)],
    ) -> Result<Vec<Vec<Detection>>, EngineError> {
        let [output] = outputs else {
            return Err(EngineError::new("it gives nothing"));
        };
        let dims: Vec<_> = output.shape.iter().map(|&side| Some(side)).collect();
        let (layout, _) = self
            .profile
            .layout(&dims)
            .map_err(|found| EngineError(format!("it {found}")))?;
        let wrong = || match frames.len() {
            1 => EngineError::new("its output is not for one frame"),
            count => EngineError(format!("its output is not for {count} frames")),
        };
        let &[count, middle, last] = &output.shape[..] else {
            return Err(wrong());
        };
        let each = middle.checked_mul(last).ok_or_else(wrong)?;
        if count != frames.len() || each.checked_mul(count) != Some(output.data.len()) {
            return Err(wrong());
        }
        let of = |(index, (frame, params)): (usize, &(&FittedFrame, &DetectParams))| {
            let data = output.data.get(index * each..(index + 1) * each);
            let data = data.unwrap_or_default();
            let candidates = layout.candidates(data, (middle, last), params.lowest_conf());
            self.detections(layout, candidates, frame, params)
        };
        Ok(frames.iter().enumerate().map(of).collect())
    }

    /// The candidates of the wanted classes that stand, in pixels of the source of `frame`.
    fn detections(
        &self,
        layout: Layout,
        candidates: Vec<Candidate>,
        frame: &FittedFrame,
        params: &DetectParams,
    ) -> Vec<Detection> {
        select(layout, candidates, params)
            .into_iter()
            .map(|kept| Detection {
                bbox: frame.back(kept.bbox),
                class: kept.class,
                class_name: self.profile.class_name(kept.class),
                confidence: kept.score,
                parent: None,
                sight: None,
            })
            .collect()
    }

    fn fit(&self, frame: &Frame, imgsz: Option<u32>) -> Result<FittedFrame, Failure> {
        let imgsz = imgsz.or(self.facts.imgsz).unwrap_or(USUAL_IMGSZ);
        let target = self.profile.target(imgsz);
        FittedFrame::new(frame, |size| match self.profile.fixed_size {
            Some(_) => Letterbox::fixed(size, target),
            None => Letterbox::tight(size, target, self.profile.stride),
        })
    }
}

/// One thread's access to a detector.
pub struct DetectorSession {
    model: Arc<Loaded>,
    session: WatchedSession,
}

impl DetectorSession {
    /// The objects in a frame that has RGB pixels, the surest first, in pixels of its source.
    ///
    /// # Errors
    ///
    /// The frame's own where it is a gap; of class `media` where it has no RGB pixels; of
    /// class `model` where the model cannot be run.
    pub fn detect(
        &mut self,
        frame: &Frame,
        params: &DetectParams,
    ) -> Result<Vec<Detection>, Failure> {
        let fitted = self.model.fit(frame, params.imgsz)?;
        let found = self.detect_fitted(&[(&fitted, params)])?;
        Ok(found.into_iter().next().unwrap_or_default())
    }

    /// The objects in each of `frames`, all of one [input size](FittedFrame::input) and at most
    /// [`Detector::most_at_once`]; the same as of each alone, but for what the model makes of
    /// several at once. `imgsz` of the parameters is what they were fitted to.
    ///
    /// # Errors
    ///
    /// Of class `model` where the model cannot be run.
    pub fn detect_fitted(
        &mut self,
        frames: &[(&FittedFrame, &DetectParams)],
    ) -> Result<Vec<Vec<Detection>>, Failure> {
        let fitted: Vec<&FittedFrame> = frames.iter().map(|(frame, _)| *frame).collect();
        let found = FittedFrame::stacked(&fitted)
            .and_then(|tensor| {
                let (into, from) = self.model.ports.clone();
                let input = (into, Input::Floats(tensor));
                guarded(|| self.session.run(vec![input], vec![from]))
            })
            .and_then(|outputs| self.model.found(&outputs, frames));
        found.map_err(|cause| self.model.failure(&cause))
    }

    /// Whether it answers nothing any more, since the model took too much memory or time: another
    /// session is needed.
    pub fn is_lost(&self) -> bool {
        self.session.is_lost()
    }
}

/// The candidates of the wanted classes that stand, the surest first.
fn select(layout: Layout, mut found: Vec<Candidate>, params: &DetectParams) -> Vec<Candidate> {
    if let Some(classes) = &params.classes {
        found.retain(|candidate| classes.contains(&candidate.class));
    }
    if !params.class_conf.is_empty() {
        let least = |class: u32| params.class_conf.get(&class).unwrap_or(&params.conf);
        found.retain(|candidate| candidate.score > *least(candidate.class));
    }
    match layout {
        Layout::EndToEnd => {
            sort(&mut found);
            found.truncate(params.max_det);
            found
        }
        Layout::Columns | Layout::Rows | Layout::Objectness => {
            suppress(found, params.iou, params.max_det)
        }
    }
}
