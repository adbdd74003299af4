//! How a stage goes through the sound of a video: keys that several kinds of stages have.
//!
//! Knows nothing of what is made of the sound.

use crate::diag::Diagnostic;
use crate::recipe::load::read::read;
use crate::recipe::load::tree::Table;
use crate::recipe::load::value;
use crate::speech::Codec;
use schemars::JsonSchema;
use serde::Deserialize;
use std::num::NonZero;

/// Which sound of a video is listened to, and in what pieces.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SoundSpec {
    /// The number of the sound track, from 1; the one that a player would choose where absent.
    #[serde(deserialize_with = "value::track")]
    #[schemars(with = "Option<usize>")]
    pub track: Option<NonZero<usize>>,
    /// Seconds of sound in one chunk, at most; where absent, the duration over `concurrency`, from
    /// 30 to 300.
    #[serde(deserialize_with = "value::chunk")]
    pub chunk: Option<u32>,
    /// The format of sound that leaves the machine: `flac`, `wav` or `opus`.
    #[schemars(with = "String")]
    pub codec: Codec,
    /// Whether silence is dropped before sound is transcribed.
    #[serde(deserialize_with = "value::flag")]
    pub vad_filter: bool,
}

impl Default for SoundSpec {
    fn default() -> Self {
        Self {
            track: None,
            chunk: None,
            codec: Codec::default(),
            vad_filter: true,
        }
    }
}

impl SoundSpec {
    /// Its keys.
    pub(in crate::recipe) const KEYS: [&str; 4] = ["track", "chunk", "codec", "vad_filter"];

    /// Reads them out of the table of a stage.
    pub(in crate::recipe) fn read(table: &mut Table, wrong: &mut Vec<Diagnostic>) -> Self {
        read(table.take_all(&Self::KEYS), &[], wrong)
    }
}
