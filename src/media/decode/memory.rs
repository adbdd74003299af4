//! The most that the frames of a video hold while they are decoded.

use crate::item::Size;
use crate::media::VideoSelection;

/// What a [`crate::media::Frames`] holds besides the frame it gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecoderMemory {
    /// Finished frames.
    pub frames: usize,
    /// Bytes of packets that wait, and of frames that decoders refer to.
    pub bytes: u64,
}

/// A group of frames is usually no longer than this many seconds.
const GROUP: f64 = 10.0;

/// Finished frames that each decoder may always be ahead by.
const LEAST_AHEAD: usize = 8;

/// Bytes that finished frames may take where that is more.
const AHEAD: usize = 256 << 20;

/// Bytes of packets that wait for each decoder.
const PACKETS: usize = 16 << 20;

/// Frames that a decoder holds at most: those it may refer to, and those it puts in order.
const FRAMES: u64 = 18;

/// Bytes of a pixel: three components, one of them in full, of two bytes where there are more than
/// 8 bits.
const PIXEL: u64 = 3;

/// The most pixels of a video's frame: 8192 x 8192, twice what any level of H.264 and HEVC allows.
pub(in crate::media) const MOST_PIXELS: u64 = 1 << 26;

/// The most pixels of a picture file. Cameras have up to 102 megapixels; 8-bit pixels of that many
/// take 384 MB.
pub(in crate::media) const MOST_PICTURE_PIXELS: u64 = 128_000_000;

/// Bytes that the frames of all decoders of a video may take. Where its frames are so large that
/// even one decoder might need more, there is one.
const DECODERS: u64 = 8 << 30;

/// What sampling a video of `size` holds at most.
pub fn decoder_memory(wanted: &VideoSelection, size: Size) -> DecoderMemory {
    let decoders = decoders(wanted, size);
    let packets = packets(decoders) + 2 * PACKETS;
    DecoderMemory {
        // The buffer, one that it always has room for, and one in the hands of each decoder.
        frames: ahead(wanted) + 1 + decoders,
        bytes: packets as u64 + decoders as u64 * FRAMES * size.pixels() * PIXEL,
    }
}

/// The number of decoders for frames of `size`: as many as are wanted and have room.
pub(in crate::media) fn decoders(wanted: &VideoSelection, size: Size) -> usize {
    let room = DECODERS / (FRAMES * PIXEL * size.pixels().max(1));
    let room = usize::try_from(room).unwrap_or(usize::MAX);
    wanted.decoders.min(room).max(1)
}

/// The most pixels that frames may have which come out of one of so many decoders, whatever the
/// headers say.
pub(in crate::media) fn most_pixels(decoders: usize) -> u64 {
    let room = DECODERS / (FRAMES * PIXEL * decoders.max(1) as u64);
    room.min(MOST_PIXELS)
}

/// Finished frames that all decoders together may be ahead by. Each has room for what a group
/// has, so that decoders rarely wait for each other, within [`AHEAD`].
pub(in crate::media) fn ahead(wanted: &VideoSelection) -> usize {
    let decoders = wanted.decoders.max(1);
    let of_a_group = (wanted.fps.to_f64() * GROUP).ceil() as usize;
    // RGB of the usual shape, as large as is allowed.
    let frame = f64::from(wanted.max_side).powi(2) * 9.0 / 16.0 * 3.0;
    let room = (AHEAD as f64 / frame) as usize;
    of_a_group
        .saturating_mul(decoders)
        .min(room)
        .max(decoders * LEAST_AHEAD)
}

/// Bytes of packets that may wait for all decoders together, besides those of a group that is
/// being read.
pub(in crate::media) fn packets(decoders: usize) -> usize {
    (decoders + 1) * PACKETS
}

#[cfg(test)]
mod tests {
    use super::MOST_PIXELS;
    use super::ahead;
    use super::decoder_memory;
    use super::decoders;
    use super::most_pixels;
    use crate::item::PixelFormat;
    use crate::item::Size;
    use crate::media::VideoSelection;
    use crate::time::Ratio;

    #[test]
    fn what_is_held_grows_with_the_rate_and_ends_with_the_room() {
        let of = |fps: i64, decoders| {
            let fps = Ratio::new(fps, 1).unwrap();
            let mut wanted = VideoSelection::new(fps, 1280, PixelFormat::I420);
            wanted.decoders = decoders;
            wanted
        };
        assert_eq!(ahead(&of(1, 2)), 20);
        assert_eq!(ahead(&of(4, 2)), 80);
        assert_eq!(ahead(&of(30, 2)), 97);
        assert_eq!(ahead(&of(30, 64)), 512);
        let size = Size {
            width: 1920,
            height: 1080,
        };
        let decoder_memory = decoder_memory(&of(1, 2), size);
        assert_eq!(
            (decoder_memory.frames, decoder_memory.bytes >> 20),
            (23, 293)
        );
    }
    #[test]
    fn large_frames_have_fewer_decoders() {
        let mut wanted = VideoSelection::new(Ratio::ONE, 1280, PixelFormat::I420);
        wanted.decoders = 16;
        let of = |width, height| decoders(&wanted, Size { width, height });
        assert_eq!(of(3840, 2160), 16);
        // 8 GB / (18 frames x 7680 x 4320 pixels x 3 bytes) = 4.79
        assert_eq!(of(7680, 4320), 4);
        assert_eq!(of(8192, 8192), 2);
        assert_eq!((of(60_000, 60_000), of(0, 0)), (1, 16));
        // 8 GB / (16 decoders x 18 frames x 3 bytes) = 9,942,053 pixels
        assert_eq!(most_pixels(16), 9_942_053);
        assert_eq!(most_pixels(2), MOST_PIXELS);
    }
}
