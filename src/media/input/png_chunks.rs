//! The chunks of a PNG that a decoder is given: those that say what it shows.
//!
//! A profile or a text is compressed, and unpacks to a thousand times its length or more, whatever
//! the size of the picture. Does not decode anything.

use crate::item::Size;

const SIGNATURE: usize = 8;

/// Length, name and checksum of a chunk.
const AROUND: usize = 12;

/// Those that say what a picture shows, and how it is to be turned (PNG 3, 11.2 and 11.3).
const SHOWN: [&[u8; 4]; 9] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"sRGB", b"eXIf",
];

/// The file `bytes` of a picture of `size` without the chunks that show nothing, and without data
/// that its pixels cannot have.
pub(super) fn shown(bytes: &[u8], size: Size) -> Vec<u8> {
    let (start, mut rest) = bytes.split_at(SIGNATURE.min(bytes.len()));
    let mut kept = start.to_vec();
    // 8 bytes a pixel that could not be compressed.
    let mut room = 8 * size.pixels() + (64 << 10);
    while let Some(&length) = rest.first_chunk() {
        let name = rest.get(4..8).unwrap_or_default();
        let whole = (u32::from_be_bytes(length) as usize).saturating_add(AROUND);
        // The last may have lost its end.
        let (chunk, behind) = rest.split_at(whole.min(rest.len()));
        if name == b"IDAT" {
            match room.checked_sub(chunk.len() as u64) {
                Some(left) => room = left,
                None => break,
            }
        }
        if SHOWN.iter().any(|shown| *shown == name) {
            kept.extend_from_slice(chunk);
        }
        rest = behind;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::shown;
    use crate::item::Size;

    fn chunk(name: &str, length: usize) -> Vec<u8> {
        let content = vec![7; length];
        let parts = [
            &(length as u32).to_be_bytes(),
            name.as_bytes(),
            &content,
            b"crc!",
        ];
        parts.concat()
    }

    #[test]
    fn what_shows_nothing_is_left_out() {
        let small = Size {
            width: 8,
            height: 8,
        };
        let file = |names: &[&str]| {
            let chunks = names.iter().map(|name| chunk(name, 100));
            [b"\x89PNG\r\n\x1a\n".to_vec(), chunks.flatten().collect()].concat()
        };
        let all = file(&[
            "IHDR", "iCCP", "zTXt", "PLTE", "tRNS", "IDAT", "iTXt", "IDAT", "IEND",
        ]);
        let wanted = file(&["IHDR", "PLTE", "tRNS", "IDAT", "IDAT", "IEND"]);
        assert_eq!(shown(&all, small), wanted);
        // One that has lost its end, and one without any chunk.
        let cut = &wanted[..wanted.len() - 150];
        assert_eq!(shown(cut, small), cut);
        assert_eq!(shown(&wanted[..8], small), &wanted[..8]);
        assert_eq!(shown(b"", small), b"");
    }

    #[test]
    fn there_is_no_more_data_than_pixels_can_have() {
        let start = [&b"\x89PNG\r\n\x1a\n"[..], &chunk("IHDR", 13)].concat();
        let file = [&start[..], &chunk("IDAT", 70_000), &chunk("IEND", 0)].concat();
        let [small, large] = [8, 100].map(|side| Size {
            width: side,
            height: side,
        });
        assert_eq!(shown(&file, small), start);
        assert_eq!(shown(&file, large), file);
    }
}
