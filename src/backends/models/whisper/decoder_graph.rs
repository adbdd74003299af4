//! The graph of a merged decoder, changed so that nothing is computed twice or for nobody.
//!
//! As Optimum exports it, a decoder attends to a sound for each text, and gives logits after every
//! token of a prompt. Here all texts of a call are about one sound, so that in the branch with a
//! cache they stand side by side as the places of one text where they attend to it: keys and values
//! of the sound are gone through once for all texts. Of a prompt only the last logits are made.
//! A branch that is not as expected stays as it is. Knows nothing of what tokens mean.

use crate::backends::engine::onnx;
use crate::backends::engine::wire;
use crate::backends::engine::wire::Fields;
use crate::backends::engine::wire::Wire;
use crate::backends::engine::wire::find;
use crate::backends::engine::wire::text;
use std::collections::BTreeMap;

/// ONNX's number for a tensor among the types of attributes.
const TENSOR: u64 = 4;
/// ONNX's number for several numbers among the types of attributes.
const NUMBERS: u64 = 7;
/// ONNX's number for 64-bit whole numbers among the types of tensors.
const INT64: u64 = 7;

/// The last tokens of a prompt that there are logits after: a prompt ends in start, language and
/// task.
pub(in crate::backends) const LAST: usize = 4;

/// Changes a decoder of so many layers as told above; whether its texts now attend to one sound
/// together.
pub(in crate::backends) fn improve(file: &mut Vec<u8>, layers: usize) -> bool {
    let mut shares_sound = false;
    if let Some(change) = changed(file, layers, &mut shares_sound) {
        let [graph, node] = change.places;
        let instead = wire::bytes(onnx::GRAPH_NODE, &change.node);
        let length = graph.content.len() - node.whole.len() + instead.len();
        file.splice(node.whole, instead);
        let begin = graph.whole.start..graph.content.start;
        file.splice(begin, wire::begin(onnx::MODEL_GRAPH, length));
    }
    shares_sound
}

/// A node that takes another's place.
struct Change {
    /// Where the graph and the node lie in the file.
    places: [wire::Place; 2],
    node: Vec<u8>,
}

fn changed(file: &[u8], layers: usize, shares_sound: &mut bool) -> Option<Change> {
    let graph = wire::place(file, onnx::MODEL_GRAPH, |_| true)?;
    let nodes = file.get(graph.content.clone())?;
    let mut node = wire::place(nodes, onnx::GRAPH_NODE, |node| {
        let kind = find(node, onnx::NODE_OPERATOR);
        kind == Some(b"If") && find(node, onnx::NODE_INPUT) == Some(b"use_cache_branch")
    })?;
    let branches = nodes.get(node.content.clone())?;
    let outputs = Node::read(branches)?.outputs;
    let logits = outputs.iter().position(|name| name == "logits")?;
    let made = wire::replaced(branches, onnx::NODE_ATTRIBUTE, |attribute| {
        let change: &mut dyn FnMut(&[u8]) -> Option<Vec<u8>> =
            match find(attribute, onnx::ATTRIBUTE_NAME)? {
                b"then_branch" => &mut |graph| {
                    let together = Branch::read(graph)?.together(layers)?;
                    *shares_sound = true;
                    Some(together)
                },
                b"else_branch" => &mut |graph| Branch::read(graph)?.last_logits(logits),
                _ => return None,
            };
        let attribute = wire::replaced(attribute, onnx::ATTRIBUTE_GRAPH, |graph| {
            change(graph).map(|graph| vec![graph])
        });
        Some(vec![attribute?])
    })?;
    for range in [&mut node.whole, &mut node.content] {
        *range = range.start + graph.content.start..range.end + graph.content.start;
    }
    Some(Change {
        places: [graph, node],
        node: made,
    })
}

/// A node of a graph.
struct Node {
    operator: String,
    inputs: Vec<String>,
    outputs: Vec<String>,
    /// The attribute `perm` of a Transpose.
    order: Vec<u64>,
}

impl Node {
    fn read(message: &[u8]) -> Option<Self> {
        let mut node = Self {
            operator: String::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            order: Vec::new(),
        };
        for field in Fields(message) {
            match field? {
                (onnx::NODE_INPUT, Wire::Bytes(name)) => node.inputs.push(text(name)),
                (onnx::NODE_OUTPUT, Wire::Bytes(name)) => node.outputs.push(text(name)),
                (onnx::NODE_OPERATOR, Wire::Bytes(name)) => node.operator = text(name),
                (onnx::NODE_ATTRIBUTE, Wire::Bytes(attribute))
                    if find(attribute, onnx::ATTRIBUTE_NAME)? == b"perm" =>
                {
                    node.order = numbers(attribute)?;
                }
                _ => {}
            }
        }
        Some(node)
    }
}

