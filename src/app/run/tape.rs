//! The tape of a run: the cassette that it is recorded to, or is a replay of.

use crate::app::compile::Compiled;
use crate::app::error::AppError;
use crate::app::inputs::Inputs;
use crate::app::run::keeper::Keeper;
use crate::app::run::report::Recorded;
use crate::app::run::report::RunReport;
use crate::engine::Answers;
use crate::engine::StopReason;
use crate::engine::cassette;
use crate::engine::cassette::Cassette;
use crate::engine::cassette::CassetteError;
use crate::engine::cassette::CassetteHead;
use crate::engine::cassette::CassetteModel;
use crate::engine::cassette::CassettePlace;
use crate::engine::cassette::CassetteStage;
use crate::engine::cassette::CassetteVideo;
use crate::engine::cassette::Recording;
use crate::engine::cassette::Replay;
use crate::engine::cassette::ReplayedVideo;
use crate::facts::Placement;
use crate::name::VideoId;
use crate::output::OutputRoot;
use crate::plan::CheckedRecipe;
use crate::plan::StagePlan;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::OnceLock;

/// What is recorded or replayed.
pub(super) enum Tape {
    /// Nothing.
    None,
    Record(Recorder),
    Replay(Player),
}

/// A cassette that is made.
pub(super) struct Recorder {
    folder: PathBuf,
    root: OutputRoot,
    recording: OnceLock<Arc<Recording>>,
}

/// A cassette that is played.
pub(super) struct Player {
    cassette: Arc<Cassette>,
    replay: OnceLock<Arc<Replay>>,
}

impl Tape {
    /// A replay of `cassette`; or a recording to the folder `record`, of which it is proved that it
    /// can be written before anything is asked.
    pub(super) fn open(
        record: Option<&PathBuf>,
        cassette: Option<Cassette>,
        inputs: &Inputs,
    ) -> Result<Self, AppError> {
        if let Some(cassette) = cassette {
            return Ok(Self::Replay(Player {
                cassette: Arc::new(cassette),
                replay: OnceLock::new(),
            }));
        }
        let Some(folder) = record else {
            return Ok(Self::None);
        };
        // The user names it, so it may be anywhere.
        let above = folder.parent().unwrap_or(Path::new(""));
        let root = OutputRoot::new(above.to_owned(), &inputs.reads);
        root.prepare_folder(folder, &cassette::is_part)
            .map_err(|error| AppError::unwritable(&error))?;
        Ok(Self::Record(Recorder {
            folder: folder.clone(),
            root,
            recording: OnceLock::new(),
        }))
    }

    /// The cassette that is replayed; `None` where none is.
    pub(super) fn cassette(&self) -> Option<&Cassette> {
        match self {
            Self::Replay(player) => Some(&player.cassette),
            Self::None | Self::Record(_) => None,
        }
    }

    /// The answers of the run that `keeper` keeps.
    pub(super) fn answers(
        &self,
        keeper: &Keeper,
        compiled: &Compiled,
        inputs: &Inputs,
    ) -> Arc<dyn Answers> {
        match self {
            Self::None => keeper.answers(),
            Self::Record(recorder) => {
                let new = || Arc::new(Recording::new(keeper.answers()));
                Arc::clone(recorder.recording.get_or_init(new)) as Arc<dyn Answers>
            }
            Self::Replay(player) => {
                let videos = compiled.facts.videos.iter();
                let videos = videos.filter_map(|video| {
                    Some(ReplayedVideo {
                        id: video.id,
                        path: video.path.clone(),
                        digest: keeper.contents().wait(video.id).ok()?,
                        is_there: matches!(inputs.videos.get(&video.id), Some((Some(_), _))),
                    })
                });
                let new = || Arc::new(Replay::new(&player.cassette, &compiled.plan, videos));
                Arc::clone(player.replay.get_or_init(new)) as Arc<dyn Answers>
            }
        }
    }

    /// Ends the run that `report` is of: writes the cassette, or notes what was not in it.
    pub(super) fn end(
        &self,
        report: RunReport,
        keeper: &Keeper,
        recipe: &CheckedRecipe,
        compiled: &Compiled,
    ) -> RunReport {
        match self {
            Self::None => report,
            Self::Record(recorder) => RunReport {
                recorded: Some(recorder.end(&report, keeper, recipe, compiled)),
                ..report
            },
            Self::Replay(player) => RunReport {
                misses: player
                    .replay
                    .get()
                    .map(|it| it.misses())
                    .unwrap_or_default(),
                ..report
            },
        }
    }
}

