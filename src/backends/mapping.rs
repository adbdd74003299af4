//! Mapping: between what a stage asks and finds and the JSON that a server takes and gives.
//!
//! One mechanism for every server: what differs between them is data of the recipe. An answer is
//! read with suspicion: whatever is in it, either every picture has its objects or there is no
//! answer. Does not know how JSON gets there and back.

use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Detection;
use crate::item::Size;
use crate::recipe::AnswerSpec;
use crate::recipe::BoxFormat;
use crate::recipe::BoxOf;
use crate::recipe::BoxUnit;
use crate::recipe::MappingSpec;
use crate::template::Data;
use crate::template::Expression;
use crate::template::Expressions;
use crate::template::Fault;
use crate::template::Filled;
use crate::template::Names;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use std::sync::Arc;

// More than any detector finds in a picture.
const MOST_OBJECTS: usize = 10_000;

/// The sizes of a picture that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// As it was sent.
    pub sent: Size,
    /// As it is in the video.
    pub source: Size,
}

/// How one server is asked and understood.
#[derive(Debug)]
pub struct Mapping {
    spec: MappingSpec,
    expressions: Expressions,
    vars: Data,
}

impl Mapping {
    /// The mapping that a recipe declares.
    pub fn new(spec: &MappingSpec) -> Self {
        Self {
            spec: spec.clone(),
            expressions: Expressions::default(),
            vars: Data::new(&spec.vars),
        }
    }

    /// The fields of a request about `jpegs` with the parameters of a stage.
    ///
    /// # Errors
    ///
    /// Of class `refused` where the recipe's request cannot be made.
    pub fn request(
        &self,
        params: &Map<String, Value>,
        jpegs: &[&Bytes],
    ) -> Result<Filled, Failure> {
        let images = jpegs.iter().map(|jpeg| STANDARD.encode(jpeg)).collect();
        let names = Names::default()
            .with("vars", self.vars.clone())
            .with("params", Data::new(params))
            .with("images", Data::texts(images));
        let filled = self.expressions.fill(&self.spec.request, &names);
        filled.map_err(|fault| {
            let message = format!("the request of the recipe cannot be made: {fault}");
            Failure::new(Class::Refused, message)
        })
    }

    /// The objects of each picture of `sent`, in its order; boxes in pixels of the source.
    ///
    /// # Errors
    ///
    /// Of class `bad-answer` where the answer is for more or fewer pictures, or anything in it is
    /// not what the recipe says.
    pub fn detections(
        &self,
        output: &Value,
        sent: &[Sizes],
    ) -> Result<Vec<Vec<Detection>>, Failure> {
        let spec = &self.spec.answer;
        let compile = |text| self.expressions.compile(text).map_err(bad);
        let reader = Reader {
            spec,
            objects: compile(&spec.objects)?,
            bbox: compile(&spec.bbox)?,
            class: compile(&spec.class)?,
            class_name: compile(&spec.class_name)?,
            confidence: compile(&spec.confidence)?,
        };
        let names = Names::default()
            .with("vars", self.vars.clone())
            .with("output", Data::new(output));
        let images = list(&compile(&spec.images)?, &names)?;
        if images.len() != sent.len() {
            return Err(bad(format!(
                "{} pictures were sent and {} answered",
                sent.len(),
                images.len()
            )));
        }
        let images = images.into_iter().zip(sent);
        images
            .map(|(image, sizes)| reader.image(&names.clone().with("image", image), *sizes))
            .collect()
    }
}

// What reads one picture's part of an answer.
struct Reader<'a> {
    spec: &'a AnswerSpec,
    objects: Expression<'a>,
    bbox: Expression<'a>,
    class: Expression<'a>,
    class_name: Expression<'a>,
    confidence: Expression<'a>,
}

