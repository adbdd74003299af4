//! The few calls into FFmpeg that its Rust crate lacks or makes unsafe to use.
//!
//! Nearly all `unsafe` of the program is in this file; what leaves it is safe to call with anything.
#![expect(
    unsafe_code,
    reason = "FFmpeg is C, and its crate does not wrap these calls"
)]

use crate::item::Size;
use ffmpeg_next::Packet;
use ffmpeg_next::Stream;
use ffmpeg_next::codec::Context;
use ffmpeg_next::codec::Parameters;
use ffmpeg_next::ffi;
use ffmpeg_next::format::Pixel;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::frame::Video;
use ffmpeg_next::media::Type;
use ffmpeg_next::packet::Mut;
use ffmpeg_next::packet::Ref;
use ffmpeg_next::software::scaling::Flags;
use std::ffi::CStr;
use std::ffi::c_int;
use std::ptr;

/// The most bytes that FFmpeg takes at once: 128 megapixels of 8 bytes each. What a compressed profile
/// or text unpacks to has no other bound.
const MOST_AT_ONCE: usize = 1 << 30;

/// Silences FFmpeg's own log, which would write over the screen; what matters of it comes back
/// as errors, whose texts are fetched here, and counts. To be called once, before anything else
/// of this room.
pub fn init() {
    ffmpeg_next::util::error::register_all();
    ffmpeg_next::log::set_level(ffmpeg_next::log::Level::Quiet);
    // SAFETY: it sets a number.
    unsafe { ffi::av_max_alloc(MOST_AT_ONCE) }
}

/// The version of FFmpeg that this program found, as its builder wrote it.
pub fn version() -> String {
    // SAFETY: FFmpeg gives a static string, which ends in a zero.
    let version = unsafe { CStr::from_ptr(ffi::av_version_info()) };
    version.to_string_lossy().into_owned()
}

/// Whether it has a decoder of this name, such as `h264`.
pub fn decodes(name: &str) -> bool {
    ffmpeg_next::decoder::find_by_name(name).is_some()
}

/// The name of the demuxer that took the file.
pub(super) fn format_name(input: &Input) -> String {
    input.format().name().to_owned()
}

/// Whether the durations are those that the container states, and not derived from its packets
/// or the size of the file.
pub(super) fn states_duration(input: &Input) -> bool {
    // SAFETY: the context is valid while it is borrowed.
    let method = unsafe { (*input.as_ptr()).duration_estimation_method };
    method == ffi::AVDurationEstimationMethod::AVFMT_DURATION_FROM_STREAM
}

/// Where the file starts, in microseconds; 0 where that is not known.
pub(super) fn start_time(input: &Input) -> i64 {
    // SAFETY: the context is valid while it is borrowed.
    let start = unsafe { (*input.as_ptr()).start_time };
    start.max(0)
}

/// The stream of a kind that a player would choose, all or only those that have a decoder.
pub(super) fn best_stream(input: &Input, medium: Type, is_decodable: bool) -> Option<usize> {
    let mut decoder: *const ffi::AVCodec = ptr::null();
    let wanted = if is_decodable {
        &raw mut decoder
    } else {
        ptr::null_mut()
    };
    // SAFETY: the context is valid for the call, which reads it (the cast drops `const` because
    // the C signature lacks it); where a decoder is asked for, it is written to a local.
    let best = unsafe {
        let context = input.as_ptr().cast_mut();
        ffi::av_find_best_stream(context, medium.into(), -1, -1, wanted.cast(), 0)
    };
    usize::try_from(best).ok()
}

/// The shape of a pixel of a stream, width and height, as its container says or else its codec;
/// 0 where nothing does.
pub(super) fn pixel_aspect(input: &Input, stream: usize) -> [(c_int, c_int); 2] {
    let of = |aspect: ffi::AVRational| (aspect.num, aspect.den);
    let count = input.nb_streams() as usize;
    if stream >= count {
        return [(0, 1); 2];
    }
    // SAFETY: the context is valid while it is borrowed, and has so many streams, each with its
    // parameters.
    unsafe {
        let stream = *(*input.as_ptr()).streams.add(stream);
        let codec = (*stream).codecpar;
        [
            of((*stream).sample_aspect_ratio),
            of((*codec).sample_aspect_ratio),
        ]
    }
}

