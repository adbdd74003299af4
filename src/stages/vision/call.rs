//! `yolo` and `http` on a remote backend: JPEGs as one request, and its answer for each frame.
//!
//! The recipe's mapping says what the request and its answer look like. A batch that the workers have
//! not the memory for is cut, and so is every larger one after it, before it is sent.

use crate::backends::Remote;
use crate::backends::Submission;
use crate::backends::remote::mapping;
use crate::backends::remote::mapping::Mapping;
use crate::backends::remote::mapping::Sizes;
use crate::backends::transport::form::Attachment;
use crate::engine::BoxFuture;
use crate::engine::Call;
use crate::engine::Heard;
use crate::engine::Submitted;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Detections;
use crate::item::Found;
use crate::item::Frame;
use crate::item::Item;
use crate::item::Moment;
use crate::item::Repeat;
use crate::item::Size;
use crate::name::StageId;
use crate::name::Ticket;
use crate::name::VideoId;
use crate::recipe::box_values;
use crate::stages::batch::cut;
use crate::stages::redacted::Redacted;
use crate::stages::trial::RenderedRequest;
use crate::stages::trial::Trial;
use crate::stages::trial::TrialAnswer;
use crate::stages::vision::kept::KeptObjects;
use crate::template::Data;
use crate::template::Names;
use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

// The media type of a frame that leaves the machine.
const JPEG: &str = "image/jpeg";

/// Has `stage` ask `remote`, with the parameters `params` and as `mapping` says; `kept` is what is
/// kept of the objects that it finds, where that is not all, and `videos` are the values that a
/// request may take of each video.
pub fn vision_call(
    stage: &StageId,
    params: &Map<String, Value>,
    mapping: Mapping,
    kept: Option<KeptObjects>,
    remote: impl Into<Remote>,
    videos: &BTreeMap<VideoId, Map<String, Value>>,
) -> Arc<Redacted<VisionCall>> {
    let videos = videos.iter().map(|(id, facts)| (*id, Data::new(facts)));
    let remote = remote.into();
    let redaction = remote.redaction().clone();
    let call = VisionCall {
        stage: stage.clone(),
        params: Data::new(params),
        videos: videos.collect(),
        mapping,
        kept,
        remote,
        most: AtomicUsize::new(usize::MAX),
        is_read: AtomicBool::new(false),
    };
    Redacted::new(call, &redaction)
}

/// A stage that asks a remote backend about frames.
pub struct VisionCall {
    stage: StageId,
    params: Data,
    videos: BTreeMap<VideoId, Data>,
    mapping: Mapping,
    kept: Option<KeptObjects>,
    remote: Remote,
    // The most frames that the workers have the memory for, as far as it is known.
    most: AtomicUsize,
    // Whether an answer has been read.
    is_read: AtomicBool,
}

impl VisionCall {
    // What a request may say of what it is about, the frames themselves aside.
    fn names(&self, item: &Item) -> Names {
        if let Item::Detections(found) = item {
            return self.names_of_boxes(found);
        }
        let frames = frames(item);
        let sent = frames.iter().filter(|frame| frame.content.is_ok());
        let about = sent.map(|frame| about(&frame.moment, Some(frame.size)));
        let about: Vec<Value> = about.collect();
        let first = about.first().map(Data::new);
        let video = self.videos.get(&item.video()).cloned();
        Names::default()
            .with("params", self.params.clone())
            .with("frames", Data::new(&about))
            .with("frame", first.unwrap_or_default())
            .with("video", video.unwrap_or_default())
    }

    fn names_of_boxes(&self, found: &Detections) -> Names {
        let objects: Vec<_> = match &found.found {
            Found::Objects(objects) => objects.iter().map(box_values).collect(),
            _ => Vec::new(),
        };
        let video = self.videos.get(&found.moment.video).cloned();
        Names::default()
            .with("params", self.params.clone())
            .with("objects", Data::new(&objects))
            .with("frame", Data::new(&about(&found.moment, None)))
            .with("video", video.unwrap_or_default())
    }

