//! Log-mel spectrograms: sound as Whisper sees it.
//!
//! Windows of 400 samples every 160, centred, with mirrored edges; mel bands on Slaney's scale, of
//! equal area; the logarithm, cut 8 decades of power below the loudest. Values are those of
//! Transformers' `WhisperFeatureExtractor` to 1e-4. Knows nothing of models.

use realfft::RealFftPlanner;
use realfft::RealToComplex;
use std::f64::consts::TAU;
use std::sync::Arc;

/// Samples a second.
pub(in crate::backends) const RATE: usize = 16_000;
/// Samples from one frame to the next.
pub(in crate::backends) const HOP: usize = 160;
/// Samples in a frame.
pub(in crate::backends) const WINDOW: usize = 400;
/// Frequencies in a frame.
const FREQUENCIES: usize = WINDOW / 2 + 1;
/// The power that stands for none.
const LEAST: f32 = 1e-10;
/// Decades of power below the loudest that are kept.
const DECADES: f32 = 8.0;

/// What it takes to make spectrograms of a number of bands.
pub(in crate::backends) struct Mel {
    fft: Arc<dyn RealToComplex<f32>>,
    window: Vec<f32>,
    bands: Vec<Band>,
}

/// The frequencies that a band adds up, from the first on, with their weights.
struct Band {
    first: usize,
    weights: Vec<f32>,
}

impl Mel {
    /// For spectrograms of `bands` bands.
    pub(in crate::backends) fn new(bands: usize) -> Self {
        let hann = |n| (0.5 - 0.5 * (TAU * n as f64 / WINDOW as f64).cos()) as f32;
        Self {
            fft: RealFftPlanner::new().plan_fft_forward(WINDOW),
            window: (0..WINDOW).map(hann).collect(),
            bands: filters(bands),
        }
    }

    /// The spectrogram of `samples` and the silence after them up to `frames` frames, band by
    /// band: bands x frames numbers. Samples beyond the last frame are not heard.
    pub(in crate::backends) fn spectrogram(&self, samples: &[f32], frames: usize) -> Vec<f32> {
        let length = frames * HOP;
        let samples = samples.get(..length).unwrap_or(samples);
        let mut mel = vec![LEAST.log10(); self.bands.len() * frames];
        let mut frame = vec![0.0; WINDOW];
        let mut spectrum = self.fft.make_output_vec();
        let mut scratch = self.fft.make_scratch_vec();
        // Later frames see nothing but the silence.
        let heard = frames.min((samples.len() + WINDOW / 2).div_ceil(HOP));
        for at in 0..heard {
            for (n, (value, weight)) in frame.iter_mut().zip(&self.window).enumerate() {
                let place = mirrored(at * HOP + n, length);
                *value = samples.get(place).copied().unwrap_or(0.0) * weight;
            }
            let made = self
                .fft
                .process_with_scratch(&mut frame, &mut spectrum, &mut scratch);
            // All lengths are the transform's own, so there is nothing to go wrong.
            debug_assert!(made.is_ok());
            for (band, row) in self.bands.iter().zip(mel.chunks_exact_mut(frames)) {
                let parts = spectrum.iter().skip(band.first).zip(&band.weights);
                let power: f32 = parts.map(|(part, weight)| part.norm_sqr() * weight).sum();
                row[at] = power.max(LEAST).log10();
            }
        }
        let loudest = mel.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        for value in &mut mel {
            *value = (value.max(loudest - DECADES) + 4.0) / 4.0;
        }
        mel
    }
}

/// The place in a sound of `length` samples that place `at` of the padded sound shows: half a
/// window of padding lies before it and after it, which mirrors the edges.
fn mirrored(at: usize, length: usize) -> usize {
    let half = WINDOW / 2;
    if at < half {
        half - at
    } else if at - half < length {
        at - half
    } else {
        (2 * length + half).saturating_sub(at + 2)
    }
}

/// The bands as Slaney's Auditory Toolbox has them, scaled to equal area.
fn filters(bands: usize) -> Vec<Band> {
    let top = mel(RATE as f64 / 2.0);
    let edge = |n: usize| hertz(top * n as f64 / (bands + 1) as f64);
    let frequency = |n: usize| (RATE as f64 / 2.0) * n as f64 / (FREQUENCIES - 1) as f64;
    (0..bands)
        .map(|band| {
            let (low, middle, high) = (edge(band), edge(band + 1), edge(band + 2));
            let weight = |n| {
                let rising = (frequency(n) - low) / (middle - low);
                let falling = (high - frequency(n)) / (high - middle);
                (rising.min(falling).max(0.0) * 2.0 / (high - low)) as f32
            };
            let first = (0..FREQUENCIES).find(|&n| weight(n) > 0.0).unwrap_or(0);
            let weights = (first..FREQUENCIES)
                .map(weight)
                .take_while(|&weight| weight > 0.0)
                .collect();
            Band { first, weights }
        })
        .collect()
}

/// Slaney's scale is linear up to 1000 Hz, mel 15, and logarithmic above.
const LINEAR: f64 = 1000.0 / 15.0;
const BREAK: f64 = 15.0;

fn mel(hertz: f64) -> f64 {
    if hertz < 1000.0 {
        hertz / LINEAR
    } else {
        BREAK + (hertz / 1000.0).ln() * 27.0 / 6.4_f64.ln()
    }
}

fn hertz(mel: f64) -> f64 {
    if mel < BREAK {
        mel * LINEAR
    } else {
        1000.0 * ((mel - BREAK) * 6.4_f64.ln() / 27.0).exp()
    }
}
