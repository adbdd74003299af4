//! Numbers as answers have them.

/// A number whose text is the shortest that reads as the same number in single precision.
pub(super) fn shortest(number: f32) -> f64 {
    // What has no such text is no number of an answer either.
    number.to_string().parse().unwrap_or(0.0)
}

/// Seconds, to the millisecond.
pub(super) fn millis(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::millis;
    use super::shortest;

    #[test]
    fn a_number_is_short_and_the_same() {
        assert_eq!(shortest(0.1).to_string(), "0.1");
        for bits in (0..u32::MAX / 8).step_by(65_537) {
            let number = f32::from_bits(0x3000_0000 + bits);
            assert_eq!((shortest(number) as f32).to_bits(), number.to_bits());
        }
        assert_eq!(millis(2.560_000_000_000_000_5).to_string(), "2.56");
    }
}
