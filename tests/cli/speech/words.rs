//! Sound whose words can be read from its samples: each carries its number and its length.

use std::fs::File;
use std::io::BufWriter;
use std::io::Write;
use std::ops::Range;
use std::path::Path;

const RATE: usize = 16_000;

// A word begins with these, its number and its length, in samples; and ends with the second.
const BEGIN: [i16; 3] = [12_345, -23_456, 12_346];
const END: [i16; 3] = [-12_345, 23_456, -12_346];

/// A word and the seconds at which it is spoken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Word {
    pub(crate) id: u32,
    pub(crate) start: f64,
    pub(crate) end: f64,
}

/// What is spoken.
pub(crate) struct Script {
    samples: Vec<i16>,
    pub(crate) words: Vec<Word>,
}

impl Script {
    /// So many seconds of speech: words of 0.15 to 0.9 s, short breaks between them and a longer
    /// one now and then; none at all in the seconds of `breathless`.
    pub(crate) fn new(seconds: usize, breathless: Option<&Range<usize>>, seed: u64) -> Self {
        let mut random = seed | 1;
        // xorshift64: the same speech for the same seed.
        let mut next = |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            (random % below) as usize
        };
        let end = seconds * RATE;
        let (mut samples, mut words) = (Vec::with_capacity(end), Vec::new());
        loop {
            let length = 2400 + next(12_000);
            if samples.len() + length > end {
                break;
            }
            let id = words.len() as u32;
            let start = samples.len();
            samples.extend(BEGIN);
            samples.extend([(id >> 14) as i16, (id & 0x3fff) as i16, length as i16]);
            let voice = 30 + next(60);
            samples.extend((6..length - 3).map(|at| match at % voice {
                it if it < voice / 2 => 5000,
                _ => -5000_i16,
            }));
            samples.extend(END);
            let second = |sample: usize| sample as f64 / RATE as f64;
            words.push(Word {
                id,
                start: second(start),
                end: second(samples.len()),
            });
            let now = samples.len() / RATE;
            if breathless.is_none_or(|range| !range.contains(&now)) {
                let pause = match next(8) {
                    0 => 6_400 + next(8_000),
                    _ => 300 + next(2_000),
                };
                samples.extend((0..pause).map(|at| if at % 2 == 0 { 15_i16 } else { -15 }));
            }
        }
        samples.resize(end, 0);
        Self { samples, words }
    }

    /// Writes it as WAV at 16 kHz, so that every sample stays what it is.
    pub(crate) fn write(&self, path: &Path) {
        let mut out = BufWriter::new(File::create(path).unwrap());
        let length = (self.samples.len() * 2) as u32;
        let mut number = |bytes: &[u8]| out.write_all(bytes).unwrap();
        number(b"RIFF");
        number(&(36 + length).to_le_bytes());
        number(b"WAVEfmt ");
        number(&16_u32.to_le_bytes());
        number(&1_u16.to_le_bytes());
        number(&1_u16.to_le_bytes());
        number(&(RATE as u32).to_le_bytes());
        number(&(2 * RATE as u32).to_le_bytes());
        number(&2_u16.to_le_bytes());
        number(&16_u16.to_le_bytes());
        number(b"data");
        number(&length.to_le_bytes());
        for sample in &self.samples {
            number(&sample.to_le_bytes());
        }
    }
}

/// The words that are whole in some sound, with the seconds from its beginning.
pub(crate) fn whole_words(samples: &[i16]) -> Vec<Word> {
    let mut words = Vec::new();
    for start in 0..samples.len().saturating_sub(6) {
        if samples[start..start + 3] != BEGIN {
            continue;
        }
        let length = samples[start + 5] as u16 as usize;
        let end = start + length;
        if samples.get(end - 3..end) == Some(&END) {
            let second = |sample: usize| sample as f64 / RATE as f64;
            words.push(Word {
                id: (samples[start + 3] as u32) << 14 | samples[start + 4] as u32,
                start: second(start),
                end: second(end),
            });
        }
    }
    words
}
