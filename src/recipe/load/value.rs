//! What a key may hold: the types of values and their ranges, for serde's `deserialize_with`.
//!
//! A string is read as the number or flag that it spells, because templates give strings. An
//! error's first line goes on after the key's name; its second says what to do. Knows nothing
//! of places.

use crate::speech::language_code;
use crate::template::Condition;
use crate::template::Scope;
use crate::template::Template;
use crate::time::Ratio;
use serde::Deserializer;
use serde::de::Error;
use serde::de::Unexpected;
use serde::de::Visitor;
use std::fmt;
use std::num::NonZero;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A number as it was written, or as a string spells it.
struct Number {
    whole: bool,
    /// Whether a user may hope that it takes `auto`, which it does not yet.
    auto: bool,
    low: f64,
    high: f64,
    /// What to say of the range.
    allowed: String,
}

impl Number {
    fn any(low: f64, high: f64) -> Self {
        Self {
            whole: false,
            auto: false,
            low,
            high,
            allowed: format!("allowed: {low} to {high}"),
        }
    }

    fn whole(low: u32, high: u32) -> Self {
        Self {
            whole: true,
            ..Self::any(f64::from(low), f64::from(high))
        }
    }
}

impl Visitor<'_> for Number {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.whole {
            "a whole number"
        } else {
            "a number"
        };
        write!(f, "{kind}\n{}", self.allowed)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
        self.visit_f64(number as f64)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<f64, E> {
        if !(self.low..=self.high).contains(&number) {
            let is_share = (self.low, self.high) == (0.0, 1.0);
            // Less was hardly meant as a percentage.
            let percent = match is_share && (10.0..=100.0).contains(&number) {
                true => format!("; {number} % is {}", (number * 1e4).round() / 1e6),
                false => String::new(),
            };
            return Err(E::custom(format!(
                "cannot be {}\n{}{percent}",
                written(number),
                self.allowed
            )));
        }
        // A division in a template gives 16.0, which is whole enough.
        if self.whole && number.fract() != 0.0 {
            return Err(E::invalid_type(Unexpected::Float(number), &self));
        }
        Ok(number)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        match text.trim().parse() {
            Ok(number) => self.visit_f64(number),
            Err(_) if self.auto && text == "auto" => Err(E::custom(format!(
                "cannot be \"auto\" yet\ngive a number; {}",
                self.allowed
            ))),
            Err(_) => match quotient(text).or_else(|| with_comma(text)) {
                Some(number) => Err(E::custom(format!(
                    "takes a number, not the text {text:?}\nwrite {number}"
                ))),
                None => Err(E::invalid_type(Unexpected::Str(text), &self)),
            },
        }
    }
}

// What `1/5` comes to.
fn quotient(text: &str) -> Option<f64> {
    let (a, b) = text.split_once('/')?;
    let number = a.trim().parse::<f64>().ok()? / b.trim().parse::<f64>().ok()?;
    number.is_finite().then_some(number)
}

// What `0,4` means.
fn with_comma(text: &str) -> Option<f64> {
    let (whole, part) = text.trim().split_once(',')?;
    let is_part = !part.is_empty() && part.bytes().all(|letter| letter.is_ascii_digit());
    format!("{whole}.{part}").parse().ok().filter(|_| is_part)
}

/// A number for a message; very large ones are not written out.
pub(crate) fn written(number: f64) -> String {
    if number.abs() < 1e15 || !number.is_finite() {
        number.to_string()
    } else {
        format!("{number:e}")
    }
}

fn whole<'de, D: Deserializer<'de>>(
    deserializer: D,
    allowed: RangeInclusive<u32>,
) -> Result<u32, D::Error> {
    let number = deserializer.deserialize_any(Number::whole(*allowed.start(), *allowed.end()))?;
    // In range and whole, so nothing is lost.
    Ok(number as u32)
}

/// Frames a second.
pub(crate) fn fps<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ratio, D::Error> {
    let allowed = "allowed: more than 0, at most 1000; 0.5 is a frame every two seconds";
    let number = deserializer.deserialize_any(Number {
        allowed: allowed.to_owned(),
        ..Number::any(f64::MIN_POSITIVE, 1000.0)
    })?;
    Ratio::from_decimal(number)
        .ok_or_else(|| D::Error::custom(format!("cannot be {number}\nat most 18 digits are exact")))
}