    // Refused here where it is known that the workers run out of memory.
    fn fits(&self, item: &Item) -> Result<(), Failure> {
        let most = self.most.load(Ordering::Relaxed);
        if frames(item).len() <= most {
            return Ok(());
        }
        let why = format!("the workers ran out of memory above {most} frames a request");
        Err(Failure::new(Class::OutOfMemory, why))
    }

    fn answer(&self, item: &Item, output: &Value) -> Result<Vec<Item>, Failure> {
        if let Item::Detections(boxes) = item {
            return Ok(vec![self.about_boxes(boxes, output)?]);
        }
        let frames = frames(item);
        let sent = frames.iter().filter(|frame| frame.content.is_ok());
        let sizes: Vec<_> = sent
            .map(|frame| Sizes {
                sent: frame.size,
                source: frame.source,
            })
            .collect();
        let lists = match sizes.as_slice() {
            [] => Vec::new(),
            sizes => self.found(output, sizes)?,
        };
        let mut lists = lists.into_iter();
        let found = frames.iter().map(|frame| match &frame.content {
            Err(failure) => Found::without_answer(failure),
            // As many as were sent.
            Ok(_) => lists.next().unwrap_or_else(|| Found::Error(no_jpeg())),
        });
        let found: Vec<_> = found.collect();
        let items = frames.iter().zip(found);
        Ok(items
            .map(|(frame, found)| self.item(frame, found))
            .collect())
    }

    // The first answer that cannot be read is told with what would read it.
    fn found(&self, output: &Value, sent: &[Sizes]) -> Result<Vec<Found>, Failure> {
        match self.mapping.found(output, sent) {
            Ok(found) => {
                self.is_read.store(true, Ordering::Relaxed);
                Ok(match &self.kept {
                    Some(kept) => found.into_iter().map(|found| kept.of(found)).collect(),
                    None => found,
                })
            }
            Err(failure) if self.is_read.load(Ordering::Relaxed) => Err(failure),
            Err(failure) => {
                let redaction = self.remote.redaction();
                let help = mapping::help(&self.mapping, output, sent, redaction);
                Err(failure.help(help))
            }
        }
    }

    // No request is sent about a frame without boxes.
    fn about_boxes(&self, boxes: &Detections, output: &Value) -> Result<Item, Failure> {
        if let Some(item) = without_boxes(&self.stage, boxes) {
            return Ok(item);
        }
        // A record has no use for sizes.
        let sizes = Sizes::unscaled(Size {
            width: 0,
            height: 0,
        });
        let mut found = self.found(output, &[sizes])?;
        let found = found.pop().unwrap_or_else(|| Found::Fields(Vec::new()));
        Ok(Item::Detections(Detections {
            stage: self.stage.clone(),
            found,
            ..boxes.clone()
        }))
    }

    // What ran out of memory does so again: from now on, the larger half of it is the most.
    fn learn<T>(&self, item: &Item, answer: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(Failure {
            class: Class::OutOfMemory,
            ..
        }) = &answer
        {
            let half = frames(item).len().div_ceil(2);
            self.most.fetch_min(half, Ordering::Relaxed);
        }
        answer
    }

    fn item(&self, frame: &Frame, found: Found) -> Item {
        let (stage, moment) = (self.stage.clone(), frame.moment.clone());
        Item::Detections(Detections {
            stage,
            moment,
            found,
            same_as: None,
        })
    }

    fn of_repeat(&self, repeat: &Repeat) -> Vec<Item> {
        vec![Item::Detections(Detections::of_repeat(&self.stage, repeat))]
    }
}

/// What `stage` has to say of a frame that has no boxes; `None` where there are some to be asked
/// about.
pub(in crate::stages) fn without_boxes(stage: &StageId, boxes: &Detections) -> Option<Item> {
    let why = match (&boxes.found, boxes.same_as) {
        (Found::Objects(_), None) => return None,
        (Found::Skipped(why), _) => why.clone(),
        _ => format!("`{}` has no answer for it", boxes.stage),
    };
    Some(Item::Detections(Detections {
        stage: stage.clone(),
        found: Found::Skipped(why),
        ..boxes.clone()
    }))
}

