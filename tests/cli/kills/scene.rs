//! What is run while it is killed: recipes, over which videos, and what goes wrong besides.

use super::clips::Clips;
use super::servers::Faults;

/// Requests of a stage in flight.
const IN_FLIGHT: usize = 5;

/// A recipe and its videos.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) clips: Clips,
    pub(super) recipe: &'static str,
    pub(super) faults: Faults,
    /// Whether videos are renamed, swapped and copied between the runs.
    pub(super) moves: bool,
    /// Requests that are in flight at once and have no ticket, or whose answers are not kept yet.
    pub(super) in_flight: usize,
}

impl Scene {
    pub(super) const fn new(name: &'static str, clips: Clips, recipe: &'static str) -> Self {
        Self {
            name,
            clips,
            recipe,
            faults: Faults::None,
            moves: false,
            in_flight: IN_FLIGHT,
        }
    }

    /// Where so many stages ask servers that give no tickets: up to a window of requests each, which
    /// is twice its limit, is answered and not kept yet.
    pub(super) const fn without_tickets(self, stages: usize) -> Self {
        Self {
            in_flight: 2 * IN_FLIGHT * stages,
            ..self
        }
    }

    pub(super) const fn with(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    pub(super) const fn moving(self) -> Self {
        Self {
            moves: true,
            ..self
        }
    }
}

pub(super) const FRAMES: &str = r#"
version = 1
[backends.fleet]
kind = "runpod"
endpoint = "detect"
base_url = "FLEET"
[stages.extract]
fps = 2
[stages.batch]
inputs = ["extract"]
size = 4
[stages.yolo]
inputs = ["batch"]
backend = "fleet"
concurrency = 5
[stages.merge]
inputs = ["yolo"]
"#;

pub(super) const SAVED: &str = r#"
version = 1
[backends.fleet]
kind = "runpod"
endpoint = "detect"
base_url = "FLEET"
[stages.extract]
fps = 2
[stages.batch]
inputs = ["extract"]
size = 4
[stages.yolo]
inputs = ["batch"]
backend = "fleet"
concurrency = 5
[stages.save]
inputs = ["extract"]
[stages.merge]
inputs = ["yolo", "save"]
formats = ["jsonl"]
"#;

pub(super) const CROPS: &str = r#"
version = 1
[backends.fleet]
kind = "runpod"
endpoint = "detect"
base_url = "FLEET"
concurrency = 5
[stages.extract]
fps = 2
[stages.batch]
inputs = ["extract"]
size = 4
[stages.first]
kind = "yolo"
inputs = ["batch"]
backend = "fleet"
[stages.second]
kind = "yolo"
inputs = ["first.crops"]
backend = "fleet"
padding = 0.1
every = 2
filter = "confidence > 0.7"
[stages.merge]
inputs = ["first", "second"]
primary = "first"
"#;

pub(super) const REPEATS: &str = r#"
version = 1
[backends.fleet]
kind = "runpod"
endpoint = "detect"
base_url = "FLEET"
[stages.extract]
fps = 2
dedup = true
[stages.batch]
inputs = ["extract"]
size = 2
[stages.yolo]
inputs = ["batch"]
backend = "fleet"
concurrency = 5
[stages.save]
inputs = ["extract"]
format = "png"
[stages.merge]
inputs = ["yolo", "save"]
formats = ["jsonl"]
"#;

pub(super) const HTTP: &str = r#"
version = 1
[backends.eyes]
kind = "http"
url = "EYES"
concurrency = 5
api_key_env = "MY_KEY"
[stages.extract]
fps = 2
[stages.yolo]
inputs = ["extract"]
backend = "eyes"
concurrency = 5
[stages.caption]
kind = "http"
inputs = ["extract"]
backend = "eyes"
concurrency = 5
every = 2
[stages.caption.request]
images = ["{{ image }}"]
[stages.caption.answer.record]
caption = "output.caption"
[stages.told]
kind = "http"
inputs = ["yolo.boxes"]
backend = "eyes"
concurrency = 5
[stages.told.request]
objects = "{{ objects }}"
[stages.told.answer.record]
caption = "output.caption"
[stages.merge]
inputs = ["yolo", "caption", "told"]
primary = "yolo"
"#;

pub(super) const SPEECH: &str = r#"
version = 1
[backends.fleet]
kind = "runpod"
endpoint = "listen"
base_url = "EARS"
[stages.extract]
[stages.whisper]
inputs = ["extract"]
backend = "fleet"
concurrency = 5
codec = "wav"
chunk = 30
[stages.merge]
inputs = ["whisper"]
formats = ["srt"]
"#;

pub(super) const OPENAI: &str = r#"
version = 1
[backends.ears]
kind = "openai"
base_url = "EARS"
api_key_env = "MY_KEY"
[stages.extract]
[stages.whisper]
inputs = ["extract"]
backend = "ears"
model = "tiny"
codec = "wav"
concurrency = 5
chunk = 30
[stages.merge]
inputs = ["whisper"]
formats = ["srt"]
"#;

pub(super) const HERE: &str = r#"
version = 1
[stages.extract]
fps = 2
dedup = true
[stages.first]
kind = "yolo"
inputs = ["extract"]
conf = 0.5
[stages.second]
kind = "yolo"
inputs = ["first.crops"]
padding = 1
every = 2
filter = "confidence > 0.6"
[stages.save]
inputs = ["extract"]
[stages.whisper]
inputs = ["extract"]
[stages.merge]
inputs = ["first", "second", "save", "whisper"]
primary = "first"
formats = ["jsonl", "srt"]
"#;
