//! Pixels to JPEG, without a detour over RGB.

use crate::item::PixelFormat;
use crate::item::Pixels;
use crate::item::Size;
use crate::media::error::MediaError;
use bytes::Bytes;
use turbojpeg::Compressor;
use turbojpeg::Image;
use turbojpeg::OutputBuf;
use turbojpeg::Subsamp;
use turbojpeg::YuvPlanesImage;

/// Writes pixels of `size` as JPEG with the chroma halved both ways. `quality` is 1 to 100;
/// what lies outside counts as the nearer end.
///
/// # Errors
///
/// Where `pixels` holds fewer bytes than `size` and its stride need, or JPEG cannot be so large
/// (65535 a side).
pub fn encode_jpeg(pixels: &Pixels, size: Size, quality: u8) -> Result<Bytes, MediaError> {
    let failed = |why: String| MediaError::Jpeg { size, why };
    let mut output = OutputBuf::new_owned();
    let encode = || {
        let mut compressor = Compressor::new()?;
        compressor.set_quality(i32::from(quality.clamp(1, 100)))?;
        compressor.set_subsamp(Subsamp::Sub2x2)?;
        Ok(compressor)
    };
    let mut compressor = encode().map_err(|error: turbojpeg::Error| failed(error.to_string()))?;
    let short = || failed("its pixels are incomplete".into());
    let written = match pixels.format {
        PixelFormat::Rgb24 => {
            let image = rgb(pixels, size).ok_or_else(short)?;
            compressor.compress(image, &mut output)
        }
        PixelFormat::I420 => {
            let even = even_luma(pixels, size);
            let image = planes(pixels, even.as_deref(), size).ok_or_else(short)?;
            compressor.compress_yuv_planes(&image, &mut output)
        }
    };
    written.map_err(|error| failed(error.to_string()))?;
    Ok(Bytes::copy_from_slice(&output))
}

fn rgb(pixels: &Pixels, size: Size) -> Option<Image<&[u8]>> {
    let (width, height) = (size.width as usize, size.height as usize);
    if pixels.stride < width * 3 {
        return None;
    }
    // The last row of a crop may end before its stride does.
    let end = pixels.stride * height.checked_sub(1)? + width * 3;
    Some(Image {
        pixels: pixels.data.get(..end)?,
        width,
        pitch: pixels.stride,
        height,
        format: turbojpeg::PixelFormat::RGB,
    })
}

fn planes<'bytes>(
    pixels: &'bytes Pixels,
    even: Option<&'bytes [u8]>,
    size: Size,
) -> Option<YuvPlanesImage<&'bytes [u8]>> {
    let (width, height) = (size.width as usize, size.height as usize);
    let (stride, half) = (pixels.stride, pixels.stride.div_ceil(2));
    if stride < width {
        return None;
    }
    let (luma, rest) = pixels.data.split_at_checked(stride * height)?;
    let (u, rest) = rest.split_at_checked(half * height.div_ceil(2))?;
    let v = rest.get(..half * height.div_ceil(2))?;
    Some(YuvPlanesImage {
        y_plane: even.unwrap_or(luma),
        u_plane: u,
        v_plane: v,
        width,
        height,
        y_stride: even.map_or(stride, |_| width.next_multiple_of(2)),
        u_stride: half,
        v_stride: half,
        subsamp: Subsamp::Sub2x2,
    })
}

// libjpeg-turbo reads luma in pairs of rows and columns. Where a side is odd, the luma with its
// last row or column repeated.
fn even_luma(pixels: &Pixels, size: Size) -> Option<Vec<u8>> {
    let (width, height) = (size.width as usize, size.height as usize);
    if width.is_multiple_of(2) && height.is_multiple_of(2) {
        return None;
    }
    let mut luma = Vec::with_capacity(width.next_multiple_of(2) * height.next_multiple_of(2));
    for y in 0..height.next_multiple_of(2) {
        let start = y.min(height - 1) * pixels.stride;
        let row = pixels.data.get(start..start + width)?;
        luma.extend_from_slice(row);
        luma.extend(row.last().filter(|_| !width.is_multiple_of(2)));
    }
    Some(luma)
}
