//! Boxes: the objects of one frame, out of an answer.
//!
//! Does not know whose answer it is.

use crate::backends::remote::mapping::value::Sizes;
use crate::backends::remote::mapping::value::bad;
use crate::backends::remote::mapping::value::list;
use crate::backends::remote::mapping::value::number;
use crate::failure::Failure;
use crate::item::Detection;
use crate::recipe::AnswerSpec;
use crate::recipe::BoxFormat;
use crate::recipe::BoxOf;
use crate::recipe::BoxUnit;
use crate::template::Data;
use crate::template::Expression;
use crate::template::Expressions;
use crate::template::Names;
use std::sync::Arc;

// More than any detector finds in a frame.
const MOST_OBJECTS: usize = 10_000;

// How far beyond 0 or 1 a share may be that was rounded on its way.
const ROUNDING: f64 = 0.001;

/// What reads one frame's part of an answer.
pub(in crate::backends) struct BoxReader<'a> {
    spec: &'a AnswerSpec,
    objects: Expression<'a>,
    bbox: Expression<'a>,
    class: Expression<'a>,
    class_name: Expression<'a>,
    confidence: Expression<'a>,
}

impl<'a> BoxReader<'a> {
    pub(in crate::backends) fn new(
        spec: &'a AnswerSpec,
        expressions: &'a Expressions,
    ) -> Result<Self, Failure> {
        let compile = |text| expressions.compile(text).map_err(bad);
        Ok(Self {
            spec,
            objects: compile(&spec.objects)?,
            bbox: compile(&spec.bbox)?,
            class: compile(&spec.class)?,
            class_name: compile(&spec.class_name)?,
            confidence: compile(&spec.confidence)?,
        })
    }

    /// The objects of a frame.
    pub(in crate::backends) fn image(
        &self,
        names: &Names,
        sizes: Sizes,
    ) -> Result<Vec<Detection>, Failure> {
        let objects = list(&self.objects, names)?;
        if objects.len() > MOST_OBJECTS {
            return Err(bad(format!("a frame has {} objects", objects.len())));
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
            confidence: self.confidence(names)?,
            parent: None,
            sight: None,
        })
    }

    fn confidence(&self, names: &Names) -> Result<f32, Failure> {
        let confidence = number(&self.confidence, names)?;
        if (-ROUNDING..=1.0 + ROUNDING).contains(&confidence) {
            return Ok(confidence.clamp(0.0, 1.0) as f32);
        }
        let advice = match (1.0..=100.0).contains(&confidence) {
            true => "; where it is a percent, divide by 100 in the answer expression `confidence`",
            false => "; see `confidence`",
        };
        Err(bad(format!(
            "{confidence} is not a confidence, which is from 0 to 1{advice}"
        )))
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
        let corners = [x1 * x, y1 * y, x2 * x, y2 * y];
        if !is_near(corners, width, height) {
            return Err(bad(format!(
                "[{a}, {b}, {c}, {d}] lies outside of the frame; see `bbox_unit` and `bbox_of`"
            )));
        }
        Ok(corners.map(|side| side as f32))
    }
}

// Models let a box stick out of its frame; one that has no part in it, or most of it far away, is
// measured in something else.
fn is_near([x1, y1, x2, y2]: [f64; 4], width: f64, height: f64) -> bool {
    let meets = x1 <= width && y1 <= height && x2 >= 0.0 && y2 >= 0.0;
    let far = |at: f64, side: f64| at < -side || at > 2.0 * side;
    meets && ![x1, x2].iter().any(|x| far(*x, width)) && ![y1, y2].iter().any(|y| far(*y, height))
}
