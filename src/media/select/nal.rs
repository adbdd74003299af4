//! NAL units of H.264 and HEVC: what a packet says of itself without being decoded.
//!
//! Reads the first bytes of each unit and no further.

/// What a packet says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::media) struct PacketTraits {
    /// Nothing else is predicted from it.
    pub(in crate::media) unreferenced: bool,
    /// It is predicted from nothing else.
    pub(in crate::media) intra: bool,
    /// It is predicted from nothing, and nothing behind it from what is before it.
    pub(in crate::media) refreshes: bool,
    /// It gives no picture to show.
    pub(in crate::media) hidden: bool,
    /// It carries parameters that other packets may need.
    pub(in crate::media) has_parameters: bool,
}

/// How units are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    /// By 00 00 01 before each.
    StartCodes,
    /// By a length of this many bytes before each.
    Lengths(usize),
}

fn units(framing: Framing, data: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = data;
    std::iter::from_fn(move || {
        let (unit, after) = match framing {
            Framing::StartCodes => next_coded(rest)?,
            Framing::Lengths(bytes) => next_measured(bytes, rest)?,
        };
        rest = after;
        Some(unit)
    })
}

fn next_coded(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let unit = &data[start_code(data)? + 3..];
    let end = start_code(unit).unwrap_or(unit.len());
    Some(unit.split_at(end))
}

/// Where the next 00 00 01 is.
pub(in crate::media) fn start_code(data: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let one = from
            + data
                .get(from..)?
                .iter()
                .skip(2)
                .position(|byte| *byte == 1)?
            + 2;
        if data[one - 2] == 0 && data[one - 1] == 0 {
            return Some(one - 2);
        }
        from = one - 1;
    }
}

fn next_measured(bytes: usize, data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = data.split_at_checked(bytes)?;
    let length = length
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    (length > 0).then(|| rest.split_at(length.min(rest.len())))
}

/// H.264.
#[derive(Debug)]
pub(in crate::media) struct Avc {
    framing: Framing,
    known: Vec<Vec<u8>>,
}

impl Avc {
    /// A reader for the stream with this codec data (`avcC`, or units with start codes).
    pub(in crate::media) fn new(codec_data: &[u8]) -> Self {
        match codec_data {
            [1, _, _, _, lengths, counted @ ..] => Self {
                framing: Framing::Lengths(usize::from(lengths & 3) + 1),
                known: counted_sets(counted),
            },
            plain => Self {
                framing: Framing::StartCodes,
                known: units(Framing::StartCodes, plain).map(trimmed).collect(),
            },
        }
    }

    /// What `packet` says of itself.
    pub(in crate::media) fn read(&self, packet: &[u8]) -> PacketTraits {
        let (mut slices, mut referenced, mut predicted, mut has_parameters) =
            (0, false, false, false);
        let mut refreshing = 0;
        for unit in units(self.framing, packet) {
            let Some((header, body)) = unit.split_first() else {
                continue;
            };
            match header & 31 {
                1 | 2 | 5 => {
                    slices += 1;
                    refreshing += u32::from(header & 31 == 5);
                    referenced |= header >> 5 & 3 != 0;
                    predicted |= !is_intra_slice(body);
                }
                7 | 8 | 13 | 15 => has_parameters |= !self.known.contains(&trimmed(unit)),
                _ => {}
            }
        }
        PacketTraits {
            unreferenced: slices > 0 && !referenced,
            intra: slices > 0 && !predicted,
            refreshes: slices > 0 && !predicted && refreshing == slices,
            hidden: false,
            has_parameters,
        }
    }
}

// A slice header begins with the number of its first macroblock and its type: 2 and 7 are I.
fn is_intra_slice(body: &[u8]) -> bool {
    let mut bits = Bits::new(body);
    let kind = bits.exponential().and_then(|_| bits.exponential());
    kind.is_some_and(|kind| kind % 5 == 2)
}

/// HEVC.
#[derive(Debug)]
pub(in crate::media) struct Hevc {
    framing: Framing,
    known: Vec<Vec<u8>>,
    // The number of its highest temporal layer, from its sequence parameters.
    highest: Option<u8>,
}

