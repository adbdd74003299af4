//! Parameters of a `runpod` backend: an endpoint of RunPod Serverless and the workers behind it.
//!
//! Times are in seconds, sizes in bytes. Knows nothing of the protocol.

use crate::diag::Diagnostic;
use crate::facts::FleetFacts;
use crate::recipe::backends::facts::BackendFacts;
use crate::recipe::backends::facts::BackendTable;
use crate::recipe::backends::server::ServerSpec;
use crate::recipe::context::Context;
use crate::recipe::http::mapping::MappingReader;
use crate::recipe::http::mapping::MappingSpec;
use crate::recipe::http::mapping::Subject;
use crate::recipe::load::read::read;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::load::value;
use crate::recipe::stages::yolo::YoloSpec;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::Serialize;
use std::time::Duration;

/// What holds of every backend of the kind.
pub(in crate::recipe) const FACTS: BackendFacts = BackendFacts {
    word: "runpod",
    rendered_later: &["request", "answer"],
};

/// Parameters of a `runpod` backend.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RunpodSpec {
    /// The id of the endpoint; where absent, the environment names it by the kind of the stage
    /// (`RUNPOD_YOLO_ENDPOINT_ID`, `RUNPOD_WHISPER_ENDPOINT_ID`).
    #[serde(deserialize_with = "value::optional")]
    pub endpoint: Option<String>,
    /// What comes before the id in every address; where absent, `RUNPOD_ENDPOINT_BASE_URL`, and
    /// else RunPod's own.
    #[serde(deserialize_with = "value::optional")]
    pub base_url: Option<String>,
    /// The variable that holds the key.
    #[serde(deserialize_with = "value::text")]
    pub api_key_env: String,
    /// How a job is submitted.
    pub mode: RunpodMode,
    /// The paths of the server.
    pub dialect: RunpodDialect,
    /// Seconds for one HTTP request.
    #[serde(deserialize_with = "value::timeout")]
    #[schemars(with = "f64")]
    pub request_timeout: Duration,
    /// Seconds for a worker to take a job.
    #[serde(deserialize_with = "value::timeout")]
    #[schemars(with = "f64")]
    pub queue_timeout: Duration,
    /// Seconds for a worker to finish a job.
    #[serde(deserialize_with = "value::timeout")]
    #[schemars(with = "f64")]
    pub execution_timeout: Duration,
    /// What RunPod itself is told about each job, in its own words and milliseconds.
    #[serde(skip)]
    pub policy: RunpodPolicy,
    /// How the handler is asked and understood.
    #[serde(skip)]
    pub mapping: MappingSpec,
    /// Bytes of the largest request, all of its JSON; what the mode allows where absent.
    #[serde(deserialize_with = "value::max_bytes")]
    pub max_body: Option<usize>,
    /// Workers of the endpoint, at most, for forecasts.
    #[serde(deserialize_with = "value::workers")]
    pub fleet: usize,
    /// GPU memory of a worker, in GB, for forecasts.
    #[serde(deserialize_with = "value::gigabytes")]
    pub vram_gb: Option<f32>,
    /// US dollars for a second of a worker, for forecasts.
    #[serde(deserialize_with = "value::price")]
    pub price_per_second: f64,
    /// Seconds that a worker is paid after its last job, for forecasts.
    #[serde(deserialize_with = "value::time")]
    #[schemars(with = "f64")]
    pub idle_timeout: Duration,
    /// Seconds that a worker takes to start, for forecasts.
    #[serde(deserialize_with = "value::time")]
    #[schemars(with = "f64")]
    pub cold_start: Duration,
    /// Seconds that a worker takes for a frame, for forecasts.
    #[serde(deserialize_with = "value::some_time")]
    #[schemars(with = "Option<f64>")]
    pub frame_time: Option<Duration>,
    /// Seconds that a worker takes for a second of sound, for forecasts.
    #[serde(deserialize_with = "value::some_time")]
    #[schemars(with = "Option<f64>")]
    pub sound_time: Option<Duration>,
    /// Seconds that a worker idles between two jobs, for forecasts.
    #[serde(deserialize_with = "value::some_time")]
    #[schemars(with = "Option<f64>")]
    pub job_gap: Option<Duration>,
    /// How much is asked of the server, and how often.
    #[serde(skip)]
    pub server: ServerSpec,
}