/// Decoders, where the number need not be given.
pub(crate) fn decoders<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<usize>, D::Error> {
    whole(deserializer, 1..=256).map(|number| Some(number as usize))
}

/// A share of one: confidence, overlap.
pub(crate) fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
    let number = deserializer.deserialize_any(Number::any(0.0, 1.0))?;
    Ok(number as f32)
}

/// A share of one, not rounded, where it need not be said.
pub(crate) fn exact_share<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<f64>, D::Error> {
    deserializer
        .deserialize_any(Number::any(0.0, 1.0))
        .map(Some)
}

/// A number that is not negative, where it need not be said.
pub(crate) fn from_zero<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<f64>, D::Error> {
    let number = deserializer.deserialize_any(Number {
        allowed: "allowed: 0 or more".to_owned(),
        ..Number::any(0.0, f64::MAX)
    });
    number.map(Some)
}

/// Levels of luma.
pub(crate) fn levels<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f32, D::Error> {
    let number = deserializer.deserialize_any(Number::any(0.0, 255.0))?;
    Ok(number as f32)
}

/// A side of what leaves the decoder, in pixels.
pub(crate) fn max_side<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    whole(deserializer, 2..=16384)
}

/// The side of a model's input, in pixels, where it need not be said.
pub(crate) fn imgsz<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    whole(deserializer, 32..=8192).map(Some)
}

/// The quality of a JPEG.
pub(crate) fn quality<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    // In range, so nothing is lost.
    whole(deserializer, 1..=100).map(|number| number as u8)
}

/// The quality of a JPEG, where it need not be said.
pub(crate) fn some_quality<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<u8>, D::Error> {
    quality(deserializer).map(Some)
}

/// Frames a request.
pub(crate) fn batch_size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole(deserializer, 1..=1024).map(|number| number as usize)
}

/// One in so many.
pub(crate) fn every<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    whole(deserializer, 1..=1_000_000)
}

/// Frames that wait for each other.
pub(crate) fn frames_in_a_row<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    whole(deserializer, 1..=100)
}

/// Boxes a frame.
pub(crate) fn max_det<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole(deserializer, 1..=10_000).map(|number| number as usize)
}

/// Threads of a session.
pub(crate) fn threads<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole(deserializer, 1..=256).map(|number| number as usize)
}

/// How many at once.
pub(crate) fn concurrency<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let number = deserializer.deserialize_any(Number {
        auto: true,
        ..Number::whole(1, 1024)
    })?;
    // In range and whole, so nothing is lost.
    Ok(number as usize)
}

/// How many at once, where there need not be a limit.
pub(crate) fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    concurrency(deserializer).map(Some)
}

/// Workers, at most.
pub(crate) fn workers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole(deserializer, 1..=1024).map(|number| number as usize)
}

/// Attempts at one request.
pub(crate) fn attempts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    whole(deserializer, 1..=100)
}

/// Bytes of one request or answer.
pub(crate) fn bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole(deserializer, 1_000..=2_000_000_000).map(|number| number as usize)
}

/// Bytes, where there is another default.
pub(crate) fn max_bytes<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<usize>, D::Error> {
    bytes(deserializer).map(Some)
}

/// Seconds that something may take.
pub(crate) fn timeout<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    seconds(deserializer, 0.1)
}

/// Seconds that something takes; there may be none.
pub(crate) fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    seconds(deserializer, 0.0)
}

/// Seconds that something takes, where they need not be known.
pub(crate) fn some_time<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    time(deserializer).map(Some)
}

fn seconds<'de, D: Deserializer<'de>>(deserializer: D, least: f64) -> Result<Duration, D::Error> {
    let week = 604_800.0;
    let number = deserializer.deserialize_any(Number {
        allowed: format!("allowed: {least} to {week} seconds"),
        ..Number::any(least, week)
    })?;
    Ok(Duration::from_secs_f64(number))
}

/// US dollars a second.
pub(crate) fn price<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    deserializer.deserialize_any(Number::any(0.0, 100.0))
}

/// GB of memory.
pub(crate) fn gigabytes<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<f32>, D::Error> {
    let number = deserializer.deserialize_any(Number::any(0.1, 10_000.0))?;
    Ok(Some(number as f32))
}

