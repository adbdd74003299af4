//! Ranges of a video, as a recipe writes them: `"10:00-12:00"`.
//!
//! Errors are as in `value`. Knows nothing of videos.

use crate::diag::Diagnostic;
use crate::diag::Span;
use crate::recipe::load::tree::Node;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::stages::moment;
use crate::recipe::stages::moment::LONGEST;
use crate::time::TimeRange;
use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error;
use serde::de::Unexpected;
use serde::de::Visitor;
use std::fmt;
use std::time::Duration;

/// The key.
pub(in crate::recipe) const RANGES: &str = "ranges";

/// More than anybody writes.
const MOST: usize = 1_000;

/// A list of ranges, each by itself as it should be.
pub(in crate::recipe) fn ranges<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<TimeRange>, D::Error> {
    let ranges: Vec<Written> = Vec::deserialize(deserializer)?;
    match ranges.len() > MOST {
        true => Err(D::Error::custom(format!(
            "has {} ranges\nat most {MOST} are taken",
            ranges.len()
        ))),
        false => Ok(ranges.into_iter().map(|Written(range)| range).collect()),
    }
}

/// A range as a text.
struct Written(TimeRange);

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Range;

        impl Visitor<'_> for Range {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "ranges\nwrite where each begins and ends, such as \"10:00-12:00\" or \
                     \"90s-2m\"; \"10:00-\" goes on to the end",
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
                let Some((start, end)) = parse(text) else {
                    return Err(E::invalid_type(Unexpected::Str(text), &self));
                };
                let (start_text, end_text) = halves(text).unwrap_or_default();
                if [Some(start), end]
                    .into_iter()
                    .flatten()
                    .any(|it| it > LONGEST)
                {
                    return Err(E::custom(format!(
                        "cannot be {text:?}\nallowed: 0 to {LONGEST} seconds"
                    )));
                }
                if end.is_some_and(|end| end < start) {
                    return Err(E::custom(format!(
                        "has a range that ends before it begins\nwrite \"{end_text}-{start_text}\""
                    )));
                }
                if end == Some(start) {
                    return Err(E::custom(format!(
                        "has a range with nothing in it\nlet it end later than {start_text}, or \
                         leave it out"
                    )));
                }
                Ok(Written(TimeRange {
                    start: Duration::from_secs_f64(start),
                    end: end.map(Duration::from_secs_f64),
                }))
            }
        }

        deserializer.deserialize_any(Range)
    }
}

// What is before the dash, which may be a long one, and behind it.
fn halves(text: &str) -> Option<(&str, &str)> {
    let (start, end) = text.split_once(['-', '\u{2013}'])?;
    Some((start.trim(), end.trim()))
}

// The seconds of both; nothing behind the dash is the end of the video.
fn parse(text: &str) -> Option<(f64, Option<f64>)> {
    let (start, end) = halves(text)?;
    let end = match end {
        "" => None,
        end => Some(moment::seconds(end)?),
    };
    Some((moment::seconds(start)?, end))
}

/// The texts of the ranges that are written in `table`, with their places.
pub(in crate::recipe) fn written(table: &Table) -> Vec<(String, Span)> {
    let items = match table.get(RANGES).map(|entry| &entry.node.value) {
        Some(Value::List(items)) => items.as_slice(),
        _ => &[],
    };
    let text = |node: &Node| match &node.value {
        Value::Text(text) => Some((text.clone(), node.span)),
        _ => None,
    };
    items.iter().filter_map(text).collect()
}

/// The first two of the `written` ranges that have a moment in common, as a mistake.
pub(in crate::recipe) fn overlap(written: &[(String, Span)]) -> Option<Diagnostic> {
    let mut places: Vec<_> = written
        .iter()
        .filter_map(|(text, span)| {
            let (start, end) = parse(text)?;
            Some((start, end.unwrap_or(f64::INFINITY), text, *span))
        })
        .collect();
    places.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (one, next) = places.windows(2).find_map(|two| match two {
        [one, next] if one.1 > next.0 => Some((one, next)),
        _ => None,
    })?;
    let last = if one.1 > next.1 { one } else { next };
    let (start, _) = halves(one.2)?;
    let (_, end) = halves(last.2)?;
    let message = format!("{:?} begins before {:?} ends", next.2, one.2);
    Some(
        Diagnostic::error(next.3, message)
            .also(one.3, "this one")
            .help(format!(
                "write one range of both, \"{start}-{end}\", or let them be apart"
            )),
    )
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn ranges_are_read_in_every_spelling_of_a_time() {
        for (text, start, end) in [
            ("10:00-12:00", 600.0, Some(720.0)),
            ("1:02:03-1:03:00", 3723.0, Some(3780.0)),
            ("90s-2m", 90.0, Some(120.0)),
            ("0.5 - 1.25", 0.5, Some(1.25)),
            ("1h 2m-1h3m30s", 3720.0, Some(3810.0)),
            ("10:00\u{2013}720", 600.0, Some(720.0)),
            ("1:30-", 90.0, None),
        ] {
            assert_eq!(parse(text), Some((start, end)), "{text}");
        }
        for wrong in [
            "",
            "-",
            "10:00",
            "-2:00",
            "1-2-3",
            "a-b",
            "1:60-2:00",
            "1 to 2",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
