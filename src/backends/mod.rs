//! Backends: where inference happens.
//!
//! A local backend is a session that is called; a remote one is submitted to, waited for and
//! cancelled. Does not know stages or videos.

mod excerpt;
pub mod form;
pub mod http;
pub mod local;
pub mod mapping;
pub mod openai;
pub mod runpod;
pub mod service;
pub mod whisper;