/// Asks the demuxer to drop the packets of all streams but these.
pub(super) fn read_only(input: &mut Input, streams: &[Option<usize>]) {
    // SAFETY: the context is valid and borrowed mutably; `nb_streams` bounds the array.
    unsafe {
        let context = input.as_mut_ptr();
        for index in 0..(*context).nb_streams as usize {
            if !streams.contains(&Some(index)) {
                (**(*context).streams.add(index)).discard = ffi::AVDiscard::AVDISCARD_ALL;
            }
        }
    }
}

/// Width and height as coded, before any rotation.
pub(super) fn coded_size(parameters: &Parameters) -> Size {
    // SAFETY: the parameters are valid for as long as they are borrowed.
    let (width, height) = unsafe {
        let raw = parameters.as_ptr();
        ((*raw).width, (*raw).height)
    };
    Size {
        width: width.max(0).unsigned_abs(),
        height: height.max(0).unsigned_abs(),
    }
}

/// FFmpeg's short name of the codec, such as `h264`; the container's own where FFmpeg has none.
pub(super) fn codec_name(parameters: &Parameters) -> String {
    // SAFETY: the parameters are valid, and the name is a static string, never null.
    let (name, id, tag) = unsafe {
        let raw = parameters.as_ptr();
        let name = CStr::from_ptr(ffi::avcodec_get_name((*raw).codec_id));
        (name, (*raw).codec_id, (*raw).codec_tag)
    };
    if id == ffi::AVCodecID::AV_CODEC_ID_NONE {
        return tag.to_le_bytes().escape_ascii().to_string();
    }
    name.to_string_lossy().into_owned()
}

/// The transfer of a stream whose light goes beyond the usual range: `PQ` or `HLG`.
pub(super) fn high_range(parameters: &Parameters) -> Option<&'static str> {
    use ffi::AVColorTransferCharacteristic as Transfer;
    // SAFETY: the parameters are valid while they are borrowed.
    match unsafe { (*parameters.as_ptr()).color_trc } {
        Transfer::AVCOL_TRC_SMPTE2084 => Some("PQ"),
        Transfer::AVCOL_TRC_ARIB_STD_B67 => Some("HLG"),
        _ => None,
    }
}

/// What the container holds for the decoder of a stream; empty where there is nothing.
pub(super) fn codec_data(parameters: &Parameters) -> Vec<u8> {
    // SAFETY: the parameters are valid while they are borrowed; where the data is not null it
    // has as many bytes as they say, and they are copied before the borrow ends.
    unsafe {
        let raw = parameters.as_ptr();
        let (data, size) = ((*raw).extradata, (*raw).extradata_size);
        match usize::try_from(size) {
            Ok(size) if !data.is_null() => std::slice::from_raw_parts(data, size).to_vec(),
            _ => Vec::new(),
        }
    }
}

/// Shortens what a decoder has of the container to the begin whose length `keep` gives, and which it
/// may put there.
pub(super) fn shorten_codec_data(context: &mut Context, keep: fn(&mut [u8]) -> usize) {
    // SAFETY: the context is valid and borrowed mutably; where the data is not null it has as many
    // bytes as it says, and is the context's own.
    unsafe {
        let raw = context.as_mut_ptr();
        let (data, size) = ((*raw).extradata, (*raw).extradata_size);
        if let (false, Ok(size)) = (data.is_null(), usize::try_from(size)) {
            let kept = keep(std::slice::from_raw_parts_mut(data, size)).min(size);
            (*raw).extradata_size = c_int::try_from(kept).unwrap_or(0);
        }
    }
}

/// Has a decoder refuse frames of more than `most` pixels, before it takes memory for one.
pub(super) fn bound_pixels(context: &mut Context, most: u64) {
    // SAFETY: the context is valid and borrowed mutably.
    unsafe { (*context.as_mut_ptr()).max_pixels = most.try_into().unwrap_or(i64::MAX) }
}

/// Whether frames of the codec can be shown in another order than they are coded in.
pub(super) fn reorders(parameters: &Parameters) -> bool {
    codec_properties(parameters) & ffi::AV_CODEC_PROP_REORDER != 0
}

/// Whether every frame of the codec stands for itself.
pub(super) fn is_intra_only(parameters: &Parameters) -> bool {
    codec_properties(parameters) & ffi::AV_CODEC_PROP_INTRA_ONLY != 0
}

