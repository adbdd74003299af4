//! A text that gives its memory back while it is read, so that what is made of it takes its place.

use std::io;
use std::io::Read;

/// Bytes that are given back at once.
const PART: usize = 1 << 20;

/// A text, read once from its beginning to its end.
pub(super) struct FleetingText {
    // The last part first.
    parts: Vec<Vec<u8>>,
    // How much of the one that comes next was read.
    place: usize,
}

impl FleetingText {
    /// That of these bytes.
    pub(super) fn of(mut text: Vec<u8>) -> Self {
        let mut parts = Vec::new();
        while !text.is_empty() {
            parts.push(text.split_off((text.len() - 1) / PART * PART));
            text.shrink_to_fit();
        }
        Self { parts, place: 0 }
    }
}

impl Read for FleetingText {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let Some(part) = self.parts.last() else {
            return Ok(0);
        };
        let mut rest = part.get(self.place..).unwrap_or_default();
        let count = rest.read(to)?;
        self.place += count;
        if self.place >= part.len() {
            self.parts.pop();
            self.place = 0;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::FleetingText;
    use super::PART;
    use std::io::Read;

    #[test]
    fn all_of_it_comes_in_order() {
        for length in [0, 1, PART - 1, PART, PART + 1, 3 * PART + 7] {
            let text: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut read = Vec::new();
            FleetingText::of(text.clone())
                .read_to_end(&mut read)
                .unwrap();
            assert!(read == text, "{length}");
        }
    }
}
