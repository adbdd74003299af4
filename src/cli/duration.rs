//! Lengths of time as people write them; `jiff` reads them.

use crate::recipe::clock;
use jiff::SignedDuration;
use std::time::Duration;

/// Reads `30s`, `2m`, `1m30s` or plain seconds; more than nothing.
pub(super) fn parse(text: &str) -> Result<Duration, String> {
    parse_from_zero(text).and_then(|duration| match duration.is_zero() {
        true => Err(format!("it has to be more than nothing; {WORDS}")),
        false => Ok(duration),
    })
}

const WORDS: &str = "write it as 30s, 2m, 1m30s or 1:30, or in seconds";

/// The same; nothing will do.
pub(super) fn parse_from_zero(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse()
        .ok()
        .or_else(|| clock(text))
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let words = || Duration::try_from(text.parse::<SignedDuration>().ok()?).ok();
    seconds.or_else(words).ok_or_else(|| WORDS.to_owned())
}

/// Reads `30d` as well as what [`parse_from_zero`] reads.
pub(super) fn parse_age(text: &str) -> Result<Duration, String> {
    const DAY: u64 = 24 * 60 * 60;
    let days = text.strip_suffix('d').and_then(|days| days.parse().ok());
    let seconds = days.and_then(|days: u64| days.checked_mul(DAY));
    match seconds {
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => parse_from_zero(text).map_err(|_| "write it as 30d, 12h or 0s".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use super::parse_age;

    #[test]
    fn durations_are_read_as_people_write_them() {
        let seconds = |text| parse(text).map(|duration| duration.as_secs_f64());
        assert_eq!(seconds("30s"), Ok(30.0));
        assert_eq!(seconds("2m"), Ok(120.0));
        assert_eq!(seconds("90s"), Ok(90.0));
        assert_eq!(seconds("1h30m"), Ok(5400.0));
        assert_eq!(seconds("1h 30m"), Ok(5400.0));
        assert_eq!(seconds("1m30s"), Ok(90.0));
        assert_eq!(seconds("1h"), Ok(3600.0));
        assert_eq!(seconds("2.5"), Ok(2.5));
        assert_eq!(seconds("500ms"), Ok(0.5));
        assert_eq!(seconds("1:30"), Ok(90.0));
        assert_eq!(seconds("1:02:03.5"), Ok(3723.5));
        for wrong in ["", "0", "0s", "-3s", "-3", "soon", "nan", "inf", "1:60"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ages_are_days_too() {
        let seconds = |text| parse_age(text).map(|age| age.as_secs());
        assert_eq!(seconds("30d"), Ok(2_592_000));
        assert_eq!(seconds("12h"), Ok(43_200));
        assert_eq!(seconds("0s"), Ok(0));
        for wrong in ["", "d", "-1d", "1.5d", "a week", "99999999999999999999d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
