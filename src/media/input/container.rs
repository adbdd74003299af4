//! An open file, whatever is in it.

use crate::duration::spelled;
use crate::media::error::MediaError;
use crate::media::ffmpeg;
use crate::media::input::demuxers::DEMUXERS;
use crate::media::input::identify;
use crate::media::input::open;
use crate::media::input::open::LONGEST_OPENING;
use crate::media::input::signature;
use crate::media::stop::StopFlag;
use crate::time::Ratio;
use crate::time::TimeBase;
use ffmpeg_next::Packet;
use ffmpeg_next::Stream;
use ffmpeg_next::codec::Id;
use ffmpeg_next::error::Error;
use ffmpeg_next::format::context::Input;
use std::path::Path;

/// A demuxer that meets this many unreadable packets in a row has lost its way for good.
pub(in crate::media) const UNREADABLE_LIMIT: usize = 100;

// Why a file is not opened whose demuxer is not on the list.
const NOT_ALLOWED: &str = "it is a playlist, or of a kind that vpipe does not read";

/// The usual time on screen of a frame of a stream with ticks of `base`; at least one.
pub(in crate::media) fn usual_ticks(stream: &Stream<'_>, base: TimeBase) -> i64 {
    let rate = frame_rate(stream);
    let usual = rate.and_then(|rate| ticks(base, rate.den().into(), rate.num().into()));
    usual.unwrap_or(1)
}

pub(super) fn frame_rate(stream: &Stream<'_>) -> Option<Ratio> {
    let rate = stream.avg_frame_rate();
    Ratio::new(rate.numerator().into(), rate.denominator().into()).filter(|it| it.num() > 0)
}

// `num / den` seconds in whole ticks of `base`, to the nearest; `None` where that is none.
pub(super) fn ticks(base: TimeBase, num: i128, den: i128) -> Option<i64> {
    let base = base.ratio();
    let (num, den) = (num * i128::from(base.den()), den * i128::from(base.num()));
    let ticks = (2 * num + den).div_euclid(2 * den);
    i64::try_from(ticks).ok().filter(|ticks| *ticks > 0)
}

/// Ticks of a stream by its tag: Matroska keeps the end of each track as text, such as
/// `00:01:02.500000000`.
pub(in crate::media) fn tagged_ticks(stream: &Stream<'_>, base: TimeBase) -> Option<i64> {
    let tags = stream.metadata();
    let mut parts = tags.get("DURATION")?.trim().split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let minutes = hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?;
    let seconds = Ratio::from_decimal(seconds.parse().ok()?)?;
    let num = i128::from(minutes * 60) * i128::from(seconds.den()) + i128::from(seconds.num());
    let end = ticks(base, num, seconds.den().into())?;
    // A stream without a start has the least number there is.
    Some(end - stream.start_time().max(0))
}

/// A header of a further part of an Ogg, which FFmpeg gives out among the frames or the sound.
#[derive(Clone, Copy, PartialEq)]
pub(in crate::media) enum Header {
    /// A decoder has to know it.
    Setup,
    /// It is none of a decoder's business.
    Comment,
}

/// Which header a packet is, where it is one.
pub(in crate::media) fn header(codec: Id, packet: &Packet) -> Option<Header> {
    let data = packet.data().unwrap_or_default();
    match codec {
        // RFC 7845, section 5. What is in it is as in the first one, or FFmpeg cannot use it.
        Id::OPUS if data.starts_with(b"OpusHead") || data.starts_with(b"OpusTags") => {
            Some(Header::Comment)
        }
        // Theora specification, section 6.1.
        Id::THEORA if data.get(1..7) == Some(b"theora") => match data.first() {
            Some(0x80 | 0x82) => Some(Header::Setup),
            Some(0x81) => Some(Header::Comment),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a file is an MPEG stream, which is cut and joined anywhere.
pub(in crate::media) fn is_broadcast(input: &Input) -> bool {
    matches!(ffmpeg::format_name(input).as_str(), "mpegts" | "mpeg")
}

/// Opens a file that FFmpeg reads. What is read of it ends early once `stop` is set.
pub(in crate::media) fn open_file(path: &Path, stop: &StopFlag) -> Result<Input, MediaError> {
    let start = signature::start(path).map_err(|source| identify::unreadable(path, source))?;
    if start.is_empty() {
        return Err(MediaError::Empty { path: path.into() });
    }
    // FFmpeg would wait for a playlist to grow.
    if start.starts_with(b"#EXTM3U") {
        return Err(not_video(path, "it is a playlist"));
    }
    // What begins as a picture and is none is a stream of such pictures.
    let format = match start.as_slice() {
        start if signature::is_jpeg(start) => Some(c"mjpeg"),
        start if signature::is_png(start) => Some(c"apng"),
        _ => None,
    };
    let input = open::open(path, DEMUXERS, format, stop).map_err(|error| {
        if let Some(kind) = signature::other_picture(&start) {
            let path = path.into();
            return MediaError::OtherPicture { path, kind };
        }
        let why = match error {
            Error::Exit => format!(
                "its streams were not found within {}",
                spelled(LONGEST_OPENING)
            ),
            error if open::is_refused(error) => NOT_ALLOWED.to_owned(),
            error => error.to_string(),
        };
        not_video(path, &why)
    })?;
    // FFmpeg shows any text as the screen of a terminal would.
    if ffmpeg::format_name(&input) == "tty" {
        return Err(not_video(path, "it is text"));
    }
    Ok(input)
}

pub(super) fn not_video(path: &Path, why: &str) -> MediaError {
    MediaError::NotVideo {
        path: path.into(),
        why: why.to_owned(),
    }
}
