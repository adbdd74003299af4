//! Media: videos and picture files to sampled pictures, and pictures to JPEG.
//!
//! [`identify`] says what a path is, [`probe`] what its headers say, [`pictures`] gives the
//! pictures that the sampling rule (see [`crate::time::Sampling`]) chooses, scaled and turned as
//! they are shown, and [`encode_jpeg`] writes one. Everything blocks and runs on the caller's
//! thread.
//!
//! | file | what it is |
//! |---|---|
//! | `input` | what a path is, by content |
//! | `probe` | facts from headers |
//! | `track` | the packets of a video stream |
//! | `decoder` | packets to frames |
//! | `sample` | which frames show which samples |
//! | `full` | a whole stream, decoded |
//! | `stills` | picture files |
//! | `shape`, `colour`, `turn` | frames to pixels |
//! | `pictures` | all of it as one iterator |
//! | `jpeg` | pixels to JPEG |
//! | `ffmpeg` | the only `unsafe` code |
//!
//! FFmpeg's types stay in this room. It does not know tokio, the engine, stages or models.

mod colour;
mod decoder;
mod error;
mod ffmpeg;
mod full;
mod input;
mod jpeg;
mod pictures;
mod probe;
mod sample;
mod shape;
mod stills;
mod track;
mod turn;

pub use error::MediaError;
pub use ffmpeg::init;
pub use input::Input;
pub use input::identify;
pub use jpeg::encode_jpeg;
pub use pictures::PICTURES_HELD;
pub use pictures::Pictures;
pub use pictures::Wanted;
pub use pictures::pictures;
pub use probe::probe;