impl Call for VisionCall {
    // Nothing to ask where every frame is a gap.
    fn prepare(&self, item: &Item) -> Result<Bytes, Failure> {
        if let Item::Detections(boxes) = item {
            return match (&boxes.found, boxes.same_as) {
                (Found::Objects(_), None) => {
                    let input = self.mapping.request(&self.names(item), &[])?;
                    self.remote.body(&input, &[])
                }
                _ => Ok(Bytes::new()),
            };
        }
        let jpegs = jpegs(item)?;
        if jpegs.is_empty() {
            return Ok(Bytes::new());
        }
        self.fits(item)?;
        let input = self.mapping.request(&self.names(item), &jpegs)?;
        self.remote.body(&input, &attachments(&jpegs))
    }

    fn submit<'a>(
        &'a self,
        item: &'a Item,
        body: Bytes,
        exchange: &'a mut Exchange,
    ) -> BoxFuture<'a, Result<Submitted, Failure>> {
        Box::pin(async move {
            if let Item::Repeat(repeat) = item {
                return Ok(Submitted::Answer(self.of_repeat(repeat)));
            }
            if body.is_empty() {
                return self.answer(item, &Value::Null).map(Submitted::Answer);
            }
            // It may have become known since the body was made.
            self.fits(item)?;
            let names = self.names(item);
            let submitted = self.remote.submit(&names, JPEG, body, exchange).await;
            match self.learn(item, submitted)? {
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
        heard: &'a Heard<'a>,
    ) -> BoxFuture<'a, Result<Vec<Item>, Failure>> {
        Box::pin(async move {
            let output = self.learn(item, self.remote.wait(ticket, exchange, heard).await)?;
            self.answer(item, &output)
        })
    }

    fn cancel<'a>(&'a self, ticket: &'a Ticket, running: bool) -> BoxFuture<'a, bool> {
        Box::pin(self.remote.cancel(ticket, running))
    }

    fn address(&self) -> String {
        self.remote.address()
    }

    fn first_goes_alone(&self) -> bool {
        true
    }

    fn advice(&self) -> Option<String> {
        let most = self.most.load(Ordering::Relaxed);
        (most < usize::MAX).then(|| {
            format!(
                "its workers ran out of memory above {most} frames a request; `--batch-size \
                 {most}` saves the requests that failed"
            )
        })
    }

    fn split(&self, item: &Item) -> Option<(Item, Item)> {
        let most = self.most.load(Ordering::Relaxed);
        let half = frames(item).len() / 2;
        cut(item, if half > most { most } else { half })
    }

    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        match item {
            Item::Repeat(repeat) => return self.of_repeat(repeat),
            Item::Detections(boxes) => {
                return vec![Item::Detections(Detections {
                    stage: self.stage.clone(),
                    found: Found::without_answer(failure),
                    ..boxes.clone()
                })];
            }
            _ => {}
        }
        let found = |frame: &Frame| match &frame.content {
            // A gap has a reason of its own.
            Err(own) => Found::without_answer(own),
            Ok(_) => Found::without_answer(failure),
        };
        frames(item)
            .iter()
            .map(|frame| self.item(frame, found(frame)))
            .collect()
    }
}

impl Trial for VisionCall {
    fn rendered(&self, item: &Item) -> Result<RenderedRequest, Failure> {
        let jpegs = jpegs(item)?;
        let names = self.names(item);
        let fields = self.mapping.request(&names, &jpegs)?;
        Ok(RenderedRequest {
            head: self.remote.show(&names, JPEG)?,
            bytes: self.remote.body(&fields, &attachments(&jpegs))?.len(),
            fields,
        })
    }

    fn ask<'a>(&'a self, item: &'a Item) -> BoxFuture<'a, Result<TrialAnswer, Failure>> {
        Box::pin(async move {
            let body = self.prepare(item)?;
            let mut exchange = Exchange::default();
            let names = self.names(item);
            let submitted = self.remote.submit(&names, JPEG, body, &mut exchange);
            let came = match submitted.await? {
                Submission::Output(output) => output,
                Submission::Ticket(ticket) => {
                    self.remote.wait(&ticket, &mut exchange, &|_| {}).await?
                }
            };
            let read = self.answer(item, &came);
            Ok(TrialAnswer { came, read })
        })
    }
}

