//! `yolo` at a server: a batch of JPEGs as one job, and its answer for each picture.
//!
//! What the job and its answer look like is a matter of the recipe. A batch that the workers have
//! not the memory for is cut, and so is every larger one after it, before it is sent.

use super::batch::cut;
use crate::backends::mapping::Mapping;
use crate::backends::mapping::Sizes;
use crate::backends::runpod::Endpoint;
use crate::backends::runpod::Submission;
use crate::backends::service::Service;
use crate::engine::BoxFuture;
use crate::engine::Call;
use crate::engine::Submitted;
use crate::exchange::Exchange;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Detections;
use crate::item::Found;
use crate::item::Item;
use crate::item::Picture;
use crate::item::Repeat;
use crate::name::StageId;
use crate::name::Ticket;
use crate::recipe::YoloSpec;
use crate::template::Filled;
use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

/// Who is asked.
pub enum Asked {
    /// An endpoint, which gives tickets.
    Endpoint(Box<Endpoint>),
    /// A service, which answers at once.
    Service(Service),
}

impl From<Endpoint> for Asked {
    fn from(endpoint: Endpoint) -> Self {
        Self::Endpoint(Box::new(endpoint))
    }
}

impl From<Service> for Asked {
    fn from(service: Service) -> Self {
        Self::Service(service)
    }
}

impl Asked {
    fn body(&self, input: &Filled) -> Result<Bytes, Failure> {
        match self {
            Self::Endpoint(endpoint) => endpoint.body(input),
            Self::Service(service) => service.body(input),
        }
    }

    async fn submit(&self, body: Bytes, exchange: &mut Exchange) -> Result<Submission, Failure> {
        match self {
            Self::Endpoint(endpoint) => endpoint.submit(body, exchange).await,
            Self::Service(service) => {
                let output = service.ask(body, exchange).await?;
                Ok(Submission::Output(output))
            }
        }
    }

    async fn wait(&self, ticket: &Ticket, exchange: &mut Exchange) -> Result<Value, Failure> {
        match self {
            Self::Endpoint(endpoint) => endpoint.wait(ticket, exchange).await,
            Self::Service(_) => Err(Failure::new(Class::Lost, "a service gives no tickets")),
        }
    }

    async fn withdraw(&self, ticket: &Ticket, running: bool) -> bool {
        match self {
            Self::Endpoint(endpoint) => endpoint.withdraw(ticket, running).await,
            Self::Service(_) => false,
        }
    }
}

/// Asks `asked` as `stage`, in the words of `mapping`.
pub fn request(
    stage: &StageId,
    spec: &YoloSpec,
    mapping: Mapping,
    asked: impl Into<Asked>,
) -> Arc<dyn Call> {
    Arc::new(Request {
        stage: stage.clone(),
        params: spec.params(),
        mapping,
        asked: asked.into(),
        most: AtomicUsize::new(usize::MAX),
    })
}

struct Request {
    stage: StageId,
    params: Map<String, Value>,
    mapping: Mapping,
    asked: Asked,
    // The most pictures that the workers have the memory for, as far as it is known.
    most: AtomicUsize,
}

impl Request {
    // Refused here where it is known that the workers run out of memory.
    fn fits(&self, item: &Item) -> Result<(), Failure> {
        let most = self.most.load(Ordering::Relaxed);
        if pictures(item).len() <= most {
            return Ok(());
        }
        let why = format!("the workers ran out of memory above {most} pictures a request");
        Err(Failure::new(Class::OutOfMemory, why))
    }

    fn answer(&self, item: &Item, output: &Value) -> Result<Vec<Item>, Failure> {
        let pictures = pictures(item);
        let sent = pictures.iter().filter(|picture| jpeg(picture).is_some());
        let sizes: Vec<_> = sent
            .map(|picture| Sizes {
                sent: picture.size,
                source: picture.source,
            })
            .collect();
        let lists = match sizes.as_slice() {
            [] => Vec::new(),
            sizes => self.mapping.detections(output, sizes)?,
        };
        let mut lists = lists.into_iter();
        let found = pictures
            .iter()
            .map(|picture| match (&picture.content, jpeg(picture)) {
                (Err(failure), _) => Found::without_answer(failure),
                (Ok(_), None) => Found::Error(no_jpeg()),
                (Ok(_), Some(_)) => Found::Objects(lists.next().unwrap_or_default()),
            });
        let found: Vec<_> = found.collect();
        let items = pictures.iter().zip(found);
        Ok(items
            .map(|(picture, found)| self.item(picture, found))
            .collect())
    }

