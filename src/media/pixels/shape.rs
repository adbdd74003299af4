//! From a decoded frame to the pixels that were asked for: scaled, coloured, turned.

use crate::item::PixelFormat;
use crate::item::Pixels;
use crate::item::Size;
use crate::media::ffmpeg;
use crate::media::ffmpeg::ColourKind;
use crate::media::ffmpeg::Colours;
use crate::media::ffmpeg::Conversion;
use crate::media::ffmpeg::Scaler;
use crate::media::pixels::colour::Matrix;
use crate::media::pixels::colour::ToJpeg;
use crate::media::pixels::display::Display;
use crate::media::pixels::display::PixelAspect;
use crate::media::pixels::orientation::Orientation;
use bytes::Bytes;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::software::scaling::Flags;

const BT601: i32 = 5;

// Half of it, the stride of a chroma plane, is what swscale wants of its rows.
const STRIDE_ALIGNMENT: usize = 2 * ffmpeg::ROW_ALIGNMENT;

/// Pixels with what must be known about them.
pub(in crate::media) struct Shaped {
    /// The size as shown, before scaling.
    pub(in crate::media) source: Size,
    /// The size of the pixels.
    pub(in crate::media) size: Size,
    /// The pixels.
    pub(in crate::media) pixels: Pixels,
}

/// Turns frames into pixels of one format, none longer than `max_side`.
pub(in crate::media) struct Shaper {
    format: PixelFormat,
    max_side: u32,
    display: Display,
    // Of the last conversion; frames of a video rarely change their size.
    scaler: Option<Scaler>,
}

impl Shaper {
    /// A shaper for frames that are displayed like this; where that leaves something open, as
    /// each frame says.
    pub(in crate::media) fn new(format: PixelFormat, max_side: u32, display: Display) -> Self {
        Self {
            format,
            max_side,
            display,
            scaler: None,
        }
    }

    /// Turns what follows like this.
    pub(in crate::media) fn turn(&mut self, turn: Orientation) {
        self.display.turn = turn;
    }

    /// Shapes one frame; `None` where swscale cannot convert its layout.
    pub(in crate::media) fn shape(&mut self, frame: &Video) -> Option<Shaped> {
        let (aspect, turn) = self.display.or_of(frame);
        let coded = Size {
            width: frame.width(),
            height: frame.height(),
        };
        let source = turn.size(aspect.size(coded));
        let size = source.within(self.max_side);
        let scaled = turn.size(size);
        let colours = ffmpeg::colours(frame);
        let mut planes = Planes::new(self.format, scaled);
        self.scaler_for(frame, coded, scaled, colours)?
            .run(frame, &mut planes.split())?;
        if self.format == PixelFormat::I420 && colours.kind == ColourKind::Yuv {
            planes.recolour(colours);
        }
        let pixels = planes.turned(turn).into_pixels();
        Some(Shaped {
            source,
            size,
            pixels,
        })
    }

    fn scaler_for(
        &mut self,
        frame: &Video,
        coded: Size,
        scaled: Size,
        colours: Colours,
    ) -> Option<&mut Scaler> {
        let conversion = conversion(frame.format(), coded, colours, self.format, scaled);
        let fits = |scaler: &Scaler| scaler.conversion() == conversion;
        if !self.scaler.as_ref().is_some_and(fits) {
            self.scaler = Some(Scaler::new(conversion)?);
        }
        self.scaler.as_mut()
    }
}

fn conversion(
    from: Pixel,
    from_size: Size,
    from_colours: Colours,
    format: PixelFormat,
    to_size: Size,
) -> Conversion {
    let full = Colours {
        matrix: BT601,
        full_range: true,
        kind: ColourKind::Rgb,
    };
    let (to, to_colours, care) = match (format, from_colours.kind) {
        (PixelFormat::Rgb24, _) => (
            Pixel::RGB24,
            full,
            Flags::ACCURATE_RND | Flags::FULL_CHR_H_INT,
        ),
        // YUV stays what it is while it is scaled: its colours change in a pass of our own.
        (PixelFormat::I420, ColourKind::Yuv) => (Pixel::YUV420P, from_colours, Flags::empty()),
        (PixelFormat::I420, _) => (Pixel::YUV420P, full, Flags::ACCURATE_RND),
    };
    let filter = if from_size == to_size {
        Flags::BICUBIC
    } else {
        Flags::AREA
    };
    Conversion {
        from,
        from_size,
        from_colours,
        to,
        to_size,
        to_colours,
        flags: filter | care,
    }
}

