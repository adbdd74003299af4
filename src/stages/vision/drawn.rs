//! A frame with boxes on it, for those who look at what was found.

use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Content;
use crate::item::Detection;
use crate::item::Frame;
use crate::media::Annotation;
use crate::media::MediaError;
use crate::media::Painter;
use crate::output::Colour;

/// `frame` with the boxes of `objects` on it. One that nobody needs to see, or that cannot be decoded,
/// stays what it is.
pub(super) fn with_boxes<'a>(
    frame: &Frame,
    objects: impl Iterator<Item = &'a Detection>,
) -> Result<Frame, Failure> {
    let pixels = frame.content.as_ref().ok();
    let Some(pixels) = pixels.and_then(|content| content.pixels.clone()) else {
        return Ok(frame.clone());
    };
    let scale = |to: u32, of: u32| f64::from(to) / f64::from(of.max(1));
    let across = scale(frame.size.width, frame.source.width);
    let down = scale(frame.size.height, frame.source.height);
    let annotation = |object: &Detection| {
        let [x1, y1, x2, y2] = object.bbox.map(f64::from);
        Annotation {
            bbox: [x1 * across, y1 * down, x2 * across, y2 * down],
            colour: Colour::of(object.class).rgb(),
            label: Annotation::label_of(
                &object.class_name,
                object.confidence.into(),
                object.sight.as_ref().map(|it| it.track),
            ),
        }
    };
    let annotations: Vec<Annotation> = objects.map(annotation).collect();
    let painted = Painter::new(frame.size).and_then(|mut it| it.paint(pixels, &annotations));
    let painted =
        painted.map_err(|error: MediaError| Failure::new(Class::Media, error.to_string()))?;
    Ok(Frame {
        content: Ok(Content {
            pixels: Some(painted),
            jpeg: None,
        }),
        ..frame.clone()
    })
}
