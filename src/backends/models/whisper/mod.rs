//! Whisper on this machine: speech in, words with their times out.
//!
//! | file | what it is |
//! |---|---|
//! | `transcriber` | a checked voice and its sessions: sound in, segments out |
//! | `voice` | a model's folder: what is read from it, and what it must hold |
//! | `profile` | what the files say about sound, tokens and networks |
//! | `vocabulary` | tokens and the bytes that they stand for |
//! | `mel` | sound to log-mel spectrogram |
//! | `networks` | encoder and decoder, with what the decoder remembers |
//! | `rules` | which tokens may follow |
//! | `decode` | one window to tokens, tried again where the outcome looks wrong |
//! | `segments` | tokens to segments, and where the next window begins |
//! | `pauses` | where nobody speaks |
//!
//! The method is that of the paper (arXiv:2212.04356) and of OpenAI's `transcribe`. Does not know
//! stages, videos or recipes.

mod decode;
mod mel;
mod networks;
mod pauses;
mod profile;
mod rules;
mod segments;
#[cfg(test)]
mod tests;
mod transcriber;
mod vocabulary;
mod voice;

pub use transcriber::Task;
pub use transcriber::TranscribeParams;
pub use transcriber::Transcriber;
pub use transcriber::TranscriberSession;
pub use voice::FoundVoice;
pub use voice::VoiceSource;
pub use voice::find_voices;
