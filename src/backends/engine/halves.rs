//! Numbers in half precision, which models exported for GPUs take and give.

use half::f16;
use half::slice::HalfFloatSliceExt;

/// In half precision; what is beyond its largest number, 65504, becomes infinite.
pub(super) fn narrowed(numbers: &[f32]) -> Vec<f16> {
    let mut halves = vec![f16::ZERO; numbers.len()];
    halves.convert_from_f32_slice(numbers);
    halves
}

/// In single precision.
pub(super) fn widened(halves: &[f16]) -> Vec<f32> {
    halves.to_f32_vec()
}

#[cfg(test)]
mod tests {
    use super::narrowed;
    use super::widened;

    #[test]
    fn what_a_half_can_say_comes_back_as_it_is() {
        let exact = [0.0, -1.5, 65504.0, 1.0 / 16384.0, 1.0 / 1024.0, 640.0];
        assert_eq!(widened(&narrowed(&exact)), exact);
        // 11 bits: between 0.5 and 1 a step is 2 to the -11th.
        let rounded = widened(&narrowed(&[0.7, 1e6]));
        assert!((rounded[0] - 0.7).abs() <= 0.5_f32.powi(12));
        assert_eq!(rounded[1], f32::INFINITY);
    }
}
