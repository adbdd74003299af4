//! The fields of an ONNX file by their numbers in onnx.proto, of those messages that are looked into.

// ModelProto.
pub(in crate::backends) const MODEL_GRAPH: u64 = 7;
pub(in crate::backends) const MODEL_METADATA: u64 = 14;
pub(in crate::backends) const MODEL_FUNCTIONS: u64 = 25;

// GraphProto.
pub(in crate::backends) const GRAPH_NODE: u64 = 1;
pub(in crate::backends) const GRAPH_INITIALIZER: u64 = 5;
pub(in crate::backends) const GRAPH_INPUT: u64 = 11;
pub(in crate::backends) const GRAPH_OUTPUT: u64 = 12;
pub(in crate::backends) const GRAPH_VALUE: u64 = 13;
pub(in crate::backends) const GRAPH_SPARSE: u64 = 15;

// NodeProto.
pub(in crate::backends) const NODE_INPUT: u64 = 1;
pub(in crate::backends) const NODE_OUTPUT: u64 = 2;
pub(in crate::backends) const NODE_OPERATOR: u64 = 4;
pub(in crate::backends) const NODE_ATTRIBUTE: u64 = 5;

// AttributeProto.
pub(in crate::backends) const ATTRIBUTE_NAME: u64 = 1;
pub(in crate::backends) const ATTRIBUTE_TENSOR: u64 = 5;
pub(in crate::backends) const ATTRIBUTE_GRAPH: u64 = 6;
pub(in crate::backends) const ATTRIBUTE_NUMBERS: u64 = 8;
pub(in crate::backends) const ATTRIBUTE_TENSORS: u64 = 10;
pub(in crate::backends) const ATTRIBUTE_GRAPHS: u64 = 11;
pub(in crate::backends) const ATTRIBUTE_TYPE: u64 = 20;
pub(in crate::backends) const ATTRIBUTE_SPARSE: u64 = 22;
pub(in crate::backends) const ATTRIBUTE_SPARSES: u64 = 23;

// TensorProto.
pub(in crate::backends) const TENSOR_SHAPE: u64 = 1;
pub(in crate::backends) const TENSOR_TYPE: u64 = 2;
pub(in crate::backends) const TENSOR_FLOATS: u64 = 4;
pub(in crate::backends) const TENSOR_INT32S: u64 = 5;
pub(in crate::backends) const TENSOR_STRINGS: u64 = 6;
pub(in crate::backends) const TENSOR_INT64S: u64 = 7;
pub(in crate::backends) const TENSOR_NAME: u64 = 8;
pub(in crate::backends) const TENSOR_DATA: u64 = 9;
pub(in crate::backends) const TENSOR_DOUBLES: u64 = 10;
pub(in crate::backends) const TENSOR_UINT64S: u64 = 11;
pub(in crate::backends) const TENSOR_EXTERNAL: u64 = 13;
pub(in crate::backends) const TENSOR_LOCATION: u64 = 14;

// ValueInfoProto.
pub(in crate::backends) const VALUE_NAME: u64 = 1;
pub(in crate::backends) const VALUE_TYPE: u64 = 2;

// TypeProto.
pub(in crate::backends) const TYPE_TENSOR: u64 = 1;
pub(in crate::backends) const TYPE_SEQUENCE: u64 = 4;
pub(in crate::backends) const TYPE_MAP: u64 = 5;
pub(in crate::backends) const TYPE_OPTIONAL: u64 = 9;

// TypeProto.Tensor.
pub(in crate::backends) const TENSOR_TYPE_ELEMENT: u64 = 1;
pub(in crate::backends) const TENSOR_TYPE_SHAPE: u64 = 2;

// TensorShapeProto.
pub(in crate::backends) const SHAPE_DIMENSION: u64 = 1;

// TensorShapeProto.Dimension.
pub(in crate::backends) const DIMENSION_VALUE: u64 = 1;

// StringStringEntryProto.
pub(in crate::backends) const ENTRY_KEY: u64 = 1;
pub(in crate::backends) const ENTRY_VALUE: u64 = 2;
