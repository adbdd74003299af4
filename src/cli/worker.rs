//! What `worker` is given, and what it says while it works.

use crate::app::AppError;
use crate::cli::args::worker::WorkerArgs;
use crate::cli::streams;
use crate::cli::streams::one_line;
use crate::cli::streams::talk;
use crate::serve::worker;
use crate::serve::worker::NoteLevel;
use crate::serve::worker::Notes;
use crate::serve::worker::Pace;
use crate::serve::worker::PlaneSettings;
use crate::serve::worker::WorkerNote;
use crate::serve::worker::WorkerSettings;
use serde_json::json;
use std::env;

/// Does jobs until it is asked to end.
pub(super) fn work(args: &WorkerArgs) -> Result<u8, AppError> {
    let models = args.models.options()?;
    let plane = PlaneSettings::from_variables(&|name| env::var(name).ok())?;
    let (level, is_endpoint) = (plane.level, plane.endpoint.is_some());
    let settings = WorkerSettings {
        plane,
        slots: args.jobs.unwrap_or(2 * models.sessions),
        ahead: args.ahead,
        once: args.refresh_worker,
        pace: Pace::default(),
    };
    let notes = Notes::to(move |note| {
        if note.level <= level {
            tell(note, is_endpoint);
        }
    });
    worker::work(&settings, &models, &notes)?;
    Ok(0)
}

// RunPod reads the log of an endpoint's workers from stdout, a line of JSON each. Where nobody reads
// it, the work goes on.
fn tell(note: &WorkerNote, is_endpoint: bool) {
    if is_endpoint {
        streams::data(&format!("{}\n", line(note))).unwrap_or_default();
        return;
    }
    let message = one_line(&note.message);
    let message = match note.level {
        NoteLevel::Error => format!("error: {message}"),
        NoteLevel::Warn | NoteLevel::Info | NoteLevel::Debug => message,
    };
    match &note.job {
        Some(job) => talk(&format!("{job}: {message}")),
        None => talk(&message),
    }
}

fn line(note: &WorkerNote) -> String {
    json!({
        "requestId": note.job,
        "message": note.message,
        "level": note.level.word(),
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::line;
    use crate::serve::worker::NoteLevel;
    use crate::serve::worker::WorkerNote;

    #[test]
    fn a_line_of_the_log_is_json() {
        let note = WorkerNote {
            level: NoteLevel::Info,
            job: Some("j1".to_owned()),
            message: "done in 0.2 s \"so\"\n".to_owned(),
        };
        let text = r#"{"requestId":"j1","message":"done in 0.2 s \"so\"\n","level":"INFO"}"#;
        assert_eq!(line(&note), text);
    }
}