impl Display {
    // What the stream leaves open is as the frame says.
    fn or_of(self, frame: &Video) -> (PixelAspect, Orientation) {
        let aspect = self.aspect.or_else(|| {
            let own = frame.aspect_ratio();
            PixelAspect::new(own.numerator(), own.denominator())
        });
        let turn = match self.turn.is_none() {
            true => turn_of_photograph(frame),
            false => self.turn,
        };
        (aspect.unwrap_or(PixelAspect::SQUARE), turn)
    }
}

/// The turn that a photograph's own data asks for.
pub(in crate::media) fn turn_of_photograph(frame: &Video) -> Orientation {
    let orientation = frame
        .metadata()
        .get("Orientation")
        .and_then(|text| text.trim().parse().ok());
    orientation.map_or_else(Orientation::default, Orientation::from_exif)
}

struct Planes {
    format: PixelFormat,
    size: Size,
    stride: usize,
    data: Vec<u8>,
}

impl Planes {
    fn new(format: PixelFormat, size: Size) -> Self {
        let width = size.width as usize;
        let row = match format {
            PixelFormat::Rgb24 => width * 3,
            PixelFormat::I420 => width,
        };
        let stride = row.next_multiple_of(STRIDE_ALIGNMENT);
        let mut planes = Self {
            format,
            size,
            stride,
            data: Vec::new(),
        };
        planes.data = vec![0; planes.len()];
        planes
    }

    fn luma_len(&self) -> usize {
        self.stride * self.size.height as usize
    }

    fn chroma_len(&self) -> usize {
        self.stride / 2 * self.size.height.div_ceil(2) as usize
    }

    fn len(&self) -> usize {
        match self.format {
            PixelFormat::Rgb24 => self.luma_len(),
            PixelFormat::I420 => self.luma_len() + 2 * self.chroma_len(),
        }
    }

    fn split(&mut self) -> Vec<(&mut [u8], usize)> {
        let (luma_len, chroma_len, stride) = (self.luma_len(), self.chroma_len(), self.stride);
        match self.format {
            PixelFormat::Rgb24 => vec![(&mut self.data, stride)],
            PixelFormat::I420 => {
                let (luma, chroma) = self.data.split_at_mut(luma_len);
                let (u, v) = chroma.split_at_mut(chroma_len);
                vec![(luma, stride), (u, stride / 2), (v, stride / 2)]
            }
        }
    }

    fn recolour(&mut self, from: Colours) {
        let (size, stride) = (self.size, self.stride);
        let conversion = ToJpeg::new(Matrix::numbered(from.matrix), from.full_range);
        let (luma, chroma) = self.data.split_at_mut(stride * size.height as usize);
        let (u, v) = chroma.split_at_mut(chroma.len() / 2);
        if let Some(conversion) = conversion {
            conversion.apply(size, stride, [luma, u, v]);
        }
    }

    fn turned(mut self, turn: Orientation) -> Self {
        if turn.is_none() {
            return self;
        }
        let coded = self.size;
        let mut to = Self::new(self.format, turn.size(coded));
        let halved = Size {
            width: coded.width.div_ceil(2),
            height: coded.height.div_ceil(2),
        };
        let format = self.format;
        let planes = self.split().into_iter().zip(to.split()).enumerate();
        for (index, ((from, from_stride), (to, to_stride))) in planes {
            let (from, to) = ((&*from, from_stride), (to, to_stride));
            match (format, index) {
                (PixelFormat::Rgb24, _) => turn.apply::<3>(coded, from, to),
                (PixelFormat::I420, 0) => turn.apply::<1>(coded, from, to),
                (PixelFormat::I420, _) => turn.apply::<1>(halved, from, to),
            }
        }
        to
    }

    fn into_pixels(self) -> Pixels {
        Pixels {
            format: self.format,
            data: Bytes::from(self.data),
            stride: self.stride,
        }
    }
}
