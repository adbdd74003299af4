//! Frames, or the packets of some, to a video file: MP4, with the sound of the video that they are of,
//! and captions.
//!
//! | file | what it is |
//! |---|---|
//! | `writer` | all of it: frames in, a file out |
//! | `mp4` | the file: packets of frames in, sound and captions beside them |
//! | `picture` | the encoder of frames, and the pixels that it takes |
//! | `sound` | the sound, packet by packet or coded anew |
//! | `aac` | samples to AAC |
//! | `captions` | text that is shown for some time, as a track |
//! | `cut` | a part of a video as a file of its own |
//! | `span` | the packets that show such a part by themselves |
//!
//! Each frame keeps its own time. Does not know what was drawn on a frame, or why.

mod aac;
mod captions;
mod cut;
mod mp4;
mod picture;
mod sound;
mod span;
mod writer;

#[cfg(test)]
mod tests;

pub use captions::TimedText;
pub use cut::CutKind;
pub use cut::cut;
pub use mp4::is_own_video;
pub use sound::SoundCopy;
pub use writer::EncodedVideo;
pub use writer::VideoOrigin;
pub use writer::VideoWriter;
