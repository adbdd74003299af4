//! What an ONNX file says of itself: metadata, inputs and outputs, read without an engine; and what
//! of it no engine is given.
//!
//! An ONNX file is one protobuf message; this walks past the weights and picks out the few
//! fields that are needed. Every length, count and depth is bounded: the file may be anything. Knows
//! nothing of what the metadata means.

use crate::backends::engine::network::EngineError;
use crate::backends::engine::onnx;
use crate::backends::engine::protobuf::Reader;
use crate::backends::engine::protobuf::Torn;
use crate::backends::engine::protobuf::Wire;
use crate::backends::engine::weights::Weights;
use crate::backends::transport::excerpt::excerpt;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashSet;
use std::io::BufRead;
use std::io::Cursor;
use std::io::Seek;

/// ONNX's number for 32-bit floats.
pub(in crate::backends) const FLOAT32: u64 = 1;
/// ONNX's number for 16-bit floats.
pub(in crate::backends) const FLOAT16: u64 = 10;

/// Operators that run a graph as often as they are told at run time. No published detector or
/// Whisper has one; a branch (`If`), which the merged decoders are made of, runs once.
const ENDLESS: [&str; 3] = ["Loop", "Scan", "SequenceMap"];

/// Graphs within graphs, and types within types: exporters write branches within branches, and no
/// more.
const DEEPEST: usize = 8;
/// Operators of all graphs; the largest Whisper has less than 10,000.
const MOST_NODES: usize = 50_000;
/// Bytes of one name, and of one entry of the metadata: thousands of class names.
const LONGEST_NAME: u64 = 1 << 12;
const LONGEST_ENTRY: u64 = 1 << 20;
/// Bytes of all that is kept.
const MOST_TEXT: u64 = 1 << 24;

/// The description of a model.
#[derive(Clone, Debug, Default)]
pub(in crate::backends) struct Header {
    /// `metadata_props`.
    pub(in crate::backends) metadata: BTreeMap<String, String>,
    /// What must be given to the graph; weights are not listed.
    pub(in crate::backends) inputs: Vec<Port>,
    /// What the graph gives.
    pub(in crate::backends) outputs: Vec<Port>,
    /// The names of the operators that the graph is made of.
    pub(in crate::backends) operators: BTreeSet<String>,
    /// The files beside it that hold weights, by their names, and how much of each is meant.
    pub(in crate::backends) elsewhere: BTreeMap<String, u64>,
}

/// One input or output.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::backends) struct Port {
    /// Its name in the graph.
    pub(in crate::backends) name: String,
    /// ONNX's number for the type of its elements; 0 where it is no tensor.
    pub(in crate::backends) element: u64,
    /// Its dimensions, `None` for one that is decided at run time; empty where unknown.
    pub(in crate::backends) dims: Vec<Option<usize>>,
}

/// Why a file has no description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::backends) enum Misread {
    /// It is not a whole ONNX model.
    NotOnnx,
    /// It is one that no engine is given, in words that follow its name.
    Refused(String),
}

impl From<Torn> for Misread {
    fn from(Torn: Torn) -> Self {
        Self::NotOnnx
    }
}

pub(super) fn refused<T>(found: impl Into<String>) -> Result<T, Misread> {
    Err(Misread::Refused(found.into()))
}

impl Header {
    /// Reads the description from the content of a file.
    pub(in crate::backends) fn read(file: &[u8]) -> Result<Self, Misread> {
        Self::read_from(Cursor::new(file), file.len() as u64)
    }

    /// Reads the description of a file of so many bytes without reading its weights.
    pub(in crate::backends) fn read_from(
        file: impl BufRead + Seek,
        length: u64,
    ) -> Result<Self, Misread> {
        let mut walk = Walk {
            reader: Reader::new(file, length),
            header: Self::default(),
            weights: Weights::default(),
            initializers: HashSet::new(),
            nodes: 0,
            text: 0,
        };
        walk.model()?;
        let Walk {
            mut header,
            initializers,
            weights,
            ..
        } = walk;
        // Old files list the weights among the inputs.
        header
            .inputs
            .retain(|input| !initializers.contains(&input.name));
        header.elsewhere = weights.elsewhere;
        match header.outputs.is_empty() {
            true => Err(Misread::NotOnnx),
            false => Ok(header),
        }
    }

