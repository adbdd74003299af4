//! Classes: what a stage tells apart, and the colour that each is shown in.
//!
//! Pure.

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde::de::Error;
use std::fmt;
use std::sync::Arc;

/// A class of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassEntry {
    /// Its number in the model.
    pub class: u32,
    /// Its name. Of a number that a server gives to several names, each has an entry.
    pub class_name: Arc<str>,
    /// What its boxes are drawn in.
    pub colour: Colour,
}

/// The colour of a class: the same in every picture, page and run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// The golden angle, in turns: classes of neighbouring numbers are far apart on the circle of hues.
const GOLDEN_ANGLE: f64 = 0.381_966_011_250_105;

/// How bright colours are, from 0 to 1: three in turn, all of them to be seen on white and on black.
const BRIGHTNESS: [f64; 3] = [0.21, 0.28, 0.15];

/// The parts of red, green and blue in how bright a colour is (ITU-R BT.709).
const PARTS: [f64; 3] = [0.2126, 0.7152, 0.0722];

impl Colour {
    /// That of a class of this number.
    pub fn of(class: u32) -> Self {
        // No function but the square root, which is the same on every machine.
        let wanted = BRIGHTNESS[class as usize % BRIGHTNESS.len()];
        let pure = hue((f64::from(class) * GOLDEN_ANGLE).fract());
        let sum = |of: &dyn Fn(f64) -> f64| -> f64 {
            let parts = pure.iter().zip(PARTS);
            parts.map(|(c, part)| of(*c) * part).sum()
        };
        // Light is about the square of what stands in a picture.
        let bright = sum(&|c| c * c);
        let mixed = match bright > wanted {
            true => pure.map(|c| c * (wanted / bright).sqrt()),
            false => {
                // So much white that the squares of c + (1 - c) * white make the brightness.
                let (a, b) = (sum(&|c| (1.0 - c) * (1.0 - c)), sum(&|c| c * (1.0 - c)));
                let white = ((b * b - a * (bright - wanted)).sqrt() - b) / a;
                pure.map(|c| c + (1.0 - c) * white)
            }
        };
        Self(mixed.map(|c| (c * 255.0).round() as u8))
    }

    /// Red, green and blue.
    pub fn rgb(self) -> [u8; 3] {
        self.0
    }
}

// A hue at its strongest; `turn` goes once around from red over green and blue.
fn hue(turn: f64) -> [f64; 3] {
    // Pure blue and red would be hard to see on black, and strong colours hard to look at.
    const LEAST: f64 = 0.12;
    let part = |shift: f64| {
        let at = ((turn + shift).fract() * 6.0 - 3.0).abs();
        LEAST + (1.0 - LEAST) * (at - 1.0).clamp(0.0, 1.0)
    };
    [part(0.0), part(2.0 / 3.0), part(1.0 / 3.0)]
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Serialize for Colour {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Colour {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix('#').filter(|it| it.len() == 6);
        let is_hex = |it: &&str| it.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = digits.filter(is_hex);
        let number = number.and_then(|it| u32::from_str_radix(it, 16).ok());
        let [_, red, green, blue] = number
            .ok_or_else(|| D::Error::custom("a colour is #rrggbb"))?
            .to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

#[cfg(test)]
mod tests {
    use super::Colour;

    const WHITE: [u8; 3] = [255; 3];
    const NEARLY_BLACK: [u8; 3] = [17; 3];

    // The contrast of two colours by WCAG 2.2.
    fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
        let light = |[r, g, b]: [u8; 3]| {
            let linear = |c: u8| match f64::from(c) / 255.0 {
                c if c <= 0.04045 => c / 12.92,
                c => ((c + 0.055) / 1.055).powf(2.4),
            };
            0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b) + 0.05
        };
        let (a, b) = (light(a), light(b));
        a.max(b) / a.min(b)
    }

    // WCAG asks for 3 of what is drawn, and for 4.5 of letters.
    #[test]
    fn a_colour_is_seen_on_light_and_dark_and_a_label_on_it() {
        for class in (0..1000).chain([u32::MAX]) {
            let colour = Colour::of(class).rgb();
            for ground in [WHITE, NEARLY_BLACK] {
                let contrast = contrast(colour, ground);
                assert!(contrast >= 3.0, "{class} {colour:?} {ground:?} {contrast}");
            }
            let label = contrast(colour, WHITE).max(contrast(colour, [0; 3]));
            assert!(label >= 4.5, "{class} {colour:?} {label}");
        }
    }

    #[test]
    fn neighbours_are_told_apart() {
        let apart = |a: u32, b: u32| {
            let sides = Colour::of(a).rgb().into_iter().zip(Colour::of(b).rgb());
            sides.map(|(a, b)| u32::from(a.abs_diff(b))).sum::<u32>()
        };
        for class in 0..80 {
            for next in class + 1..class + 8 {
                let apart = apart(class, next);
                assert!(apart >= 60, "{class} and {next}: {apart}");
            }
        }
    }

    #[test]
    fn a_colour_is_written_as_pages_write_it() {
        let colour = Colour::of(0);
        let text = serde_json::to_string(&colour).unwrap();
        assert_eq!(serde_json::from_str::<Colour>(&text).unwrap(), colour);
        for wrong in ["\"red\"", "\"#12345\"", "\"#+12345\"", "\"#1234567\"", "7"] {
            assert!(serde_json::from_str::<Colour>(wrong).is_err(), "{wrong}");
        }
    }
}
