//! `doctor`: what of this machine and its account is in place, and what to do about what is not.
//!
//! Asks a server only where both its key and an endpoint are set. A key is set or not; it is
//! never shown.

use crate::app::environment::ProcessEnvironment;
use crate::app::placement::context::engine_of;
use crate::app::placement::context::runpod_access;
use crate::app::placement::context::set;
use crate::backends::engine;
use crate::backends::engine::ADVICE;
use crate::backends::engine::EngineChoice;
use crate::backends::models;
use crate::backends::models::ModelSource;
use crate::backends::remote::runpod::Endpoint;
use crate::backends::remote::runpod::Health;
use crate::media;
use crate::recipe::Environment;
use crate::recipe::LocalDevice;
use crate::recipe::LocalEngine;
use crate::recipe::RunpodSpec;
use serde::Serialize;
use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

const KEY: &str = "RUNPOD_API_KEY";
const ENDPOINTS: [(&str, &str); 2] = [
    ("yolo", "RUNPOD_YOLO_ENDPOINT_ID"),
    ("whisper", "RUNPOD_WHISPER_ENDPOINT_ID"),
];

// Most videos are one of the first two; without one of these nothing can be read.
const NEEDED: [&str; 2] = ["h264", "hevc"];
const USEFUL: [&str; 4] = ["av1", "vp9", "mpeg4", "mjpeg"];

const PATIENCE: Duration = Duration::from_secs(10);

/// Whether something is in place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingState {
    /// In place.
    Good,
    /// Not there, and not needed unless it is wanted.
    Absent,
    /// It keeps something from working that is set up.
    Wrong,
}

/// The state of one part of the machine or the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is.
    pub about: &'static str,
    /// How it is.
    pub state: FindingState,
    /// In words.
    pub found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Finding {
    fn new(about: &'static str, state: FindingState, found: impl Into<String>) -> Self {
        Self {
            about,
            state,
            found: found.into(),
            help: None,
        }
    }

    fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}

/// Looks at everything; the exit code is 3 where anything is wrong.
pub fn doctor() -> Vec<Finding> {
    let variables = ProcessEnvironment.variables();
    let mut findings = vec![ffmpeg(), key(&variables)];
    findings.extend(ENDPOINTS.map(|(stage, variable)| endpoint(stage, variable, &variables)));
    findings.push(models());
    findings.push(onnx_runtime());
    findings.push(processor(&variables));
    findings
}

/// The exit code for `findings`.
pub fn verdict(findings: &[Finding]) -> u8 {
    let wrong = findings
        .iter()
        .any(|finding| finding.state == FindingState::Wrong);
    if wrong { 3 } else { 0 }
}

