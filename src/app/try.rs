//! `try`: one request of a stage, shown before it is sent; and, where that is asked for, its answer
//! and what the stage makes of it.
//!
//! Nothing is written, and nothing is sent unless that is asked for.

use crate::app::compile;
use crate::app::error::AppError;
use crate::app::inputs;
use crate::app::placement::placements::Placements;
use crate::app::placement::resolve;
use crate::diag::Diagnostic;
use crate::diag::did_you_mean;
use crate::duration::spelled;
use crate::engine::StopSignal;
use crate::facts::VideoFacts;
use crate::failure::Failure;
use crate::item::Batch;
use crate::item::Content;
use crate::item::Detection;
use crate::item::Detections;
use crate::item::Found;
use crate::item::Frame;
use crate::item::Item;
use crate::item::PixelFormat;
use crate::media;
use crate::media::MediaError;
use crate::media::MediaInput;
use crate::media::SoundSelection;
use crate::name::StageId;
use crate::name::VideoId;
use crate::output;
use crate::recipe;
use crate::recipe::Each;
use crate::recipe::ExtractSpec;
use crate::recipe::Medium;
use crate::recipe::Port;
use crate::recipe::Recipe;
use crate::recipe::SoundSpec;
use crate::recipe::Stage;
use crate::recipe::StageSpec;
use crate::speech::AudioData;
use crate::speech::AudioSpan;
use crate::speech::Chunk;
use crate::speech::sample_at;
use crate::stages;
use crate::stages::Trial;
use crate::template::Filled;
use crate::time::TimeRange;
use serde_json::Value;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

// Seconds of sound where the recipe does not say.
const CHUNK: u32 = 30;

// Letters of a text in a request or an answer that is still shown whole.
const LONGEST: usize = 200;

/// What to try.
#[derive(Clone, Debug)]
pub struct TryRequest {
    /// The recipe and what is changed in it.
    pub recipe: recipe::Request,
    /// The stage.
    pub stage: String,
    /// A video, a picture or a folder of pictures.
    pub input: PathBuf,
    /// Which frame, or where the sound begins, from the first frame.
    pub at: Duration,
    /// Whether the request is sent.
    pub send: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct TryReport {
    /// What the request is about, such as `frame 30`.
    pub item: String,
    /// The address and the headers, a line each.
    pub head: String,
    /// The fields; long texts are cut short.
    pub fields: Value,
    /// How many bytes the body has.
    pub bytes: usize,
    /// What a run does otherwise, a sentence each.
    pub notes: Vec<String>,
    /// What was answered, where it was sent.
    pub answer: Option<TryAnswer>,
}

/// What a server answered.
#[derive(Clone, Debug)]
pub struct TryAnswer {
    /// The answer as it came, long texts cut short; or why there is none.
    pub came: Result<Value, String>,
    /// What the stage makes of it; or why it cannot.
    pub read: Result<Value, String>,
}

/// Makes the request of a stage about one item of an input, and sends it where that is asked for.
///
/// # Errors
///
/// Where there is no request: the recipe or the arguments are wrong, the stage sends no request, or the
/// input cannot be read. What a server does about it stands in the outcome.
pub fn try_stage(request: &TryRequest) -> Result<TryReport, AppError> {
    media::init();
    let recipe = compile::load(&request.recipe)?;
    let stage = stage(&recipe, &request.stage)?;
    let input = media::identify(&request.input).map_err(|error| unreadable(&error))?;
    let extract = ExtractSpec {
        start: request.at,
        end: None,
        ranges: Vec::new(),
        ..inputs::extract(&recipe)
    };
    let wanted = stages::wanted(&extract, PixelFormat::I420, None);
    let facts =
        media::probe(&input, VideoId::FIRST, &wanted).map_err(|error| unreadable(&error))?;
    let allowed = &request.recipe.allowed_hosts;
    let placements = resolve::resolve(&recipe, allowed, std::slice::from_ref(&facts))?;
    let trial = trial(&placements, &stage.id)?;
    let source = Source {
        input: &input,
        facts: &facts,
        at: request.at,
    };
    let (item, notes) = match (stage.spec.sound(), stage.spec.medium()) {
        (Some(sound), _) => (source.sound(sound)?, Vec::new()),
        (None, Some(Medium::Boxes)) => {
            let (frame, _) = source.frames(&recipe, stage, &extract)?;
            boxes(stage, &frame)
        }
        (None, Some(Medium::Frames | Medium::Sound) | None) => {
            source.frames(&recipe, stage, &extract)?
        }
    };
    let failed = |failure: Failure| AppError::environment(&failure);
    let rendered = trial.rendered(&item).map_err(failed)?;
    let answer = match request.send {
        false => None,
        true => {
            permitted(&placements)?;
            Some(send(&*trial, &item)?)
        }
    };
    Ok(TryReport {
        item: item.to_string(),
        head: rendered.head,
        fields: short(&shown(&rendered.fields)),
        bytes: rendered.bytes,
        notes,
        answer,
    })
}

fn stage<'a>(recipe: &'a Recipe, name: &str) -> Result<&'a Stage, AppError> {
    let ids = || recipe.stages.iter().map(|stage| stage.id.as_str());
    let mut stages = recipe.stages.iter();
    stages
        .find(|stage| stage.id.as_str() == name)
        .ok_or_else(|| {
            let help = match did_you_mean(name, ids()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("its stages: {}", ids().collect::<Vec<_>>().join(", ")),
            };
            AppError::Request {
                message: format!("the recipe has no stage `{name}`"),
                help: Some(help),
            }
        })
}

