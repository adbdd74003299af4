//! The sound of a file: one channel of 16 kHz on the clock of its frames.
//!
//! | file | what it is |
//! |---|---|
//! | `track` | the packets of a sound stream |
//! | `decoder` | packets to frames |
//! | `resampler` | frames to samples of 16 kHz |
//! | `clock` | where on the clock of the frames samples lie |
//! | `reader` | all of it as one iterator |
//! | `encode` | samples to a sound file in memory |
//! | `decode` | and back |
//!
//! Does not know who listens.

mod clock;
mod decode;
mod decoder;
mod encode;
mod reader;
mod resampler;
mod track;

pub(super) use decoder::SoundDecoder;
pub(super) use track::SoundTrack;

pub use decode::decode_sound;
pub use encode::encode_sound;
pub use reader::SoundReader;
pub use reader::SoundSelection;
pub use reader::sample_ranges;
pub use reader::sound;
