//! Media: videos and picture files to sampled frames and sound, and frames to JPEG and PNG.
//!
//! [`identify`] says what a path is, [`probe`] what its headers say, [`content`] which video it
//! is whatever its name, [`frames`] gives the
//! frames that the sampling rule (see [`crate::time::Sampling`]) chooses, scaled and turned as
//! they are shown, and [`encode_jpeg`] and [`encode_png`] write one. Everything blocks.
//!
//! A video is read once, from end to end. Where its packets say what they are, only those that
//! the samples need are decoded, in groups side by side; where they do not, or turn out to have
//! been wrong, all are. Either way the frames are the same, bit by bit.
//!
//! | folder | what it is |
//! |---|---|
//! | `input` | what a path is, facts from its headers, its packets, still pictures |
//! | `select` | which frames are wanted, and which packets must be decoded for them |
//! | `decode` | packets to frames, side by side and in order, and the most that they hold |
//! | `pixels` | frames to pixels, JPEG and PNG |
//! | `sound` | the sound of a file, and sound files |
//! | `draw` | boxes and labels on frames |
//! | `encode` | frames to a video file, with sound and captions |
//! | `frames` | all of it as one iterator |
//! | `ffmpeg` | nearly all `unsafe` code |
//!
//! FFmpeg's types stay in this room. It does not know tokio, the engine, stages or models.

mod decode;
mod draw;
mod encode;
mod error;
mod ffmpeg;
mod frames;
mod input;
mod pixels;
mod select;
mod sound;
mod stop;

pub use decode::memory::DecoderMemory;
pub use decode::memory::decoder_memory;
pub use draw::Annotation;
pub use draw::Painter;
pub use encode::CutKind;
pub use encode::EncodedVideo;
pub use encode::SoundCopy;
pub use encode::TimedText;
pub use encode::VideoOrigin;
pub use encode::VideoWriter;
pub use encode::cut;
pub use encode::is_own_video;
pub use error::MediaError;
pub use ffmpeg::decodes;
pub use ffmpeg::init;
pub use ffmpeg::version;
pub use frames::Frames;
pub use frames::frames;
pub use input::content::content;
pub use input::ending::EarlyEnd;
pub use input::identify::MediaInput;
pub use input::identify::identify;
pub use input::picture::Picture;
pub use input::picture::PictureError;
pub use input::probe::as_wanted;
pub use input::probe::probe;
pub use input::survey::beyond_the_end;
pub use input::survey::length;
pub use input::survey::refuse_short;
pub use input::survey::survey;
pub use pixels::jpeg::encode_jpeg;
pub use pixels::likeness::LumaGrid;
pub use pixels::png::encode_png;
pub use select::selection::KnownFrames;
pub use select::selection::Mode;
pub use select::selection::VideoSelection;
pub use sound::SoundReader;
pub use sound::SoundSelection;
pub use sound::decode_sound;
pub use sound::encode_sound;
pub use sound::sample_ranges;
pub use sound::sound;
