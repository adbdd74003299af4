//! ONNX files written by hand, field by field as onnx.proto numbers them.

/// A number as protobuf writes it.
fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A field that holds a number.
pub(crate) fn number(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

/// A field that holds a message, a text or packed numbers.
pub(crate) fn bytes(field: u64, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    [
        varint(field << 3 | 2),
        varint(content.len() as u64),
        content.to_vec(),
    ]
    .concat()
}

/// A tensor of this shape, kind (1 float, 7 whole) and raw numbers.
pub(crate) fn tensor(name: &str, dims: &[u64], kind: u64, raw: &[u8]) -> Vec<u8> {
    let dims = dims.iter().flat_map(|&side| number(1, side)).collect();
    [dims, number(2, kind), bytes(8, name), bytes(9, raw)].concat()
}

/// Whole numbers, as weights of a graph.
pub(crate) fn whole(name: &str, numbers: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
    bytes(5, tensor(name, &[numbers.len() as u64], 7, &raw))
}

/// An operator of a graph.
pub(crate) fn node(
    operator: &str,
    inputs: &[&str],
    output: &str,
    attributes: &[Vec<u8>],
) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|name| bytes(1, name)).collect();
    let attributes = attributes.iter().flat_map(|it| bytes(5, it)).collect();
    let named = [bytes(2, output), bytes(4, operator)].concat();
    bytes(1, [inputs, named, attributes].concat())
}

/// An attribute that is a whole number.
pub(crate) fn int(name: &str, value: u64) -> Vec<u8> {
    [bytes(1, name), number(3, value), number(20, 2)].concat()
}

/// An attribute that is a graph.
pub(crate) fn branch(name: &str, graph: &[u8]) -> Vec<u8> {
    [bytes(1, name), bytes(6, graph), number(20, 5)].concat()
}

/// An input (11) or output (12) of a graph, of floats; of any shape where `dims` are empty.
pub(crate) fn port(field: u64, name: &str, dims: &[u64]) -> Vec<u8> {
    let dims: Vec<u8> = dims
        .iter()
        .flat_map(|&side| bytes(1, number(1, side)))
        .collect();
    let shape = if dims.is_empty() {
        dims
    } else {
        bytes(2, dims)
    };
    let kind = bytes(2, bytes(1, [number(1, 1), shape].concat()));
    bytes(field, [bytes(1, name), kind].concat())
}

/// A graph from `images`, a frame of 64 x 64, to `out`.
pub(crate) fn graph(parts: &[Vec<u8>]) -> Vec<u8> {
    let ports = [port(11, "images", &[1, 3, 64, 64]), port(12, "out", &[])];
    [parts.concat(), bytes(2, "g"), ports.concat()].concat()
}

/// A model of this graph, with whatever else it has.
pub(crate) fn model(graph: &[u8], rest: &[u8]) -> Vec<u8> {
    let opset = bytes(8, [bytes(1, ""), number(2, 17)].concat());
    [number(1, 8), opset, rest.to_vec(), bytes(7, graph)].concat()
}
