//! Pictures and streams that begin like pictures, told apart by their bytes.
//!
//! A camera's stream of JPEGs begins as a JPEG does, an animated PNG as a PNG.

use crate::item::Size;
use std::fs::File;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Take;
use std::path::Path;

/// What is read of a file to find the end of its first JPEG, at most.
const FAR_ENOUGH: u64 = 256 << 20;

/// The first bytes of a file: enough to know it by, fewer where it has no more.
pub(in crate::media) fn start(path: &Path) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    File::open(path)?.take(24).read_to_end(&mut start)?;
    Ok(start)
}

pub(in crate::media) fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xd8, 0xff])
}

pub(in crate::media) fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(PNG)
}

/// What a picture is called, with its article, that begins so and is of a kind that is not read; a TGA has no
/// signature, and is known by a first header that can be one.
pub(in crate::media) fn other_picture(start: &[u8]) -> Option<&'static str> {
    // Places of zeros and of known sizes keep text and videos that begin with the letters out.
    match start {
        [b'B', b'M', _, _, _, _, 0, 0, 0, 0, ..] => Some("a BMP"),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => Some("a TIFF"),
        [0, 0, 0, 12, b'j', b'P', b' ', b' ', ..] | [0xff, 0x4f, 0xff, 0x51, ..] => {
            Some("a JPEG 2000")
        }
        [0, 0, 1, 0, count, 0, _, _, _, 0, ..] if *count > 0 => Some("an ICO"),
        [b'P', b'1'..=b'6', b' ' | b'\n' | b'\r' | b'\t', ..] => Some("a PPM"),
        [b'8', b'B', b'P', b'S', 0, 1 | 2, ..] => Some("a PSD"),
        _ if is_targa(start) => Some("a TGA"),
        _ => None,
    }
}

// No name or a short one, a palette or none, a kind that goes with it, a size, bits of a pixel.
fn is_targa(start: &[u8]) -> bool {
    let Some(
        &[
            _,
            palette,
            kind,
            _,
            _,
            _,
            _,
            depth,
            _,
            _,
            _,
            _,
            w,
            wide,
            h,
            high,
            bits,
            flags,
        ],
    ) = start.first_chunk()
    else {
        return false;
    };
    let is_indexed = palette == 1 && matches!(kind, 1 | 9) && matches!(depth, 15 | 16 | 24 | 32);
    let is_direct = palette == 0 && matches!(kind, 2 | 3 | 10 | 11) && depth == 0;
    let has_size = (w, wide) != (0, 0) && (h, high) != (0, 0);
    let has_bits = matches!(bits, 8 | 15 | 16 | 24 | 32) && flags & 0xc0 == 0;
    (is_indexed || is_direct) && has_size && has_bits
}

/// Whether the file is a WebP of several frames: the extended format, with its animation flag set.
pub(in crate::media) fn is_animated_webp(path: &Path) -> bool {
    let start = start(path).unwrap_or_default();
    start.starts_with(b"RIFF")
        && start.get(8..16) == Some(b"WEBPVP8X")
        && start.get(20).is_some_and(|flags| flags & 2 != 0)
}

/// Width and height that the header of a JPEG or PNG states; `None` where it has none.
pub(super) fn stated_size(path: &Path) -> io::Result<Option<Size>> {
    size_in(&mut reader(path)?)
}

/// The same of a file in memory.
pub(super) fn stated_size_of(mut file: &[u8]) -> Option<Size> {
    // Memory can be read to its end.
    size_in(&mut file).ok().flatten()
}

/// Whether a JPEG or PNG in memory has its end.
pub(super) fn is_whole(mut file: &[u8]) -> bool {
    match is_png(file) {
        true => ends_png(&mut file),
        false => jpeg(&mut file, Jpeg::default()).map(|_| ()),
    }
    .is_ok()
}

fn ends_png(file: &mut impl BufRead) -> io::Result<()> {
    skip(file, PNG.len() as u64)?;
    loop {
        let length = u32::from_be_bytes(bytes(file)?);
        let is_end = &bytes::<4>(file)? == b"IEND";
        skip(file, u64::from(length) + 4)?;
        if is_end {
            return Ok(());
        }
    }
}

fn size_in(file: &mut impl BufRead) -> io::Result<Option<Size>> {
    let size = match is_png(file.fill_buf()?) {
        true => png_size(file).map(Some),
        false => jpeg_size(file),
    };
    match size {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        size => size,
    }
}

