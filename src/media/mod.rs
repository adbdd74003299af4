//! Media: videos and picture files to sampled pictures and sound, and pictures to JPEG and PNG.
//!
//! [`identify`] says what a path is, [`probe`] what its headers say, [`pictures`] gives the
//! pictures that the sampling rule (see [`crate::time::Sampling`]) chooses, scaled and turned as
//! they are shown, and [`encode_jpeg`] and [`encode_png`] write one. Everything blocks.
//!
//! A video is read once, from end to end. Where its packets say what they are, only those that
//! the samples need are decoded, in groups side by side; where they do not, or turn out to have
//! been wrong, all are. Either way the pictures are the same, bit by bit.
//!
//! | file | what it is |
//! |---|---|
//! | `input` | what a path is, by content |
//! | `probe` | facts from headers |
//! | `track` | the packets of a video stream |
//! | `decoder` | packets to frames |
//! | `wanted`, `sample` | what is asked for, and which frames show which samples |
//! | `syntax`, `nal` | what packets say of themselves |
//! | `plan` | which packets must be decoded |
//! | `reader`, `worker`, `budget`, `shelf`, `sparse` | those, decoded side by side and put in order |
//! | `memory` | the most that they hold |
//! | `full` | a whole stream, decoded |
//! | `stills` | picture files |
//! | `shape`, `colour`, `turn` | frames to pixels |
//! | `pictures` | all of it as one iterator |
//! | `survey` | how many they are and how large, before they are taken |
//! | `jpeg`, `lossless` | pixels to files |
//! | `likeness` | whether a picture shows anything new |
//! | `sound` | the sound of a file, and sound files |
//! | `ffmpeg` | nearly all `unsafe` code |
//!
//! FFmpeg's types stay in this room. It does not know tokio, the engine, stages or models.

mod budget;
mod colour;
mod decoder;
mod error;
mod ffmpeg;
mod full;
mod input;
mod jpeg;
mod likeness;
mod lossless;
mod memory;
mod nal;
mod pictures;
mod plan;
mod probe;
mod reader;
mod sample;
mod shape;
mod shelf;
mod sound;
mod sparse;
mod stills;
mod stop;
mod survey;
mod syntax;
mod track;
mod turn;
mod wanted;
mod worker;

pub use error::MediaError;
pub use ffmpeg::decodes;
pub use ffmpeg::init;
pub use ffmpeg::version;
pub use input::Input;
pub use input::identify;
pub use jpeg::encode_jpeg;
pub use likeness::Grid;
pub use lossless::encode_png;
pub use memory::Held;
pub use memory::held;
pub use pictures::Pictures;
pub use pictures::pictures;
pub use probe::probe;
pub use sound::Pieces;
pub use sound::SoundWanted;
pub use sound::decode_sound;
pub use sound::encode_sound;
pub use sound::sound;
pub use survey::survey;
pub use wanted::Mode;
pub use wanted::Wanted;