impl Recorder {
    fn end(
        &self,
        report: &RunReport,
        keeper: &Keeper,
        recipe: &CheckedRecipe,
        compiled: &Compiled,
    ) -> Recorded {
        let folder = self.folder.clone();
        if let Some(why) = lack(report) {
            return Recorded::Incomplete { folder, why };
        }
        match self.write(keeper, recipe, compiled) {
            Ok(bytes) => Recorded::Written { folder, bytes },
            Err(why) => Recorded::Unwritten { why },
        }
    }

    fn write(
        &self,
        keeper: &Keeper,
        recipe: &CheckedRecipe,
        compiled: &Compiled,
    ) -> Result<u64, String> {
        let Some(recording) = self.recording.get() else {
            return Ok(0);
        };
        let (videos, ids) = videos(compiled, keeper)?;
        let name = Path::new(&recipe.name).file_name().unwrap_or_default();
        let head = CassetteHead {
            format: 0,
            check: String::new(),
            recipe: name.to_string_lossy().into_owned(),
            recipe_digest: recipe.settings_digest(),
            videos,
            stages: stages(compiled),
        };
        let files = cassette::files(recording, head, &ids).map_err(|failure| failure.message)?;
        let written = self
            .root
            .write_folder(&self.folder, &files, &cassette::is_part);
        written.map_err(|error| error.to_string())?;
        tracing::info!(folder = %self.folder.display(), "recorded");
        Ok(files.iter().map(|(_, bytes)| bytes.len() as u64).sum())
    }
}

// Why a replay of the run would lack something; what cannot be read is not read in a replay either.
fn lack(report: &RunReport) -> Option<String> {
    let unanswered: usize = report.videos.iter().map(|video| video.unanswered).sum();
    match (&report.stopped, unanswered) {
        (Some(StopReason::Failed(_)), _) => Some("the run ended early".to_owned()),
        (Some(reason), _) => Some(format!("the run ended early: {reason}")),
        (None, 0) => None,
        (None, 1) => Some("1 item has no answer".to_owned()),
        (None, count) => Some(format!("{count} items have no answer")),
    }
}

// Each content once, and the inputs that have it.
fn videos(
    compiled: &Compiled,
    keeper: &Keeper,
) -> Result<(Vec<CassetteVideo>, Vec<Vec<VideoId>>), String> {
    let (mut videos, mut ids): (Vec<CassetteVideo>, Vec<Vec<VideoId>>) = Default::default();
    for facts in &compiled.facts.videos {
        let digest = keeper.contents().wait(facts.id)?;
        let place = videos.iter().position(|video| video.digest == digest);
        let video = CassetteVideo::of(facts, digest);
        match place.and_then(|place| videos.get_mut(place).zip(ids.get_mut(place))) {
            Some((known, ids)) => {
                if !known.is_called(&facts.path) {
                    known.other_names.push(video.name);
                }
                ids.push(facts.id);
            }
            None => {
                videos.push(CassetteVideo {
                    is_folder: facts.path.is_dir(),
                    ..video
                });
                ids.push(vec![facts.id]);
            }
        }
    }
    Ok((videos, ids))
}

fn stages(compiled: &Compiled) -> Vec<CassetteStage> {
    let stages = compiled.plan.stages().iter();
    stages.filter_map(|it| stage(compiled, it)).collect()
}

// `None` for a stage that has nothing to tell.
fn stage(compiled: &Compiled, stage: &StagePlan) -> Option<CassetteStage> {
    let (plan, id) = (&compiled.plan, &stage.id);
    let place = compiled.facts.placements.get(id).map(place);
    let samples = plan.sampler() == Some(id);
    if place.is_none() && !samples {
        return None;
    }
    let terms = match samples {
        true => Some(plan.sampling_terms()),
        false => plan.terms(id),
    };
    Some(CassetteStage {
        id: id.clone(),
        kind: stage.kind.word().to_owned(),
        place,
        terms: terms.cloned(),
        asked: plan.digest(id),
        sampling: samples.then(|| plan.sampling()),
        sound: plan.sound(id),
        transcript: plan.transcript(id),
        lines: 0,
        digest: String::new(),
    })
}

fn place(placement: &Placement) -> CassettePlace {
    match placement {
        Placement::Local(local) => CassettePlace::Local(CassetteModel::of(&local.model)),
        Placement::Remote(remote) => CassettePlace::Remote {
            backend: remote.backend.clone(),
            model: remote.model.clone(),
        },
        Placement::Skipped { why } => CassettePlace::Skipped { why: why.clone() },
    }
}

impl From<CassetteError> for AppError {
    fn from(error: CassetteError) -> Self {
        let (message, help) = (error.to_string(), Some(error.help().to_owned()));
        match error {
            CassetteError::Missing { .. } => Self::Request { message, help },
            CassetteError::Unreadable { .. }
            | CassetteError::Newer { .. }
            | CassetteError::Broken { .. } => Self::Environment { message, help },
        }
    }
}
