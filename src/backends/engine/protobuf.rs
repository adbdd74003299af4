//! Protobuf's wire format: the fields of a message, one after the other, from a file or from memory.
//!
//! Nothing is kept but what is asked for, and of that no more than is said: the file may be anything.

use std::io::BufRead;
use std::io::Seek;

/// The bytes are no protobuf, or end too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Torn;

/// A value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Wire {
    /// A whole number.
    Number(u64),
    /// A message, a text or packed numbers, up to this place.
    Bytes(u64),
    /// So many bytes, 4 or 8.
    Fixed(u64),
}

/// Reads fields.
pub(super) struct Reader<R> {
    from: R,
    at: u64,
    end: u64,
}

impl<R: BufRead + Seek> Reader<R> {
    /// A reader of `length` bytes.
    pub(super) fn new(from: R, length: u64) -> Self {
        Self {
            from,
            at: 0,
            end: length,
        }
    }

    /// The place behind the last byte.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    /// How many bytes there are up to `end`.
    pub(super) fn left(&self, end: u64) -> u64 {
        end.saturating_sub(self.at)
    }

    /// The next field of a message that goes to `end`, with its number. What is in it must be read
    /// or skipped before the next one.
    pub(super) fn field(&mut self, end: u64) -> Result<Option<(u64, Wire)>, Torn> {
        if self.at >= end {
            return if self.at == end { Ok(None) } else { Err(Torn) };
        }
        let tag = self.number()?;
        let value = match tag & 7 {
            0 => Wire::Number(self.number()?),
            1 => Wire::Fixed(8),
            2 => {
                let length = self.number()?;
                let place = self.at.checked_add(length).ok_or(Torn)?;
                Wire::Bytes(place)
            }
            5 => Wire::Fixed(4),
            _ => return Err(Torn),
        };
        let inside = match value {
            Wire::Number(_) => self.at <= end,
            Wire::Bytes(place) => place <= end,
            Wire::Fixed(length) => self.left(end) >= length,
        };
        (tag >> 3 != 0 && inside)
            .then_some(Some((tag >> 3, value)))
            .ok_or(Torn)
    }

    /// Passes over what is left of a value.
    pub(super) fn skip(&mut self, value: Wire) -> Result<(), Torn> {
        let by = match value {
            Wire::Number(_) => 0,
            Wire::Bytes(end) => self.left(end),
            Wire::Fixed(length) => length,
        };
        let forward = i64::try_from(by).map_err(|_| Torn)?;
        self.from.seek_relative(forward).map_err(|_| Torn)?;
        self.at += by;
        Ok(())
    }

    /// The bytes up to `end`; nothing of use is longer than `most`.
    pub(super) fn bytes(&mut self, end: u64, most: u64) -> Result<Vec<u8>, Torn> {
        let length = self.left(end);
        if length > most || end > self.end {
            return Err(Torn);
        }
        let mut bytes = vec![0; usize::try_from(length).map_err(|_| Torn)?];
        self.from.read_exact(&mut bytes).map_err(|_| Torn)?;
        self.at = end;
        Ok(bytes)
    }

    /// The next number.
    pub(super) fn number(&mut self) -> Result<u64, Torn> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let mut byte = [0];
            self.from.read_exact(&mut byte).map_err(|_| Torn)?;
            self.at += 1;
            number |= u64::from(byte[0] & 0x7f) << shift;
            if byte[0] < 0x80 {
                return Ok(number);
            }
        }
        Err(Torn)
    }
}