impl RunpodSpec {
    pub(in crate::recipe) fn read(
        context: &Context<'_>,
        mut table: BackendTable<'_>,
        wrong: &mut Vec<Diagnostic>,
    ) -> Self {
        let policy = RunpodPolicy::read(&mut table.keys, wrong);
        let server = ServerSpec::read(&mut table.keys, wrong);
        let params = YoloSpec::default().params(&[]);
        let mut reader = MappingReader::of_backend(context, &params, wrong);
        let mapping = reader.detections(&mut table.keys, Subject::Batch);
        let own = ["kind", "policy", "request", "answer"];
        let keys = [&own[..], &ServerSpec::KEYS].concat();
        let spec: Self = read(table.keys, &keys, wrong);
        Self {
            policy,
            server,
            mapping,
            ..spec
        }
    }
}

impl From<&RunpodSpec> for FleetFacts {
    /// What the recipe says of the workers, for forecasts and accounts.
    fn from(spec: &RunpodSpec) -> Self {
        Self {
            workers: spec.fleet,
            vram_gb: spec.vram_gb,
            price_per_second: spec.price_per_second,
            idle_timeout: spec.idle_timeout,
            cold_start: spec.cold_start,
            frame_time: spec.frame_time,
            sound_time: spec.sound_time,
            job_gap: spec.job_gap,
        }
    }
}

impl Default for RunpodSpec {
    fn default() -> Self {
        Self {
            endpoint: None,
            base_url: None,
            api_key_env: "RUNPOD_API_KEY".to_owned(),
            mode: RunpodMode::default(),
            dialect: RunpodDialect::default(),
            request_timeout: Duration::from_secs(60),
            queue_timeout: Duration::from_secs(600),
            execution_timeout: Duration::from_secs(600),
            policy: RunpodPolicy::default(),
            mapping: MappingSpec::default(),
            max_body: None,
            // What RunPod gives an endpoint that its owner did not touch.
            fleet: 3,
            idle_timeout: Duration::from_secs(5),
            vram_gb: None,
            // The figure that users of 24 GB workers reckon with; the price of an account may
            // differ.
            price_per_second: 0.0004,
            cold_start: Duration::ZERO,
            frame_time: None,
            sound_time: None,
            job_gap: None,
            server: ServerSpec::default(),
        }
    }
}

/// Whether a ticket or the answer is asked for.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunpodMode {
    /// By `/run`, then `/status`: an answer that is lost on its way is fetched again.
    #[default]
    Async,
    /// By `/runsync`: one round trip less; an answer that is lost on its way is paid twice.
    Sync,
}

/// What the server's paths look like.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunpodDialect {
    /// Endpoints under their ids, as in RunPod's cloud.
    #[default]
    Cloud,
    /// One handler at the root, as RunPod's SDK serves it on a developer's machine.
    DevServer,
}

/// What RunPod is told about each job; the names and milliseconds are those of its API.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct RunpodPolicy {
    /// Milliseconds that a worker may take.
    #[serde(
        deserialize_with = "value::milliseconds::<_, 5>",
        skip_serializing_if = "Option::is_none"
    )]
    pub execution_timeout: Option<u32>,
    /// Milliseconds after which a job is dropped, from when it was submitted.
    #[serde(
        deserialize_with = "value::milliseconds::<_, 10>",
        skip_serializing_if = "Option::is_none"
    )]
    pub ttl: Option<u32>,
    /// Whether the job starts no worker and waits for one that others have started.
    #[serde(
        deserialize_with = "value::choice",
        skip_serializing_if = "Option::is_none"
    )]
    pub low_priority: Option<bool>,
}

impl RunpodPolicy {
    // A table within a table is read by itself, so that a mistake in it is told about its own key.
    fn read(table: &mut Table, wrong: &mut Vec<Diagnostic>) -> Self {
        let Some(entry) = table.take("policy") else {
            return Self::default();
        };
        if let Value::Table(table) = entry.node.value {
            return read(table, &[], wrong);
        }
        let message = format!("`policy` takes a table, not {}", entry.node.what());
        let mistake = Diagnostic::error(entry.node.span, message);
        wrong.push(mistake.help("open it with `[backends.NAME.policy]`"));
        Self::default()
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
