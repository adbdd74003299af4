//! The chunks of a PNG that a decoder is given: those that say what it shows.
//!
//! A profile or a text is compressed, and unpacks to a thousand times its length or more, whatever
//! the size of the frame. Does not decode anything.

const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Length, name and checksum of a chunk.
const AROUND: usize = 12;

/// Those that say what a frame shows, how it is to be turned and when it is shown (PNG 3, 11.2 and
/// 11.3).
const SHOWN: [&[u8; 4]; 12] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"sRGB", b"eXIf", b"acTL",
    b"fcTL", b"fdAT",
];

/// Moves what is shown to the front of `bytes`, a PNG or some chunks of one, and gives the length of
/// that. Data is left out that the pixels cannot have, where their number is said.
pub(super) fn keep_shown(bytes: &mut [u8]) -> usize {
    let mut kept = match bytes.starts_with(SIGNATURE) {
        true => SIGNATURE.len(),
        false => 0,
    };
    let (mut at, mut room) = (kept, u64::MAX);
    while let Some((name, whole)) = chunk(bytes, at) {
        // The last may have lost its end.
        let end = at.saturating_add(whole).min(bytes.len());
        match &name {
            b"IHDR" => room = pixel_bytes(bytes, at + 8),
            b"IDAT" | b"fdAT" => match room.checked_sub((end - at) as u64) {
                Some(left) => room = left,
                None => break,
            },
            _ => {}
        }
        if SHOWN.contains(&&name) {
            bytes.copy_within(at..end, kept);
            kept += end - at;
        }
        at = end;
    }
    kept
}

// The name of the chunk that begins there, and the length of all of it.
fn chunk(bytes: &[u8], at: usize) -> Option<([u8; 4], usize)> {
    let length = u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?);
    let name = *bytes.get(at + 4..)?.first_chunk()?;
    Some((name, (length as usize).saturating_add(AROUND)))
}

// What the pixels of a header may take: 8 bytes each that could not be compressed.
fn pixel_bytes(bytes: &[u8], at: usize) -> u64 {
    let side = |at: usize| {
        let side = bytes.get(at..).and_then(<[u8]>::first_chunk);
        side.map_or(0, |side| u64::from(u32::from_be_bytes(*side)))
    };
    let pixels = side(at).saturating_mul(side(at + 4));
    pixels.saturating_mul(8).saturating_add(64 << 10)
}

#[cfg(test)]
mod tests {
    use super::SIGNATURE;
    use super::keep_shown;

    fn chunk(name: &str, content: &[u8]) -> Vec<u8> {
        let length = (content.len() as u32).to_be_bytes();
        [&length, name.as_bytes(), content, b"crc!"].concat()
    }

    // Of frames of so many pixels a side.
    fn file(side: u32, names: &[&str]) -> Vec<u8> {
        let side = side.to_be_bytes();
        let head = chunk("IHDR", &[&side[..], &side, &[8, 2, 0, 0, 0]].concat());
        let chunks = names.iter().flat_map(|name| chunk(name, &[7; 70_000]));
        [SIGNATURE, &head]
            .concat()
            .into_iter()
            .chain(chunks)
            .collect()
    }

    fn kept(bytes: &[u8]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        let length = keep_shown(&mut bytes);
        bytes.truncate(length);
        bytes
    }

    #[test]
    fn what_shows_nothing_is_left_out() {
        let all = [
            "iCCP", "zTXt", "PLTE", "tRNS", "IDAT", "iTXt", "IDAT", "IEND",
        ];
        let wanted = file(200, &["PLTE", "tRNS", "IDAT", "IDAT", "IEND"]);
        assert_eq!(kept(&file(200, &all)), wanted);
        // Chunks alone, one that has lost its end, and none.
        assert_eq!(kept(&file(200, &all)[8..]), &wanted[8..]);
        let cut = &wanted[..wanted.len() - 150];
        assert_eq!(kept(cut), cut);
        for nothing in [&b""[..], b"\0\0\0", b"\xff\xff\xff\xffiCCP"] {
            assert_eq!(kept(nothing), b"");
        }
    }

    #[test]
    fn there_is_no_more_data_than_pixels_can_have() {
        let names = ["IDAT", "IEND"];
        assert_eq!(kept(&file(8, &names)), file(8, &[]));
        assert_eq!(kept(&file(100, &names)), file(100, &names));
    }
}