    /// Refuses a model whose weights lie in other files than these, or beyond their ends.
    pub(super) fn check_weights(&self, files: &[(String, Vec<u8>)]) -> Result<(), EngineError> {
        for (name, &end) in &self.elsewhere {
            let file = files.iter().find(|(file, _)| file == name);
            let length = file.map(|(_, content)| content.len() as u64);
            match length {
                None => {
                    return Err(EngineError(format!(
                        "its weights lie in another file, {}, which is not read",
                        excerpt(name)
                    )));
                }
                Some(length) if end > length => {
                    return Err(EngineError(format!(
                        "its weights are {end} bytes of a file that has {length}"
                    )));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The names of the first input and the first output; empty where there is none.
    pub(in crate::backends) fn ports(&self) -> (String, String) {
        let name = |port: Option<&Port>| port.map(|port| port.name.clone()).unwrap_or_default();
        (name(self.inputs.first()), name(self.outputs.first()))
    }
}

struct Walk<R> {
    reader: Reader<R>,
    header: Header,
    weights: Weights,
    initializers: HashSet<String>,
    nodes: usize,
    text: u64,
}

impl<R: BufRead + Seek> Walk<R> {
    fn model(&mut self) -> Result<(), Misread> {
        let end = self.reader.end();
        while let Some((number, value)) = self.reader.field(end)? {
            match (number, value) {
                (onnx::MODEL_GRAPH, Wire::Bytes(end)) => self.graph(end, 0)?,
                (onnx::MODEL_METADATA, Wire::Bytes(end)) => self.entry(end)?,
                (onnx::MODEL_FUNCTIONS, _) => {
                    return refused("has functions of its own, which an exporter can write out");
                }
                // The format has 26 fields; what has others is something else.
                (64.., _) => return Err(Misread::NotOnnx),
                _ => self.reader.skip(value)?,
            }
        }
        Ok(())
    }

    fn graph(&mut self, end: u64, depth: usize) -> Result<(), Misread> {
        if depth > DEEPEST {
            return refused(format!("has more than {DEEPEST} graphs within each other"));
        }
        while let Some((number, value)) = self.reader.field(end)? {
            match (number, value) {
                (onnx::GRAPH_NODE, Wire::Bytes(end)) => self.node(end, depth)?,
                (onnx::GRAPH_INITIALIZER, Wire::Bytes(end)) => {
                    let name = self.weights.tensor(&mut self.reader, end)?;
                    if depth == 0 {
                        self.keep(name.len())?;
                        self.initializers.insert(name);
                    }
                }
                (onnx::GRAPH_INPUT | onnx::GRAPH_OUTPUT | onnx::GRAPH_VALUE, Wire::Bytes(end)) => {
                    let port = self.port(end)?;
                    self.keep(port.name.len() + 8 * port.dims.len())?;
                    match number {
                        onnx::GRAPH_INPUT if depth == 0 => self.header.inputs.push(port),
                        onnx::GRAPH_OUTPUT if depth == 0 => self.header.outputs.push(port),
                        _ => {}
                    }
                }
                (onnx::GRAPH_SPARSE, _) => return refused("has sparse weights"),
                _ => self.reader.skip(value)?,
            }
        }
        Ok(())
    }

    fn node(&mut self, end: u64, depth: usize) -> Result<(), Misread> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            return refused(format!("has more than {MOST_NODES} operators"));
        }
        while let Some((number, value)) = self.reader.field(end)? {
            match (number, value) {
                (onnx::NODE_OPERATOR, Wire::Bytes(end)) => {
                    let operator = self.text(end, LONGEST_NAME)?;
                    if ENDLESS.contains(&operator.as_str()) {
                        return refused(format!(
                            "has the operator {operator}, which may never end, so it is not run"
                        ));
                    }
                    self.header.operators.insert(operator);
                }
                (onnx::NODE_ATTRIBUTE, Wire::Bytes(end)) => self.attribute(end, depth)?,
                _ => self.reader.skip(value)?,
            }
        }
        Ok(())
    }

    fn attribute(&mut self, end: u64, depth: usize) -> Result<(), Misread> {
        while let Some((number, value)) = self.reader.field(end)? {
            match (number, value) {
                (onnx::ATTRIBUTE_GRAPH | onnx::ATTRIBUTE_GRAPHS, Wire::Bytes(end)) => {
                    self.graph(end, depth + 1)?;
                }
                (onnx::ATTRIBUTE_TENSOR | onnx::ATTRIBUTE_TENSORS, Wire::Bytes(end)) => {
                    self.weights.tensor(&mut self.reader, end)?;
                }
                (onnx::ATTRIBUTE_SPARSE | onnx::ATTRIBUTE_SPARSES, _) => {
                    return refused("has sparse weights");
                }
                _ => self.reader.skip(value)?,
            }
        }
        Ok(())
    }

    fn entry(&mut self, end: u64) -> Result<(), Misread> {
        let (mut key, mut value) = (String::new(), String::new());
        while let Some((number, part)) = self.reader.field(end)? {
            match (number, part) {
                (onnx::ENTRY_KEY, Wire::Bytes(end)) => key = self.text(end, LONGEST_NAME)?,
                (onnx::ENTRY_VALUE, Wire::Bytes(end)) => value = self.text(end, LONGEST_ENTRY)?,
                _ => self.reader.skip(part)?,
            }
        }
        self.header.metadata.insert(key, value);
        Ok(())
    }

    fn port(&mut self, end: u64) -> Result<Port, Misread> {
        let mut port = Port::default();
        while let Some((number, value)) = self.reader.field(end)? {
            match (number, value) {
                (onnx::VALUE_NAME, Wire::Bytes(end)) => port.name = self.text(end, LONGEST_NAME)?,
                (onnx::VALUE_TYPE, Wire::Bytes(end)) => self.kind(end, &mut port, 0)?,
                _ => self.reader.skip(value)?,
            }
        }
        Ok(port)
    }

    // A type: of a tensor, or of something that has types within. Engines read them by recursion.
    fn kind(&mut self, end: u64, port: &mut Port, depth: usize) -> Result<(), Misread> {
        if depth > DEEPEST {
            return refused(format!("has more than {DEEPEST} types within each other"));
        }
        while let Some((number, value)) = self.reader.field(end)? {
            match (number, value) {
                (onnx::TYPE_TENSOR, Wire::Bytes(end)) if depth == 0 => {
                    self.tensor_type(end, port)?;
                }
                (onnx::TYPE_SEQUENCE | onnx::TYPE_MAP | onnx::TYPE_OPTIONAL, Wire::Bytes(end)) => {
                    while let Some((_, value)) = self.reader.field(end)? {
                        match value {
                            // The type of its elements or values, the only message in it.
                            Wire::Bytes(end) => self.kind(end, port, depth + 1)?,
                            _ => self.reader.skip(value)?,
                        }
                    }
                }
                _ => self.reader.skip(value)?,
            }
        }
        Ok(())
    }

    fn tensor_type(&mut self, end: u64, port: &mut Port) -> Result<(), Misread> {
        while let Some((number, value)) = self.reader.field(end)? {
            match (number, value) {
                (onnx::TENSOR_TYPE_ELEMENT, Wire::Number(element)) => port.element = element,
                (onnx::TENSOR_TYPE_SHAPE, Wire::Bytes(end)) => {
                    while let Some((number, value)) = self.reader.field(end)? {
                        match (number, value) {
                            (onnx::SHAPE_DIMENSION, Wire::Bytes(end)) => {
                                let dimension = self.dimension(end)?;
                                self.keep(8)?;
                                port.dims.push(dimension);
                            }
                            _ => self.reader.skip(value)?,
                        }
                    }
                }
                _ => self.reader.skip(value)?,
            }
        }
        Ok(())
    }

    fn dimension(&mut self, end: u64) -> Result<Option<usize>, Misread> {
        let mut dimension = None;
        while let Some((number, value)) = self.reader.field(end)? {
            match (number, value) {
                (onnx::DIMENSION_VALUE, Wire::Number(number)) => {
                    // Exporters write 0 and -1 for "not known".
                    dimension = usize::try_from(number)
                        .ok()
                        .filter(|&n| 0 < n && n < 1 << 32);
                }
                _ => self.reader.skip(value)?,
            }
        }
        Ok(dimension)
    }

    fn text(&mut self, end: u64, longest: u64) -> Result<String, Misread> {
        let bytes = self.reader.bytes(end, longest)?;
        self.keep(bytes.len())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn keep(&mut self, bytes: usize) -> Result<(), Misread> {
        self.text += bytes as u64;
        match self.text > MOST_TEXT {
            true => refused(format!(
                "has names and metadata of more than {} MB",
                MOST_TEXT >> 20
            )),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FLOAT32;
    use super::Header;
    use super::Misread;
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
            let read = Header::read(&SHAPES[..length]);
            assert_eq!(read.unwrap_err(), Misread::NotOnnx, "{length} bytes");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _read = Header::read(&bytes);
        }

        #[test]
        fn a_damaged_model_can_be_read(at in 0..SHAPES.len(), byte in any::<u8>()) {
            let mut bytes = SHAPES.to_vec();
            bytes[at] = byte;
            let _read = Header::read(&bytes);
        }
    }
}
