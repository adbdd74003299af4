//! The sound of a file: one channel of 16 kHz on the clock of its frames.
//!
//! | file | what it is |
//! |---|---|
//! | `track` | the packets of a sound stream |
//! | `decoder` | packets to frames |
//! | `resampler` | frames to samples of 16 kHz |
//! | `clock` | where on the clock of the frames samples lie |
//! | `pieces` | all of it as one iterator |
//! | `encode` | samples to a sound file in memory |
//! | `decode` | and back |
//!
//! Does not know who listens.

mod clock;
mod decode;
mod decoder;
mod encode;
mod pieces;
mod resampler;
mod track;

pub(super) use track::SoundTrack;

pub use decode::decode_sound;
pub use encode::encode_sound;
pub use pieces::Pieces;
pub use pieces::SoundWanted;
pub use pieces::sound;
