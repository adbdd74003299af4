//! Protobuf's wire format: the fields of a message, and a message with some of them replaced.
//!
//! Every length is checked: a message may be anything. Knows nothing of what messages mean.

use std::ops::Range;

/// The last field `number` of a message, as protobuf has it; an absent one is empty.
pub(in crate::backends) fn find(message: &[u8], number: u64) -> Option<&[u8]> {
    let mut found: &[u8] = &[];
    for field in Fields(message) {
        if let (n, Wire::Bytes(bytes)) = field?
            && n == number
        {
            found = bytes;
        }
    }
    Some(found)
}

/// Bytes as text; what is none is marked.
pub(in crate::backends) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A value in protobuf's wire format.
pub(in crate::backends) enum Wire<'a> {
    /// A whole number.
    Number(u64),
    /// A message, a text or bytes.
    Bytes(&'a [u8]),
    /// Four or eight bytes, which are of no use here.
    Fixed,
}

/// The fields of a message with their numbers; `None` once it makes no sense.
pub(in crate::backends) struct Fields<'a>(pub(in crate::backends) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Option<(u64, Wire<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_none() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Wire<'a>)> {
        let tag = self.number()?;
        let value = match tag & 7 {
            0 => Wire::Number(self.number()?),
            1 => self.take(8).map(|_| Wire::Fixed)?,
            2 => {
                let length = usize::try_from(self.number()?).ok()?;
                Wire::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Wire::Fixed)?,
            _ => return None,
        };
        (tag >> 3 != 0).then_some((tag >> 3, value))
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

/// A message in which `change` has replaced fields `number` of bytes, each by none or several;
/// where it gives `None` a field stays. `None` where the message makes no sense.
pub(in crate::backends) fn replaced(
    message: &[u8],
    number: u64,
    mut change: impl FnMut(&[u8]) -> Option<Vec<Vec<u8>>>,
) -> Option<Vec<u8>> {
    let mut made = Vec::with_capacity(message.len());
    let mut fields = Fields(message);
    loop {
        let begin = fields.0;
        let Some(field) = fields.next() else {
            return Some(made);
        };
        let instead = match field? {
            (n, Wire::Bytes(bytes)) if n == number => change(bytes),
            _ => None,
        };
        match instead {
            Some(instead) => instead.iter().for_each(|it| made.extend(bytes(number, it))),
            None => made.extend_from_slice(begin.get(..begin.len() - fields.0.len())?),
        }
    }
}

/// Where a field of bytes lies in its message.
#[derive(Debug, PartialEq)]
pub(in crate::backends) struct Place {
    /// The field, its number and its length among it.
    pub(in crate::backends) whole: Range<usize>,
    /// What it holds.
    pub(in crate::backends) content: Range<usize>,
}

/// Where the first field `number` lies whose bytes are as `is` says.
pub(in crate::backends) fn place(
    message: &[u8],
    number: u64,
    is: impl Fn(&[u8]) -> bool,
) -> Option<Place> {
    let mut fields = Fields(message);
    loop {
        let begin = message.len() - fields.0.len();
        if let (n, Wire::Bytes(bytes)) = fields.next()??
            && n == number
            && is(bytes)
        {
            let end = message.len() - fields.0.len();
            return Some(Place {
                whole: begin..end,
                content: end - bytes.len()..end,
            });
        }
    }
}

/// The beginning of a field of so many bytes.
pub(in crate::backends) fn begin(number: u64, length: usize) -> Vec<u8> {
    let mut made = varint(number << 3 | 2);
    made.extend(varint(length as u64));
    made
}

/// A field of bytes.
pub(in crate::backends) fn bytes(number: u64, content: &[u8]) -> Vec<u8> {
    let mut made = begin(number, content.len());
    made.extend_from_slice(content);
    made
}

/// A field of a whole number.
pub(in crate::backends) fn whole(number: u64, value: u64) -> Vec<u8> {
    let mut made = varint(number << 3);
    made.extend(varint(value));
    made
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut made = Vec::new();
    while value >= 0x80 {
        made.push(value as u8 | 0x80);
        value >>= 7;
    }
    made.push(value as u8);
    made
}

#[cfg(test)]
mod tests {
    use super::Fields;
    use super::Wire;
    use super::bytes;
    use super::find;
    use super::place;
    use super::replaced;
    use super::whole;
    use proptest::prelude::any;
    use proptest::prelude::proptest;

    #[test]
    fn fields_are_written_as_they_are_read() {
        // By hand, after protobuf.dev/programming-guides/encoding: field 1, 150; field 2, "testing".
        assert_eq!(whole(1, 150), [0x08, 0x96, 0x01]);
        let text = [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6e, 0x67];
        assert_eq!(bytes(2, b"testing"), text);
        let message = [whole(1, 150), bytes(2, b"one"), bytes(2, &[7; 300])].concat();
        assert_eq!(find(&message, 2), Some(&[7; 300][..]));
        let changed = replaced(&message, 2, |field| {
            (field == b"one").then(|| vec![b"two".to_vec(), Vec::new()])
        });
        let expected = [
            whole(1, 150),
            bytes(2, b"two"),
            bytes(2, b""),
            bytes(2, &[7; 300]),
        ];
        assert_eq!(changed, Some(expected.concat()));
        let first = Fields(&message).next().flatten();
        assert!(matches!(first, Some((1, Wire::Number(150)))));
        assert_eq!(replaced(&message[..20], 2, |_| None), None);
        let one = place(&message, 2, |field| field == b"one").unwrap();
        assert_eq!((one.whole, one.content), (3..8, 5..8));
        assert_eq!(place(&message, 2, |field| field == b"two"), None);
    }

    proptest! {
        #[test]
        fn what_is_not_changed_stays(message in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(same) = replaced(&message, 1, |_| None) {
                assert_eq!(same, message);
            }
        }
    }
}
