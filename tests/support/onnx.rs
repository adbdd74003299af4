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

/// A model in half precision as exporters write it: its numbers, what it takes and what it gives. The
/// factors of a Resize stay as ONNX has them, in single precision.
pub(crate) fn halved(model: &[u8]) -> Vec<u8> {
    mapped(model, &|field, part| match (field, part) {
        (7, Part::Bytes(graph)) => bytes(7, halved_graph(graph)),
        _ => part.written(field),
    })
}

/// A value of a field.
#[derive(Clone, Copy)]
enum Part<'a> {
    Number(u64),
    /// A floating-point number.
    Four(&'a [u8]),
    Bytes(&'a [u8]),
}

impl Part<'_> {
    fn written(self, field: u64) -> Vec<u8> {
        match self {
            Self::Number(value) => number(field, value),
            Self::Four(four) => [varint(field << 3 | 5), four.to_vec()].concat(),
            Self::Bytes(content) => bytes(field, content),
        }
    }
}

/// The fields of a message that holds what ONNX files do.
fn fields(mut message: &[u8]) -> Vec<(u64, Part<'_>)> {
    fn varint(message: &mut &[u8]) -> u64 {
        let length = message.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
        let (digits, rest) = message.split_at(length);
        *message = rest;
        let digits = digits.iter().rev();
        digits.fold(0, |number, byte| number << 7 | u64::from(byte & 0x7f))
    }
    let mut fields = Vec::new();
    while !message.is_empty() {
        let tag = varint(&mut message);
        let part = match tag & 7 {
            0 => Part::Number(varint(&mut message)),
            2 => {
                let length = varint(&mut message);
                let (content, rest) = message.split_at(usize::try_from(length).unwrap());
                message = rest;
                Part::Bytes(content)
            }
            5 => {
                let (four, rest) = message.split_at(4);
                message = rest;
                Part::Four(four)
            }
            kind => panic!("a field of kind {kind}"),
        };
        fields.push((tag >> 3, part));
    }
    fields
}

fn mapped(message: &[u8], map: &dyn Fn(u64, Part<'_>) -> Vec<u8>) -> Vec<u8> {
    let fields = fields(message).into_iter();
    fields.flat_map(|(field, part)| map(field, part)).collect()
}

fn texts<'a>(message: &'a [u8], wanted: u64) -> Vec<&'a [u8]> {
    let fields = fields(message).into_iter();
    let of = |(field, part): (u64, Part<'a>)| match part {
        Part::Bytes(text) if field == wanted => Some(text),
        _ => None,
    };
    fields.filter_map(of).collect()
}

fn halved_graph(graph: &[u8]) -> Vec<u8> {
    let nodes = texts(graph, 1).into_iter();
    let resizes = nodes.filter(|node| texts(node, 4) == [b"Resize"]);
    let factors: Vec<&[u8]> = resizes.map(|node| texts(node, 1)[2]).collect();
    let is_kept = |name: Option<&&[u8]>| name.is_some_and(|name| factors.contains(name));
    mapped(graph, &|field, part| match (field, part) {
        (1, Part::Bytes(node)) if !is_kept(texts(node, 2).first()) => {
            bytes(1, within(node, &[5, 5], &halved_tensor))
        }
        (5, Part::Bytes(weights)) => bytes(5, halved_tensor(weights)),
        (11..=13, Part::Bytes(port)) if !is_kept(texts(port, 1).first()) => {
            let kind = |kind: &[u8]| {
                mapped(kind, &|field, part| match (field, part) {
                    (1, Part::Number(1)) => number(1, 10),
                    _ => part.written(field),
                })
            };
            bytes(field, within(port, &[2, 1], &kind))
        }
        _ => part.written(field),
    })
}

/// A message with what lies at the end of this path of fields mapped.
fn within(message: &[u8], path: &[u64], map: &dyn Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let Some((first, rest)) = path.split_first() else {
        return map(message);
    };
    mapped(message, &|field, part| match part {
        Part::Bytes(content) if field == *first => bytes(field, within(content, rest, map)),
        _ => part.written(field),
    })
}

fn halved_tensor(tensor: &[u8]) -> Vec<u8> {
    let is_single =
        |&(field, part): &(u64, Part<'_>)| matches!((field, part), (2, Part::Number(1)));
    if !fields(tensor).iter().any(is_single) {
        return tensor.to_vec();
    }
    mapped(tensor, &|field, part| match (field, part) {
        (2, _) => number(2, 10),
        (9, Part::Bytes(raw)) => {
            let numbers = raw
                .chunks_exact(4)
                .map(|it| f32::from_le_bytes(it.try_into().unwrap()));
            let halves = numbers.flat_map(|it| half::f16::from_f32(it).to_le_bytes());
            bytes(9, halves.collect::<Vec<u8>>())
        }
        _ => part.written(field),
    })
}