/// Whole milliseconds, from as many seconds to a week.
pub(crate) fn milliseconds<'de, D: Deserializer<'de>, const SECONDS: u32>(
    deserializer: D,
) -> Result<Option<u32>, D::Error> {
    whole(deserializer, SECONDS * 1_000..=604_800_000).map(Some)
}

/// Yes or no, where there need not be an answer.
pub(crate) fn choice<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    flag(deserializer).map(Some)
}

/// The number of a sound track.
pub(crate) fn track<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<NonZero<usize>>, D::Error> {
    whole(deserializer, 1..=1000).map(|number| NonZero::new(number as usize))
}

/// Seconds of sound.
pub(crate) fn chunk<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    whole(deserializer, 5..=3600).map(Some)
}

/// Texts of a beam search.
pub(crate) fn beam_size<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<usize>, D::Error> {
    whole(deserializer, 1..=10).map(|number| Some(number as usize))
}

/// Letters of a line.
pub(crate) fn line_width<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole(deserializer, 10..=1000).map(|number| number as usize)
}

/// Lines of a caption.
pub(crate) fn line_count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole(deserializer, 1..=10).map(|number| number as usize)
}

/// The number of a class.
pub(crate) fn class<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    whole(deserializer, 0..=99_999)
}

/// Yes or no.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    struct Flag;

    impl Visitor<'_> for Flag {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("`true` or `false`\nwrite one of the two, without quotes")
        }

        fn visit_bool<E: Error>(self, flag: bool) -> Result<bool, E> {
            Ok(flag)
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
            text.trim()
                .parse()
                .map_err(|_| E::invalid_type(Unexpected::Str(text), &self))
        }
    }

    deserializer.deserialize_any(Flag)
}

struct Text;

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string\nput text in quotes")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<String, E> {
        if text.trim().is_empty() {
            return Err(E::custom("is empty\nwrite something, or remove the key"));
        }
        Ok(text.to_owned())
    }
}

/// Some text.
pub(crate) fn text<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: From<String>,
{
    deserializer.deserialize_any(Text).map(T::from)
}

/// Some text, where there need not be any.
pub(crate) fn optional<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: From<String>,
{
    text(deserializer).map(Some)
}

/// A language, by its code.
pub(crate) fn language<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let code: String = text(deserializer)?;
    // Whisper has two languages with codes of three letters.
    if matches!(code.len(), 2 | 3) && code.bytes().all(|byte| byte.is_ascii_lowercase()) {
        Ok(Some(code))
    } else {
        Err(D::Error::custom(match language_code(&code) {
            Some(meant) => format!("cannot be {code:?}\nwrite the code of the language, {meant:?}"),
            None => format!(
                "cannot be {code:?}\nwrite the code of the language, such as \"en\" or \"de\""
            ),
        }))
    }
}

/// An expression; braces around the whole of it are taken off.
pub(crate) fn expression<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text: String = text(deserializer)?;
    let inner = text.trim();
    let inner = inner
        .strip_prefix("{{")
        .and_then(|rest| rest.strip_suffix("}}"));
    Ok(inner.unwrap_or(&text).trim().to_owned())
}

/// An expression, where there need not be any.
pub(crate) fn some_expression<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    expression(deserializer).map(Some)
}

/// The name of a header.
pub(crate) fn header<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<String>, D::Error> {
    let name: String = text(deserializer)?;
    match is_free_header(&name) {
        true => Ok(Some(name)),
        false => Err(D::Error::custom(format!(
            "cannot be {name:?}\nwrite the name of a header, such as \"x-api-key\""
        ))),
    }
}

/// Whether a recipe may set the header of this name: those of the connection are not its own, and
/// the key has a way of its own.
pub(crate) fn is_free_header(name: &str) -> bool {
    let own = [
        "host",
        "authorization",
        "connection",
        "content-length",
        "content-type",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "expect",
    ];
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let lower = name.to_ascii_lowercase();
    !lower.is_empty()
        && lower.bytes().all(letters)
        && !own.contains(&lower.as_str())
        && !lower.starts_with("proxy-")
}

/// A template that knows no values yet.
pub(crate) fn template<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Template, D::Error> {
    let text: String = text(deserializer)?;
    Ok(Template::new(text, Scope::default()))
}

/// A condition that knows no values yet.
pub(crate) fn condition<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Condition>, D::Error> {
    let text: String = text(deserializer)?;
    Ok(Some(Condition::new(text, Scope::default())))
}
