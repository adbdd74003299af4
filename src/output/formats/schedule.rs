//! When captions are shown: one at a time, and each long enough to be read.

use super::caption::Caption;
use super::split::SHORTEST;

const SHORTEST_MS: u64 = (SHORTEST * 1e3) as u64;

/// Moves the times of `captions`, which are in order of their starts, so that none is shown while
/// another is, and each as long as it takes to read it where there is time for it. The sound is
/// over at `end`.
pub(super) fn schedule(captions: &mut [Caption], end: u64) {
    captions.sort_by_key(|caption| caption.start);
    for at in 1..captions.len() {
        if let Some([one, other]) = captions.get_mut(at - 1..=at) {
            part(one, other);
        }
    }
    for at in 0..captions.len() {
        lengthen(captions, at, end);
    }
}

// Two captions of which the second begins before the first is over.
fn part(one: &mut Caption, other: &mut Caption) {
    if one.end <= other.start {
        return;
    }
    if other.start >= one.start + SHORTEST_MS.min(one.end - one.start) {
        one.end = other.start;
        return;
    }
    // Said at once: the time of both is shared by their length.
    let end = match one.end.min(other.end) {
        early if early >= one.start + 2 * SHORTEST_MS => early,
        _ => one.end.max(other.end).max(one.start + 2),
    };
    let (weight, total) = (one.width() as u64, (one.width() + other.width()) as u64);
    let border = one.start + (end - one.start) * weight / total.max(1);
    let border = border.clamp(one.start + 1, end - 1);
    one.end = border;
    other.start = border;
    other.end = other.end.max(end);
}

// Gives a caption that is too short to be read the time after it, then the time before it, then
// some of its neighbours'.
fn lengthen(captions: &mut [Caption], at: usize, end: u64) {
    let before = at.checked_sub(1).and_then(|at| captions.get(at)).cloned();
    let after = captions.get(at + 1).cloned();
    let Some(caption) = captions.get_mut(at) else {
        return;
    };
    let missing = |caption: &Caption| SHORTEST_MS.saturating_sub(caption.end - caption.start);
    // What a neighbour can give without becoming too short itself.
    let spare = |neighbour: &Caption| (neighbour.end - neighbour.start).saturating_sub(SHORTEST_MS);
    let end = after.as_ref().map_or(end, |after| after.start);
    let room = end.saturating_sub(caption.end);
    caption.end += missing(caption).min(room);
    let room = caption.start - before.as_ref().map_or(0, |before| before.end);
    caption.start -= missing(caption).min(room);
    let from_after = missing(caption).min(after.as_ref().map_or(0, spare));
    caption.end += from_after;
    let from_before = missing(caption).min(before.as_ref().map_or(0, spare));
    caption.start -= from_before;
    // Only who touches it gives anything: the time between them was taken first.
    if from_after > 0
        && let Some(after) = captions.get_mut(at + 1)
    {
        after.start += from_after;
    }
    if from_before > 0
        && let Some(before) = at.checked_sub(1).and_then(|at| captions.get_mut(at))
    {
        before.end -= from_before;
    }
}
