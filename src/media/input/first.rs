//! The first frame of a video, and where it is on the clock of a player.
//!
//! It is found as all frames of the video are, so that the two cannot differ: where a recording
//! begins in the middle of a group, only a decoder can tell which one it is.

use crate::facts::FirstFrame;
use crate::facts::VideoFacts;
use crate::item::PixelFormat;
use crate::item::Size;
use crate::media::frames::frames;
use crate::media::input::identify::MediaInput;
use crate::media::input::track::VideoTrack;
use crate::media::select::selection::VideoSelection;
use crate::media::stop::StopFlag;
use crate::time::Ratio;
use crate::time::TimeRange;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// The first frame of the video at `path`, and the size at which it is shown; `None` where none
/// can be.
pub(super) fn first_frame(path: &Path, facts: &VideoFacts) -> Option<(FirstFrame, Size)> {
    let track = VideoTrack::open(path, StopFlag::default()).ok()?;
    let beginning = TimeRange {
        end: Some(Duration::from_millis(500)),
        ..TimeRange::default()
    };
    let wanted = VideoSelection {
        ranges: beginning.into(),
        decoders: 1,
        ..VideoSelection::new(Ratio::ONE, 32, PixelFormat::I420)
    };
    let input = MediaInput::Video(path.into());
    let mut frames = frames(&input, facts, &wanted, Arc::default()).ok()?;
    let pts = frames.next()?.ok()?.moment.pts;
    let first = FirstFrame {
        pts,
        base: track.base(),
        offset: track.since_start(pts),
    };
    Some((first, frames.shown()?))
}
