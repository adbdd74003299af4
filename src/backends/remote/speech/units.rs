//! The unit of the times in an answer, told by how long the sound is that was sent.
//!
//! Most servers state seconds. Others state hundredths, milliseconds, samples, microseconds, ticks
//! of 100 ns or nanoseconds, and do not say so.

/// The units that are told apart, in parts of a second. Each is at least ten times as fine as the
/// one before it, so no two can be meant by the same number.
const FINER: [f64; 6] = [1e2, 1e3, 16e3, 1e6, 1e7, 1e9];

/// The windows in which Whisper transcribes, in seconds: it places some words up to the end of the
/// last one, although the sound is over before it.
const WINDOW: f64 = 30.0;

/// How many parts of a second the times of an answer count, where the latest of them is `latest`
/// and the sound that was sent takes so many `seconds`. `None` where it is none of the units known:
/// the answer would place speech where there is no sound, or almost all of it at the very start.
pub(super) fn parts_of_a_second(latest: f64, seconds: f64) -> Option<f64> {
    let windows = (seconds / WINDOW).ceil().max(1.0) * WINDOW;
    if latest <= windows.max(seconds * 1.1) + 1.0 {
        return Some(1.0);
    }
    let reached = seconds / 4.0..=seconds + seconds.min(1.0);
    FINER
        .into_iter()
        .find(|parts| reached.contains(&(latest / parts)))
}

#[cfg(test)]
mod tests {
    use super::FINER;
    use super::parts_of_a_second;

    #[test]
    fn every_unit_is_told_by_the_length_of_the_sound() {
        for seconds in [1.0, 3.73, 29.0, 31.0, 600.0, 3600.0] {
            for share in [0.3, 0.5, 1.0] {
                for parts in FINER.into_iter().filter(|parts| parts * share > 100.0) {
                    let latest = seconds * share * parts;
                    assert_eq!(parts_of_a_second(latest, seconds), Some(parts), "{latest}");
                }
                assert_eq!(parts_of_a_second(seconds * share, seconds), Some(1.0));
            }
        }
        // The end of Whisper's window.
        assert_eq!(parts_of_a_second(29.98, 3.73), Some(1.0));
        assert_eq!(parts_of_a_second(60.0, 31.0), Some(1.0));
    }

    #[test]
    fn what_fits_no_unit_is_none() {
        for (latest, seconds) in [(60.0, 5.0), (1e6, 20.0), (1e300, 20.0), (f64::MAX, 0.0)] {
            assert_eq!(
                parts_of_a_second(latest, seconds),
                None,
                "{latest} in {seconds} s"
            );
        }
    }
}