impl Hevc {
    /// A reader for the stream with this codec data (`hvcC`, or units with start codes).
    pub(in crate::media) fn new(codec_data: &[u8]) -> Self {
        let (framing, known) = match codec_data.first() {
            Some(1) if codec_data.len() > 22 => {
                let lengths = usize::from(codec_data[21] & 3) + 1;
                (Framing::Lengths(lengths), arrays(&codec_data[22..]))
            }
            _ => (
                Framing::StartCodes,
                units(Framing::StartCodes, codec_data)
                    .map(trimmed)
                    .collect(),
            ),
        };
        let highest = known.iter().filter_map(|unit| highest_layer(unit)).max();
        Self {
            framing,
            known,
            highest,
        }
    }

    /// What `packet` says of itself.
    pub(in crate::media) fn read(&self, packet: &[u8]) -> PacketTraits {
        let (mut slices, mut referenced, mut predicted, mut has_parameters) =
            (0, false, false, false);
        let mut instantaneous = true;
        for unit in units(self.framing, packet) {
            let [first, second, ..] = *unit else {
                continue;
            };
            let (kind, layer) = (first >> 1 & 63, second & 7);
            if first & 1 != 0 || second >> 3 != 0 {
                // A layer for a second eye or a finer picture.
                continue;
            }
            match kind {
                0..32 => {
                    slices += 1;
                    // Even numbers below 16: no other picture of the same temporal layer
                    // refers to it; one of a higher layer might, so it must be the highest.
                    let leaf = kind < 16 && kind % 2 == 0;
                    referenced |= !leaf || layer.checked_sub(1) != self.highest;
                    predicted |= !(16..24).contains(&kind);
                    // IDR, with pictures before it or without.
                    instantaneous &= matches!(kind, 19 | 20);
                }
                32..=34 => has_parameters |= !self.known.contains(&trimmed(unit)),
                _ => {}
            }
        }
        PacketTraits {
            unreferenced: slices > 0 && !referenced,
            intra: slices > 0 && !predicted,
            refreshes: slices > 0 && instantaneous,
            hidden: false,
            has_parameters,
        }
    }
}

// Sequence parameters begin with a number of 4 bits and the highest temporal layer in 3.
fn highest_layer(unit: &[u8]) -> Option<u8> {
    match unit {
        [header, _, first, ..] if header >> 1 & 63 == 33 => Some(first >> 1 & 7),
        _ => None,
    }
}

// Zero bytes behind a unit belong to the framing.
fn trimmed(unit: &[u8]) -> Vec<u8> {
    let end = unit
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    unit[..end].to_vec()
}

// `avcC`: a count (its low 5 bits) of sequence parameters, then a count of picture parameters.
fn counted_sets(mut data: &[u8]) -> Vec<Vec<u8>> {
    let mut sets = Vec::new();
    for mask in [31, 255] {
        let Some((count, rest)) = data.split_first() else {
            break;
        };
        data = rest;
        take_sets(usize::from(count & mask), &mut data, &mut sets);
    }
    sets
}

// `hvcC`: a count of arrays, each a kind, a count of two bytes, and its units.
fn arrays(data: &[u8]) -> Vec<Vec<u8>> {
    let mut sets = Vec::new();
    let Some((count, mut data)) = data.split_first() else {
        return sets;
    };
    for _ in 0..*count {
        let [_, high, low, rest @ ..] = data else {
            break;
        };
        data = rest;
        take_sets(
            usize::from(u16::from_be_bytes([*high, *low])),
            &mut data,
            &mut sets,
        );
    }
    sets
}

fn take_sets(count: usize, data: &mut &[u8], sets: &mut Vec<Vec<u8>>) {
    for _ in 0..count {
        let Some((set, rest)) = next_measured(2, data) else {
            return;
        };
        sets.push(trimmed(set));
        *data = rest;
    }
}

struct Bits<'data> {
    data: &'data [u8],
    position: usize,
}

impl<'data> Bits<'data> {
    fn new(data: &'data [u8]) -> Self {
        Self { data, position: 0 }
    }

