//! Results of one of several stages.

use crate::name::StageId;
use crate::output::results::results::Results;
use crate::output::results::results::StageOutput;
use std::mem;

impl Results {
    /// The same video as `stage` alone saw it, at the top of the results.
    ///
    /// # Errors
    ///
    /// Where it looked for no boxes: the stages that did.
    pub fn of_stage(mut self, stage: &StageId) -> Result<Self, Vec<String>> {
        let is_top = self.primary.as_ref() == Some(stage);
        let mut stages = mem::take(&mut self.stages);
        match stages.remove(stage) {
            Some(StageOutput::Detected(found)) => {
                self.summary.objects = found.summary.objects;
                self.summary.classes = found.summary.classes;
                self.summary.tracks = found.summary.tracks;
                self.classes = found.classes;
                self.detections = found.detections;
                self.tracks = found.tracks;
                self.primary = Some(stage.clone());
                Ok(self)
            }
            _ if is_top => Ok(self),
            _ => {
                let detected = stages.iter().filter_map(|(id, output)| match output {
                    StageOutput::Detected(_) => Some(id),
                    StageOutput::Recorded { .. } | StageOutput::Transcribed { .. } => None,
                });
                let mut names: Vec<String> = self
                    .primary
                    .iter()
                    .chain(detected)
                    .map(ToString::to_string)
                    .collect();
                names.sort();
                names.dedup();
                Err(names)
            }
        }
    }
}