fn codec_properties(parameters: &Parameters) -> c_int {
    // SAFETY: the parameters are valid while they are borrowed; the descriptor is static, or
    // null and not looked at.
    unsafe {
        let descriptor = ffi::avcodec_descriptor_get((*parameters.as_ptr()).codec_id);
        descriptor.as_ref().map_or(0, |it| it.props)
    }
}

/// Whether the container says that the frame is decoded but not shown (an edit list).
pub(super) fn is_hidden(packet: &Packet) -> bool {
    packet_flags(packet) & ffi::AV_PKT_FLAG_DISCARD != 0
}

/// Whether the container says that no other frame is predicted from this one.
pub(super) fn is_disposable(packet: &Packet) -> bool {
    packet_flags(packet) & ffi::AV_PKT_FLAG_DISPOSABLE != 0
}

/// Has nothing of the packet shown.
pub(super) fn hide(packet: &mut Packet) {
    // SAFETY: the packet is valid and borrowed mutably.
    unsafe { (*packet.as_mut_ptr()).flags |= ffi::AV_PKT_FLAG_DISCARD }
}

/// Has the frame shown whatever the container says.
pub(super) fn show(packet: &mut Packet) {
    // SAFETY: the packet is valid and borrowed mutably.
    unsafe { (*packet.as_mut_ptr()).flags &= !ffi::AV_PKT_FLAG_DISCARD }
}

/// The bits that the times of a stream are counted in.
pub(super) fn wrap_bits(stream: &Stream<'_>) -> u32 {
    // SAFETY: the stream is valid while it is borrowed.
    let bits = unsafe { (*stream.as_ptr()).pts_wrap_bits };
    bits.max(1).unsigned_abs()
}

/// Whether the packet changes what a decoder must know of the stream.
pub(super) fn changes_parameters(packet: &Packet) -> bool {
    packet.side_data().any(|data| {
        use ffmpeg_next::packet::side_data::Type;
        matches!(data.kind(), Type::NewExtraData | Type::ParamChange)
    })
}

fn packet_flags(packet: &Packet) -> c_int {
    // SAFETY: the packet is valid for as long as it is borrowed.
    unsafe { (*packet.as_ptr()).flags }
}

/// How the numbers of a frame are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Colours {
    /// FFmpeg's number of the YUV matrix; what is not known is BT.601, as FFmpeg has it.
    pub(super) matrix: c_int,
    /// Whether black is 0 rather than 16.
    pub(super) full_range: bool,
    /// What the components are.
    pub(super) kind: ColourKind,
}

/// What the components of a pixel are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColourKind {
    /// Luma and two chromas.
    Yuv,
    /// Luma alone.
    Grey,
    /// Red, green and blue, or an index to them.
    Rgb,
}

/// How the numbers of `frame` are to be read.
pub(super) fn colours(frame: &Video) -> Colours {
    // SAFETY: the frame is valid for as long as it is borrowed; the descriptor is static or
    // null, and looked at only where it is not null.
    let (matrix, marked_full, format, descriptor) = unsafe {
        let raw = frame.as_ptr();
        let descriptor = ffi::av_pix_fmt_desc_get(frame.format().into());
        (
            (*raw).colorspace as c_int,
            (*raw).color_range == ffi::AVColorRange::AVCOL_RANGE_JPEG,
            frame.format(),
            descriptor.as_ref(),
        )
    };
    let kind = match descriptor {
        Some(it)
            if it.flags & (ffi::AV_PIX_FMT_FLAG_RGB | ffi::AV_PIX_FMT_FLAG_PAL) as u64 != 0 =>
        {
            ColourKind::Rgb
        }
        Some(it) if it.nb_components < 3 => ColourKind::Grey,
        _ => ColourKind::Yuv,
    };
    let always_full = matches!(
        format,
        Pixel::YUVJ420P | Pixel::YUVJ422P | Pixel::YUVJ444P | Pixel::YUVJ440P | Pixel::YUVJ411P
    );
    Colours {
        matrix,
        full_range: marked_full || always_full || kind == ColourKind::Grey,
        kind,
    }
}

/// What a [`Scaler`] turns into what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Conversion {
    /// The layout that comes in.
    pub(super) from: Pixel,
    /// The size that comes in.
    pub(super) from_size: Size,
    /// How what comes in is to be read.
    pub(super) from_colours: Colours,
    /// The layout that goes out: `RGB24` or `YUV420P`.
    pub(super) to: Pixel,
    /// The size that goes out.
    pub(super) to_size: Size,
    /// The matrix and range that go out; the kind is that of `to`.
    pub(super) to_colours: Colours,
    /// How pixels in between are made.
    pub(super) flags: Flags,
}

