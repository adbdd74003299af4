//! What an ONNX file says of itself: metadata, inputs and outputs, read without an engine.
//!
//! An ONNX file is one protobuf message; this walks past the weights and picks out the few
//! fields that are needed. Every length is checked: the file may be anything. Knows nothing
//! of what the metadata means.

use crate::backends::engine::wire::Fields;
use crate::backends::engine::wire::Wire;
use crate::backends::engine::wire::find;
use crate::backends::engine::wire::text;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

// Field numbers of onnx.proto.
const MODEL_GRAPH: u64 = 7;
const MODEL_METADATA: u64 = 14;
const GRAPH_NODE: u64 = 1;
const GRAPH_INITIALIZER: u64 = 5;
const GRAPH_INPUT: u64 = 11;
const GRAPH_OUTPUT: u64 = 12;
const NODE_OPERATOR: u64 = 4;
const TENSOR_NAME: u64 = 8;
const VALUE_NAME: u64 = 1;
const VALUE_TYPE: u64 = 2;
const TYPE_TENSOR: u64 = 1;
const TENSOR_TYPE_ELEMENT: u64 = 1;
const TENSOR_TYPE_SHAPE: u64 = 2;
const SHAPE_DIMENSION: u64 = 1;
const DIMENSION_VALUE: u64 = 1;
const ENTRY_KEY: u64 = 1;
const ENTRY_VALUE: u64 = 2;

/// ONNX's number for 32-bit floats.
pub(in crate::backends) const FLOAT32: u64 = 1;
/// ONNX's number for 16-bit floats.
pub(in crate::backends) const FLOAT16: u64 = 10;

/// The description of a model.
#[derive(Debug, Default)]
pub(in crate::backends) struct Header {
    /// `metadata_props`.
    pub(in crate::backends) metadata: BTreeMap<String, String>,
    /// What must be given to the graph; weights are not listed.
    pub(in crate::backends) inputs: Vec<Port>,
    /// What the graph gives.
    pub(in crate::backends) outputs: Vec<Port>,
    /// The names of the operators that the graph is made of.
    pub(in crate::backends) operators: BTreeSet<String>,
}

/// One input or output.
#[derive(Debug, Default, PartialEq)]
pub(in crate::backends) struct Port {
    /// Its name in the graph.
    pub(in crate::backends) name: String,
    /// ONNX's number for the type of its elements; 0 where it is no tensor.
    pub(in crate::backends) element: u64,
    /// Its dimensions, `None` for one that is decided at run time; empty where unknown.
    pub(in crate::backends) dims: Vec<Option<usize>>,
}

impl Header {
    /// Reads the description from the content of a file; `None` if that is not a whole ONNX
    /// model.
    pub(in crate::backends) fn read(file: &[u8]) -> Option<Self> {
        let mut header = Self::default();
        let mut weights = Vec::new();
        for field in Fields(file) {
            match field? {
                (MODEL_GRAPH, Wire::Bytes(graph)) => header.graph(graph, &mut weights)?,
                (MODEL_METADATA, Wire::Bytes(entry)) => {
                    let key = text(find(entry, ENTRY_KEY)?);
                    header.metadata.insert(key, text(find(entry, ENTRY_VALUE)?));
                }
                _ => {}
            }
        }
        // Old files list the weights among the inputs.
        header.inputs.retain(|input| !weights.contains(&input.name));
        (!header.outputs.is_empty()).then_some(header)
    }

    /// The names of the first input and the first output; empty where there is none.
    pub(in crate::backends) fn ports(&self) -> (String, String) {
        let name = |port: Option<&Port>| port.map(|port| port.name.clone()).unwrap_or_default();
        (name(self.inputs.first()), name(self.outputs.first()))
    }

    fn graph(&mut self, graph: &[u8], weights: &mut Vec<String>) -> Option<()> {
        for field in Fields(graph) {
            match field? {
                (GRAPH_NODE, Wire::Bytes(node)) => {
                    self.operators.insert(text(find(node, NODE_OPERATOR)?));
                }
                (GRAPH_INITIALIZER, Wire::Bytes(tensor)) => {
                    weights.push(text(find(tensor, TENSOR_NAME)?));
                }
                (GRAPH_INPUT, Wire::Bytes(value)) => self.inputs.push(Port::read(value)?),
                (GRAPH_OUTPUT, Wire::Bytes(value)) => self.outputs.push(Port::read(value)?),
                _ => {}
            }
        }
        Some(())
    }
}

impl Port {
    fn read(value: &[u8]) -> Option<Self> {
        let tensor = find(find(value, VALUE_TYPE)?, TYPE_TENSOR)?;
        let mut port = Self {
            name: text(find(value, VALUE_NAME)?),
            ..Self::default()
        };
        for field in Fields(tensor) {
            match field? {
                (TENSOR_TYPE_ELEMENT, Wire::Number(element)) => port.element = element,
                (TENSOR_TYPE_SHAPE, Wire::Bytes(shape)) => port.dims = dimensions(shape)?,
                _ => {}
            }
        }
        Some(port)
    }
}

fn dimensions(shape: &[u8]) -> Option<Vec<Option<usize>>> {
    let mut dims = Vec::new();
    for field in Fields(shape) {
        if let (SHAPE_DIMENSION, Wire::Bytes(dimension)) = field? {
            let mut value = None;
            for field in Fields(dimension) {
                if let (DIMENSION_VALUE, Wire::Number(number)) = field? {
                    // Exporters write 0 and -1 for "not known".
                    value = usize::try_from(number)
                        .ok()
                        .filter(|&n| 0 < n && n < 1 << 32);
                }
            }
            dims.push(value);
        }
    }
    Some(dims)
}

#[cfg(test)]
mod tests {
    use super::FLOAT32;
    use super::Header;
    use proptest::prelude::any;
    use proptest::prelude::proptest;

    const SHAPES: &[u8] = include_bytes!("../models/demo/shapes.onnx");

    #[test]
    fn a_model_is_described_without_an_engine() {
        let header = Header::read(SHAPES).unwrap();
        assert_eq!(header.metadata["task"], "detect");
        assert_eq!(header.inputs.len(), 1);
        assert_eq!(header.inputs[0].element, FLOAT32);
        let dims = [1, 3, 320, 320].map(Some);
        assert_eq!(header.inputs[0].dims, dims);
        assert_eq!(header.outputs[0].dims, [1, 10, 2100].map(Some));
        assert!(header.operators.contains("Conv"));
    }

    #[test]
    fn a_model_that_is_cut_short_is_none() {
        for length in [0, 1, 100, SHAPES.len() / 2, SHAPES.len() - 1] {
            assert!(Header::read(&SHAPES[..length]).is_none(), "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            Header::read(&bytes);
        }

        #[test]
        fn a_damaged_model_can_be_read(at in 0..SHAPES.len(), byte in any::<u8>()) {
            let mut bytes = SHAPES.to_vec();
            bytes[at] = byte;
            Header::read(&bytes);
        }
    }
}