// The first chunk is `IHDR`, which begins with them.
fn png_size(file: &mut impl BufRead) -> io::Result<Size> {
    skip(file, 16)?;
    Ok(Size {
        width: u32::from_be_bytes(bytes(file)?),
        height: u32::from_be_bytes(bytes(file)?),
    })
}

fn jpeg_size(file: &mut impl BufRead) -> io::Result<Option<Size>> {
    let wanted = Jpeg {
        stops_at_size: true,
        ..Jpeg::default()
    };
    let size = jpeg(file, wanted)?.size;
    Ok(size.map(|[a, b, c, d]| Size {
        width: u16::from_be_bytes([c, d]).into(),
        height: u16::from_be_bytes([a, b]).into(),
    }))
}

/// Whether the file is one JPEG or PNG picture, rather than a stream of them.
pub(super) fn is_still(path: &Path) -> io::Result<bool> {
    let start = start(path)?;
    if is_png(&start) {
        return Ok(!or_false(is_animated_png(&mut reader(path)?))?);
    }
    if is_jpeg(&start) {
        return Ok(!or_false(is_jpeg_stream(&mut reader(path)?))?);
    }
    Ok(false)
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

type Reader = BufReader<Take<File>>;

fn reader(path: &Path) -> io::Result<Reader> {
    Ok(BufReader::with_capacity(
        1 << 16,
        File::open(path)?.take(FAR_ENOUGH),
    ))
}

// A picture that is cut short is one all the same.
fn or_false(found: io::Result<bool>) -> io::Result<bool> {
    match found {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        found => found,
    }
}

// Chunks are a length, a name of four letters, so many bytes and a checksum. `acTL`, which begins
// with the number of frames, comes before the first `IDAT`.
fn is_animated_png(file: &mut impl BufRead) -> io::Result<bool> {
    skip(file, PNG.len() as u64)?;
    loop {
        let length = u32::from_be_bytes(bytes(file)?);
        match &bytes::<4>(file)? {
            b"acTL" => return Ok(u32::from_be_bytes(bytes(file)?) > 1),
            b"IDAT" | b"IEND" => return Ok(false),
            _ => skip(file, u64::from(length) + 4)?,
        }
    }
}

// Cameras put a preview behind a photograph, and a map of its lights. It is smaller, or an index
// says that it is there; what follows at the size of the first one, unannounced, is the next frame.
fn is_jpeg_stream(file: &mut impl BufRead) -> io::Result<bool> {
    let first = jpeg(file, Jpeg::default())?;
    if first.is_indexed {
        return Ok(false);
    }
    // Some streams are padded to whole blocks.
    loop {
        match bytes(file)? {
            [0] => {}
            [0xff] => break,
            _ => return Ok(false),
        }
    }
    let Jpeg { size, .. } = first;
    let next = Jpeg {
        stops_at_size: true,
        ..Jpeg::default()
    };
    Ok(bytes(file)? == [0xd8] && size.is_some() && jpeg_body(file, next)?.size == size)
}

/// What the segments of a JPEG say.
#[derive(Clone, Copy, Default)]
struct Jpeg {
    stops_at_size: bool,
    size: Option<[u8; 4]>,
    // Whether it says that other pictures follow in the same file (CIPA DC-007).
    is_indexed: bool,
}

fn jpeg(file: &mut impl BufRead, jpeg: Jpeg) -> io::Result<Jpeg> {
    if bytes(file)? != [0xff, 0xd8] {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    jpeg_body(file, jpeg)
}

// From behind the first marker to behind the last one.
fn jpeg_body(file: &mut impl BufRead, mut jpeg: Jpeg) -> io::Result<Jpeg> {
    loop {
        match marker(file)? {
            0xd9 => return Ok(jpeg),
            // What has no length: filler in coded data, restarts.
            0x00 | 0x01 | 0xd0..=0xd7 => {}
            kind => {
                let length = u64::from(u16::from_be_bytes(bytes(file)?)).saturating_sub(2);
                let mut segment = Vec::new();
                file.by_ref().take(length).read_to_end(&mut segment)?;
                let is_frame = matches!(kind, 0xc0..=0xcf) && !matches!(kind, 0xc4 | 0xc8 | 0xcc);
                // The precision, and then height and width.
                if is_frame && let Some(size) = segment.get(1..5) {
                    jpeg.size = size.try_into().ok();
                    if jpeg.stops_at_size {
                        return Ok(jpeg);
                    }
                }
                jpeg.is_indexed |= kind == 0xe2 && segment.starts_with(b"MPF\0");
            }
        }
    }
}

// The next marker; coded data before it is passed over.
fn marker(file: &mut impl BufRead) -> io::Result<u8> {
    loop {
        if file.skip_until(0xff)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        loop {
            match bytes(file)? {
                [0xff] => {}
                [0x00] => break,
                [kind] => return Ok(kind),
            }
        }
    }
}

fn bytes<const N: usize>(file: &mut impl BufRead) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn skip(file: &mut impl BufRead, count: u64) -> io::Result<()> {
    let skipped = io::copy(&mut file.by_ref().take(count), &mut io::sink())?;
    if skipped < count {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::is_animated_png;
    use super::is_jpeg_stream;
    use super::or_false;
    use super::other_picture;

    // A start, an index where it has one, a size, coded data with filler, an end.
    fn jpeg(size: u8, indexed: bool) -> Vec<u8> {
        let mut file = vec![0xff, 0xd8];
        if indexed {
            file.extend(b"\xff\xe2\0\x06MPF\0");
        }
        file.extend([0xff, 0xc0, 0, 7, 8, 0, size, 0, size]);
        file.extend([0xff, 0xda, 0, 2, 1, 0xff, 0, 2, 0xff, 0xd3, 3, 0xff, 0xd9]);
        file
    }

    fn is_stream(parts: &[&[u8]]) -> bool {
        or_false(is_jpeg_stream(&mut parts.concat().as_slice())).unwrap()
    }

    // The first bytes as the specifications of the formats have them.
    #[test]
    fn other_pictures_are_known_by_their_first_bytes() {
        let targa = [0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 64, 1, 240, 0, 24, 32];
        for (start, kind) in [
            (&b"BM\x36\x84\x03\0\0\0\0\0\x36\0"[..], Some("a BMP")),
            (b"II*\0\x08\0\0\0", Some("a TIFF")),
            (b"MM\0*\0\0\0\x08", Some("a TIFF")),
            (b"\0\0\0\x0cjP  \r\n\x87\n", Some("a JPEG 2000")),
            (b"\0\0\x01\0\x01\0\x40\x40\0\0\x01\0", Some("an ICO")),
            (b"P6\n320 240\n255\n", Some("a PPM")),
            (&targa, Some("a TGA")),
            (b"BM is a word", None),
            (b"\0\0\x01\xba\x44\0\x04\0\x04\x01", None),
            (b"\0\0\x01\xb3\x14\0\xf0\x13", None),
            (b"\0\0\0\x1cftypisom\0\0\x02\0isomiso2", None),
            (b"", None),
        ] {
            assert_eq!(other_picture(start), kind, "{start:?}");
        }
    }

    #[test]
    fn a_stream_is_several_frames_of_one_size() {
        let (frame, preview) = (jpeg(64, false), jpeg(16, false));
        assert!(is_stream(&[&frame, &frame]));
        assert!(is_stream(&[&frame, &[0; 9], &frame, &frame]));
        assert!(!is_stream(&[&frame]));
        assert!(!is_stream(&[&frame, &preview]));
        assert!(!is_stream(&[&jpeg(64, true), &frame]));
        assert!(!is_stream(&[&frame, b"maker's notes"]));
        assert!(!is_stream(&[&frame[..12]]));
        assert!(!is_stream(&[&frame, &frame[..4]]));
    }

    #[test]
    fn a_png_of_one_frame_is_a_picture() {
        let chunk = |name: &str, data: &[u8]| {
            let length = (data.len() as u32).to_be_bytes();
            [&length, name.as_bytes(), data, &[0; 4]].concat()
        };
        let is_animated = |chunks: &[Vec<u8>]| {
            let file = [super::PNG.to_vec(), chunks.concat()].concat();
            or_false(is_animated_png(&mut file.as_slice())).unwrap()
        };
        let (head, data) = (chunk("IHDR", &[0; 13]), chunk("IDAT", &[0; 5]));
        let frames = |count: u8| chunk("acTL", &[0, 0, 0, count, 0, 0, 0, 0]);
        assert!(is_animated(&[head.clone(), frames(3), data.clone()]));
        assert!(!is_animated(&[head.clone(), frames(1), data.clone()]));
        assert!(!is_animated(&[head.clone(), data.clone(), frames(3)]));
        assert!(!is_animated(&[head]));
        assert!(!is_animated(&[data]));
    }
}
