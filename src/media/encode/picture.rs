//! The encoder of frames: RGB in, packets out, one a frame and in their order.
//!
//! H.264 where this FFmpeg can, else MPEG-4, which every FFmpeg can. Frames whose sides are odd get
//! one more row or column of pixels, since chroma is halved: boxes keep their places.

use crate::item::Pixels;
use crate::item::Size;
use crate::media::error::MediaError;
use crate::media::ffmpeg::ColourKind;
use crate::media::ffmpeg::Colours;
use crate::media::ffmpeg::Conversion;
use crate::media::ffmpeg::ROW_ALIGNMENT;
use crate::media::ffmpeg::Scaler;
use crate::time::TimeBase;
use ffmpeg_next::Dictionary;
use ffmpeg_next::Packet;
use ffmpeg_next::Rational;
use ffmpeg_next::codec;
use ffmpeg_next::codec::Flags;
use ffmpeg_next::codec::threading;
use ffmpeg_next::color;
use ffmpeg_next::encoder;
use ffmpeg_next::encoder::video::Encoder;
use ffmpeg_next::error::Error;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::frame::Video;
use ffmpeg_next::software::scaling;

/// An encoder of FFmpeg, and what it is told.
pub(super) struct KnownEncoder {
    /// FFmpeg's name of it.
    pub(super) name: &'static str,
    options: &'static [(&'static str, &'static str)],
    /// Bits of a pixel of a frame, for one that keeps a rate and not a quality.
    bits_a_pixel: Option<f64>,
    /// The most ticks of a second that it counts.
    most_ticks: i32,
}

/// From the best to what is always there.
pub(super) const ENCODERS: [KnownEncoder; 3] = [
    KnownEncoder {
        name: "libx264",
        options: &[("preset", "veryfast"), ("crf", "20")],
        bits_a_pixel: None,
        most_ticks: i32::MAX,
    },
    KnownEncoder {
        name: "libopenh264",
        options: &[("allow_skip_frames", "0")],
        bits_a_pixel: Some(0.15),
        most_ticks: i32::MAX,
    },
    KnownEncoder {
        name: "mpeg4",
        options: &[("qmin", "3"), ("qmax", "3")],
        bits_a_pixel: None,
        // Its bitstream has 16 bits for them.
        most_ticks: 65_535,
    },
];

/// Pixels from where on a picture is BT.709 and not BT.601, as players take it.
const HD_HEIGHT: u32 = 720;

/// Frames from one that stands for itself to the next, so that a player can seek.
const KEY_EVERY: u32 = 120;

/// Frames a second of a video that does not say.
const USUAL_RATE: f64 = 30.0;

/// Frames of one size to packets.
pub(super) struct PictureEncoder {
    encoder: Encoder,
    /// FFmpeg's name of it.
    pub(super) name: &'static str,
    /// The size of what it is given.
    size: Size,
    /// Ticks of what it counts in, for one of the frames'.
    ticks: (i64, i64),
    scaler: Scaler,
    planes: Vec<u8>,
}

impl PictureEncoder {
    /// The best encoder of this FFmpeg for frames of `size`, whose times are counted in `base`.
    pub(super) fn open(size: Size, base: TimeBase, rate: Option<f64>) -> Result<Self, MediaError> {
        let mut why = Vec::new();
        for known in &ENCODERS {
            match Self::open_as(known, size, base, rate) {
                Ok(encoder) => return Ok(encoder),
                Err(error) => why.push(format!("{}: {error}", known.name)),
            }
        }
        let why = why.join(", ");
        Err(MediaError::NoVideoEncoder { size, why })
    }

    /// One of them for such frames.
    pub(super) fn open_as(
        known: &KnownEncoder,
        size: Size,
        base: TimeBase,
        rate: Option<f64>,
    ) -> Result<Self, Error> {
        let codec = encoder::find_by_name(known.name).ok_or(Error::EncoderNotFound)?;
        let coded = even(size);
        let (ticks, base) = counted(base, known.most_ticks);
        let mut context = codec::Context::new_with_codec(codec);
        context.set_flags(Flags::GLOBAL_HEADER);
        context.set_threading(threading::Config {
            kind: threading::Type::Frame,
            ..threading::Config::default()
        });
        context.set_time_base(base);
        // By it an encoder says which players are fast enough, and shares bits out.
        let rate = rate.filter(|it| *it > 0.0).unwrap_or(USUAL_RATE);
        context.set_frame_rate(Some(Rational((rate * 1000.0).round() as i32, 1000)));
        let mut video = context.encoder().video()?;
        video.set_width(coded.width);
        video.set_height(coded.height);
        video.set_format(Pixel::YUV420P);
        video.set_aspect_ratio((1, 1));
        video.set_gop(KEY_EVERY);
        video.set_max_b_frames(0);
        video.set_color_range(color::Range::MPEG);
        video.set_colorspace(match is_hd(size) {
            true => color::Space::BT709,
            false => color::Space::SMPTE170M,
        });
        if let Some(bits) = known.bits_a_pixel {
            let a_second = coded.pixels() as f64 * bits * rate;
            video.set_bit_rate(a_second as usize);
        }
        let mut options = Dictionary::new();
        known
            .options
            .iter()
            .for_each(|(key, value)| options.set(key, value));
        let encoder = video.open_as_with(codec, options)?;
        tracing::debug!(encoder = known.name, %size, "video encoder opened");
        Ok(Self {
            encoder,
            name: known.name,
            size,
            ticks,
            scaler: Scaler::new(conversion(size, size)).ok_or(Error::InvalidData)?,
            planes: Vec::new(),
        })
    }

