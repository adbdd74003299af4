//! The snapshot of results: what was found, without what may differ when the same is run again and
//! without what only one machine knows.

use crate::output::results::json;
use crate::output::results::results::Entry;
use crate::output::results::results::Model;
use crate::output::results::results::Results;
use crate::output::results::results::Run;
use crate::output::results::results::StageOutput;
use serde_json::Value;
use std::io;
use std::path::Path;

/// The keys of results that differ between two runs on the same answers.
pub(super) const VARYING: [&str; 3] = ["processed_at", "processing_time", "run"];

/// What was found in one video, the same on every machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot(Results);

impl Snapshot {
    /// Of `results`, of a video that is to be called `video`. The files that frames were written to
    /// are named as they lie below `folder`, and models without their folders.
    pub fn of(results: Results, video: &str, folder: &Path) -> Self {
        let mut results = Results {
            video: video.to_owned(),
            processed_at: String::new(),
            processing_time: 0.0,
            run: Run::default(),
            ..results
        };
        for model in results.models.values_mut() {
            if let Model::Local { model, .. } = model {
                *model = last_part(model);
            }
        }
        rename(&mut results.detections, folder);
        for output in results.stages.values_mut() {
            match output {
                StageOutput::Detected(detected) => rename(&mut detected.detections, folder),
                StageOutput::Recorded { records, .. } => rename(records, folder),
                StageOutput::Transcribed { .. } => {}
            }
        }
        Self(results)
    }

    /// What was found.
    pub fn results(&self) -> &Results {
        &self.0
    }

    /// The text of its file: the same for the same results, byte for byte.
    ///
    /// # Errors
    ///
    /// Where a number in it is none that JSON can say.
    pub fn text(&self) -> io::Result<Vec<u8>> {
        // By way of its text, in which a number has as few digits as it needs.
        let mut value: Value = serde_json::from_slice(&serde_json::to_vec(&self.0)?)?;
        if let Some(fields) = value.as_object_mut() {
            fields.retain(|key, _| !VARYING.contains(&key.as_str()));
        }
        let mut text = Vec::new();
        json::write(&mut text, &value)?;
        Ok(text)
    }
}

fn last_part(path: &str) -> String {
    let name = Path::new(path).file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn rename(entries: &mut [Entry], folder: &Path) {
    for saved in entries.iter_mut().filter_map(|entry| entry.saved.as_mut()) {
        if let Ok(inner) = Path::new(saved.as_str()).strip_prefix(folder) {
            let parts = inner.iter().map(|part| part.to_string_lossy());
            *saved = parts.collect::<Vec<_>>().join("/");
        }
    }
}
