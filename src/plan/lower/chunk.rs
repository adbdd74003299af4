//! The length of a chunk: how much sound is transcribed at once.
//!
//! Long enough that a model has something to go by, short enough that all workers have some, and
//! never more than a request holds. Pure.

use crate::facts::LocalFacts;
use crate::facts::RemoteFacts;
use crate::recipe::SoundSpec;
use crate::speech::Codec;
use crate::speech::RATE;

/// Seconds that a chunk has at least, and at most, where the recipe does not say: Whisper hears
/// thirty at once.
const WINDOW: u32 = 30;
const LONGEST: u32 = 300;

/// Seconds of a chunk where nobody knows how much sound there is.
const UNKNOWN: u32 = 60;

/// Less than this many seconds, and most of a chunk would be its borders.
const SHORTEST: u32 = 5;

/// The headers of a sound file, and the rest of a request around it, stay below this.
const ENVELOPE: usize = 16_384;

/// How long chunks are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkLength {
    // Seconds; `shared_by` so many workers where the recipe does not say.
    wanted: Option<u32>,
    shared_by: usize,
    most: u32,
}

impl ChunkLength {
    /// Chunks for a model on this machine, which decodes a chunk window by window.
    pub(in crate::plan) fn local(
        sound: &SoundSpec,
        concurrency: usize,
        place: &LocalFacts,
    ) -> Self {
        let sessions = place.concurrency.unwrap_or(usize::MAX);
        Self {
            wanted: sound.chunk,
            shared_by: concurrency.min(sessions).max(1),
            most: u32::MAX,
        }
    }

    /// Chunks for a server that gets so many at once; `None` where its requests hold next to
    /// nothing.
    pub(in crate::plan) fn remote(
        sound: &SoundSpec,
        concurrency: usize,
        place: &RemoteFacts,
    ) -> Option<Self> {
        let held = held(place, sound.codec);
        (held >= SHORTEST).then_some(Self {
            wanted: sound.chunk,
            shared_by: concurrency.max(1),
            most: held,
        })
    }

    /// The most samples of a chunk of a video with this many seconds.
    pub fn of(&self, duration: Option<f64>) -> usize {
        let share = |seconds: f64| (seconds / self.shared_by as f64).ceil();
        let shared = duration.map_or(UNKNOWN, |seconds| {
            share(seconds).clamp(WINDOW.into(), LONGEST.into()) as u32
        });
        samples(self.wanted.unwrap_or(shared).min(self.most))
    }

    /// The most samples of any chunk.
    pub fn longest(&self) -> usize {
        samples(self.wanted.unwrap_or(LONGEST).min(self.most))
    }
}

fn samples(seconds: u32) -> usize {
    seconds as usize * RATE as usize
}

// The seconds of any sound that a request surely holds.
fn held(place: &RemoteFacts, codec: Codec) -> u32 {
    let room = place.max_body.saturating_sub(ENVELOPE);
    let file = place.encoding.held(room);
    u32::try_from(file / codec.most_bytes_a_second()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::ChunkLength;
    use crate::facts::Encoding;
    use crate::facts::LocalFacts;
    use crate::facts::ModelFacts;
    use crate::facts::RemoteFacts;
    use crate::recipe::SoundSpec;
    use crate::speech::Codec;
    use std::time::Duration;

    fn seconds(concurrency: usize, codec: Codec, max_body: usize, duration: f64) -> Option<usize> {
        chunk(concurrency, codec, max_body, duration, Encoding::Base64)
    }

    fn chunk(
        concurrency: usize,
        codec: Codec,
        max_body: usize,
        duration: f64,
        encoding: Encoding,
    ) -> Option<usize> {
        let sound = SoundSpec {
            codec,
            ..SoundSpec::default()
        };
        let place = RemoteFacts {
            why: String::new(),
            backend: "runpod".into(),
            host: "h".to_owned(),
            model: None,
            endpoint: None,
            concurrency: None,
            max_body,
            encoding,
            attempts: 1,
            retry_time: Duration::ZERO,
            outage_timeout: Duration::ZERO,
            fleet: None,
            class_names: Vec::new(),
            variables: Vec::new(),
            key: None,
            proxy: None,
        };
        let length = ChunkLength::remote(&sound, concurrency, &place)?;
        assert!(length.of(Some(duration)) <= length.longest());
        Some(length.of(Some(duration)) / 16_000)
    }

    #[test]
    fn a_model_on_this_machine_gets_its_share_of_the_sound() {
        let place = |concurrency| LocalFacts {
            why: String::new(),
            backend: "local".into(),
            engine: "rten".to_owned(),
            device: "cpu".to_owned(),
            threads: 1,
            concurrency,
            model: ModelFacts {
                name: "m".to_owned(),
                demo: false,
                classes: Vec::new(),
                fixed_size: None,
                imgsz: None,
                digest: String::new(),
            },
        };
        for (sessions, chunk, duration, expected) in [
            (None, None, 574.0, 192),
            (Some(1), None, 574.0, 300),
            (Some(8), None, 20.0, 30),
            (None, Some(10), 574.0, 10),
            (None, Some(600), 574.0, 600),
        ] {
            let sound = SoundSpec {
                chunk,
                ..SoundSpec::default()
            };
            let length = ChunkLength::local(&sound, 3, &place(sessions));
            assert_eq!(length.of(Some(duration)), expected * 16_000);
            assert!(length.of(Some(duration)) <= length.longest());
        }
    }

    #[test]
    fn a_video_is_shared_by_its_workers_within_what_a_request_holds() {
        let ten_mb = 10_000_000;
        assert_eq!(seconds(3, Codec::Flac, ten_mb, 574.0), Some(192));
        assert_eq!(seconds(3, Codec::Flac, ten_mb, 20.0), Some(30));
        assert_eq!(seconds(3, Codec::Flac, ten_mb, 3600.0), Some(229));
        assert_eq!(seconds(3, Codec::Opus, ten_mb, 3600.0), Some(300));
        assert_eq!(seconds(3, Codec::Wav, 20_000_000, 3600.0), Some(300));
        assert_eq!(seconds(3, Codec::Flac, 1_000_000, 3600.0), Some(22));
        assert_eq!(seconds(3, Codec::Flac, 100_000, 3600.0), None);
    }
    #[test]
    fn a_form_holds_a_third_more_sound_than_json() {
        // A second of WAV has 32 000 bytes and the rest of a request 16 384:
        // 983 616 bytes are left of a million, three quarters of them in JSON.
        let one_mb = |encoding| chunk(1, Codec::Wav, 1_000_000, 3600.0, encoding);
        assert_eq!(Codec::Wav.most_bytes_a_second(), 32_000);
        assert_eq!(one_mb(Encoding::Base64), Some(737_712 / 32_000));
        assert_eq!(one_mb(Encoding::Raw), Some(983_616 / 32_000));
    }
}
