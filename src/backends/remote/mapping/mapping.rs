//! The mapping of one backend or stage: its requests are filled in and its answers read.
//!
//! One mechanism for every server: what differs between them is data of the recipe. An answer is
//! read with suspicion: whatever is in it, either every frame has what was asked for or there is
//! no answer. Does not know how JSON gets there and back.

use crate::backends::remote::mapping::boxes::BoxReader;
use crate::backends::remote::mapping::transcript::TranscriptReader;
use crate::backends::remote::mapping::value::Sizes;
use crate::backends::remote::mapping::value::bad;
use crate::backends::remote::mapping::value::list;
use crate::backends::remote::mapping::wrapped::in_any_wrapping;
use crate::backends::remote::speech;
use crate::backends::remote::speech::SentSound;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Fields;
use crate::item::Found;
use crate::recipe::AnswerShape;
use crate::recipe::MappingSpec;
use crate::recipe::RecordSpec;
use crate::recipe::Subject;
use crate::speech::Recognition;
use crate::template::Data;
use crate::template::Expressions;
use crate::template::Filled;
use crate::template::Names;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use std::collections::BTreeSet;

// More bytes of JSON than anybody has to say of one frame, long embeddings included. Records are
// kept until their video is done, so this bounds what a server that lies takes of memory.
const MOST_BYTES: usize = 100_000;

/// How one server is asked and understood.
#[derive(Debug)]
pub struct Mapping {
    spec: MappingSpec,
    expressions: Expressions,
    vars: Data,
    // The names that the request uses: what it does not is not made.
    used: BTreeSet<String>,
    // Where the recipe says how answers are read.
    heading: String,
}

impl Mapping {
    /// The mapping that a recipe declares.
    pub fn new(spec: &MappingSpec) -> Self {
        let expressions = Expressions::default();
        Self {
            used: expressions.names_in_all(&spec.request),
            spec: spec.clone(),
            expressions,
            vars: Data::space(&spec.vars),
            heading: "[backends.NAME.answer]".to_owned(),
        }
    }

    /// The same mapping, where the lines of the recipe under `heading` say how answers are read.
    pub fn under(mut self, heading: impl Into<String>) -> Self {
        self.heading = heading.into();
        self
    }

    pub(super) fn spec(&self) -> &MappingSpec {
        &self.spec
    }

    pub(super) fn heading(&self) -> &str {
        &self.heading
    }

    /// The fields of a request about `files`, JPEGs or one sound file, of which `about` says what
    /// else is known.
    ///
    /// # Errors
    ///
    /// Of class `refused` where the recipe's request cannot be made.
    pub fn request(&self, about: &Names, files: &[&Bytes]) -> Result<Filled, Failure> {
        let mut names = about.clone().with("vars", self.vars.clone());
        let (one, many) = match self.spec.about {
            Subject::Frame | Subject::Batch | Subject::Boxes => ("image", "images"),
            Subject::Sound => ("sound", "sounds"),
        };
        if [one, many].iter().any(|name| self.used.contains(*name)) {
            let coded = files.iter().map(|file| STANDARD.encode(file)).collect();
            let coded = Data::texts(coded);
            let first = coded.items().and_then(|coded| coded.into_iter().next());
            names = names.with(many, coded).with(one, first.unwrap_or_default());
        }
        let parts = Data::list((0..files.len()).map(Data::file));
        names = names.with("files", parts).with("file", Data::file(0));
        let filled = self.expressions.fill(&self.spec.request, &names);
        filled.map_err(|fault| {
            let message = format!("the request of the recipe cannot be made: {fault}");
            Failure::new(Class::Refused, message)
        })
    }

    /// What is found in each frame of `sent`, in its order; boxes in pixels of the source.
    ///
    /// # Errors
    ///
    /// Of class `bad-answer` where the answer is for more or fewer frames, or anything in it is
    /// not what the recipe says.
    pub fn found(&self, output: &Value, sent: &[Sizes]) -> Result<Vec<Found>, Failure> {
        in_any_wrapping(output, |output| self.found_in(output, sent))
    }

    fn found_in(&self, output: &Value, sent: &[Sizes]) -> Result<Vec<Found>, Failure> {
        let names = self.answered(output);
        match &self.spec.answer {
            AnswerShape::Detections(spec) => {
                let reader = BoxReader::new(spec, &self.expressions)?;
                let images = self.images(&spec.images, &names, sent.len())?;
                let found = images.into_iter().zip(sent).map(|(image, sizes)| {
                    let objects = reader.image(&names.clone().with("image", image), *sizes)?;
                    Ok(Found::Objects(objects))
                });
                found.collect()
            }
            AnswerShape::Record(spec) => {
                let images = self.images(&spec.images, &names, sent.len())?;
                let found = images.into_iter().map(|image| {
                    let fields = self.fields(spec, &names.clone().with("image", image))?;
                    Ok(Found::Fields(vec![fields]))
                });
                found.collect()
            }
            AnswerShape::Transcript(_) => Err(bad("frames say nothing")),
        }
    }