impl Reader<'_> {
    fn image(&self, names: &Names, sizes: Sizes) -> Result<Vec<Detection>, Failure> {
        let objects = list(&self.objects, names)?;
        if objects.len() > MOST_OBJECTS {
            return Err(bad(format!("a picture has {} objects", objects.len())));
        }
        let objects = objects.into_iter();
        objects
            .map(|object| self.object(&names.clone().with("object", object), sizes))
            .collect()
    }

    fn object(&self, names: &Names, sizes: Sizes) -> Result<Detection, Failure> {
        let class = number(&self.class, names)?;
        if class.fract() != 0.0 || !(0.0..=f64::from(u32::MAX)).contains(&class) {
            return Err(bad(format!("{class} is not the number of a class")));
        }
        let class_name = self.class_name.eval(names).map_err(bad)?.text();
        let class_name = class_name.ok_or_else(|| bad("the name of a class is not text"))?;
        Ok(Detection {
            bbox: self.corners(names, sizes)?,
            // Whole and in range, so nothing is lost.
            class: class as u32,
            class_name: Arc::from(class_name),
            confidence: number(&self.confidence, names)?.clamp(0.0, 1.0) as f32,
            parent: None,
        })
    }

    fn corners(&self, names: &Names, Sizes { sent, source }: Sizes) -> Result<[f32; 4], Failure> {
        let numbers = list(&self.bbox, names)?;
        let numbers: Option<Vec<f64>> = numbers.iter().map(Data::number).collect();
        let Some([a, b, c, d]) = numbers.as_deref() else {
            return Err(bad("a box is not four numbers"));
        };
        let (a, b, c, d) = (*a, *b, *c, *d);
        let [x1, y1, x2, y2] = match self.spec.bbox_format {
            BoxFormat::Xyxy => [a, b, c, d],
            BoxFormat::Xywh => [a, b, a + c, b + d],
            BoxFormat::Cxcywh => [a - c / 2.0, b - d / 2.0, a + c / 2.0, b + d / 2.0],
        };
        if x2 < x1 || y2 < y1 {
            return Err(bad(format!(
                "[{a}, {b}, {c}, {d}] is not a box; see `bbox_format`"
            )));
        }
        let (width, height) = (f64::from(source.width), f64::from(source.height));
        let (x, y) = match (self.spec.bbox_unit, self.spec.bbox_of) {
            (BoxUnit::Normalised, _) => (width, height),
            (BoxUnit::Pixels, BoxOf::Source) => (1.0, 1.0),
            (BoxUnit::Pixels, BoxOf::Sent) => (
                width / f64::from(sent.width.max(1)),
                height / f64::from(sent.height.max(1)),
            ),
        };
        Ok([x1 * x, y1 * y, x2 * x, y2 * y].map(|side| side as f32))
    }
}

fn list(expression: &Expression<'_>, names: &Names) -> Result<Vec<Data>, Failure> {
    let data = expression.eval(names).map_err(bad)?;
    let items = data.items();
    items.ok_or_else(|| bad(format!("`{expression}` is not a list")))
}

fn number(expression: &Expression<'_>, names: &Names) -> Result<f64, Failure> {
    let data = expression.eval(names).map_err(bad)?;
    let number = data.number();
    number.ok_or_else(|| bad(format!("`{expression}` is not a number")))
}

fn bad(why: impl Into<Why>) -> Failure {
    let Why(why) = why.into();
    Failure::new(
        Class::BadAnswer,
        format!("the answer cannot be used: {why}"),
    )
}

struct Why(String);

impl From<&str> for Why {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Why {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Fault> for Why {
    fn from(fault: Fault) -> Self {
        Self(fault.message)
    }
}

#[cfg(test)]
mod tests {
    use super::Mapping;
    use super::Sizes;
    use crate::item::Size;
    use crate::recipe::AnswerSpec;
    use crate::recipe::BoxFormat;
    use crate::recipe::BoxOf;
    use crate::recipe::BoxUnit;
    use crate::recipe::MappingSpec;
    use crate::recipe::YoloSpec;
    use bytes::Bytes;
    use serde_json::Value;
    use serde_json::json;

    const SIZES: Sizes = Sizes {
        sent: Size {
            width: 100,
            height: 50,
        },
        source: Size {
            width: 200,
            height: 100,
        },
    };

    fn object() -> Value {
        json!({ "bbox": [1, 2, 3, 4.5], "confidence": 0.5, "class": 2, "class_name": "car" })
    }

    fn read(spec: &MappingSpec, output: &Value, sent: usize) -> Result<String, String> {
        let mapping = Mapping::new(spec);
        let found = mapping.detections(output, &vec![SIZES; sent]);
        let found = found.map_err(|failure| failure.message)?;
        let pictures = found.iter().map(|objects| {
            let objects = objects.iter().map(|object| {
                format!(
                    "{} {:?} {}",
                    object.class_name, object.bbox, object.confidence
                )
            });
            objects.collect::<Vec<_>>().join(", ")
        });
        Ok(pictures.collect::<Vec<_>>().join(" | "))
    }

