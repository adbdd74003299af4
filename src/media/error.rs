//! What can be wrong with a file, each in one sentence: what, where, and what to do.

use crate::item::Size;
use crate::media::input::signature;
use std::io;
use std::path::Path;
use std::path::PathBuf;

/// Why a file gives no frames.
#[derive(Debug, thiserror::Error)]
pub enum MediaError {
    /// There is nothing at the path.
    #[error("there is no file or folder `{}`", path.display())]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// What is named is on another machine.
    #[error("`{}` is an address: download it first, and name the file", path.display())]
    Address {
        /// What was named.
        path: PathBuf,
    },
    /// What is named can be read once at most, and only when something comes.
    #[error(
        "`{}` is a pipe or a device, and a video is read more than once: write it to a file first",
        path.display()
    )]
    Pipe {
        /// What was named.
        path: PathBuf,
    },
    /// The system does not let it be read.
    #[error("`{}` cannot be read: {source}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file has no bytes.
    #[error("`{}` is empty (0 bytes): copy or record it again", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The folder holds nothing to look at.
    #[error(
        "the folder `{}` holds no videos, no sound files and no JPEG or PNG pictures{}",
        path.display(),
        of_folders(path, *has_folders)
    )]
    NoPictures {
        /// The folder.
        path: PathBuf,
        /// Whether there are folders in it.
        has_folders: bool,
    },
    /// The file is a picture of a kind that is not read.
    #[error("`{}` is {kind} picture: convert it to PNG or JPEG", path.display())]
    OtherPicture {
        /// The file.
        path: PathBuf,
        /// What such a picture is called, with its article.
        kind: &'static str,
    },
    /// FFmpeg does not recognise the file, or it was cut short before its index.
    #[error(
        "`{}` is not a video that FFmpeg can open ({why}): it is something else, or was cut short",
        path.display()
    )]
    NotVideo {
        /// The file.
        path: PathBuf,
        /// What FFmpeg says.
        why: String,
    },
    /// The file has sound, or subtitles, and nothing to look at.
    #[error("`{}` has no video stream: there are no frames to take from it", path.display())]
    NoVideoStream {
        /// The file.
        path: PathBuf,
    },
    /// A part that is wanted is behind its end.
    #[error("`{}` {beyond}: it has {seconds:.2} s", path.display())]
    TooShort {
        /// The file.
        path: PathBuf,
        /// What is behind its end, in words that follow its name.
        beyond: String,
        /// Its length.
        seconds: f64,
    },
    /// The file has nothing to listen to.
    #[error("`{}` has no sound track", path.display())]
    NoSound {
        /// The file.
        path: PathBuf,
    },
    /// The file has fewer sound tracks than the one that is asked for.
    #[error(
        "`{}` has {count} sound {tracks}, and no number {number}: change `track` of the whisper \
         stage, or leave it out",
        path.display(),
        tracks = if *count == 1 { "track" } else { "tracks" }
    )]
    NoSuchTrack {
        /// The file.
        path: PathBuf,
        /// The one that is asked for, from 1.
        number: usize,
        /// How many there are.
        count: usize,
    },
    /// This build of FFmpeg lacks the decoder of the sound.
    #[error(
        "the sound of `{}` is coded as {codec}, which the FFmpeg on this machine cannot decode: \
         install a complete FFmpeg, or convert it to AAC",
        path.display()
    )]
    NoSoundDecoder {
        /// The file.
        path: PathBuf,
        /// FFmpeg's name of the codec.
        codec: String,
    },
    /// The sound has a layout that cannot be mixed down.
    #[error(
        "the sound of `{}` has {channels} channels at {rate} Hz, which FFmpeg cannot mix down: \
         convert it to stereo",
        path.display()
    )]
    OddSound {
        /// The file.
        path: PathBuf,
        /// Channels.
        channels: u16,
        /// Samples a second.
        rate: u32,
    },
    /// This build of FFmpeg lacks an encoder for sound.
    #[error(
        "the FFmpeg on this machine lacks {encoder}: set `codec` of the whisper stage to another \
         than \"{codec}\", such as \"flac\""
    )]
    NoSoundEncoder {
        /// FFmpeg's name of the encoder.
        encoder: &'static str,
        /// The name in recipes.
        codec: &'static str,
    },
    /// Sound cannot be written.
    #[error("sound cannot be written as {codec}: {why}")]
    SoundEncoder {
        /// The name in recipes.
        codec: &'static str,
        /// What FFmpeg says.
        why: String,
    },
    /// This build of FFmpeg lacks the decoder.
    #[error(
        "`{}` is coded as {codec}, which the FFmpeg on this machine cannot decode: install a \
         complete FFmpeg, or convert the file to H.264",
        path.display()
    )]
    NoDecoder {
        /// The file.
        path: PathBuf,
        /// FFmpeg's name of the codec.
        codec: String,
    },
    /// FFmpeg reads no more than stills of this format.
    #[error(
        "`{}` is an animated WebP, which the FFmpeg on this machine cannot decode: convert it to a \
         GIF or a video",
        path.display()
    )]
    AnimatedWebp {
        /// The file.
        path: PathBuf,
    },
    /// No frame of the input can be decoded.
    #[error("no frame in `{}` can be decoded: the file is damaged", path.display())]
    NothingDecodes {
        /// The file or folder.
        path: PathBuf,
    },
    /// The frames are larger than what is decoded.
    #[error(
        "`{}` has frames of {size}, {} megapixels, and at most {most} are decoded: scale it down \
         first",
        path.display(),
        megapixels(*size),
        most = most / 1_000_000
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Width and height that its headers state.
        size: Size,
        /// The most pixels that are decoded.
        most: u64,
    },
    /// The system gives no thread to decode on.
    #[error("no thread can be started to decode on: {source}")]
    NoThread {
        /// What the system says.
        source: io::Error,
    },
    /// The font of labels cannot be read.
    #[error("the built-in font cannot be read: {why}")]
    Font {
        /// What is wrong with it.
        why: String,
    },
    /// The pixels of a frame are not those that are drawn on.
    #[error("a frame of {size} has pixels of another layout than are drawn on")]
    NotDrawable {
        /// The size that it should have.
        size: Size,
    },
    /// This build of FFmpeg has no encoder for video that takes the frames.
    #[error(
        "the FFmpeg on this machine cannot write a video of {size}: {why}; install one with libx264"
    )]
    NoVideoEncoder {
        /// The size of the frames.
        size: Size,
        /// What each encoder says.
        why: String,
    },
    /// A video cannot be written.
    #[error("the video cannot be written: {why}")]
    VideoEncoder {
        /// What FFmpeg or the system says.
        why: String,
    },
    /// The frame cannot be written as PNG.
    #[error("a frame of {size} cannot be written as PNG: {why}")]
    Png {
        /// Its size.
        size: Size,
        /// What is wrong with it.
        why: String,
    },
    /// The frame cannot be written as JPEG.
    #[error("a frame of {size} cannot be written as JPEG: {why}")]
    Jpeg {
        /// Its size.
        size: Size,
        /// What the encoder says.
        why: String,
    },
}

// To the next whole one.
// How to name what is in the folders of one.
fn of_folders(path: &Path, has_folders: bool) -> String {
    match has_folders {
        true => format!(
            "; \"{}/**/*.mp4\" takes those of its folders",
            path.display()
        ),
        false => String::new(),
    }
}

fn megapixels(size: Size) -> u64 {
    size.pixels().div_ceil(1_000_000)
}

impl MediaError {
    /// Frames that are larger than what is decoded.
    pub(in crate::media) fn too_large(path: &Path, size: Size, most: u64) -> Self {
        let path = path.to_path_buf();
        Self::TooLarge { path, size, most }
    }

    /// Why no frame of the input came out.
    pub(in crate::media) fn nothing_decodes(path: &Path) -> Self {
        let path = path.to_path_buf();
        match signature::is_animated_webp(&path) {
            true => Self::AnimatedWebp { path },
            false => Self::NothingDecodes { path },
        }
    }
}