// Which frame it is, as requests say it; its size where it is sent.
fn about(moment: &Moment, size: Option<Size>) -> Value {
    json!({
        "index": moment.index,
        "frame_number": moment.frame_number,
        "seconds": moment.seconds,
        "width": size.map(|size| size.width),
        "height": size.map(|size| size.height),
        "parent": moment.part.map(|part| part.parent),
    })
}

fn frames(item: &Item) -> &[Frame] {
    match item {
        Item::Frame(frame) => std::slice::from_ref(frame),
        Item::Batch(batch) => &batch.frames,
        _ => &[],
    }
}

fn attachments(jpegs: &[&Bytes]) -> Vec<Attachment> {
    let jpegs = jpegs.iter().enumerate();
    let attachments = jpegs.map(|(number, jpeg)| Attachment {
        name: format!("{number}.jpg"),
        media_type: JPEG,
        bytes: Bytes::clone(jpeg),
    });
    attachments.collect()
}

// What is sent of `item`: the JPEG of every frame that is no gap.
fn jpegs(item: &Item) -> Result<Vec<&Bytes>, Failure> {
    let contents = frames(item)
        .iter()
        .filter_map(|frame| frame.content.as_ref().ok());
    contents
        .map(|content| content.jpeg.as_ref().ok_or_else(no_jpeg))
        .collect()
}

fn no_jpeg() -> Failure {
    Failure::new(Class::Media, "the frame has no JPEG to be sent")
}

#[cfg(test)]
mod tests {
    use super::vision_call;
    use crate::backends::remote::mapping::Mapping;
    use crate::backends::remote::runpod::Endpoint;
    use crate::backends::remote::runpod::HOST;
    use crate::backends::transport::access::Access;
    use crate::backends::transport::access::Shared;
    use crate::engine::Call;
    use crate::failure::Class;
    use crate::failure::Failure;
    use crate::item::Found;
    use crate::item::Frame;
    use crate::item::Item;
    use crate::item::Moment;
    use crate::item::Size;
    use crate::name::VideoId;
    use crate::recipe::MappingSpec;
    use crate::recipe::RunpodSpec;
    use crate::recipe::YoloSpec;
    use crate::time::Pts;
    use std::collections::BTreeMap;

    #[test]
    fn a_frame_that_was_stopped_on_its_way_here_was_not_looked_at() {
        let access = Access {
            base: "http://127.0.0.1:9".to_owned(),
            shown: None,
            key: None,
            key_host: HOST,
            allowed: Vec::new(),
            from_recipe: false,
            shared: Shared::default(),
        };
        let endpoint = Endpoint::new(&RunpodSpec::default(), "detect", &access).unwrap();
        let mapping = Mapping::new(&MappingSpec::default());
        let (params, videos) = (YoloSpec::default().params(&[]), BTreeMap::new());
        let call = vision_call(&"yolo".into(), &params, mapping, None, endpoint, &videos);
        let size = Size {
            width: 2,
            height: 2,
        };
        let frame = |class| {
            Item::Frame(Frame {
                moment: Moment {
                    video: VideoId(0),
                    index: 0,
                    frame_number: 0,
                    pts: Pts(0),
                    seconds: 0.0,
                    samples: 1,
                    part: None,
                },
                source: size,
                size,
                content: Err(Failure::new(class, "why")),
            })
        };
        let found = |class| match &call.give_up(
            &frame(class),
            &Failure::new(Class::Stopped, "the budget was reached"),
        )[..]
        {
            [Item::Detections(detections)] => detections.found.clone(),
            _ => Found::Objects(Vec::new()),
        };
        assert_eq!(found(Class::Stopped), Found::Skipped("why".to_owned()));
        assert!(matches!(found(Class::Media), Found::Error(_)));
    }
}
