//! A place in a video, as a recipe writes it.
//!
//! Errors are as in `value`. Knows nothing of videos.

use crate::recipe::load::value::written;
use serde::Deserializer;
use serde::de::Error;
use serde::de::Unexpected;
use serde::de::Visitor;
use std::fmt;
use std::time::Duration;

/// A place in a video: seconds, or as a player writes it.
pub(in crate::recipe) fn moment<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Duration, D::Error> {
    struct Moment;

    impl Visitor<'_> for Moment {
        type Value = Duration;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(
                "a time\nwrite seconds, or hours, minutes and seconds: 90, \"1:30\", \"1:02:03.5\", \"1m30s\"",
            )
        }

        fn visit_i64<E: Error>(self, seconds: i64) -> Result<Duration, E> {
            self.visit_f64(seconds as f64)
        }

        fn visit_f64<E: Error>(self, seconds: f64) -> Result<Duration, E> {
            if (0.0..=LONGEST).contains(&seconds) {
                return Ok(Duration::from_secs_f64(seconds));
            }
            let seconds = written(seconds);
            Err(E::custom(format!(
                "cannot be {seconds}\nallowed: 0 to {LONGEST} seconds"
            )))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
            match seconds(text.trim()) {
                Some(seconds) => self.visit_f64(seconds),
                None => match seconds(&text.replace(',', ".")) {
                    // As captions write it.
                    Some(_) => Err(E::custom(format!(
                        "takes a time, not the text {text:?}\nwrite {:?}",
                        text.replace(',', ".")
                    ))),
                    None => Err(E::invalid_type(Unexpected::Str(text), &self)),
                },
            }
        }
    }

    deserializer.deserialize_any(Moment)
}

/// The longest time that is taken: four weeks and a bit.
pub(in crate::recipe) const LONGEST: f64 = 2.5e6;

/// The seconds of a time, as a player writes it or in units: `1:30`, `90s`, `1m 30s`.
pub(in crate::recipe) fn seconds(text: &str) -> Option<f64> {
    clock(text).or_else(|| in_units(text))
}

// Each unit once, the larger ones first.
fn in_units(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 5] = [
        ("h", 3600.0),
        ("min", 60.0),
        ("m", 60.0),
        ("s", 1.0),
        ("ms", 0.001),
    ];
    let (mut rest, mut sum, mut last) = (text.trim(), 0.0, f64::INFINITY);
    while !rest.is_empty() {
        let is_digit = |letter: char| letter.is_ascii_digit() || letter == '.';
        let (number, behind) = rest.split_at(rest.find(|it| !is_digit(it))?);
        let behind = behind.trim_start();
        let is_unit = |letter: char| letter.is_ascii_alphabetic();
        let (unit, behind) =
            behind.split_at(behind.find(|it| !is_unit(it)).unwrap_or(behind.len()));
        let (_, seconds) = UNITS.into_iter().find(|(word, _)| *word == unit)?;
        if seconds >= last {
            return None;
        }
        sum += number.parse::<f64>().ok()? * seconds;
        (rest, last) = (behind.trim_start(), seconds);
    }
    last.is_finite().then_some(sum)
}

/// The seconds of `[[hours:]minutes:]seconds`; behind a colon there is less than 60.
pub fn clock(text: &str) -> Option<f64> {
    let is_number = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.'));
    let parts: Vec<f64> = text
        .split(':')
        .map(|part| part.parse().ok().filter(|_| is_number(part)))
        .collect::<Option<_>>()?;
    let (seconds, larger) = parts.split_last()?;
    let is_time = larger.len() <= 2
        && larger.iter().all(|part| part.fract() == 0.0)
        && parts.iter().skip(1).all(|part| *part < 60.0);
    let minutes = larger.iter().fold(0.0, |sum, part| sum * 60.0 + part);
    is_time.then_some(minutes * 60.0 + seconds)
}

/// A place in a video, where there need not be one.
pub(in crate::recipe) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Duration>, D::Error> {
    moment(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::clock;
    use super::seconds;

    #[test]
    fn times_are_read_as_players_write_them() {
        assert_eq!(clock("90"), Some(90.0));
        assert_eq!(clock("0.5"), Some(0.5));
        assert_eq!(clock("90:00"), Some(5400.0));
        assert_eq!(clock("1:02:03.5"), Some(3723.5));
        for wrong in [
            "", "1:60", "1:60:00", "1:2:3:4", "1.5:00", "-1", "1e3", "a", ":", "nan", "1:",
        ] {
            assert_eq!(clock(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_read_in_units() {
        for (text, read) in [
            ("90s", 90.0),
            ("2m", 120.0),
            ("2 min 5 s", 125.0),
            ("1h30m", 5400.0),
            ("1h 2m 3.5s", 3723.5),
            ("500ms", 0.5),
            ("1:30", 90.0),
        ] {
            assert_eq!(seconds(text), Some(read), "{text}");
        }
        for wrong in [
            "", "s", "5x", "1m2m", "5s 1m", "1m30", "-3s", ".s", "1..2s", "5 5s",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }
}
