//! The orientation tag of a PNG or a WebP: a phone notes in it how it was held.
//!
//! FFmpeg reads that of a JPEG by itself.

use crate::media::input::signature;
use crate::media::pixels::orientation::Orientation;
use std::fs::File;
use std::io;
use std::io::BufReader;
use std::io::Read;
use std::io::Seek;
use std::io::SeekFrom;
use std::path::Path;

/// The most of a chunk that is read: the tag is in the first list of tags, near its start.
const FAR_ENOUGH: u64 = 1 << 20;

/// The number of the orientation tag (TIFF 6.0, page 36), and that of its type: two bytes.
const TAG: u16 = 0x0112;
const SHORT: u16 = 3;

/// How the photograph in this file is to be turned; as it is where that is not said.
pub(in crate::media) fn turn_of_file(path: &Path) -> Orientation {
    let file = File::open(path).map(BufReader::new);
    file.map_or_else(|_| Orientation::default(), |mut file| turn(&mut file))
}

/// How the photograph is to be turned whose file this is; as it is where that is not said.
pub(in crate::media) fn turn(file: &mut (impl Read + Seek)) -> Orientation {
    let tags = exif(file).ok().flatten();
    let tag = tags.and_then(|tags| orientation_tag(&tags));
    tag.map_or_else(Orientation::default, Orientation::from_exif)
}

// The tags of a file: the chunk `eXIf` of a PNG (PNG 3, 11.3.3.4) and `EXIF` of a WebP.
fn exif(file: &mut (impl Read + Seek)) -> io::Result<Option<Vec<u8>>> {
    let mut start = [0; 12];
    file.read_exact(&mut start)?;
    if signature::is_png(&start) {
        file.seek(SeekFrom::Start(8))?;
        loop {
            let length = u32::from_be_bytes(bytes(file)?);
            match &bytes(file)? {
                b"eXIf" => return read(file, length).map(Some),
                b"IEND" => return Ok(None),
                // A checksum follows.
                _ => file.seek(SeekFrom::Current(i64::from(length) + 4))?,
            };
        }
    }
    if start.starts_with(b"RIFF") && start.ends_with(b"WEBP") {
        loop {
            let name = bytes(file)?;
            let length = u32::from_le_bytes(bytes(file)?);
            if &name == b"EXIF" {
                return read(file, length).map(Some);
            }
            // To an even length.
            file.seek(SeekFrom::Current(i64::from(length) + i64::from(length % 2)))?;
        }
    }
    Ok(None)
}

fn read(file: &mut impl Read, length: u32) -> io::Result<Vec<u8>> {
    let mut chunk = Vec::new();
    let length = u64::from(length).min(FAR_ENOUGH);
    file.take(length).read_to_end(&mut chunk)?;
    Ok(chunk)
}

fn bytes<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

