//! Files that grow while a run goes on: a line a frame, for those who read along.
//!
//! They are extra: one that cannot be written ends, and the file that is written at the end says
//! why.

use crate::item::Record;
use crate::name::VideoId;
use crate::output;
use crate::output::GrowingFile;
use crate::output::Place;
use crate::recipe::Recipe;
use std::collections::BTreeMap;

/// The growing files of a run; `None` for one that has ended.
#[derive(Default)]
pub(super) struct GrowingFiles(BTreeMap<VideoId, Option<GrowingFile>>);

impl GrowingFiles {
    /// Adds the line of a frame, whose video has its results at `place`.
    pub(super) fn add(&mut self, recipe: &Recipe, frame: &Record, place: Option<&Place>) {
        let file = self.0.entry(frame.video).or_insert_with(|| {
            let grown = place?.grow();
            grown.inspect_err(|error| warn(frame.video, error)).ok()
        });
        let line = output::frame_line(recipe, frame);
        let added = file.as_mut().zip(line).map(|(file, line)| file.add(&line));
        if let Some(Err(error)) = added {
            warn(frame.video, &error);
            *file = None;
        }
    }
}

fn warn(video: VideoId, error: &output::WriteError) {
    tracing::warn!(video = video.0, %error, "no line is added any more");
}
