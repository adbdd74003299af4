//! GPU memory that a batch of frames takes of a worker that detects.
//!
//! From what users of such workers have measured on cards of 24 GB: 8 frames of 640 px take 6 GB;
//! of 1280 px 12 take 12 GB, 16 take 16 GB (the best trade), 20 take 20 GB (the most that is safe)
//! and 24 take 24 GB (a gamble). So a frame of 1280 px takes a GB, others by their area, and less
//! than 6 GB is never taken.

use serde::Serialize;

/// The card that is assumed where the recipe does not say.
const A_CARD: f32 = 24.0;

/// What the model and its engine take, however small the frames are.
const LEAST: f64 = 6.0;

/// What a batch takes of the memory of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Vram {
    /// Frames at once.
    pub frames: usize,
    /// Their side, in pixels.
    pub side: u32,
    /// GB that they take.
    pub gb: f64,
    /// GB that a worker has.
    pub card_gb: f32,
    /// Whether that is assumed and not the recipe's.
    pub card_is_assumed: bool,
    /// How well that goes.
    pub fit: Fit,
}

/// How well a batch fits into the memory of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fit {
    /// Into two thirds of it.
    Good,
    /// Into five sixths of it; no more is safe.
    Full,
    /// Into all of it, and a worker may run out.
    Risky,
    /// Not at all.
    TooLarge,
}

impl Vram {
    /// What `frames` of `side` px take of a card of `card_gb`.
    pub(in crate::plan) fn of(frames: usize, side: u32, card_gb: Option<f32>) -> Self {
        let card = card_gb.unwrap_or(A_CARD);
        let gb = (frames as f64 * one(side)).max(LEAST);
        let share = gb / f64::from(card);
        let fit = match share {
            // A hair above, for cards whose memory is no round number.
            ..0.667 => Fit::Good,
            ..0.834 => Fit::Full,
            ..1.001 => Fit::Risky,
            _ => Fit::TooLarge,
        };
        Self {
            frames,
            side,
            gb: (gb * 10.0).round() / 10.0,
            card_gb: card,
            card_is_assumed: card_gb.is_none(),
            fit,
        }
    }

    /// The most frames of this side that fit well; at least one.
    pub(in crate::plan) fn best(&self) -> usize {
        let frames = f64::from(self.card_gb) * 0.667 / one(self.side);
        (frames as usize).max(1)
    }
}

fn one(side: u32) -> f64 {
    (f64::from(side) / 1280.0).powi(2)
}

#[cfg(test)]
mod tests {
    use super::Fit;
    use super::Vram;

    #[test]
    fn batches_take_what_the_table_says() {
        let of = |frames, side| {
            let vram = Vram::of(frames, side, None);
            (vram.gb, vram.fit)
        };
        assert_eq!(of(8, 640), (6.0, Fit::Good));
        assert_eq!(of(12, 1280), (12.0, Fit::Good));
        assert_eq!(of(16, 1280), (16.0, Fit::Good));
        assert_eq!(of(20, 1280), (20.0, Fit::Full));
        assert_eq!(of(24, 1280), (24.0, Fit::Risky));
        assert_eq!(of(32, 1280), (32.0, Fit::TooLarge));
        assert_eq!(Vram::of(16, 1280, Some(16.0)).fit, Fit::Risky);
        assert_eq!(Vram::of(24, 1280, None).best(), 16);
    }
}