    /// What is heard in the sound that was `sent`.
    ///
    /// # Errors
    ///
    /// Of class `bad-answer` where anything in the answer is not what the recipe says.
    pub fn recognition(&self, output: &Value, sent: &SentSound) -> Result<Recognition, Failure> {
        match &self.spec.answer {
            AnswerShape::Transcript(spec) => match &spec.segments {
                Some(segments) => {
                    let reader = TranscriptReader::new(spec, &self.expressions)?;
                    let segments = self.expressions.compile(segments).map_err(bad)?;
                    in_any_wrapping(output, |output| {
                        reader.recognition(&segments, &self.answered(output), sent)
                    })
                }
                None => speech::recognition(output, sent),
            },
            AnswerShape::Detections(_) | AnswerShape::Record(_) => Err(bad("sound has no frame")),
        }
    }

    fn answered(&self, output: &Value) -> Names {
        Names::default()
            .with("vars", self.vars.clone())
            .with("output", Data::new(output))
    }

    fn images(&self, list_of: &str, names: &Names, sent: usize) -> Result<Vec<Data>, Failure> {
        let images = list(&self.expressions.compile(list_of).map_err(bad)?, names)?;
        if images.len() != sent {
            return Err(bad(format!(
                "{sent} frames were sent and {} answered",
                images.len()
            )));
        }
        Ok(images)
    }

