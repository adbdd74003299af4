//! The report of a run: its updates while it goes on, and its outcome for each video and stage.

use crate::app::run::header::RunHeader;
use crate::engine::StopReason;
use crate::engine::cassette::Misses;
use crate::event::Event;
use crate::name::StageId;
use crate::name::VideoId;
use crate::output::Requests;
use crate::output::Summary;
use std::path::PathBuf;
use std::time::Duration;

/// An update on a run.
#[derive(Clone, Debug)]
pub enum RunUpdate {
    /// The plan stands and the run begins.
    Begins(RunHeader),
    /// Something happened.
    Event(Event),
    /// What the workers have cost so far.
    Spent {
        /// US dollars.
        dollars: f64,
    },
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

/// The report on one video.
#[derive(Clone, Debug)]
pub struct VideoReport {
    /// Which input of the run.
    pub id: VideoId,
    /// The file or folder, as the user named it.
    pub path: PathBuf,
    /// The results file, if one was written.
    pub results: Option<PathBuf>,
    /// Whether that is the partial file: the video was not seen to its end, or the complete file
    /// of an earlier run knows more.
    pub partial: bool,
    /// Which files of earlier runs stay because they know more, a sentence each.
    pub kept: Vec<String>,
    /// Counts over what stands in the results file, or in `saved` where there is none.
    pub summary: Summary,
    /// Items without an answer, of all stages.
    pub failures: usize,
    /// Those of them that a backend gave none for.
    pub unanswered: usize,
    /// Requests to detectors that its repeated frames spared, as far as the size of batches says;
    /// on this machine a frame is a request.
    pub requests_spared: u64,
    /// What each stage that saves has written of it.
    pub saved: Vec<SavedFiles>,
    /// Whether a file of its results could not be written to its place.
    pub is_unwritten: bool,
    /// Why it could not be read, or not to its end, or where its results could not be written.
    pub error: Option<String>,
}

/// The files of one video that one stage has written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedFiles {
    /// The stage.
    pub stage: StageId,
    /// The innermost folder that holds them all.
    pub folder: PathBuf,
    /// Whether they are crops of frames.
    pub are_crops: bool,
    /// How many they are.
    pub files: u64,
    /// How large they are together.
    pub bytes: u64,
    /// Frames that repeat one which has a file.
    pub repeated: u64,
    /// Frames that could not be written.
    pub failed: u64,
    /// Frames that were skipped.
    pub skipped: u64,
}

/// The work of a stage in a run.
#[derive(Clone, Debug, PartialEq)]
pub struct StageSummary {
    /// The stage.
    pub id: StageId,
    /// Frames that went through it.
    pub frames: u64,
    /// Those of them, or their crops, that had an answer from before.
    pub known: u64,
    /// The time in which it worked, all its slots added up.
    pub busy: Duration,
    /// Requests that were sent again.
    pub retries: u64,
    /// Requests that were too large, or that a handler failed on, and went on in halves.
    pub splits: u64,
    /// What its requests took, where it asks a server.
    pub requests: Option<Requests>,
}

/// The report on a run.
#[derive(Clone, Debug)]
pub struct RunReport {
    /// The videos in the order of the command line.
    pub videos: Vec<VideoReport>,
    /// From the start to the last file.
    pub elapsed: Duration,
    /// Why it ended early, if it did.
    pub stopped: Option<StopReason>,
    /// The stages in the order of the recipe.
    pub stages: Vec<StageSummary>,
    /// Whether the built-in model had a part.
    pub demo: bool,
    /// What became of the cassette that was to be recorded.
    pub recorded: Option<Recorded>,
    /// What a replay asked for and its cassette does not have.
    pub misses: Misses,
}

/// What became of a cassette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It was written.
    Written {
        /// The folder.
        folder: PathBuf,
        /// Bytes of its files.
        bytes: u64,
    },
    /// It was not, since it could not be replayed; what stood there stands there still.
    Incomplete {
        /// The folder.
        folder: PathBuf,
        /// Why.
        why: String,
    },
    /// It could not be.
    Unwritten {
        /// Why, with the folder.
        why: String,
    },
}

impl RunReport {
    /// Its exit code: 0 all done, 1 some items failed, 3 no video could be read,
    /// no item could be worked on or results could not be written to their place, 4 budget or deadline reached, 130 interrupted.
    pub fn exit_code(&self) -> u8 {
        let unread = |video: &VideoReport| {
            let found = video.summary.frames + video.summary.segments;
            video.error.is_some() && found == 0
        };
        let failed = |video: &VideoReport| {
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
            None if self.videos.iter().any(|video| video.is_unwritten) => 3,
            None if matches!(self.recorded, Some(Recorded::Unwritten { .. })) => 3,
            None if !self.misses.is_empty() => 3,
            None if self.videos.iter().any(failed) => 1,
            None => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RunReport;
    use super::VideoReport;
    use crate::engine::StopReason;
    use crate::engine::cassette::Misses;
    use crate::failure::Class;
    use crate::failure::Failure;
    use crate::name::VideoId;
    use crate::output::Summary;
    use std::time::Duration;

    fn video(frames: u64, failed: u64, error: Option<&str>) -> VideoReport {
        VideoReport {
            id: VideoId(0),
            path: "a.mp4".into(),
            results: None,
            partial: false,
            kept: Vec::new(),
            summary: Summary {
                frames,
                failed,
                ..Summary::default()
            },
            failures: 0,
            unanswered: 0,
            requests_spared: 0,
            saved: Vec::new(),
            is_unwritten: false,
            error: error.map(str::to_owned),
        }
    }

    fn code(videos: Vec<VideoReport>, stopped: Option<StopReason>) -> u8 {
        RunReport {
            videos,
            elapsed: Duration::ZERO,
            stopped,
            stages: Vec::new(),
            demo: false,
            recorded: None,
            misses: Misses::default(),
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
        let unwritten = || VideoReport {
            is_unwritten: true,
            ..fine()
        };
        assert_eq!(code(vec![fine(), unwritten()], None), 3);
        assert_eq!(code(vec![unwritten()], Some(StopReason::Interrupted)), 130);
        let failed = StopReason::Failed(Failure::new(Class::Refused, "the key is wrong"));
        assert_eq!(code(vec![fine()], Some(failed)), 3);
        assert_eq!(code(vec![unreadable()], Some(StopReason::Deadline)), 4);
        assert_eq!(code(vec![unreadable()], Some(StopReason::Interrupted)), 130);
    }
}
