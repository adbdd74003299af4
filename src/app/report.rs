//! Reports: what the verbs tell whoever asked; of a run, before, during and after.
//!
//! Plain data. Knows nothing of screens.

use crate::diag::Report;
use crate::engine::StopReason;
use crate::event::Event;
use crate::facts::ModelFacts;
use crate::facts::Survey;
use crate::facts::VideoFacts;
use crate::name::StageId;
use crate::name::VideoId;
use crate::output::Requests;
use crate::output::Summary;
use crate::plan::Forecast;
use crate::plan::Peak;
use crate::plan::Plan;
use crate::plan::StageFate;
use crate::recipe::Difference;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// What a run is about to do; said once, before it starts.
#[derive(Clone, Debug)]
pub struct Header {
    /// What the user calls the recipe.
    pub recipe: String,
    /// The stages in the order of the recipe.
    pub stages: Vec<StageRow>,
    /// The inputs in the order of the command line.
    pub videos: Vec<VideoFacts>,
    /// What the user should know, a sentence each.
    pub notices: Vec<String>,
    /// Whether a built-in demo model has a part.
    pub demo: bool,
    /// Every host that will get frames or sound.
    pub hosts: Vec<String>,
    /// What will be asked of workers that are paid, and what it may cost.
    pub forecast: Forecast,
}

/// One stage of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageRow {
    /// Its id.
    pub id: StageId,
    /// The word for its kind in a recipe.
    pub kind: &'static str,
    /// Where and with what it works, such as `local, rten, yolo11n.onnx`; may be empty.
    pub place: String,
    /// Items that it works on at once.
    pub limit: usize,
    /// The frames that will pass it, where that is known.
    pub total: Option<u64>,
    /// Why it is skipped, if it is.
    pub skipped: Option<String>,
}

/// A recipe that is right, and what it would do.
#[derive(Clone, Debug)]
pub struct Checked {
    /// What the user calls the recipe.
    pub recipe: String,
    /// The stages in the order of the recipe.
    pub stages: Vec<StageRow>,
    /// The most that frames would take in memory.
    pub peak: Peak,
    /// What can be run and will disappoint.
    pub warnings: Option<Report>,
}

/// What a run would do.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What the run would say of itself.
    pub header: Header,
    /// The stages in the order of the recipe.
    pub stages: Vec<PlannedStage>,
    /// The steps that they were lowered to.
    pub plan: Plan,
    /// What was found out about each input.
    pub surveys: BTreeMap<VideoId, Survey>,
    /// Inputs that cannot be read, and why.
    pub unreadable: Vec<(PathBuf, String)>,
    /// What the recipe does otherwise than `default`.
    pub differences: Vec<Difference>,
    /// What can be run and will disappoint.
    pub warnings: Option<Report>,
}

/// Where a stage would run.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedStage {
    /// Its id.
    pub id: StageId,
    /// The word for its kind in a recipe.
    pub kind: &'static str,
    /// What it would run on; empty where that is this program.
    pub place: String,
    /// Why there, in a few words; empty where it could run nowhere else.
    pub why: String,
    /// What becomes of it.
    pub fate: StageFate,
}

impl Planned {
    /// The exit code that tells it: 0 all inputs can be read, 1 some cannot, 3 none can.
    pub fn exit_code(&self) -> u8 {
        match (self.unreadable.is_empty(), self.header.videos.is_empty()) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 3,
        }
    }
}

/// A model that was found.
#[derive(Clone, Debug)]
pub struct FoundModel {
    /// Its file or folder; `None` for one that is built in.
    pub path: Option<PathBuf>,
    /// What it knows, or why it cannot be used.
    pub knows: Result<Knows, String>,
}

/// What a model knows.
#[derive(Clone, Debug)]
pub enum Knows {
    /// Things in frames.
    Classes(ModelFacts),
    /// What is said.
    Speech {
        /// ISO 639-1 codes; none where it is English alone.
        languages: Vec<String>,
        /// Whether it is the built-in one.
        demo: bool,
    },
}

/// One thing that a run has to say.
#[derive(Clone, Debug)]
pub enum Update {
    /// The plan stands and the run begins.
    Planned(Header),
    /// Something happened.
    Event(Event),
    /// A results file was written.
    Saved {
        /// The video it is about.
        video: VideoId,
        /// Where it is.
        path: PathBuf,
        /// Whether the video was not seen to its end.
        partial: bool,
    },
}

