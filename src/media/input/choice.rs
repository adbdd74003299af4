//! Which stream of a file is meant: the one that a player would choose, of those that can be decoded.

use crate::media::ffmpeg;
use ffmpeg_next::Stream;
use ffmpeg_next::decoder;
use ffmpeg_next::format::context::Input;
use ffmpeg_next::format::stream::Disposition;
use ffmpeg_next::media::Type;

/// A stream of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::media) struct StreamChoice {
    /// Its index in the file.
    pub(in crate::media) index: usize,
    /// The codec of the stream that a player would have chosen, where FFmpeg cannot decode that.
    pub(in crate::media) instead_of: Option<String>,
}

/// The video stream that is shown; cover art does not count.
pub(in crate::media) fn video(input: &Input) -> Option<StreamChoice> {
    choose(input, Type::Video)
}

/// The sound stream that is played.
pub(in crate::media) fn sound(input: &Input) -> Option<StreamChoice> {
    choose(input, Type::Audio)
}

// Where none can be decoded, the first choice: its codec is what the user is told.
fn choose(input: &Input, medium: Type) -> Option<StreamChoice> {
    let counts = |index: &usize| {
        input
            .stream(*index)
            .is_some_and(|stream| !is_cover(&stream))
    };
    let mut others = input.streams().filter(|stream| is_of(stream, medium));
    let first = ffmpeg::best_stream(input, medium, false).filter(counts);
    let first = first.or_else(|| others.next().map(|stream| stream.index()))?;
    let can_decode = |index: &usize| input.stream(*index).is_some_and(|it| is_decodable(&it));
    let mut streams = input.streams().filter(|stream| is_of(stream, medium));
    let decodable = Some(first)
        .filter(can_decode)
        .or_else(|| ffmpeg::best_stream(input, medium, true).filter(counts))
        .or_else(|| streams.find(is_decodable).map(|stream| stream.index()));
    let index = decodable.unwrap_or(first);
    let passed_over = input.stream(first).filter(|_| index != first);
    Some(StreamChoice {
        index,
        instead_of: passed_over.map(|stream| ffmpeg::codec_name(&stream.parameters())),
    })
}

fn is_of(stream: &Stream<'_>, medium: Type) -> bool {
    stream.parameters().medium() == medium && !is_cover(stream)
}

fn is_cover(stream: &Stream<'_>) -> bool {
    stream.disposition().contains(Disposition::ATTACHED_PIC)
}

fn is_decodable(stream: &Stream<'_>) -> bool {
    decoder::find(stream.parameters().id()).is_some()
}