// Tags are as in a TIFF: the byte order, the place of the first list, and there a number of
// entries of twelve bytes: tag, type, count, value. Some programs put the mark of a JPEG before it.
fn orientation_tag(exif: &[u8]) -> Option<u8> {
    let tiff = exif.strip_prefix(b"Exif\0\0").unwrap_or(exif);
    let is_little = match tiff.get(..4)? {
        b"II*\0" => true,
        b"MM\0*" => false,
        _ => return None,
    };
    let short = |at: usize| -> Option<u16> {
        let bytes = tiff.get(at..)?.first_chunk()?;
        Some(match is_little {
            true => u16::from_le_bytes(*bytes),
            false => u16::from_be_bytes(*bytes),
        })
    };
    let place = *tiff.get(4..)?.first_chunk()?;
    let place = match is_little {
        true => u32::from_le_bytes(place),
        false => u32::from_be_bytes(place),
    };
    let list = usize::try_from(place).ok()?;
    let count = usize::from(short(list)?);
    let entries = tiff.get(list + 2..)?.len() / 12;
    (0..count.min(entries))
        .map(|index| list + 2 + 12 * index)
        .find(|at| short(*at) == Some(TAG) && short(at + 2) == Some(SHORT))
        .and_then(|at| short(at + 8)?.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::orientation_tag;
    use super::turn;
    use crate::media::pixels::orientation::Orientation;
    use std::io::Cursor;

    // Two entries, of which the second is the orientation; numbers in either order of bytes.
    fn exif(orientation: u16, is_little: bool) -> Vec<u8> {
        let short = |number: u16| match is_little {
            true => number.to_le_bytes(),
            false => number.to_be_bytes(),
        };
        let long = |number: u32| match is_little {
            true => number.to_le_bytes(),
            false => number.to_be_bytes(),
        };
        let mark: &[u8] = if is_little { b"II*\0" } else { b"MM\0*" };
        [
            mark,
            &long(8),
            &short(2),
            &[&short(0x0100)[..], &short(3), &long(1), &short(6), &[0; 2]].concat(),
            &[
                &short(0x0112)[..],
                &short(3),
                &long(1),
                &short(orientation),
                &[0; 2],
            ]
            .concat(),
            &long(0),
        ]
        .concat()
    }

    fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        for (name, data) in chunks {
            file.extend((data.len() as u32).to_be_bytes());
            file.extend([*name, *data, &[0; 4]].concat());
        }
        file
    }

    fn webp(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WEBP".to_vec();
        for (name, data) in chunks {
            file.extend(*name);
            file.extend((data.len() as u32).to_le_bytes());
            file.extend(*data);
            file.extend(vec![0; data.len() % 2]);
        }
        file
    }

    fn turned(file: &[u8]) -> Orientation {
        turn(&mut Cursor::new(file))
    }

    #[test]
    fn the_tag_is_found_in_either_order_of_bytes_and_behind_the_mark_of_a_jpeg() {
        for number in 1..=8 {
            for is_little in [true, false] {
                let tags = exif(number, is_little);
                assert_eq!(orientation_tag(&tags), Some(number as u8));
                let marked = [b"Exif\0\0", tags.as_slice()].concat();
                assert_eq!(orientation_tag(&marked), Some(number as u8));
            }
        }
    }

    #[test]
    fn chunks_before_it_are_passed_over() {
        let (tags, six) = (exif(6, false), Orientation::from_exif(6));
        let head = (b"IHDR", &[0; 13][..]);
        let data = (b"IDAT", &[7; 99][..]);
        let end = (b"IEND", &[][..]);
        assert_eq!(turned(&png(&[head, (b"eXIf", &tags), data, end])), six);
        assert_eq!(turned(&png(&[head, data, (b"eXIf", &tags), end])), six);
        assert_eq!(
            turned(&png(&[head, data, end, (b"eXIf", &tags)])),
            Orientation::default()
        );
        let (extended, image) = ((b"VP8X", &[8; 10][..]), (b"VP8 ", &[7; 99][..]));
        assert_eq!(turned(&webp(&[extended, image, (b"EXIF", &tags)])), six);
        assert_eq!(turned(&webp(&[image])), Orientation::default());
    }

    #[test]
    fn tags_that_are_cut_anywhere_or_lie_turn_nothing_and_end() {
        let whole = png(&[(b"IHDR", &[0; 13]), (b"eXIf", &exif(6, true))]);
        for length in 0..whole.len() - 4 {
            turned(&whole[..length]);
        }
        let mut far = exif(6, true);
        far[4..8].fill(0xff);
        assert_eq!(orientation_tag(&far), None);
        let mut many = exif(6, true);
        many[8..10].fill(0xff);
        assert_eq!(orientation_tag(&many), Some(6));
        for number in [0, 9, 256] {
            let file = png(&[(b"eXIf", &exif(number, true))]);
            assert_eq!(turned(&file), Orientation::default());
        }
    }
}