/// The numbers of an attribute, one by one or packed.
fn numbers(attribute: &[u8]) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    for field in Fields(attribute) {
        match field? {
            (onnx::ATTRIBUTE_NUMBERS, Wire::Number(number)) => numbers.push(number),
            // A dimension takes one byte.
            (onnx::ATTRIBUTE_NUMBERS, Wire::Bytes(packed)) => {
                numbers.extend(packed.iter().copied().map(u64::from));
            }
            _ => {}
        }
    }
    Some(numbers)
}

/// A branch of the decoder.
struct Branch<'a> {
    message: &'a [u8],
    nodes: Vec<Node>,
    outputs: Vec<String>,
    /// By a value's name, the node that makes it.
    makers: BTreeMap<String, usize>,
}

impl<'a> Branch<'a> {
    fn read(message: &'a [u8]) -> Option<Self> {
        let (mut nodes, mut outputs) = (Vec::new(), Vec::new());
        for field in Fields(message) {
            match field? {
                (onnx::GRAPH_NODE, Wire::Bytes(node)) => nodes.push(Node::read(node)?),
                (onnx::GRAPH_OUTPUT, Wire::Bytes(value)) => {
                    outputs.push(text(find(value, onnx::VALUE_NAME)?));
                }
                _ => {}
            }
        }
        let made = |(at, node): (usize, &Node)| {
            let names = node.outputs.clone();
            names.into_iter().map(move |name| (name, at))
        };
        let makers = nodes.iter().enumerate().flat_map(made).collect();
        Some(Self {
            message,
            nodes,
            outputs,
            makers,
        })
    }

    /// The branch with a cache, its texts attending to the sound together.
    fn together(&self, layers: usize) -> Option<Vec<u8>> {
        let mut orders = BTreeMap::new();
        for layer in 0..layers {
            let (queries, attended) = self.attention(layer)?;
            // From [texts, 1, heads, numbers] to [1, heads, texts, numbers], and back.
            orders.insert(queries, [1, 2, 0, 3]);
            orders.insert(attended, [2, 0, 1, 3]);
        }
        let mut at = 0..;
        let made = wire::replaced(self.message, onnx::GRAPH_NODE, |node| {
            let order = orders.get(&at.next()?)?;
            Some(vec![reordered(node, *order)?])
        });
        made.filter(|_| layers > 0)
    }

    /// The nodes that transpose the queries of a layer's attention to a sound, and what comes of
    /// it.
    fn attention(&self, layer: usize) -> Option<(usize, usize)> {
        let of = |part| format!("past_key_values.{layer}.encoder.{part}");
        let name = of("value");
        let takes_values =
            |node: &Node| node.operator == "MatMul" && node.inputs.get(1) == Some(&name);
        let values = self.nodes.iter().position(takes_values)?;
        let weights = self.maker(values, 0, "Softmax")?;
        let scores = self.scaled(weights, 0, "MatMul")?;
        let queries = self.scaled(scores, 0, "Transpose")?;
        let of_keys = self.scaled(scores, 1, "Transpose")?;
        let takes_keys = self.nodes.get(of_keys)?.inputs == [of("key")];
        let attended = self.only_user(values)?;
        let is_usual = |at: usize| {
            let node = self.nodes.get(at);
            node.is_some_and(|node| node.operator == "Transpose" && node.order == [0, 2, 1, 3])
        };
        let alone = self.only_user(queries).is_some() && self.only_user(weights).is_some();
        let known = takes_keys && alone && is_usual(queries) && is_usual(attended);
        known.then_some((queries, attended))
    }

    /// The branch without a cache, with logits after the last tokens alone.
    fn last_logits(&self, logits: usize) -> Option<Vec<u8>> {
        let mut at = *self.makers.get(self.outputs.get(logits)?)?;
        let projection = loop {
            match self.nodes.get(at)?.operator.as_str() {
                "MatMul" => break at,
                "MatMulInteger" => break self.maker(at, 0, "DynamicQuantizeLinear")?,
                "Mul" | "Add" | "Cast" => {
                    at = *self.makers.get(self.nodes.get(at)?.inputs.first()?)?;
                }
                _ => return None,
            }
        };
        let places = self.nodes.get(projection)?.inputs.first()?;
        let mut at = 0..;
        wire::replaced(self.message, onnx::GRAPH_NODE, |node| {
            if at.next()? != projection {
                return None;
            }
            let projection = wire::replaced(node, onnx::NODE_INPUT, |input| {
                (input == places.as_bytes()).then(|| vec![LAST_PLACES.into()])
            })?;
            let last = -i64::try_from(LAST).ok()?;
            let constants = [(FROM, last), (TO, i64::MAX), (AXIS, 1)];
            let mut nodes: Vec<_> = constants.map(|(name, value)| constant(name, value)).into();
            nodes.push(made_of("Slice", &[places, FROM, TO, AXIS], LAST_PLACES));
            nodes.push(projection);
            Some(nodes)
        })
    }