/// A swscale context.
pub(super) struct Scaler {
    context: ptr::NonNull<ffi::SwsContext>,
    conversion: Conversion,
}

// SAFETY: the context has one owner and no ties to the thread that made it.
unsafe impl Send for Scaler {}

impl Scaler {
    /// A scaler for `conversion`; `None` where swscale does not know the layout.
    pub(super) fn new(conversion: Conversion) -> Option<Self> {
        let Conversion {
            from_size, to_size, ..
        } = conversion;
        // SAFETY: a call over plain numbers; the filters may be null. The tables are static
        // and never null.
        let context = unsafe {
            let context = ptr::NonNull::new(ffi::sws_getContext(
                c_int::try_from(from_size.width).ok()?,
                c_int::try_from(from_size.height).ok()?,
                conversion.from.into(),
                c_int::try_from(to_size.width).ok()?,
                c_int::try_from(to_size.height).ok()?,
                conversion.to.into(),
                conversion.flags.bits() as _,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null(),
            ))?;
            let neutral = 1 << 16;
            ffi::sws_setColorspaceDetails(
                context.as_ptr(),
                ffi::sws_getCoefficients(conversion.from_colours.matrix),
                conversion.from_colours.full_range.into(),
                ffi::sws_getCoefficients(conversion.to_colours.matrix),
                conversion.to_colours.full_range.into(),
                0,
                neutral,
                neutral,
            );
            context
        };
        Some(Self {
            context,
            conversion,
        })
    }

    /// What it converts.
    pub(super) fn conversion(&self) -> Conversion {
        self.conversion
    }

    /// Converts `frame` into `planes`, each with its stride. `None` where the frame is not of
    /// the layout and size that the scaler is for, or a plane is too small.
    pub(super) fn run(&mut self, frame: &Video, planes: &mut [(&mut [u8], usize)]) -> Option<()> {
        let from = self.conversion.from_size;
        let fits = frame.format() == self.conversion.from
            && (frame.width(), frame.height()) == (from.width, from.height)
            && self.has_room(planes);
        if !fits {
            return None;
        }
        let mut data = [ptr::null_mut(); 4];
        let mut strides = [0; 4];
        for (index, (plane, stride)) in planes.iter_mut().enumerate() {
            data[index] = plane.as_mut_ptr();
            strides[index] = c_int::try_from(*stride).ok()?;
        }
        // SAFETY: the frame has the layout and size of the context, and `has_room` has checked
        // that each plane holds every row that swscale writes, with what it may write past the
        // end of a row.
        let rows = unsafe {
            let raw = frame.as_ptr();
            ffi::sws_scale(
                self.context.as_ptr(),
                (*raw).data.as_ptr().cast(),
                (*raw).linesize.as_ptr(),
                0,
                c_int::try_from(from.height).ok()?,
                data.as_ptr(),
                strides.as_ptr(),
            )
        };
        (rows > 0).then_some(())
    }

    fn has_room(&self, planes: &[(&mut [u8], usize)]) -> bool {
        let Size { width, height } = self.conversion.to_size;
        let (width, height) = (width as usize, height as usize);
        let halves = (width.div_ceil(2), height.div_ceil(2));
        let needs: &[(usize, usize)] = match self.conversion.to {
            Pixel::RGB24 => &[(width * 3, height)],
            Pixel::YUV420P => &[(width, height), halves, halves],
            _ => return false,
        };
        needs.len() == planes.len()
            && needs
                .iter()
                .zip(planes)
                .all(|((row, rows), (plane, stride))| {
                    stride.is_multiple_of(ROW_ALIGNMENT)
                        && row <= stride
                        && plane.len() >= stride * rows
                })
    }
}

/// Rows that swscale writes begin at multiples of this many bytes, so that what its vector
/// code writes past the end of a row stays within the row's stride.
pub(super) const ROW_ALIGNMENT: usize = 32;

impl Drop for Scaler {
    fn drop(&mut self) {
        // SAFETY: the context is ours and not used again.
        unsafe { ffi::sws_freeContext(self.context.as_ptr()) }
    }
}
