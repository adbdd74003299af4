//! Whisper on this machine: speech in, words with their times out.
//!
//! | file | what it is |
//! |---|---|
//! | `transcriber` | a loaded model and its sessions: sound in, segments out |
//! | `windows` | window after window of a sound |
//! | `heard` | what is heard in each, told as it comes |
//! | `fallback` | a window's text, tried again where it looks wrong |
//! | `search` | the search for the tokens of a text: greedy, by beams or sampled |
//! | `logit_filter` | which tokens may follow |
//! | `languages` | where in a window another language begins |
//! | `segments` | tokens to segments, and where the next window begins |
//! | `networks` | encoder and decoder, with the decoder's cache |
//! | `decoder_graph` | the decoder, changed so that nothing is computed twice |
//! | `mel` | sound to log-mel spectrogram |
//! | `pauses` | where nobody speaks |
//! | `speech_model` | a model's folder: what is read from it, and what it must hold |
//! | `profile` | what the files say about sound, tokens and networks |
//! | `vocabulary` | tokens and the bytes that they stand for |
//!
//! The method is that of the paper (arXiv:2212.04356) and of OpenAI's `transcribe`. Does not know
//! stages, videos or recipes.

mod decoder_graph;
mod fallback;
mod heard;
mod languages;
mod logit_filter;
mod mel;
mod networks;
mod pauses;
mod profile;
mod search;
mod segments;
mod speech_model;
#[cfg(test)]
mod tests;
mod transcriber;
mod vocabulary;
mod windows;

pub use heard::HeardSegment;
pub use heard::HearingListener;
pub use speech_model::FoundSpeechModel;
pub use speech_model::SpeechModelSource;
pub use speech_model::find_speech_models;
pub use speech_model::speech_model_facts;
pub use transcriber::Task;
pub use transcriber::TranscribeParams;
pub use transcriber::Transcriber;
pub use transcriber::TranscriberSession;