    /// The size of the frames that it takes.
    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// What a muxer must know of it.
    pub(super) fn context(&self) -> &codec::Context {
        &self.encoder
    }

    /// Takes the pixels of a frame of `size`; its time, in the ticks of frames, is later than those
    /// before. One of another size than the first is scaled to that, as players show it.
    pub(super) fn send(
        &mut self,
        pixels: &Pixels,
        size: Size,
        ticks: i64,
    ) -> Result<(), MediaError> {
        let wrong = MediaError::NotDrawable { size };
        let mut frame = self.coded(pixels, size).ok_or(wrong)?;
        let (num, den) = self.ticks;
        let ticks = i128::from(ticks) * i128::from(num) / i128::from(den.max(1));
        frame.set_pts(i64::try_from(ticks).ok());
        self.encoder.send_frame(&frame).map_err(failed)
    }

    /// Tells it that no frames follow.
    pub(super) fn end(&mut self) -> Result<(), MediaError> {
        self.encoder.send_eof().map_err(failed)
    }

    /// The next packet that is ready, of the first frame whose packet was not given yet.
    pub(super) fn receive(&mut self) -> Option<Packet> {
        let mut packet = Packet::empty();
        self.encoder.receive_packet(&mut packet).ok()?;
        Some(packet)
    }

    // The frame as it is coded: even sides, 4:2:0.
    fn coded(&mut self, pixels: &Pixels, size: Size) -> Option<Video> {
        let padded = padded(pixels, size)?;
        let conversion = conversion(size, self.size);
        if self.scaler.conversion() != conversion {
            self.scaler = Scaler::new(conversion)?;
        }
        let Size { width, height } = even(self.size);
        let stride = (width as usize).next_multiple_of(2 * ROW_ALIGNMENT);
        let (luma, chroma) = (stride * height as usize, stride / 2 * (height / 2) as usize);
        self.planes.resize(luma + 2 * chroma, 0);
        let (y, rest) = self.planes.split_at_mut(luma);
        let (u, v) = rest.split_at_mut(chroma);
        let mut planes = [(y, stride), (u, stride / 2), (v, stride / 2)];
        self.scaler.run(&padded, &mut planes)?;
        let mut frame = Video::new(Pixel::YUV420P, width, height);
        for (index, (plane, stride)) in planes.iter().enumerate() {
            let row = if index == 0 { width } else { width / 2 } as usize;
            let to = frame.stride(index);
            let rows = frame.data_mut(index).chunks_mut(to.max(1));
            for (to, from) in rows.zip(plane.chunks(*stride)) {
                to.get_mut(..row)?.copy_from_slice(from.get(..row)?);
            }
        }
        Some(frame)
    }
}

fn failed(error: Error) -> MediaError {
    let why = error.to_string();
    MediaError::VideoEncoder { why }
}

/// The size of what is coded: each side even.
pub(super) fn even(size: Size) -> Size {
    Size {
        width: size.width.next_multiple_of(2),
        height: size.height.next_multiple_of(2),
    }
}

fn is_hd(size: Size) -> bool {
    size.height.min(size.width) >= HD_HEIGHT
}

// What an encoder counts in, and how many of its ticks one of `base` is.
fn counted(base: TimeBase, most: i32) -> ((i64, i64), Rational) {
    let ratio = base.ratio();
    match (i32::try_from(ratio.num()), i32::try_from(ratio.den())) {
        (Ok(num), Ok(den)) if den <= most => ((1, 1), Rational(num, den)),
        _ => {
            let ticks = most.min(60_000);
            let scaled = (ratio.num().saturating_mul(ticks.into()), ratio.den());
            (scaled, Rational(1, ticks))
        }
    }
}

fn conversion(size: Size, to: Size) -> Conversion {
    Conversion {
        from: Pixel::RGB24,
        from_size: even(size),
        from_colours: Colours {
            matrix: BT601,
            full_range: true,
            kind: ColourKind::Rgb,
        },
        to: Pixel::YUV420P,
        to_size: even(to),
        to_colours: Colours {
            matrix: if is_hd(to) { BT709 } else { BT601 },
            full_range: false,
            kind: ColourKind::Yuv,
        },
        flags: scaling::Flags::BICUBIC | scaling::Flags::ACCURATE_RND,
    }
}

// FFmpeg's numbers of matrices.
const BT709: i32 = 1;
const BT601: i32 = 6;

// The pixels as a frame of FFmpeg, the last row and column once more where sides are odd.
fn padded(pixels: &Pixels, size: Size) -> Option<Video> {
    let coded = even(size);
    let mut frame = Video::new(Pixel::RGB24, coded.width, coded.height);
    let stride = frame.stride(0);
    let row = size.width as usize * 3;
    let last = size.height.checked_sub(1)? as usize;
    for (y, to) in frame.data_mut(0).chunks_mut(stride.max(1)).enumerate() {
        let start = y.min(last) * pixels.stride;
        let from = pixels.data.get(start..start + row)?;
        to.get_mut(..row)?.copy_from_slice(from);
        if coded.width > size.width {
            to.get_mut(row..row + 3)?
                .copy_from_slice(from.get(row - 3..)?);
        }
    }
    Some(frame)
}