/// What became of one video.
#[derive(Clone, Debug)]
pub struct VideoOutcome {
    /// Which input of the run.
    pub id: VideoId,
    /// The file or folder, as the user named it.
    pub path: PathBuf,
    /// The results file, if one was written.
    pub results: Option<PathBuf>,
    /// Whether the video was not seen to its end.
    pub partial: bool,
    /// Counts over what stands in the results file, or in `saved` where there is none.
    pub summary: Summary,
    /// Items without an answer, of all stages.
    pub failures: usize,
    /// Requests to detectors that its repeated frames spared, as far as the size of batches says;
    /// on this machine a frame is a request.
    pub requests_spared: u64,
    /// What each stage that saves has written of it.
    pub saved: Vec<SavedFiles>,
    /// Why it could not be read, or not to its end.
    pub error: Option<String>,
}

/// The files of one video that one stage has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedFiles {
    /// The stage.
    pub stage: StageId,
    /// The innermost folder that holds them all.
    pub folder: PathBuf,
    /// How many they are.
    pub files: u64,
    /// How large they are together.
    pub bytes: u64,
    /// Frames that repeat one which has a file.
    pub repeated: u64,
    /// Frames that could not be written.
    pub failed: u64,
    /// Frames that nobody tried to write.
    pub skipped: u64,
}

/// What a stage did.
#[derive(Clone, Debug, PartialEq)]
pub struct StageSummary {
    /// The stage.
    pub id: StageId,
    /// Frames that went through it.
    pub frames: u64,
    /// The time in which it worked, all its slots added up.
    pub busy: Duration,
    /// Requests that were sent again.
    pub retries: u64,
    /// Requests that were too large and went on in halves.
    pub splits: u64,
    /// What its requests took, where it asks a server.
    pub requests: Option<Requests>,
}

/// What became of a run.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The videos in the order of the command line.
    pub videos: Vec<VideoOutcome>,
    /// From the start to the last file.
    pub elapsed: Duration,
    /// Why it ended early, if it did.
    pub stopped: Option<StopReason>,
    /// The stages in the order of the recipe.
    pub stages: Vec<StageSummary>,
    /// Whether the built-in model had a part.
    pub demo: bool,
}

impl Outcome {
    /// The exit code that tells it: 0 all done, 1 some items failed, 3 no video could be read or
    /// no item could be worked on, 4 budget or deadline reached, 130 interrupted.
    pub fn exit_code(&self) -> u8 {
        let unread = |video: &VideoOutcome| {
            let found = video.summary.frames + video.summary.segments;
            video.error.is_some() && found == 0
        };
        let failed = |video: &VideoOutcome| {
            let mut saved = video.saved.iter();
            let lacking = video.failures > 0 || video.summary.failed + video.summary.gaps > 0;
            let incomplete = lacking || saved.any(|files| files.failed > 0);
            video.error.is_some() || incomplete
        };
        match self.stopped {
            Some(StopReason::Interrupted) => 130,
            Some(StopReason::Budget | StopReason::Deadline) => 4,
            Some(StopReason::Failed(_)) => 3,
            None if self.videos.iter().all(unread) => 3,
            None if self.videos.iter().any(failed) => 1,
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Outcome;
    use super::VideoOutcome;
    use crate::engine::StopReason;
    use crate::failure::Class;
    use crate::failure::Failure;
    use crate::name::VideoId;
    use crate::output::Summary;
    use std::time::Duration;

    fn video(frames: u64, failed: u64, error: Option<&str>) -> VideoOutcome {
        VideoOutcome {
            id: VideoId(0),
            path: "a.mp4".into(),
            results: None,
            partial: false,
            summary: Summary {
                frames,
                failed,
                ..Summary::default()
            },
            failures: 0,
            requests_spared: 0,
            saved: Vec::new(),
            error: error.map(str::to_owned),
        }
    }

    fn code(videos: Vec<VideoOutcome>, stopped: Option<StopReason>) -> u8 {
        Outcome {
            videos,
            elapsed: Duration::ZERO,
            stopped,
            stages: Vec::new(),
            demo: false,
        }
        .exit_code()
    }

    #[test]
    fn the_worst_that_befell_a_run_is_its_exit_code() {
        let fine = || video(9, 0, None);
        let unreadable = || video(0, 0, Some("not a video"));
        assert_eq!(code(vec![fine()], None), 0);
        assert_eq!(code(vec![fine(), video(9, 1, None)], None), 1);
        assert_eq!(code(vec![fine(), unreadable()], None), 1);
        assert_eq!(code(vec![video(5, 0, Some("truncated"))], None), 1);
        assert_eq!(code(vec![unreadable(), unreadable()], None), 3);
        let failed = StopReason::Failed(Failure::new(Class::Refused, "the key is wrong"));
        assert_eq!(code(vec![fine()], Some(failed)), 3);
        assert_eq!(code(vec![unreadable()], Some(StopReason::Deadline)), 4);
        assert_eq!(code(vec![unreadable()], Some(StopReason::Interrupted)), 130);
    }
}
