//! How finely numbers stand in the results.

/// To the nearest 1 / `parts`. Zero has no sign: a box at the edge may reach it from below.
pub(in crate::output) fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts + 0.0
}
