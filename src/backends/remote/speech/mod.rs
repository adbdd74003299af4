//! What servers that run Whisper take and give, however it gets there and back.
//!
//! Does not know stages or videos.

mod heard;
mod input;
mod languages;

pub use heard::heard;
pub use input::input;
pub use languages::code;
