//! What servers that run Whisper take and give, however it gets there and back.
//!
//! Does not know stages or videos.

mod answer;
mod input;
mod subtitles;
mod timing;
mod units;
mod unread;

pub use answer::SentSound;
pub use answer::recognition;
pub(super) use answer::text_of;
pub use input::input;
pub(super) use timing::settle;
pub use unread::unread_help;
