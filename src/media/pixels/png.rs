//! Pixels to PNG, without loss.

use crate::item::PixelFormat;
use crate::item::Pixels;
use crate::item::Size;
use crate::media::error::MediaError;
use bytes::Bytes;
use png::BitDepth;
use png::ColorType;
use png::Compression;
use png::Encoder;
use std::io::Write;

/// Writes RGB pixels of `size` as PNG.
///
/// # Errors
///
/// Where `pixels` are not [`PixelFormat::Rgb24`], or hold fewer bytes than `size` and their stride
/// need.
pub fn encode_png(pixels: &Pixels, size: Size) -> Result<Bytes, MediaError> {
    let failed = |why: String| MediaError::Png { size, why };
    let (row, rows) = (size.width as usize * 3, size.height as usize);
    let whole = pixels.stride >= row && pixels.data.len() >= pixels.stride * rows;
    if pixels.format != PixelFormat::Rgb24 || !whole {
        return Err(failed("its pixels are incomplete".into()));
    }
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, size.width, size.height);
    encoder.set_color(ColorType::Rgb);
    encoder.set_depth(BitDepth::Eight);
    // The others take several times as long for files a few percent smaller.
    encoder.set_compression(Compression::Fast);
    let write = || -> Result<(), png::EncodingError> {
        let mut writer = encoder.write_header()?;
        let mut stream = writer.stream_writer()?;
        for row_of in pixels.data.chunks(pixels.stride).take(rows) {
            stream.write_all(row_of.get(..row).unwrap_or(row_of))?;
        }
        stream.finish()?;
        writer.finish()
    };
    write().map_err(|error| failed(error.to_string()))?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use super::encode_png;
    use crate::item::PixelFormat;
    use crate::item::Pixels;
    use crate::item::Size;

    #[test]
    fn pixels_come_back_as_they_were() {
        let size = Size {
            width: 5,
            height: 3,
        };
        let data: Vec<u8> = (0..60).map(|byte| byte * 4).collect();
        let pixels = Pixels {
            format: PixelFormat::Rgb24,
            data: data.clone().into(),
            stride: 20,
        };
        let file = encode_png(&pixels, size).unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(file))
            .read_info()
            .unwrap();
        let mut back = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut back).unwrap();
        let rows: Vec<u8> = data.chunks(20).flat_map(|row| row[..15].to_vec()).collect();
        assert_eq!(back, rows);
        let short = Size {
            width: 7,
            height: 3,
        };
        assert!(encode_png(&pixels, short).is_err());
    }
}
