//! Jobs of pictures: what is asked, and the answer, as the handler of vpipe's first users has them.
//!
//! Does not know sessions.

use crate::backends::models::yolo::DetectParams;
use crate::facts::ModelFacts;
use crate::item::Detection;
use crate::media::Picture;
use crate::serve::handlers::detectors::Detectors;
use crate::serve::handlers::detectors::LookedAt;
use crate::serve::handlers::file;
use crate::serve::handlers::keys::Keys;
use crate::serve::handlers::keys::kind;
use crate::serve::handlers::keys::whole;
use crate::serve::handlers::keys::wrong;
use crate::serve::handlers::number::shortest;
use crate::serve::job::JobError;
use futures_util::future::try_join_all;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Objects must be surer than this where a job does not say.
const CONF: f32 = 0.15;
/// What two boxes may share of their union.
const IOU: f32 = 0.5;
/// The side that frames are fitted to, where the model leaves the choice.
const IMGSZ: u32 = 1280;
/// The largest that may be asked for: a frame of it takes 200 MB.
const MOST_IMGSZ: u32 = 4096;
/// The most boxes of a picture.
const MAX_DET: u32 = 300;

/// What a job asks for.
struct Wish {
    pictures: Vec<Picture>,
    is_single: bool,
    params: Arc<DetectParams>,
}

/// Does a job.
pub(super) async fn detect(detectors: &Detectors, keys: Keys<'_>) -> Result<Value, JobError> {
    let wish = wish(keys, detectors.detector().facts())?;
    let look = |picture| detectors.look(picture, &wish.params);
    let looked = try_join_all(wish.pictures.into_iter().map(look)).await?;
    Ok(match (&looked[..], wish.is_single) {
        ([one], true) => single(one),
        (all, _) => batch(all),
    })
}

fn wish(keys: Keys<'_>, facts: &ModelFacts) -> Result<Wish, JobError> {
    keys.flag("half")?;
    let params = DetectParams {
        conf: keys.share("conf")?.unwrap_or(CONF),
        class_conf: BTreeMap::new(),
        iou: keys.share("iou")?.unwrap_or(IOU),
        imgsz: Some(keys.whole("imgsz", 32..=MOST_IMGSZ)?.unwrap_or(IMGSZ)),
        half: false,
        classes: classes(keys, facts)?,
        max_det: keys.whole("max_det", 1..=30_000)?.unwrap_or(MAX_DET) as usize,
    };
    let (pictures, is_single) = pictures(keys)?;
    Ok(Wish {
        pictures,
        is_single,
        params: Arc::new(params),
    })
}

// The pictures, and whether it is one by itself.
fn pictures(keys: Keys<'_>) -> Result<(Vec<Picture>, bool), JobError> {
    if let Some(text) = keys.text("image")? {
        return match keys.has("images") {
            true => Err(JobError("give either `images` or `image`, not both".into())),
            false => Ok((vec![picture(text, "`image`")?], true)),
        };
    }
    let listed = match keys.value("images") {
        Some(Value::Array(listed)) => listed,
        Some(other) => return Err(wrong("images", "a list of pictures in base64", other)),
        None => return Err(no_pictures()),
    };
    if listed.is_empty() {
        return Err(no_pictures());
    }
    let read = |(index, value): (usize, &Value)| {
        let name = format!("`images[{index}]`");
        match value {
            Value::String(text) => picture(text, &name),
            other => Err(JobError(format!(
                "{name} has to be a picture in base64, and is {}",
                kind(other)
            ))),
        }
    };
    let pictures = listed.iter().enumerate().map(read);
    Ok((pictures.collect::<Result<_, _>>()?, false))
}

fn no_pictures() -> JobError {
    JobError("No images provided".to_owned())
}

fn picture(text: &str, name: &str) -> Result<Picture, JobError> {
    let file = file::decoded(text, name)?;
    Picture::new(file, name).map_err(|error| JobError(error.to_string()))
}

// The classes to keep, by number or by name; all where there are none in the list.
fn classes(keys: Keys<'_>, facts: &ModelFacts) -> Result<Option<Vec<u32>>, JobError> {
    let listed = match keys.value("classes") {
        None => return Ok(None),
        Some(Value::Array(listed)) => listed,
        Some(other) => return Err(wrong("classes", "a list of classes", other)),
    };
    let known = &facts.classes;
    let number = |value: &Value| {
        let number = match value {
            Value::String(name) => known.iter().position(|known| **known == **name),
            other => whole(other).map(|number| number as usize),
        };
        // A model that does not say how many it knows may know any.
        let number = number.filter(|number| known.is_empty() || *number < known.len());
        number.and_then(|it| u32::try_from(it).ok()).ok_or_else(|| {
            let what = match value {
                Value::String(name) => format!("`{}`", name.chars().take(60).collect::<String>()),
                other => kind(other),
            };
            let last = known.len().saturating_sub(1);
            JobError(format!(
                "`classes` has {what}, and the classes of the model are 0 to {last}, or their names"
            ))
        })
    };
    let numbers: Vec<u32> = listed.iter().map(number).collect::<Result<_, _>>()?;
    Ok(Some(numbers).filter(|numbers| !numbers.is_empty()))
}

fn batch(looked: &[LookedAt]) -> Value {
    let took: Duration = looked.iter().map(|it| it.took).sum();
    let seconds = took.as_secs_f64();
    let count: Vec<usize> = looked.iter().map(|it| it.objects.len()).collect();
    json!({
        "detections": looked.iter().map(objects).collect::<Vec<_>>(),
        "count": count,
        "inference_time": rounded(seconds, 1e6),
        "batch_size": looked.len(),
        // The clock may be too coarse to see a small frame.
        "throughput": rounded(looked.len() as f64 / seconds.max(1e-6), 1e2),
    })
}

fn single(looked: &LookedAt) -> Value {
    json!({
        "detections": objects(looked),
        "count": looked.objects.len(),
        "inference_time": rounded(looked.took.as_secs_f64(), 1e6),
        "image_size": [looked.size.width, looked.size.height],
        "batch_size": 1,
    })
}

fn objects(looked: &LookedAt) -> Value {
    let object = |it: &Detection| {
        json!({
            "bbox": it.bbox.map(shortest),
            "confidence": shortest(it.confidence),
            "class": it.class,
            "class_name": &*it.class_name,
        })
    };
    looked.objects.iter().map(object).collect()
}

fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}
