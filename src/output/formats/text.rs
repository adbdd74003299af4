//! Text and times as the formats of captions write them.

/// The text of a segment on one line, whatever a model put into it.
pub(super) fn one_line(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Milliseconds to the nearest.
pub(super) fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1e3).round().max(0.0) as u64
}

/// The time of a caption as hours, minutes, seconds and, after `point`, milliseconds.
pub(super) fn clock(ms: u64, point: char) -> String {
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    let (seconds, ms) = (ms / 1000 % 60, ms % 1000);
    format!("{hours:02}:{minutes:02}:{seconds:02}{point}{ms:03}")
}
