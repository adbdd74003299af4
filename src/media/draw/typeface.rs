//! A line of text in one size: letters of the compiled-in font, all else as its escape.
//!
//! Text comes from models and servers. What the font has no letter for, control characters and
//! marks of direction among it, is shown as `\u{4eba}` and so moves nothing.

use crate::media::draw::canvas::Canvas;
use crate::media::error::MediaError;
use ab_glyph::Font;
use ab_glyph::FontRef;
use ab_glyph::GlyphId;
use ab_glyph::PxScale;
use ab_glyph::ScaleFont;
use ab_glyph::point;
use std::collections::BTreeMap;

const FONT: &[u8] = include_bytes!("font/DejaVuSans-Bold.ttf");

/// What stands where text was cut off.
const CUT: char = '…';

/// The font in one size.
pub(super) struct Typeface {
    font: FontRef<'static>,
    scale: PxScale,
    // Those that were drawn before; the font has a few hundred.
    letters: BTreeMap<char, Letter>,
}

/// A letter as it is drawn.
#[derive(Clone, Debug, Default)]
struct Letter {
    /// From its origin to that of the next, in pixels.
    advance: f32,
    // How much of each pixel it covers, and where that is from its origin.
    covered: Vec<(i32, i32, f32)>,
}

impl Typeface {
    /// The font with lines of so many pixels.
    pub(super) fn new(pixels: f32) -> Result<Self, MediaError> {
        let font = FontRef::try_from_slice(FONT).map_err(|error| MediaError::Font {
            why: error.to_string(),
        })?;
        Ok(Self {
            font,
            scale: PxScale::from(pixels),
            letters: BTreeMap::new(),
        })
    }

    /// The height of a line in pixels.
    pub(super) fn height(&self) -> i32 {
        self.font.as_scaled(self.scale).height().ceil() as i32
    }

    /// The letters that show `text` in at most `width` pixels, and how many they take.
    pub(super) fn fitted(&mut self, text: &str, width: i32) -> (String, i32) {
        let shown = self.shown(text);
        let cut = self.letter(CUT).advance;
        let (mut line, mut taken, mut is_cut) = (String::new(), 0.0, false);
        let (mut kept, mut kept_width) = (0, 0.0);
        for letter in shown.chars() {
            let advance = self.letter(letter).advance;
            if taken + advance > width as f32 {
                is_cut = true;
                break;
            }
            line.push(letter);
            taken += advance;
            if taken + cut <= width as f32 {
                (kept, kept_width) = (line.len(), taken);
            }
        }
        if is_cut {
            line.truncate(kept);
            line.push(CUT);
            taken = kept_width + cut;
        }
        (line, taken.ceil() as i32)
    }

    /// Draws letters that are `fitted`, from this upper left corner on.
    pub(super) fn draw(
        &mut self,
        canvas: &mut Canvas<'_>,
        (left, top): (i32, i32),
        line: &str,
        colour: [u8; 3],
    ) {
        let ascent = self.font.as_scaled(self.scale).ascent().round() as i32;
        let mut across = 0.0_f32;
        for letter in line.chars() {
            let letter = self.letter(letter);
            let origin = left + across.round() as i32;
            for (x, y, share) in &letter.covered {
                canvas.blend(origin + x, top + ascent + y, colour, *share);
            }
            across += letter.advance;
        }
    }

    // Text with escapes in place of what the font lacks.
    fn shown(&self, text: &str) -> String {
        let mut shown = String::new();
        for letter in text.chars() {
            match self.font.glyph_id(letter) {
                GlyphId(0) => shown.extend(letter.escape_unicode()),
                _ => shown.push(letter),
            }
        }
        shown
    }

    fn letter(&mut self, letter: char) -> &Letter {
        let (font, scale) = (&self.font, self.scale);
        self.letters
            .entry(letter)
            .or_insert_with(|| rasterized(font, scale, letter))
    }
}

fn rasterized(font: &FontRef<'static>, scale: PxScale, letter: char) -> Letter {
    let scaled = font.as_scaled(scale);
    let id = scaled.glyph_id(letter);
    let mut covered = Vec::new();
    let glyph = id.with_scale_and_position(scale, point(0.0, 0.0));
    if let Some(outline) = font.outline_glyph(glyph) {
        let corner = outline.px_bounds().min;
        let (left, top) = (corner.x as i32, corner.y as i32);
        outline.draw(|x, y, share| {
            if share > 0.0 {
                covered.push((left + x.cast_signed(), top + y.cast_signed(), share));
            }
        });
    }
    Letter {
        advance: scaled.h_advance(id),
        covered,
    }
}

#[cfg(test)]
mod tests {
    use super::Typeface;

    #[test]
    fn what_the_font_lacks_is_escaped() {
        let typeface = Typeface::new(16.0).unwrap();
        for (text, shown) in [
            ("person 0.87 #3", "person 0.87 #3"),
            ("Fußgänger, Ζέβρα, пешеход", "Fußgänger, Ζέβρα, пешеход"),
            ("人", "\\u{4eba}"),
            ("a\nb\u{1b}[31m", "a\\u{a}b\\u{1b}[31m"),
            ("\u{202e}abc\u{200f}", "\\u{202e}abc\\u{200f}"),
            ("שלום", "\\u{5e9}\\u{5dc}\\u{5d5}\\u{5dd}"),
            ("e\u{301}", "e\\u{301}"),
        ] {
            assert_eq!(typeface.shown(text), shown);
        }
    }

    #[test]
    fn what_is_too_long_is_cut_off_within_the_width() {
        let mut typeface = Typeface::new(16.0).unwrap();
        let long = "a very long name of a class ".repeat(40);
        for width in [0, 10, 100, 1000] {
            let (line, taken) = typeface.fitted(&long, width);
            assert!(line.ends_with('…'), "{line}");
            assert!(taken <= width.max(17), "{taken} of {width}");
        }
        let (line, taken) = typeface.fitted("circle", 1000);
        assert_eq!(line, "circle");
        assert!((40..80).contains(&taken), "{taken}");
        assert_eq!(typeface.fitted("", 100), (String::new(), 0));
    }
}
