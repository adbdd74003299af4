//! A frame by itself, and what is looked for in it, for benches of detectors.

use std::collections::BTreeMap;
use vpipe::backends::models::yolo::DetectParams;
use vpipe::item::Content;
use vpipe::item::Frame;
use vpipe::item::Moment;
use vpipe::item::PixelFormat;
use vpipe::item::Pixels;
use vpipe::item::Size;
use vpipe::name::VideoId;
use vpipe::time::Pts;

pub(crate) const PARAMS: DetectParams = DetectParams {
    conf: 0.25,
    class_conf: BTreeMap::new(),
    iou: 0.5,
    imgsz: Some(640),
    half: false,
    classes: None,
    max_det: 300,
};

/// A frame of RGB pixels, row by row.
pub(crate) fn still(size: Size, data: Vec<u8>) -> Frame {
    let pixels = Pixels {
        format: PixelFormat::Rgb24,
        data: data.into(),
        stride: 3 * size.width as usize,
    };
    Frame {
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
        content: Ok(Content {
            pixels: Some(pixels),
            jpeg: None,
        }),
    }
}
