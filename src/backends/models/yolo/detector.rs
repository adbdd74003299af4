//! The detector: a checked model, and sessions that find objects in frames.
//!
//! Knows nothing of videos, or of how many sessions there are.

use crate::backends::engine::load::load;
use crate::backends::engine::network::EngineError;
use crate::backends::engine::network::EngineKind;
use crate::backends::engine::network::Input;
use crate::backends::engine::network::Tensor;
use crate::backends::engine::network::guarded;
use crate::backends::engine::watched::WatchedNetwork;
use crate::backends::engine::watched::WatchedSession;
use crate::backends::models::source::ModelError;
use crate::backends::models::source::ModelSource;
use crate::backends::models::source::describe;
use crate::backends::models::yolo::layout::Layout;
use crate::backends::models::yolo::letterbox::Letterbox;
use crate::backends::models::yolo::letterbox::Mapping;
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
use crate::item::PixelFormat;
use crate::item::Pixels;
use crate::item::Size;
use crate::recipe::USUAL_IMGSZ;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// How a model is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LoadOptions {
    /// The library that computes.
    pub engine: EngineKind,
    /// Threads of one session; at least 1.
    pub threads: usize,
    /// Whether a decoder's weights are laid out for several texts at once, at the price of a second
    /// copy of them; rten alone asks.
    pub packs_weights: bool,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            engine: EngineKind::default(),
            threads: 1,
            packs_weights: false,
        }
    }
}

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
    /// Half precision: without meaning on a CPU.
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
        let threads = options.threads.max(1);
        match load(options.engine, &header, content.into(), threads, false) {
            Ok(network) => Ok(Self(Arc::new(Loaded {
                facts,
                profile,
                ports: header.ports(),
                network,
            }))),
            Err(cause) => Err(ModelError::Engine {
                name: facts.name,
                engine: options.engine,
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
        if params.half && is_written("half") {
            notices.push(format!(
                "{name} runs on the CPU, where half = true has no effect"
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

    /// The candidates in what the model gave.
    fn candidates(
        &self,
        outputs: &[Tensor],
        conf: f32,
    ) -> Result<(Layout, Vec<Candidate>), EngineError> {
        let [output] = outputs else {
            return Err(EngineError::new("it gives nothing"));
        };
        let dims: Vec<_> = output.shape.iter().map(|&side| Some(side)).collect();
        let (layout, _) = self
            .profile
            .layout(&dims)
            .map_err(|found| EngineError(format!("it {found}")))?;
        match output.shape[..] {
            [1, middle, last] if middle.checked_mul(last) == Some(output.data.len()) => {
                let shape = (middle, last);
                Ok((layout, layout.candidates(&output.data, shape, conf)))
            }
            _ => Err(EngineError::new("its output is not for one frame")),
        }
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
        let pixels = rgb(frame)?;
        let own = self.model.facts.imgsz;
        let imgsz = params.imgsz.or(own).unwrap_or(USUAL_IMGSZ);
        let letterbox = self.fit(frame.size, imgsz);
        let tensor = letterbox
            .tensor(&pixels.data, frame.size, pixels.stride)
            .ok_or_else(|| Failure::new(Class::Media, "a frame has fewer pixels than it says"))?;
        let Size { width, height } = letterbox.input;
        let tensor = Tensor {
            shape: vec![1, 3, height as usize, width as usize],
            data: tensor,
        };
        let (into, from) = self.model.ports.clone();
        let input = (into, Input::Floats(Arc::new(tensor)));
        let candidates = guarded(|| self.session.run(vec![input], vec![from]))
            .and_then(|outputs| self.model.candidates(&outputs, params.lowest_conf()));
        let (layout, candidates) = candidates.map_err(|cause| self.model.failure(&cause))?;
        let mapping = Mapping::new(letterbox.input, frame.size, frame.source);
        Ok(select(layout, candidates, params)
            .into_iter()
            .map(|kept| Detection {
                bbox: mapping.back(kept.bbox),
                class: kept.class,
                class_name: self.model.profile.class_name(kept.class),
                confidence: kept.score,
                parent: None,
                sight: None,
            })
            .collect())
    }

    fn fit(&self, frame: Size, imgsz: u32) -> Letterbox {
        let profile = &self.model.profile;
        let target = profile.target(imgsz);
        match profile.fixed_size {
            Some(_) => Letterbox::fixed(frame, target),
            None => Letterbox::tight(frame, target, profile.stride),
        }
    }
}

fn rgb(frame: &Frame) -> Result<&Pixels, Failure> {
    let content = frame.content.as_ref().map_err(Clone::clone)?;
    content
        .pixels
        .as_ref()
        .filter(|pixels| pixels.format == PixelFormat::Rgb24)
        .filter(|_| frame.size.width > 0 && frame.size.height > 0)
        .ok_or_else(|| Failure::new(Class::Media, "a frame has no RGB pixels"))
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
