//! Text that is shown for some time, as a track of an MP4 file: `mov_text`, which is 3GPP timed text.
#![expect(
    unsafe_code,
    reason = "FFmpeg is C, and its crate does not let these fields be written"
)]

use ffmpeg_next::Packet;
use ffmpeg_next::codec::Id;
use ffmpeg_next::codec::Parameters;
use ffmpeg_next::ffi;
use ffmpeg_next::media::Type;

/// Text on screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimedText {
    /// Milliseconds since the clock of a player began.
    pub start: u64,
    /// Milliseconds; after `start`.
    pub end: u64,
    /// What is shown, with the ends of its lines.
    pub text: String,
}

/// The ticks of such a track in a second.
pub(super) const TICKS: i32 = 1000;

/// How the text looks where nothing else is said (3GPP TS 26.245, 5.16): centred, at the bottom,
/// white, 16 points, no box around it. What FFmpeg's own encoder writes.
const LOOK: [u8; 48] = [
    0, 0, 0, 0, 1, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 16, 0xff, 0xff,
    0xff, 0xff, 0, 0, 0, 18, b'f', b't', b'a', b'b', 0, 1, 0, 1, 5, b'A', b'r', b'i', b'a', b'l',
];

/// What a muxer must know of the track; `None` where there is no memory.
pub(super) fn parameters() -> Option<Parameters> {
    let mut parameters = Parameters::new();
    parameters.set_medium(Type::Subtitle);
    parameters.set_id(Id::MOV_TEXT);
    // SAFETY: the parameters are valid and borrowed mutably. They take over what is allocated for
    // them, which has the padding that FFmpeg wants behind it, filled with zeros.
    unsafe {
        let padding = ffi::AV_INPUT_BUFFER_PADDING_SIZE as usize;
        let data = ffi::av_mallocz(LOOK.len() + padding).cast::<u8>();
        let raw = parameters.as_mut_ptr();
        if data.is_null() || raw.is_null() {
            ffi::av_free(data.cast());
            return None;
        }
        data.copy_from_nonoverlapping(LOOK.as_ptr(), LOOK.len());
        (*raw).extradata = data;
        (*raw).extradata_size = LOOK.len() as i32;
    }
    Some(parameters)
}

/// The parameters of a stream of one container, for another, which has a name of its own for the
/// codec.
pub(super) fn for_other_container(mut parameters: Parameters) -> Parameters {
    // SAFETY: the parameters are valid and borrowed mutably.
    unsafe { (*parameters.as_mut_ptr()).codec_tag = 0 }
    parameters
}

/// The packet of a text, in ticks of the track. A text of more bytes than a packet counts is cut.
pub(super) fn packet(text: &TimedText) -> Packet {
    let mut shown = text.text.as_str();
    while shown.len() > usize::from(u16::MAX) {
        let end = shown.floor_char_boundary(usize::from(u16::MAX));
        shown = shown.get(..end).unwrap_or_default();
    }
    let length = u16::try_from(shown.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut packet = Packet::copy(&[&length, shown.as_bytes()].concat());
    let ticks = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    packet.set_pts(Some(ticks(text.start)));
    packet.set_dts(Some(ticks(text.start)));
    packet.set_duration(ticks(text.end.saturating_sub(text.start)));
    packet.set_flags(ffmpeg_next::packet::Flags::KEY);
    packet
}
