//! A picture in memory, which may be a stranger's: its size is known before it is decoded.

use crate::item::PixelFormat;
use crate::item::Pixels;
use crate::item::Size;
use crate::media::decode::memory::MOST_PICTURE_PIXELS;
use crate::media::input::signature;
use crate::media::input::stills;
use crate::media::pixels::display::Display;
use crate::media::pixels::display::PixelAspect;
use crate::media::pixels::shape::Shaper;
use bytes::Bytes;

/// Why a picture has no pixels: one sentence without a full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PictureError(String);

/// A JPEG or PNG file in memory whose size is known and bounded.
#[derive(Clone, Debug)]
pub struct Picture {
    file: Bytes,
    name: String,
    stated: Size,
}

impl Picture {
    /// The picture in `file`, which sentences call `name`.
    ///
    /// # Errors
    ///
    /// Where it is no JPEG or PNG, is cut short, or states no size or one of more than 128 megapixels.
    pub fn new(file: Bytes, name: &str) -> Result<Self, PictureError> {
        let wrong = |what: &str| PictureError(format!("{name} {what}"));
        if file.is_empty() {
            return Err(wrong("is empty (0 bytes)"));
        }
        if !signature::is_jpeg(&file) && !signature::is_png(&file) {
            let start = file.get(..24).unwrap_or(&file);
            return Err(match signature::other_picture(start) {
                Some(kind) => wrong(&format!("is {kind} picture: convert it to PNG or JPEG")),
                None => wrong("is not a JPEG or PNG picture"),
            });
        }
        let stated = signature::stated_size_of(&file).filter(|size| size.pixels() > 0);
        let stated = stated.ok_or_else(|| wrong("is damaged: it states no size"))?;
        if stated.pixels() > MOST_PICTURE_PIXELS {
            let most = MOST_PICTURE_PIXELS / 1_000_000;
            return Err(wrong(&format!(
                "has {stated} pixels, and at most {most} megapixels are decoded"
            )));
        }
        if !signature::is_whole(&file) {
            return Err(wrong("is cut short: its end is missing"));
        }
        Ok(Self {
            file,
            name: name.to_owned(),
            stated,
        })
    }

    /// Width and height that its header states, before it is turned.
    pub fn stated_size(&self) -> Size {
        self.stated
    }

    /// Its size as it is shown, and its pixels as RGB, turned as a photograph says: the pixels that a
    /// run over the file looks at.
    ///
    /// # Errors
    ///
    /// Where it is damaged.
    pub fn decode(&self) -> Result<(Size, Pixels), PictureError> {
        let still = stills::decode_in_memory(&self.file, self.stated, &self.name);
        let still = still.map_err(PictureError)?;
        // What a photograph says of the shape of its pixels is for printers.
        let display = Display {
            aspect: Some(PixelAspect::SQUARE),
            ..Display::default()
        };
        let mut shaper = Shaper::new(PixelFormat::Rgb24, u32::MAX, display);
        shaper.turn(still.turn);
        let shaped = shaper.shape(&still.frame).ok_or_else(|| {
            PictureError(format!(
                "{} has pixels of a layout that is not read",
                self.name
            ))
        })?;
        Ok((shaped.size, shaped.pixels))
    }
}