fn ffmpeg() -> Finding {
    let here = |names: &[&'static str]| -> Vec<&'static str> {
        let here = names.iter().filter(|name| media::decodes(name));
        here.copied().collect()
    };
    let decoders = [here(&NEEDED), here(&USEFUL)].concat();
    let found = format!("{}, decodes {}", media::version(), decoders.join(", "));
    match NEEDED.iter().find(|name| !media::decodes(name)) {
        Some(missing) => Finding::new("FFmpeg", FindingState::Wrong, found).help(format!(
            "it cannot read {missing} videos: install a build of FFmpeg with that decoder"
        )),
        None => Finding::new("FFmpeg", FindingState::Good, found),
    }
}

fn key(variables: &BTreeMap<String, String>) -> Finding {
    match set(variables, KEY) {
        Some(_) => Finding::new("RunPod key", FindingState::Good, format!("{KEY} is set")),
        None => Finding::new(
            "RunPod key",
            FindingState::Absent,
            format!("{KEY} is not set"),
        )
        .help("to run on RunPod, set it in the environment or in .env"),
    }
}

fn endpoint(stage: &'static str, variable: &str, variables: &BTreeMap<String, String>) -> Finding {
    match (set(variables, KEY), set(variables, variable)) {
        (_, None) => Finding::new(
            stage,
            FindingState::Absent,
            format!("{variable} is not set"),
        )
        .help("set it to the id of an endpoint to run this stage on RunPod"),
        (None, Some(id)) => Finding::new(
            stage,
            FindingState::Wrong,
            format!("endpoint {id}, and no key"),
        )
        .help(format!("set {KEY}, or {variable} has no use")),
        (Some(_), Some(id)) => match ask(id, variables) {
            Ok((host, health)) => workers(stage, &format!("endpoint {id} at {host}"), &health),
            Err(why) => Finding::new(stage, FindingState::Wrong, format!("endpoint {id}: {why}"))
                .help("look at the key, the id and the endpoint in RunPod's console"),
        },
    }
}

fn workers(stage: &'static str, endpoint: &str, health: &Health) -> Finding {
    let Health { workers, jobs } = health;
    let works = workers.running + workers.ready + workers.idle;
    let found = format!(
        "{endpoint}: workers {} running, {} ready, {} starting, {} throttled, {} crashing; {} jobs wait",
        workers.running,
        workers.ready,
        workers.initializing,
        workers.throttled,
        workers.unhealthy,
        jobs.in_queue,
    );
    if works == 0 && workers.unhealthy > 0 {
        return Finding::new(stage, FindingState::Wrong, found)
            .help("its workers crash as they start: look at their logs in RunPod's console");
    }
    if works == 0 && workers.throttled > 0 {
        return Finding::new(stage, FindingState::Wrong, found)
            .help("no GPU of its kind is free: allow the endpoint more kinds");
    }
    let finding = Finding::new(stage, FindingState::Good, found);
    if works == 0 {
        return finding.help("none is started; the first request waits for one");
    }
    finding
}

fn ask(id: &str, variables: &BTreeMap<String, String>) -> Result<(String, Health), String> {
    let spec = RunpodSpec {
        request_timeout: PATIENCE,
        ..RunpodSpec::default()
    };
    let access = runpod_access(&spec, &|name| set(variables, name), &[]);
    let endpoint = Endpoint::new(&spec, id, &access).map_err(|failure| failure.message)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let health = runtime.block_on(endpoint.health());
    Ok((endpoint.host(), health.map_err(|failure| failure.message)?))
}

fn models() -> Finding {
    let found = models::find_models(&[PathBuf::from("."), PathBuf::from("models")]);
    let files = || {
        found
            .iter()
            .filter(|model| matches!(model.source, ModelSource::File(_)))
    };
    let usable = files().filter(|model| model.facts.is_ok()).count();
    let all = files().count();
    let words = format!("the built-in demo, and {usable} of {all} files here can be used");
    let finding = Finding::new("models", FindingState::Good, words);
    match usable {
        0 => finding.help("the demo knows six drawn shapes; `vpipe models` says how to get more"),
        _ => finding,
    }
}

fn processor(variables: &BTreeMap<String, String>) -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let engine = match engine_of(variables, LocalEngine::Auto) {
        Ok(wanted) => EngineChoice::of(wanted, LocalDevice::Auto).unwrap_or_default(),
        Err(error) => return Finding::new("local", FindingState::Wrong, error.to_string()),
    };
    let EngineChoice { engine, device, .. } = engine;
    let words =
        format!("models on this machine run on {engine}, on {device}; it has {cores} cores");
    Finding::new("local", FindingState::Good, words)
}

// What the library was built for, and whether that works.
fn devices() -> String {
    let devices = engine::devices().into_iter();
    let told = devices.map(|(device, works)| match works {
        Ok(()) => device.to_string(),
        Err(why) => format!("{device} (which does not work: {why})"),
    });
    told.collect::<Vec<_>>().join(", ")
}

fn onnx_runtime() -> Finding {
    const ABOUT: &str = "ONNX Runtime";
    match engine::onnx_runtime() {
        Ok(Some(library)) => {
            let words = format!("{library}, on {}", devices());
            Finding::new(ABOUT, FindingState::Good, words)
        }
        Ok(None) => Finding::new(ABOUT, FindingState::Absent, "there is no library of it")
            .help(format!("it is faster than rten: {ADVICE}")),
        Err(error) => {
            // What to do about it stands behind the cause.
            let text = error.to_string();
            let (why, help) = text.rsplit_once("; ").unwrap_or((&text, ""));
            Finding::new(ABOUT, FindingState::Absent, why).help(help)
        }
    }
}
