//! What is told of a video and kept: without its path, since it may lie elsewhere the next time.

use crate::facts::VideoFacts;

/// What stands for the path of the video.
pub(in crate::stages) const VIDEO: &str = "{video}";

/// `text` with the path of the video in its place.
pub(in crate::stages) fn of_video(text: &str, facts: &VideoFacts) -> String {
    text.replace(VIDEO, &facts.path.display().to_string())
}
