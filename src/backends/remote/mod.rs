//! Remote backends: what is asked of servers, and what their answers mean.
//!
//! | folder | what it is |
//! |---|---|
//! | `protocol` | the protocols of servers as one enum: submit, wait, cancel |
//! | [`runpod`] | jobs of RunPod Serverless: submitted, waited for, cancelled |
//! | [`openai`] | OpenAI's API for sound |
//! | [`service`] | any server that answers at once |
//! | [`mapping`] | between detections and transcripts and the JSON of a server |
//! | [`speech`] | what servers that run Whisper take and give |

pub mod mapping;
pub mod openai;
pub(in crate::backends) mod protocol;
pub mod runpod;
pub mod service;
pub mod speech;
pub(in crate::backends) mod submission;

#[cfg(test)]
mod tests;