    fn bit(&mut self) -> Option<u32> {
        let byte = self.data.get(self.position / 8)?;
        let bit = byte >> (7 - self.position % 8) & 1;
        self.position += 1;
        Some(u32::from(bit))
    }

    // A number by the code of Golomb: as many zeros as bits follow the first one.
    fn exponential(&mut self) -> Option<u32> {
        let mut zeros = 0;
        while self.bit()? == 0 {
            zeros += 1;
        }
        let mut value: u32 = 1;
        for _ in 0..zeros {
            value = value.checked_mul(2)? | self.bit()?;
        }
        Some(value - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::Avc;
    use super::Bits;
    use super::Hevc;
    use super::PacketTraits;
    use super::start_code;

    fn traits(unreferenced: bool, intra: bool) -> PacketTraits {
        PacketTraits {
            unreferenced,
            intra,
            ..PacketTraits::default()
        }
    }

    #[test]
    fn h264_tells_references_and_intra_pictures() {
        let stream = Avc::new(&[]);
        // Slices with first macroblock 0 (`1`) and type 7, I (`0001000`); 5, P; 6, B.
        let i = [0, 0, 1, 0x65, 0b1000_1000];
        let p = [0, 0, 1, 0x41, 0b1001_1000];
        let b = [0, 0, 0, 1, 0x01, 0b1001_1100];
        let refreshing = PacketTraits {
            refreshes: true,
            ..traits(false, true)
        };
        assert_eq!(stream.read(&i), refreshing);
        // An I picture that others may be predicted over.
        let open = [0, 0, 1, 0x61, 0b1000_1000];
        assert_eq!(stream.read(&open), traits(false, true));
        assert_eq!(stream.read(&p), traits(false, false));
        assert_eq!(stream.read(&b), traits(true, false));
        assert_eq!(stream.read(&[i, p].concat()), traits(false, false));
        assert_eq!(stream.read(&[]), PacketTraits::default());
        let measured = Avc::new(&[1, 100, 0, 31, 0xff, 0xe0, 0]);
        assert_eq!(
            measured.read(&[0, 0, 0, 2, 0x01, 0b1001_1100]),
            traits(true, false)
        );
    }

    #[test]
    fn parameters_count_where_they_are_new() {
        let codec_data = [1, 100, 0, 31, 0xff, 0xe1, 0, 2, 0x67, 9, 1, 0, 2, 0x68, 7];
        let stream = Avc::new(&codec_data);
        assert!(!stream.read(&[0, 0, 0, 2, 0x67, 9]).has_parameters);
        assert!(!stream.read(&[0, 0, 0, 3, 0x68, 7, 0]).has_parameters);
        assert!(stream.read(&[0, 0, 0, 2, 0x68, 8]).has_parameters);
    }

    #[test]
    fn hevc_drops_leaves_of_the_highest_layer_only() {
        let parameters = |highest: u8| [0, 0, 1, 0x42, 1, highest << 1, 7];
        let leaf = |layer: u8| [0, 0, 1, 0x00, layer + 1, 0x80];
        let flat = Hevc::new(&parameters(0));
        assert!(flat.read(&leaf(0)).unreferenced);
        let layered = Hevc::new(&parameters(1));
        assert!(!layered.read(&leaf(0)).unreferenced);
        assert!(layered.read(&leaf(1)).unreferenced);
        assert!(!Hevc::new(&[]).read(&leaf(0)).unreferenced);
        let clean = [0, 0, 1, 21 << 1, 1, 0x80];
        assert_eq!(flat.read(&clean), traits(false, true));
        assert!(flat.read(&[0, 0, 1, 19 << 1, 1, 0x80]).refreshes);
    }

    #[test]
    fn numbers_and_start_codes_are_found() {
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000]);
        let numbers: Vec<_> = std::iter::from_fn(|| bits.exponential()).take(5).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
        assert_eq!(start_code(&[0, 0, 0, 1]), Some(1));
        assert_eq!(start_code(&[1, 1, 1, 0, 0, 1]), Some(3));
        assert_eq!(start_code(&[0, 0]), None);
        assert_eq!(start_code(&[0, 1, 0, 1]), None);
    }
}
