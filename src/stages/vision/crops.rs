//! Crops: what one stage found in a frame, cut out for another; and what that one found in them,
//! joined and given in pixels of the source.
//!
//! Crops share the pixels of their frame.

use crate::engine::Fold;
use crate::engine::FoldState;
use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Content;
use crate::item::Detection;
use crate::item::Detections;
use crate::item::Fields;
use crate::item::Found;
use crate::item::Frame;
use crate::item::Item;
use crate::item::Moment;
use crate::item::Part;
use crate::item::PixelFormat;
use crate::item::Pixels;
use crate::item::Size;
use crate::name::StageId;
use crate::name::VideoId;
use crate::recipe::TakeSpec;
use crate::stages::vision::found::none_wanted;
use crate::stages::vision::found::wanted;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Joins what `stage` found in the crops of each frame.
pub fn gather(stage: &StageId) -> Arc<dyn Fold> {
    Arc::new(Gather {
        stage: stage.clone(),
    })
}

/// A crop of `frame` for each of the `objects` that `take` wants; or what is said where there is
/// none. A frame that nobody needs to see has crops that nobody needs to see.
pub(in crate::stages) fn crops_of(
    of: &StageId,
    take: &TakeSpec,
    frame: &Frame,
    objects: &[Detection],
) -> Result<Vec<Frame>, Found> {
    let wanted = wanted(of, take, frame, objects)?;
    let content = frame.content.as_ref();
    let pixels = match content.map_err(Found::without_answer)? {
        Content {
            pixels: None,
            jpeg: None,
        } => None,
        Content {
            pixels: Some(pixels),
            ..
        } if pixels.format == PixelFormat::Rgb24 => Some(pixels),
        Content { .. } => {
            let message = "the frame has no pixels to be cut";
            return Err(Found::Error(Failure::new(Class::Media, message)));
        }
    };
    let objects = (0..).zip(objects).zip(wanted);
    let mut crops: Vec<Frame> = objects
        .filter(|(_, wanted)| *wanted)
        .filter_map(|((parent, object), _)| crop(frame, pixels, take.padding, parent, object))
        .collect();
    if crops.is_empty() {
        return Err(none_wanted(of));
    }
    let of = u32::try_from(crops.len()).unwrap_or(u32::MAX);
    for (number, crop) in (0..).zip(&mut crops) {
        if let Some(part) = &mut crop.moment.part {
            (part.number, part.of) = (number, of);
        }
    }
    Ok(crops)
}

// `None` where the box has no pixel in the frame.
fn crop(
    frame: &Frame,
    pixels: Option<&Pixels>,
    padding: f32,
    parent: u32,
    object: &Detection,
) -> Option<Frame> {
    let [x1, y1, x2, y2] = object.bbox;
    let (size, source) = (frame.size, frame.source);
    let (left, width, across) = side(x1, x2, padding, size.width, source.width)?;
    let (top, height, down) = side(y1, y2, padding, size.height, source.height)?;
    let part = Part {
        number: 0,
        of: 0,
        parent,
        left,
        top,
        scale: [across, down],
    };
    let size = Size { width, height };
    let pixels = match pixels {
        Some(pixels) => Some(cut_out(pixels, &part, size)?),
        None => None,
    };
    Some(Frame {
        moment: Moment {
            part: Some(part),
            ..frame.moment.clone()
        },
        source: size,
        size,
        content: Ok(Content { pixels, jpeg: None }),
    })
}

fn cut_out(pixels: &Pixels, part: &Part, size: Size) -> Option<Pixels> {
    let start = part.top as usize * pixels.stride + part.left as usize * 3;
    let length = (size.height as usize - 1) * pixels.stride + size.width as usize * 3;
    let end = start.checked_add(length)?;
    (end <= pixels.data.len()).then(|| Pixels {
        data: pixels.data.slice(start..end),
        ..pixels.clone()
    })
}

// The pixels that a box covers along one side of a frame: the first, how many, and how many of
// the source one stands for.
fn side(from: f32, to: f32, padding: f32, pixels: u32, source: u32) -> Option<(u32, u32, f32)> {
    let scale = source as f32 / pixels.max(1) as f32;
    let more = (to - from) * padding;
    let inside = |at: f32| at.clamp(0.0, pixels as f32) as u32;
    let first = inside(((from - more) / scale).floor());
    let last = inside(((to + more) / scale).ceil());
    let finite = from.is_finite() && to.is_finite();
    (finite && last > first).then(|| (first, last - first, scale))
}

struct Gather {
    stage: StageId,
}

impl Fold for Gather {
    fn open(&self, _: VideoId) -> Box<dyn FoldState> {
        Box::new(Gathering {
            stage: self.stage.clone(),
            frames: BTreeMap::new(),
        })
    }
}

struct Gathering {
    stage: StageId,
    // What was found in the crops of each frame so far, by their numbers.
    frames: BTreeMap<u64, BTreeMap<u32, Detections>>,
}

impl FoldState for Gathering {
    fn push(&mut self, item: Item) -> Vec<Item> {
        let Item::Detections(found) = item else {
            return Vec::new();
        };
        let Some(part) = found.moment.part else {
            return vec![Item::Detections(found)];
        };
        let index = found.moment.index;
        let crops = self.frames.entry(index).or_default();
        crops.insert(part.number, found);
        if crops.len() < part.of as usize {
            return Vec::new();
        }
        let crops = self.frames.remove(&index).unwrap_or_default();
        join(&self.stage, crops).into_iter().collect()
    }

    // Every crop is answered, so nothing is left; if it were, it would be no answer.
    fn finish(&mut self) -> Vec<Item> {
        let left = std::mem::take(&mut self.frames);
        let lost = |mut crops: BTreeMap<u32, Detections>| {
            let lost = Failure::new(Class::Lost, "not all of its crops were answered");
            for crop in crops.values_mut() {
                crop.found = Found::Error(lost.clone());
            }
            join(&self.stage, crops)
        };
        left.into_values().filter_map(lost).collect()
    }
}

fn join(stage: &StageId, crops: BTreeMap<u32, Detections>) -> Option<Item> {
    let moment = Moment {
        part: None,
        ..crops.first_key_value()?.1.moment.clone()
    };
    let crops = crops.into_values().map(|crop| (crop.moment, crop.found));
    Some(Item::Detections(Detections {
        stage: stage.clone(),
        moment,
        found: joined(crops),
        same_as: None,
    }))
}

/// What was found in all crops of a frame, of what was found in each. One without an answer leaves
/// its frame without one: half of the objects would look like all.
pub(in crate::stages) fn joined(crops: impl IntoIterator<Item = (Moment, Found)>) -> Found {
    let (mut objects, mut fields) = (Vec::new(), Vec::new());
    let mut without = None;
    for (moment, found) in crops {
        let part = moment.part;
        match found {
            Found::Objects(found) => objects.extend(found.into_iter().map(|object| Detection {
                bbox: part.map_or(object.bbox, |part| part.to_source(object.bbox)),
                parent: part.map(|part| part.parent),
                ..object
            })),
            Found::Fields(said) => fields.extend(said.into_iter().map(|said| Fields {
                parent: part.map(|part| part.parent),
                ..said
            })),
            Found::Error(failure) => {
                without = Some(Found::Error(failure));
                break;
            }
            Found::Skipped(why) => without = without.or(Some(Found::Skipped(why))),
        }
    }
    objects.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let found = if fields.is_empty() {
        Found::Objects(objects)
    } else {
        Found::Fields(fields)
    };
    without.unwrap_or(found)
}
