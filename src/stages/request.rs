//! `yolo` at a server: a batch of JPEGs as one job, and its answer read with suspicion.
//!
//! The job is what the handler of RunPod's users takes (`images`, `conf`, `iou`, `imgsz`, `half`,
//! `classes`) and gives (`detections` for each image, also under `results`). An answer for more
//! or fewer images than were sent is no answer.

use super::batch::halves;
use crate::backends::mapping::base64;
use crate::backends::runpod::Endpoint;
use crate::backends::runpod::Submission;
use crate::engine::BoxFuture;
use crate::engine::Call;
use crate::engine::Submitted;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Detection;
use crate::item::Detections;
use crate::item::Found;
use crate::item::Item;
use crate::item::Picture;
use crate::name::StageId;
use crate::name::Ticket;
use crate::recipe::YoloSpec;
use bytes::Bytes;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;

/// Asks `endpoint` as `stage`.
pub fn request(stage: &StageId, spec: &YoloSpec, endpoint: Endpoint) -> Arc<dyn Call> {
    let mut parameters = json!({
        "conf": spec.conf,
        "iou": spec.iou,
        "imgsz": spec.imgsz,
        "half": spec.half,
    });
    if !spec.classes.is_empty() {
        parameters["classes"] = json!(spec.classes);
    }
    Arc::new(Request {
        stage: stage.clone(),
        parameters,
        endpoint,
    })
}

struct Request {
    stage: StageId,
    parameters: Value,
    endpoint: Endpoint,
}

impl Request {
    fn answer(&self, item: &Item, output: &Value) -> Result<Vec<Item>, Failure> {
        let pictures = pictures(item);
        let sent = pictures
            .iter()
            .filter(|picture| jpeg(picture).is_some())
            .count();
        let lists = output
            .get("detections")
            .or_else(|| output.get("results"))
            .unwrap_or(output);
        let lists = lists
            .as_array()
            .ok_or_else(|| bad("it has no list of detections"))?;
        if lists.len() != sent {
            return Err(bad(&format!(
                "{sent} images were sent and {} answered",
                lists.len()
            )));
        }
        let mut lists = lists.iter();
        let found = pictures
            .iter()
            .map(|picture| match (&picture.content, jpeg(picture)) {
                (Err(failure), _) => Ok(self.item(picture, Found::Error(failure.clone()))),
                (Ok(_), None) => Ok(self.item(picture, Found::Error(no_jpeg()))),
                (Ok(_), Some(_)) => {
                    let objects = objects(lists.next().unwrap_or(&Value::Null), picture)?;
                    Ok(self.item(picture, Found::Objects(objects)))
                }
            });
        found.collect()
    }

    fn item(&self, picture: &Picture, found: Found) -> Item {
        let (stage, moment) = (self.stage.clone(), picture.moment.clone());
        Item::Detections(Detections {
            stage,
            moment,
            found,
        })
    }
}

impl Call for Request {
    // Nothing to ask where every picture is a gap.
    fn prepare(&self, item: &Item) -> Result<Bytes, Failure> {
        let jpegs: Vec<&Bytes> = pictures(item).iter().filter_map(jpeg).collect();
        if jpegs.is_empty() {
            return Ok(Bytes::new());
        }
        let images: Vec<_> = jpegs.iter().map(|jpeg| base64(jpeg)).collect();
        let mut input = self.parameters.clone();
        input["images"] = Value::from(images);
        self.endpoint.body(&input)
    }

    fn submit<'a>(
        &'a self,
        item: &'a Item,
        body: Bytes,
        exchange: &'a mut Exchange,
    ) -> BoxFuture<'a, Result<Submitted, Failure>> {
        Box::pin(async move {
            if body.is_empty() {
                return self.answer(item, &json!([])).map(Submitted::Answer);
            }
            match self.endpoint.submit(body, exchange).await? {
                Submission::Ticket(ticket) => Ok(Submitted::Ticket(ticket)),
                Submission::Output(output) => self.answer(item, &output).map(Submitted::Answer),
            }
        })
    }

    fn wait<'a>(
        &'a self,
        item: &'a Item,
        ticket: &'a Ticket,
        exchange: &'a mut Exchange,
    ) -> BoxFuture<'a, Result<Vec<Item>, Failure>> {
        Box::pin(async move { self.answer(item, &self.endpoint.wait(ticket, exchange).await?) })
    }

    fn cancel<'a>(&'a self, ticket: &'a Ticket, running: bool) -> BoxFuture<'a, bool> {
        Box::pin(self.endpoint.withdraw(ticket, running))
    }

    fn split(&self, item: &Item) -> Option<(Item, Item)> {
        halves(item)
    }

    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        let found = |picture: &Picture| match &picture.content {
            // A gap has a reason of its own.
            Err(own) => Found::Error(own.clone()),
            Ok(_) => Found::without_answer(failure),
        };
        pictures(item)
            .iter()
            .map(|picture| self.item(picture, found(picture)))
            .collect()
    }
}

fn pictures(item: &Item) -> &[Picture] {
    match item {
        Item::Picture(picture) => std::slice::from_ref(picture),
        Item::Batch(batch) => &batch.pictures,
        _ => &[],
    }
}

fn jpeg(picture: &Picture) -> Option<&Bytes> {
    picture.content.as_ref().ok()?.jpeg.as_ref()
}

fn no_jpeg() -> Failure {
    Failure::new(Class::Media, "the picture has no JPEG to be sent")
}

fn bad(why: &str) -> Failure {
    Failure::new(
        Class::BadAnswer,
        format!("the answer cannot be used: {why}"),
    )
}

// The objects of one image: a list, or an object with a list. Boxes are corners in pixels of the
// picture that was sent, and are given in pixels of the source.
fn objects(list: &Value, picture: &Picture) -> Result<Vec<Detection>, Failure> {
    let list = list.get("detections").unwrap_or(list);
    let list = list
        .as_array()
        .ok_or_else(|| bad("an image has no list of objects"))?;
    let scale = |source: u32, sent: u32| source as f32 / sent.max(1) as f32;
    let x = scale(picture.source.width, picture.size.width);
    let y = scale(picture.source.height, picture.size.height);
    let object = |value: &Value| -> Option<Detection> {
        let corners = value.get("bbox")?.as_array()?;
        let number = |value: &Value| value.as_f64().filter(|n| n.is_finite()).map(|n| n as f32);
        let corners: Vec<f32> = corners.iter().map(number).collect::<Option<_>>()?;
        let [x1, y1, x2, y2] = corners[..] else {
            return None;
        };
        let class = u32::try_from(value.get("class")?.as_u64()?).ok()?;
        let name = value.get("class_name").and_then(Value::as_str);
        Some(Detection {
            bbox: [x1 * x, y1 * y, x2 * x, y2 * y],
            class,
            class_name: name.map_or_else(|| class.to_string().into(), Arc::from),
            confidence: number(value.get("confidence")?)?.clamp(0.0, 1.0),
        })
    };
    list.iter()
        .map(|value| {
            object(value).ok_or_else(|| bad("an object lacks its box, class or confidence"))
        })
        .collect()
}