    #[test]
    fn the_request_is_the_one_that_handlers_know() {
        let mapping = Mapping::new(&MappingSpec::default());
        let mut yolo = YoloSpec::default();
        let ask = |yolo: &YoloSpec| {
            let jpeg = Bytes::from_static(b"abc");
            let filled = mapping.request(&yolo.params(), &[&jpeg, &jpeg]).unwrap();
            serde_json::to_string(&filled).unwrap()
        };
        assert_eq!(
            ask(&yolo),
            r#"{"images":["YWJj","YWJj"],"conf":0.15,"iou":0.5,"imgsz":1280,"half":true}"#
        );
        yolo.classes = vec![0, 2];
        assert!(ask(&yolo).ends_with(r#""half":true,"classes":[0,2]}"#));
    }

    #[test]
    fn answers_of_the_handlers_that_are_known_are_read() {
        let car = "car [2.0, 4.0, 6.0, 9.0] 0.5";
        for (output, expected) in [
            (
                json!({ "detections": [[object()], []] }),
                format!("{car} | "),
            ),
            (json!({ "results": [[], [object()]] }), format!(" | {car}")),
            (
                json!({ "results": [{ "detections": [object()] }, { "detections": [] }] }),
                format!("{car} | "),
            ),
            (
                json!([[object(), object()], []]),
                format!("{car}, {car} | "),
            ),
        ] {
            assert_eq!(read(&MappingSpec::default(), &output, 2).unwrap(), expected);
        }
    }

    #[test]
    fn an_answer_of_ones_own_is_read_as_the_recipe_says() {
        let spec = |format, unit, of| MappingSpec {
            answer: AnswerSpec {
                images: "output.frames".to_owned(),
                objects: "image.boxes".to_owned(),
                bbox: "[object.x, object.y, object.w, object.h]".to_owned(),
                bbox_format: format,
                bbox_unit: unit,
                bbox_of: of,
                class: "0".to_owned(),
                class_name: "object.label".to_owned(),
                confidence: "object.score / 100".to_owned(),
            },
            ..MappingSpec::default()
        };
        for (format, unit, of, numbers, expected) in [
            (
                BoxFormat::Cxcywh,
                BoxUnit::Pixels,
                BoxOf::Sent,
                [50.0, 25.0, 20.0, 10.0],
                "[80.0, 40.0, 120.0, 60.0]",
            ),
            (
                BoxFormat::Xywh,
                BoxUnit::Pixels,
                BoxOf::Source,
                [50.0, 25.0, 20.0, 10.0],
                "[50.0, 25.0, 70.0, 35.0]",
            ),
            (
                BoxFormat::Cxcywh,
                BoxUnit::Normalised,
                BoxOf::Sent,
                [0.5, 0.5, 0.5, 0.5],
                "[50.0, 25.0, 150.0, 75.0]",
            ),
        ] {
            let [x, y, w, h] = numbers;
            let object = json!({ "x": x, "y": y, "w": w, "h": h, "label": "car", "score": 50 });
            let output = json!({ "frames": [{ "boxes": [object] }] });
            let found = read(&spec(format, unit, of), &output, 1).unwrap();
            assert_eq!(found, format!("car {expected} 0.5"));
        }
    }

    #[test]
    fn an_answer_that_cannot_be_used_is_none() {
        let with = |key: &str, value: Value| {
            let mut object = object();
            object[key] = value;
            json!({ "detections": [[object]] })
        };
        for (output, expected) in [
            (
                json!({ "detections": [] }),
                "1 pictures were sent and 0 answered",
            ),
            (
                json!({ "detections": [[], []] }),
                "1 pictures were sent and 2 answered",
            ),
            (json!({ "detections": null }), "is not a list"),
            (json!({ "message": "hello" }), "is not a list"),
            (json!("[[]]"), "is not a list"),
            (json!(7), "is not a list"),
            (json!({ "detections": [null] }), "is not a list"),
            (json!({ "detections": ["[]"] }), "is not a list"),
            (json!({ "detections": [[null]] }), "not there"),
            (json!({ "detections": [[{}]] }), "not there"),
            (with("bbox", json!([1, 2, 3])), "a box is not four numbers"),
            (
                with("bbox", json!([1, 2, 3, "4"])),
                "a box is not four numbers",
            ),
            (
                with("bbox", json!([5, 2, 3, 4])),
                "is not a box; see `bbox_format`",
            ),
            (with("class", json!(-1)), "-1 is not the number of a class"),
            (
                with("class", json!(0.5)),
                "0.5 is not the number of a class",
            ),
            (
                with("class", json!("car")),
                "`object.class` is not a number",
            ),
            (with("class_name", json!(["car"])), "not text"),
            (
                with("confidence", json!(null)),
                "`object.confidence` is not a number",
            ),
        ] {
            let wrong = read(&MappingSpec::default(), &output, 1).unwrap_err();
            assert!(wrong.contains(expected), "{output}: {wrong}");
        }
    }
}