    fn fields(&self, spec: &RecordSpec, names: &Names) -> Result<Fields, Failure> {
        let mut fields = Fields::default();
        let mut bytes = 0;
        for (name, expression) in &spec.fields {
            let expression = self.expressions.compile(expression).map_err(bad)?;
            let value = expression.eval(names).map_err(bad)?.json().map_err(bad)?;
            bytes += value.to_string().len();
            if bytes > MOST_BYTES {
                return Err(bad(format!("a record has more than {MOST_BYTES} bytes")));
            }
            fields.values.insert(name.clone(), value);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::Mapping;
    use super::Sizes;
    use crate::backends::remote::speech::SentSound;
    use crate::item::Found;
    use crate::item::Size;
    use crate::recipe::AnswerShape;
    use crate::recipe::AnswerSpec;
    use crate::recipe::BoxFormat;
    use crate::recipe::BoxOf;
    use crate::recipe::BoxUnit;
    use crate::recipe::ClassRef;
    use crate::recipe::MappingSpec;
    use crate::recipe::RecordSpec;
    use crate::recipe::Subject;
    use crate::recipe::TranscriptSpec;
    use crate::recipe::YoloSpec;
    use crate::template::Data;
    use crate::template::Names;
    use bytes::Bytes;
    use serde_json::Value;
    use serde_json::json;

    const SENT: SentSound = SentSound {
        seconds: 4.0,
        translate: false,
    };

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
        let found = mapping.found(output, &vec![SIZES; sent]);
        let found = found.map_err(|failure| failure.message)?;
        let frames = found.iter().map(|found| {
            let Found::Objects(objects) = found else {
                return format!("{found:?}");
            };
            let objects = objects.iter().map(|object| {
                format!(
                    "{} {:?} {}",
                    object.class_name, object.bbox, object.confidence
                )
            });
            objects.collect::<Vec<_>>().join(", ")
        });
        Ok(frames.collect::<Vec<_>>().join(" | "))
    }

    #[test]
    fn the_request_is_the_one_that_handlers_know() {
        let mapping = Mapping::new(&MappingSpec::default());
        let mut yolo = YoloSpec::default();
        let ask = |yolo: &YoloSpec| {
            let jpeg = Bytes::from_static(b"abc");
            let about = Names::default().with("params", Data::new(&yolo.params(&[])));
            let filled = mapping.request(&about, &[&jpeg, &jpeg]).unwrap();
            serde_json::to_string(&filled).unwrap()
        };
        assert_eq!(
            ask(&yolo),
            r#"{"images":["YWJj","YWJj"],"conf":0.15,"iou":0.5,"imgsz":1280,"half":true}"#
        );
        yolo.classes = vec![ClassRef::Number(0), ClassRef::Number(2)];
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
            answer: AnswerShape::Detections(AnswerSpec {
                images: "output.frames".to_owned(),
                objects: "image.boxes".to_owned(),
                bbox: "[object.x, object.y, object.w, object.h]".to_owned(),
                bbox_format: format,
                bbox_unit: unit,
                bbox_of: of,
                class: "0".to_owned(),
                class_name: "object.label".to_owned(),
                confidence: "object.score / 100".to_owned(),
            }),
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
                "1 frames were sent and 0 answered",
            ),
            (
                json!({ "detections": [[], []] }),
                "1 frames were sent and 2 answered",
            ),
            (json!({ "detections": null }), "is not a list"),
            (json!({ "message": "hello" }), "is not a list"),
            (json!("[[]"), "is not a list"),
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
            (
                with("bbox", json!([300, 0, 310, 10])),
                "lies outside of the frame",
            ),
            (
                with("bbox", json!([0, 0, 50_000, 10])),
                "lies outside of the frame",
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
                with("confidence", json!(90)),
                "90 is not a confidence, which is from 0 to 1; where it is a percent, divide by 100",
            ),
            (
                with("confidence", json!(-1)),
                "-1 is not a confidence, which is from 0 to 1; see `confidence`",
            ),
            (
                with("confidence", json!(null)),
                "`object.confidence` is not a number",
            ),
        ] {
            let wrong = read(&MappingSpec::default(), &output, 1).unwrap_err();
            assert!(wrong.contains(expected), "{output}: {wrong}");
        }
    }

    #[test]
    fn a_record_has_the_fields_that_the_recipe_names() {
        let record = |about, images: &str, fields: &[(&str, &str)]| MappingSpec {
            about,
            answer: AnswerShape::Record(RecordSpec {
                images: images.to_owned(),
                fields: fields
                    .iter()
                    .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                    .collect(),
            }),
            ..MappingSpec::default()
        };
        let fields = [
            ("caption", "image.choices[0].text"),
            ("tags", "image.tags | default([])"),
            ("long", "image.choices[0].text | length > 3"),
        ];
        let one = record(Subject::Frame, "[output]", &fields);
        let output = json!({ "choices": [{ "text": "{{ 1 + 1 }}" }], "tags": ["a", { "b": 1 }] });
        let found = Mapping::new(&one).found(&output, &[SIZES]).unwrap();
        let [Found::Fields(found)] = &found[..] else {
            panic!("{found:?}");
        };
        let expected = json!({ "caption": "{{ 1 + 1 }}", "tags": ["a", { "b": 1 }], "long": true });
        assert_eq!(json!(found[0].values), expected);
        let batch = record(Subject::Batch, "output", &[("text", "image")]);
        for (spec, output, expected) in [
            (&one, json!({}), "`image.choices` is not there"),
            (&one, json!(null), "`image.choices` is not there"),
            (&batch, json!(["a"]), "2 frames were sent and 1 answered"),
            (&batch, json!("ab"), "`output` is not a list"),
            (
                &batch,
                json!(["a", "b".repeat(2 << 20)]),
                "a record has more than",
            ),
        ] {
            let sent = if spec.about == Subject::Batch { 2 } else { 1 };
            let found = Mapping::new(spec).found(&output, &vec![SIZES; sent]);
            let wrong = found.unwrap_err().message;
            assert!(wrong.contains(expected), "{wrong}");
        }
    }

    #[test]
    fn a_transcript_is_read_as_the_recipe_says() {
        let spec = MappingSpec {
            about: Subject::Sound,
            answer: AnswerShape::Transcript(TranscriptSpec {
                segments: Some("output.utterances".to_owned()),
                start: "segment.from / 1000".to_owned(),
                end: "segment.to / 1000".to_owned(),
                text: "segment.words".to_owned(),
                language: "output.lang".to_owned(),
            }),
            ..MappingSpec::default()
        };
        let mapping = Mapping::new(&spec);
        let said = |from: Value| {
            let said = json!([{ "from": from, "to": 1500, "words": "Hello" }]);
            json!({ "utterances": said, "lang": "english" })
        };
        let recognition = mapping.recognition(&said(json!(500)), &SENT).unwrap();
        assert_eq!(
            (recognition.segments[0].start, recognition.segments[0].end),
            (0.5, 1.5)
        );
        assert_eq!(recognition.language.as_deref(), Some("en"));
        for wrong in [
            json!({}),
            json!({ "utterances": "a", "lang": "en" }),
            said(json!("soon")),
            json!({ "utterances": [{ "from": 1, "to": 2, "words": [] }], "lang": "en" }),
        ] {
            let failure = mapping.recognition(&wrong, &SENT).unwrap_err();
            assert!(failure.message.contains("cannot be used"), "{wrong}");
        }
    }
}