fn trial(placements: &Placements, stage: &StageId) -> Result<Arc<dyn Trial>, AppError> {
    // What it lacks of its environment is what to say first.
    if let Some(Diagnostic { message, help, .. }) = placements.missing.first() {
        return Err(AppError::Environment {
            message: message.clone(),
            help: help.clone(),
        });
    }
    placements
        .trials
        .get(stage)
        .cloned()
        .ok_or_else(|| AppError::Request {
            message: format!("`{stage}` asks no server that a recipe describes"),
            help: Some(
                "stages of kind `http` can be tried, and `yolo` with a backend of kind `http` or \
                 `runpod`"
                    .to_owned(),
            ),
        })
}

fn permitted(placements: &Placements) -> Result<(), AppError> {
    match placements.unallowed.first() {
        Some(Diagnostic { message, help, .. }) => Err(AppError::Environment {
            message: message.clone(),
            help: help.clone(),
        }),
        None => Ok(()),
    }
}

fn send(trial: &dyn Trial, item: &Item) -> Result<TryAnswer, AppError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| AppError::environment(&error))?;
    let described = |failure: Failure| format!("{} ({})", failure.message, failure.class);
    Ok(match runtime.block_on(trial.ask(item)) {
        Ok(answer) => TryAnswer {
            came: Ok(short(&answer.came)),
            read: answer
                .read
                .map(|items| items.iter().map(found).collect())
                .map_err(described),
        },
        Err(failure) => {
            let why = described(failure);
            TryAnswer {
                came: Err(why.clone()),
                read: Err(why),
            }
        }
    })
}

// The answer of a stage, as it stands in the results.
fn found(item: &Item) -> Value {
    match item {
        Item::Detections(found) => json!(output::entry(found)),
        Item::ChunkTranscript(transcript) => match &transcript.recognition {
            Ok(recognition) => json!(recognition),
            Err(failure) => json!({ "error": failure.class }),
        },
        _ => Value::Null,
    }
}

// What the request is made of.
struct Source<'a> {
    input: &'a MediaInput,
    facts: &'a VideoFacts,
    at: Duration,
}

