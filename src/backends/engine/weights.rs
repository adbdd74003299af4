//! Weights of an ONNX file: whether as many are there as their shapes say.
//!
//! Engines make room for what a shape says before they look for the numbers.

use crate::backends::engine::header::Misread;
use crate::backends::engine::header::refused;
use crate::backends::engine::onnx;
use crate::backends::engine::protobuf::Reader;
use crate::backends::engine::protobuf::Wire;
use crate::backends::transport::excerpt::excerpt;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::io::Seek;

/// More dimensions than any tensor has.
const MOST_DIMS: usize = 32;
const LONGEST_TEXT: u64 = 1 << 12;

/// What has been found of all tensors.
#[derive(Debug, Default)]
pub(super) struct Weights {
    /// The files beside the model that hold some, and how much of each is meant.
    pub(super) elsewhere: BTreeMap<String, u64>,
}

/// One tensor.
#[derive(Default)]
struct Found {
    name: String,
    dims: Vec<u64>,
    kind: u64,
    // Bytes of numbers as they are, and of numbers that are written as texts or with a length each.
    raw: Option<u64>,
    listed: u64,
    is_elsewhere: bool,
    place: BTreeMap<String, String>,
}

impl Weights {
    /// Reads a tensor that goes to `end`, but for its numbers, and gives its name.
    pub(super) fn tensor<R: BufRead + Seek>(
        &mut self,
        reader: &mut Reader<R>,
        end: u64,
    ) -> Result<String, Misread> {
        let mut found = Found::default();
        while let Some((number, value)) = reader.field(end)? {
            match (number, value) {
                (onnx::TENSOR_SHAPE, Wire::Number(side)) => found.side(side)?,
                (onnx::TENSOR_SHAPE, Wire::Bytes(end)) => {
                    while reader.left(end) > 0 {
                        found.side(reader.number()?)?;
                    }
                }
                (onnx::TENSOR_TYPE, Wire::Number(kind)) => found.kind = kind,
                (onnx::TENSOR_NAME, Wire::Bytes(end)) => found.name = text(reader, end)?,
                (onnx::TENSOR_DATA, Wire::Bytes(end)) => {
                    found.raw = Some(reader.left(end));
                    reader.skip(value)?;
                }
                (
                    onnx::TENSOR_FLOATS
                    | onnx::TENSOR_INT32S
                    | onnx::TENSOR_INT64S
                    | onnx::TENSOR_DOUBLES
                    | onnx::TENSOR_UINT64S,
                    _,
                ) => {
                    found.listed += match value {
                        Wire::Number(_) => 1,
                        Wire::Fixed(length) => length,
                        Wire::Bytes(end) => reader.left(end),
                    };
                    reader.skip(value)?;
                }
                (onnx::TENSOR_STRINGS, Wire::Bytes(_)) => {
                    found.listed += 1;
                    reader.skip(value)?;
                }
                (onnx::TENSOR_EXTERNAL, Wire::Bytes(end)) => found.entry(reader, end)?,
                (onnx::TENSOR_LOCATION, Wire::Number(place)) => found.is_elsewhere = place == 1,
                _ => reader.skip(value)?,
            }
        }
        found.check(&mut self.elsewhere)?;
        Ok(found.name)
    }
}

impl Found {
    fn side(&mut self, side: u64) -> Result<(), Misread> {
        self.dims.push(side);
        match self.dims.len() > MOST_DIMS {
            true => refused(format!("has weights of more than {MOST_DIMS} dimensions")),
            false => Ok(()),
        }
    }

    fn entry<R: BufRead + Seek>(
        &mut self,
        reader: &mut Reader<R>,
        end: u64,
    ) -> Result<(), Misread> {
        let (mut key, mut value) = (String::new(), String::new());
        while let Some((number, part)) = reader.field(end)? {
            match (number, part) {
                (onnx::ENTRY_KEY, Wire::Bytes(end)) => key = text(reader, end)?,
                (onnx::ENTRY_VALUE, Wire::Bytes(end)) => value = text(reader, end)?,
                _ => reader.skip(part)?,
            }
        }
        if self.place.len() < MOST_DIMS {
            self.place.insert(key, value);
        }
        Ok(())
    }

    // How many bytes its numbers take, by its shape; `None` where that is beyond counting.
    fn bytes(&self) -> Option<u64> {
        let count = self
            .dims
            .iter()
            .try_fold(1_u64, |count, &side| count.checked_mul(side))?;
        let bits = match self.kind {
            // FLOAT, INT32, UINT32
            1 | 6 | 12 => 32,
            // UINT16, INT16, FLOAT16, BFLOAT16
            4 | 5 | 10 | 16 => 16,
            // INT64, DOUBLE, UINT64, COMPLEX64
            7 | 11 | 13 | 14 => 64,
            15 => 128,
            // Of four bits or fewer.
            21.. => 2,
            _ => 8,
        };
        Some(count.checked_mul(bits)?.div_ceil(8))
    }

    fn check(&self, elsewhere: &mut BTreeMap<String, u64>) -> Result<(), Misread> {
        let name = excerpt(&self.name);
        let Some(bytes) = self.bytes() else {
            return refused(format!("has weights `{name}` of a shape beyond counting"));
        };
        if self.is_elsewhere {
            let number = |key: &str| {
                let written = self
                    .place
                    .get(key)
                    .map_or(Ok(0), |text| text.parse::<u64>());
                written.or(refused(format!(
                    "does not say where its weights `{name}` are"
                )))
            };
            let (offset, length) = (number("offset")?, number("length")?);
            if length != 0 && length < bytes {
                return short(&name, bytes, length);
            }
            let file = self.place.get("location").cloned().unwrap_or_default();
            let end = elsewhere.entry(file).or_default();
            *end = (*end).max(offset.saturating_add(bytes));
            return Ok(());
        }
        // A listed number takes a byte or more.
        let count = bytes / 8;
        match self.raw {
            Some(raw) if raw < bytes => short(&name, bytes, raw),
            None if self.listed < count => short(&name, bytes, self.listed),
            _ => Ok(()),
        }
    }
}

fn short(name: &str, bytes: u64, there: u64) -> Result<(), Misread> {
    refused(format!(
        "has weights `{name}` whose shape takes {bytes} bytes, of which {there} are there"
    ))
}

fn text<R: BufRead + Seek>(reader: &mut Reader<R>, end: u64) -> Result<String, Misread> {
    let bytes = reader.bytes(end, LONGEST_TEXT)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
