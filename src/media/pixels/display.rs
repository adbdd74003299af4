//! How a stream wants its frames to be displayed: the shape of its pixels, and how they are turned.

use crate::item::Size;
use crate::media::pixels::orientation::Orientation;

/// A pixel that is more times as wide as high, or as high as wide, is a mistake of the file.
const LONGEST: u64 = 10;

/// The width of a pixel in heights of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::media) struct PixelAspect {
    num: u64,
    den: u64,
}

impl PixelAspect {
    /// Pixels as wide as high.
    pub(in crate::media) const SQUARE: Self = Self { num: 1, den: 1 };

    /// The aspect `num / den`; `None` where that is unknown (0) or absurd.
    pub(in crate::media) fn new(num: i32, den: i32) -> Option<Self> {
        let (num, den) = (u64::try_from(num).ok()?, u64::try_from(den).ok()?);
        let is_sound = num > 0 && den > 0 && num <= den * LONGEST && den <= num * LONGEST;
        is_sound.then_some(Self { num, den })
    }

    /// The size at which what has `coded` pixels is shown. Its height stays, as broadcasters and
    /// players have it.
    pub(in crate::media) fn size(self, coded: Size) -> Size {
        let width = (2 * u64::from(coded.width) * self.num + self.den) / (2 * self.den);
        Size {
            width: u32::try_from(width).unwrap_or(coded.width),
            height: coded.height,
        }
    }
}

/// How the frames of a stream are displayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::media) struct Display {
    /// The shape of the pixels; each frame's own word where `None`.
    pub(in crate::media) aspect: Option<PixelAspect>,
    /// How frames are turned, once their pixels are square.
    pub(in crate::media) turn: Orientation,
}

impl Display {
    /// The size at which a frame of `coded` pixels is shown, where it says nothing of its own.
    pub(in crate::media) fn size(self, coded: Size) -> Size {
        let aspect = self.aspect.unwrap_or(PixelAspect::SQUARE);
        self.turn.size(aspect.size(coded))
    }
}

#[cfg(test)]
mod tests {
    use super::PixelAspect;
    use crate::item::Size;

    #[test]
    fn widths_are_those_of_broadcasters() {
        let shown = |num, den, width, height| {
            let aspect = PixelAspect::new(num, den).unwrap();
            let Size { width, height } = aspect.size(Size { width, height });
            (width, height)
        };
        assert_eq!(shown(16, 15, 720, 576), (768, 576));
        assert_eq!(shown(64, 45, 720, 576), (1024, 576));
        assert_eq!(shown(8, 9, 720, 480), (640, 480));
        assert_eq!(shown(4, 3, 1440, 1080), (1920, 1080));
        assert_eq!(shown(2, 1, 640, 720), (1280, 720));
        assert_eq!(shown(10, 11, 704, 480), (640, 480));
    }

    #[test]
    fn what_is_unknown_or_absurd_is_left_out() {
        for (num, den) in [(0, 1), (1, 0), (-4, 3), (65_535, 1), (1, 65_535)] {
            assert_eq!(PixelAspect::new(num, den), None, "{num}:{den}");
        }
    }
}
