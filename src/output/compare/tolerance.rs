//! How far two results may be apart and still be the same.

use serde::Deserialize;
use serde::Serialize;

/// Tells apart numbers that are equal but for the way they were computed.
const ROUNDING: f64 = 1e-9;

/// How far apart what is found may be and still be the same.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tolerance {
    /// The least overlap of two boxes, as intersection over union: from 0 to 1, 0.9 unless set. A
    /// box whose edges all moved by less than a pixel is the same too, unless this is 1.
    pub iou: f64,
    /// The most that two confidences, or two numbers of a record, differ by; 0.05 unless set.
    pub confidence: f64,
    /// The most that two times differ by, in seconds; 0.1 unless set.
    pub seconds: f64,
    /// The most words that differ, as a share of those of the old results (the word error rate):
    /// 0 unless set.
    pub words: f64,
}

impl Default for Tolerance {
    fn default() -> Self {
        Self {
            iou: 0.9,
            confidence: 0.05,
            seconds: 0.1,
            words: 0.0,
        }
    }
}

impl Tolerance {
    /// Whether two boxes with this overlap, whose edges are at most `pixels` apart, are one.
    pub(super) fn is_one_box(&self, iou: f64, pixels: f64) -> bool {
        iou >= self.iou - ROUNDING || (pixels < 1.0 && self.iou < 1.0)
    }

    /// Whether two confidences, or two numbers of a record, are the same.
    pub(super) fn is_one_number(&self, old: f64, new: f64) -> bool {
        (old - new).abs() <= self.confidence + ROUNDING
    }

    /// Whether two times, in seconds, are the same.
    pub(super) fn is_one_time(&self, old: f64, new: f64) -> bool {
        (old - new).abs() <= self.seconds + ROUNDING
    }

    /// Whether two texts with this word error rate are the same.
    pub(super) fn is_one_text(&self, word_error_rate: f64) -> bool {
        word_error_rate <= self.words + ROUNDING
    }
}