impl Source<'_> {
    // And what a run does otherwise.
    fn frames(
        &self,
        recipe: &Recipe,
        stage: &Stage,
        extract: &ExtractSpec,
    ) -> Result<(Item, Vec<String>), AppError> {
        let mut notes = Vec::new();
        notes.extend(stage.inputs.iter().find_map(|input| match input.port {
            Port::Crops => Some(format!(
                "a run asks about what `{}` finds in the frame, cut out of it",
                input.stage
            )),
            Port::Frames => Some(format!(
                "a run asks about the frames in which `{}` finds something",
                input.stage
            )),
            Port::Main | Port::Boxes | Port::Sound => None,
        }));
        let size = batch_size(recipe, stage);
        let wanted = stages::wanted(extract, PixelFormat::I420, None);
        let stop = StopSignal::default();
        let failed = |error: MediaError| AppError::environment(&error);
        let frames = media::frames(self.input, self.facts, &wanted, stop.flag()).map_err(failed)?;
        let mut taken = Vec::new();
        for frame in frames.take(size.unwrap_or(1)) {
            let frame = frame.map_err(failed)?;
            let jpeg = match &frame.content {
                Ok(Content {
                    pixels: Some(pixels),
                    ..
                }) => media::encode_jpeg(pixels, frame.size, extract.quality).map_err(failed)?,
                Ok(_) => continue,
                Err(failure) => return Err(AppError::environment(failure)),
            };
            let content = Ok(Content {
                pixels: None,
                jpeg: Some(jpeg),
            });
            taken.push(Frame { content, ..frame });
        }
        let first = taken.first().cloned().ok_or_else(|| AppError::Request {
            message: format!("there is no frame at {} s", self.at.as_secs_f64()),
            help: self.facts.duration.map(|seconds| {
                let length = spelled(Duration::try_from_secs_f64(seconds).unwrap_or_default());
                format!("the video has {length}; `--at` counts from its first frame")
            }),
        })?;
        let item = match size {
            None => Item::Frame(first),
            Some(_) => Item::Batch(Batch {
                video: self.facts.id,
                frames: taken,
            }),
        };
        Ok((item, notes))
    }

    fn sound(&self, spec: &SoundSpec) -> Result<Item, AppError> {
        let at = self.at.as_secs_f64();
        let until = self.at + Duration::from_secs(spec.chunk.unwrap_or(CHUNK).into());
        let range = TimeRange {
            start: self.at,
            end: Some(until),
        };
        let wanted = SoundSelection {
            track: spec.track,
            ranges: range.into(),
        };
        let stop = StopSignal::default();
        let failed = |error: MediaError| AppError::environment(&error);
        let pieces = media::sound(self.input, self.facts, &wanted, stop.flag()).map_err(failed)?;
        let start = sample_at(at + self.facts.start_offset());
        let mut samples = Vec::new();
        for piece in pieces {
            let piece = piece.map_err(failed)?;
            // Between two pieces there is silence; what is before the first frame is left out.
            let place = piece.start.saturating_sub(start) as usize;
            let before = start.saturating_sub(piece.start) as usize;
            samples.resize(place.max(samples.len()), 0_i16);
            samples.extend_from_slice(piece.samples.get(before..).unwrap_or_default());
        }
        if samples.is_empty() {
            return Err(AppError::Request {
                message: format!("there is no sound at {at} s"),
                help: None,
            });
        }
        let range = start..start + samples.len() as u64;
        let file = media::encode_sound(&samples, spec.codec).map_err(failed)?;
        Ok(Item::Chunk(Chunk {
            span: AudioSpan {
                video: self.facts.id,
                range: range.clone(),
                own: range,
            },
            content: Ok(AudioData::File {
                codec: spec.codec,
                file,
            }),
        }))
    }
}

// An example of what another stage finds: it is not run here.
fn boxes(stage: &Stage, frame: &Item) -> (Item, Vec<String>) {
    let (Item::Frame(frame), Some(input)) = (frame, stage.inputs.first()) else {
        return (frame.clone(), Vec::new());
    };
    let (width, height) = (frame.source.width as f32, frame.source.height as f32);
    let example = Detection {
        bbox: [width / 4.0, height / 4.0, width / 2.0, height / 2.0],
        class_name: "example".into(),
        confidence: 0.5,
        ..Detection::default()
    };
    let found = Item::Detections(Detections {
        stage: input.stage.clone(),
        moment: frame.moment.clone(),
        found: Found::Objects(vec![example]),
        same_as: None,
    });
    let note = format!(
        "a run asks about what `{}` finds, not about this box",
        input.stage
    );
    (found, vec![note])
}

// The frames of one request; `None` where it is about a single one.
fn batch_size(recipe: &Recipe, stage: &Stage) -> Option<usize> {
    if let StageSpec::Http(http) = &stage.spec
        && http.each == Each::Item
    {
        return None;
    }
    recipe.batch_size(stage)
}

fn unreadable(error: &MediaError) -> AppError {
    match error {
        MediaError::Missing { .. } => AppError::request(error),
        _ => AppError::environment(error),
    }
}

// Files are called what they are: they are no JSON.
fn shown(fields: &Filled) -> Value {
    match fields {
        Filled::Data(data) => match (data.as_file(), data.items()) {
            (Some(number), _) => Value::from(format!("(file {number})")),
            (None, Some(items)) => items
                .into_iter()
                .map(Filled::Data)
                .map(|it| shown(&it))
                .collect(),
            (None, None) => data.json().unwrap_or_default(),
        },
        Filled::List(items) => items.iter().map(shown).collect(),
        Filled::Table(fields) => {
            let fields = fields.iter();
            fields
                .map(|(name, value)| (name.clone(), shown(value)))
                .collect()
        }
    }
}

// Frames and other long texts, cut short.
fn short(value: &Value) -> Value {
    match value {
        Value::String(text) if text.len() > LONGEST => {
            let begin: String = text.chars().take(LONGEST / 5).collect();
            Value::from(format!("{begin}... ({} bytes)", text.len()))
        }
        Value::Array(items) => items.iter().map(short).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            fields
                .map(|(name, value)| (name.clone(), short(value)))
                .collect()
        }
        other => other.clone(),
    }
}