    /// The node that makes an input of a node, if it is of this kind.
    fn maker(&self, at: usize, input: usize, operator: &str) -> Option<usize> {
        let name = self.nodes.get(at)?.inputs.get(input)?;
        let maker = *self.makers.get(name)?;
        (self.nodes.get(maker)?.operator == operator).then_some(maker)
    }

    /// The same; what it makes may be scaled.
    fn scaled(&self, at: usize, input: usize, operator: &str) -> Option<usize> {
        let scaled = || {
            self.maker(at, input, "Mul")
                .or_else(|| self.maker(at, input, "Div"))
        };
        let straight = self.maker(at, input, operator);
        straight.or_else(|| self.maker(scaled()?, 0, operator))
    }

    /// The one node that takes what a node makes.
    fn only_user(&self, at: usize) -> Option<usize> {
        let [made] = self.nodes.get(at)?.outputs.as_slice() else {
            return None;
        };
        let takes = |(at, node): (usize, &Node)| node.inputs.contains(made).then_some(at);
        let mut users = self.nodes.iter().enumerate().filter_map(takes);
        let (first, second) = (users.next(), users.next());
        first.filter(|_| second.is_none() && !self.outputs.contains(made))
    }
}

const LAST_PLACES: &str = "vpipe/last_places";
const FROM: &str = "vpipe/from";
const TO: &str = "vpipe/to";
const AXIS: &str = "vpipe/axis";

/// A Transpose with another order.
fn reordered(node: &[u8], order: [u64; 4]) -> Option<Vec<u8>> {
    wire::replaced(node, onnx::NODE_ATTRIBUTE, |attribute| {
        (find(attribute, onnx::ATTRIBUTE_NAME) == Some(b"perm")).then(|| {
            let mut made = wire::bytes(onnx::ATTRIBUTE_NAME, b"perm");
            made.extend(
                order
                    .map(|it| wire::whole(onnx::ATTRIBUTE_NUMBERS, it))
                    .concat(),
            );
            made.extend(wire::whole(onnx::ATTRIBUTE_TYPE, NUMBERS));
            vec![made]
        })
    })
}

/// A node that gives one whole number, as a tensor of one dimension.
fn constant(name: &str, value: i64) -> Vec<u8> {
    let tensor = [
        wire::whole(onnx::TENSOR_SHAPE, 1),
        wire::whole(onnx::TENSOR_TYPE, INT64),
        wire::bytes(onnx::TENSOR_DATA, &value.to_le_bytes()),
    ];
    let attribute = [
        wire::bytes(onnx::ATTRIBUTE_NAME, b"value"),
        wire::bytes(onnx::ATTRIBUTE_TENSOR, &tensor.concat()),
        wire::whole(onnx::ATTRIBUTE_TYPE, TENSOR),
    ];
    let node = made_of("Constant", &[], name);
    [node, wire::bytes(onnx::NODE_ATTRIBUTE, &attribute.concat())].concat()
}

fn made_of(operator: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let mut node = Vec::new();
    for input in inputs {
        node.extend(wire::bytes(onnx::NODE_INPUT, input.as_bytes()));
    }
    node.extend(wire::bytes(onnx::NODE_OUTPUT, output.as_bytes()));
    node.extend(wire::bytes(onnx::NODE_OPERATOR, operator.as_bytes()));
    node
}

#[cfg(test)]
mod tests {
    use super::improve;
    use crate::backends::engine::header::Header;
    use proptest::prelude::any;
    use proptest::prelude::proptest;

    const MICRO: &[u8] =
        include_bytes!("../../../../tests/whisper/micro/decoder_model_merged.onnx");

    #[test]
    fn an_exported_decoder_is_changed_once() {
        let mut file = MICRO.to_vec();
        assert!(improve(&mut file, 2));
        let (was, is) = (Header::read(MICRO).unwrap(), Header::read(&file).unwrap());
        assert_eq!((was.inputs, was.outputs), (is.inputs, is.outputs));
        // Four nodes more, no others less.
        let added = file.len() - MICRO.len();
        assert!((100..1_000).contains(&added), "{added} bytes");
        assert!(!improve(&mut file, 2));
    }

    #[test]
    fn a_decoder_of_another_kind_keeps_its_attention() {
        // Three layers are not there.
        assert!(!improve(&mut MICRO.to_vec(), 3));
        let mut shapes = include_bytes!("../demo/shapes.onnx").to_vec();
        let was = shapes.clone();
        assert!(!improve(&mut shapes, 2));
        assert_eq!(shapes, was);
        for length in [0, 1, 100, MICRO.len() / 2] {
            let mut cut = MICRO[..length].to_vec();
            assert!(!improve(&mut cut, 2), "{length} bytes");
            assert_eq!(cut, MICRO[..length]);
        }
    }

    proptest! {
        #[test]
        fn a_damaged_decoder_can_be_read(at in 0..MICRO.len(), byte in any::<u8>()) {
            let mut file = MICRO.to_vec();
            file[at] = byte;
            improve(&mut file, 2);
        }
    }
}