    // What ran out of memory does so again: from now on, the larger half of it is the most.
    fn learn<T>(&self, item: &Item, answer: Result<T, Failure>) -> Result<T, Failure> {
        if let Err(Failure {
            class: Class::OutOfMemory,
            ..
        }) = &answer
        {
            let half = pictures(item).len().div_ceil(2);
            self.most.fetch_min(half, Ordering::Relaxed);
        }
        answer
    }

    fn item(&self, picture: &Picture, found: Found) -> Item {
        let (stage, moment) = (self.stage.clone(), picture.moment.clone());
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

impl Call for Request {
    // Nothing to ask where every picture is a gap.
    fn prepare(&self, item: &Item) -> Result<Bytes, Failure> {
        let jpegs: Vec<&Bytes> = pictures(item).iter().filter_map(jpeg).collect();
        if jpegs.is_empty() {
            return Ok(Bytes::new());
        }
        self.fits(item)?;
        let input = self.mapping.request(&self.params, &jpegs)?;
        self.asked.body(&input)
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
            let submitted = self.asked.submit(body, exchange).await;
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
    ) -> BoxFuture<'a, Result<Vec<Item>, Failure>> {
        Box::pin(async move {
            let output = self.learn(item, self.asked.wait(ticket, exchange).await)?;
            self.answer(item, &output)
        })
    }

    fn cancel<'a>(&'a self, ticket: &'a Ticket, running: bool) -> BoxFuture<'a, bool> {
        Box::pin(self.asked.withdraw(ticket, running))
    }

    fn advice(&self) -> Option<String> {
        let most = self.most.load(Ordering::Relaxed);
        (most < usize::MAX).then(|| {
            format!(
                "its workers ran out of memory above {most} pictures a request; `--batch-size \
                 {most}` saves the requests that failed"
            )
        })
    }

    fn split(&self, item: &Item) -> Option<(Item, Item)> {
        let most = self.most.load(Ordering::Relaxed);
        let half = pictures(item).len() / 2;
        cut(item, if half > most { most } else { half })
    }

    fn give_up(&self, item: &Item, failure: &Failure) -> Vec<Item> {
        if let Item::Repeat(repeat) = item {
            return self.of_repeat(repeat);
        }
        let found = |picture: &Picture| match &picture.content {
            // A gap has a reason of its own.
            Err(own) => Found::without_answer(own),
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

#[cfg(test)]
mod tests {
    use super::request;
    use crate::backends::http::Access;
    use crate::backends::mapping::Mapping;
    use crate::backends::runpod::Endpoint;
    use crate::backends::runpod::HOST;
    use crate::failure::Class;
    use crate::failure::Failure;
    use crate::item::Found;
    use crate::item::Item;
    use crate::item::Moment;
    use crate::item::Picture;
    use crate::item::Size;
    use crate::name::VideoId;
    use crate::recipe::MappingSpec;
    use crate::recipe::RunpodSpec;
    use crate::recipe::YoloSpec;
    use crate::time::Pts;

    #[test]
    fn a_picture_that_was_stopped_on_its_way_here_was_not_looked_at() {
        let access = Access {
            base: "http://127.0.0.1:9".to_owned(),
            key: None,
            key_host: HOST,
            allowed: Vec::new(),
        };
        let endpoint = Endpoint::new(&RunpodSpec::default(), "detect", &access).unwrap();
        let mapping = Mapping::new(&MappingSpec::default());
        let call = request(&"yolo".into(), &YoloSpec::default(), mapping, endpoint);
        let size = Size {
            width: 2,
            height: 2,
        };
        let picture = |class| {
            Item::Picture(Picture {
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
            &picture(class),
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
