//! The built-in detector as a model whose batch axis is free.

const SHAPES: &[u8] = include_bytes!("../../src/backends/models/demo/shapes.onnx");

/// Its ONNX file. Where it is `honest`, several frames do go through it; else it says so of itself, and
/// its shapes are still those of one.
pub(crate) fn free_batch(is_honest: bool) -> Vec<u8> {
    let mut model = SHAPES.to_vec();
    // A dimension of 1 that others follow becomes one with a field that nobody knows: a free one.
    let shapes = replaced(&mut model, b"\n\x02\x08\x01\n", b"\n\x02\x20\x01\n");
    assert!(shapes > 2);
    if is_honest {
        // 0 takes the dimension from what is reshaped.
        let one_of_ten = b"\x01\0\0\0\0\0\0\0\x0a\0\0\0\0\0\0\0";
        assert_eq!(replaced(&mut model, one_of_ten, b"\0"), 3);
    }
    model
}

fn replaced(content: &mut [u8], from: &[u8], to: &[u8]) -> usize {
    let mut count = 0;
    for at in 0..content.len() - from.len() {
        if content[at..].starts_with(from) {
            content[at..at + to.len()].copy_from_slice(to);
            count += 1;
        }
    }
    count
}
