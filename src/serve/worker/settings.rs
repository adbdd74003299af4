//! Settings: what the environment of a container of RunPod's says of its control plane, and what the
//! user says of the worker.

use crate::app::AppError;
use crate::backends::transport::secret::Secret;
use crate::serve::worker::address::AddressTemplate;
use crate::serve::worker::address::is_plain;
use crate::serve::worker::note::NoteLevel;
use crate::serve::worker::pauses::Pace;
use std::time::Duration;

const TAKE: &str = "RUNPOD_WEBHOOK_GET_JOB";
const DONE: &str = "RUNPOD_WEBHOOK_POST_OUTPUT";
const STREAM: &str = "RUNPOD_WEBHOOK_POST_STREAM";
const PING: &str = "RUNPOD_WEBHOOK_PING";
const KEY: &str = "RUNPOD_AI_API_KEY";
const WORKER: &str = "RUNPOD_POD_ID";
const ENDPOINT: &str = "RUNPOD_ENDPOINT_ID";
const PING_INTERVAL: &str = "RUNPOD_PING_INTERVAL";
const LEVELS: [&str; 2] = ["RUNPOD_LOG_LEVEL", "RUNPOD_DEBUG_LEVEL"];

/// How often a worker pings where nothing else is said.
const USUAL_INTERVAL: Duration = Duration::from_secs(10);

/// Pings are no further apart, so that no job is taken away meanwhile, and no closer together.
const LONGEST_INTERVAL: Duration = Duration::from_secs(600);
const SHORTEST_INTERVAL: Duration = Duration::from_millis(10);

/// The names that stand in addresses for the worker, and for the job or, where jobs are taken, the
/// worker.
const WORKER_NAME: &str = "$RUNPOD_POD_ID";
pub(super) const ID_NAME: &str = "$ID";

/// A control plane, as a worker reaches it.
#[derive(Clone, Debug)]
pub struct PlaneSettings {
    /// The id of this worker.
    pub worker: String,
    /// The id of the endpoint, where there is one.
    pub endpoint: Option<String>,
    /// Where jobs are taken.
    pub take: AddressTemplate,
    /// Where answers are delivered.
    pub done: AddressTemplate,
    /// Where parts of answers are delivered, where they are.
    pub stream: Option<AddressTemplate>,
    /// Where a worker says which jobs it holds.
    pub ping: AddressTemplate,
    /// How often it does.
    pub interval: Duration,
    /// What is sent as `Authorization`, as it is.
    pub key: Secret,
    /// What of its log is wanted.
    pub level: NoteLevel,
}

/// How a worker works.
#[derive(Clone, Debug)]
pub struct WorkerSettings {
    /// The control plane.
    pub plane: PlaneSettings,
    /// How many jobs are done at once; at least 1.
    pub slots: usize,
    /// How many jobs are taken before a slot is free for them.
    pub ahead: usize,
    /// Whether the worker does one job, after which RunPod begins it anew.
    pub once: bool,
    /// How long it waits for what.
    pub pace: Pace,
}

impl PlaneSettings {
    /// What the variables say that `read` gives.
    ///
    /// # Errors
    ///
    /// Where one is missing or has no sense: all of them in one message. No value is told.
    pub fn from_variables(read: &dyn Fn(&str) -> Option<String>) -> Result<Self, AppError> {
        let read = |name: &str| read(name).filter(|value| !value.trim().is_empty());
        if read(TAKE).is_none() {
            return Err(AppError::Request {
                message: format!("there is no control plane of RunPod's here: {TAKE} is not set"),
                help: Some(
                    "RunPod sets it in the containers of an endpoint; to serve the same jobs on \
                     this machine use `vpipe serve`"
                        .to_owned(),
                ),
            });
        }
        let mut wrong = Wrong::default();
        let address = |name: &'static str, wrong: &mut Wrong| {
            let text = wrong.needed(name, read(name));
            let parsed = AddressTemplate::parse(&text);
            let parsed = parsed.map_err(|why| wrong.note(name, text.is_empty(), why));
            parsed.ok()
        };
        let (take, done) = (address(TAKE, &mut wrong), address(DONE, &mut wrong));
        let ping = address(PING, &mut wrong);
        let stream = match read(STREAM) {
            Some(_) => address(STREAM, &mut wrong),
            None => None,
        };
        let worker = wrong.needed(WORKER, read(WORKER));
        if !worker.is_empty() && !is_plain(&worker) {
            wrong.note(WORKER, false, "it holds more than letters and digits");
        }
        let key = wrong.needed(KEY, read(KEY));
        if key.contains(char::is_control) {
            wrong.note(KEY, false, "it has more than one line");
        }
        let interval = interval(read(PING_INTERVAL), &mut wrong);
        let (Some(take), Some(done), Some(ping), true) = (take, done, ping, wrong.0.is_empty())
        else {
            return Err(wrong.error());
        };
        let of_worker = |address: AddressTemplate| address.with(WORKER_NAME, &worker);
        Ok(Self {
            take: of_worker(take).with(ID_NAME, &worker),
            done: of_worker(done),
            stream: stream.map(of_worker),
            ping: of_worker(ping),
            worker,
            endpoint: read(ENDPOINT),
            interval,
            key: Secret::new(key),
            level: level(LEVELS.into_iter().find_map(read)),
        })
    }
}

// RunPod gives milliseconds.
fn interval(text: Option<String>, wrong: &mut Wrong) -> Duration {
    let Some(text) = text else {
        return USUAL_INTERVAL;
    };
    match text.trim().parse() {
        // No pause at all cannot be meant, and a worker that does not begin helps nobody.
        Ok(0) => USUAL_INTERVAL,
        Ok(milliseconds) => {
            Duration::from_millis(milliseconds).clamp(SHORTEST_INTERVAL, LONGEST_INTERVAL)
        }
        Err(_) => {
            wrong.note(PING_INTERVAL, false, "it is no number of milliseconds");
            USUAL_INTERVAL
        }
    }
}

// A level that is not known is no reason to do no work.
fn level(word: Option<String>) -> NoteLevel {
    word.and_then(|word| NoteLevel::of(&word))
        .unwrap_or(NoteLevel::Info)
}

/// What is wrong with the variables.
#[derive(Debug, Default)]
struct Wrong(Vec<String>);

impl Wrong {
    // The value of `name`; nothing, which is noted, where it has none.
    fn needed(&mut self, name: &str, value: Option<String>) -> String {
        value.unwrap_or_else(|| {
            self.0.push(format!("{name} is not set"));
            String::new()
        })
    }

    fn note(&mut self, name: &str, is_known: bool, why: &str) {
        if !is_known {
            self.0.push(format!("{name} is wrong: {why}"));
        }
    }

    fn error(self) -> AppError {
        AppError::Request {
            message: self.0.join("; "),
            help: Some(
                "RunPod sets these variables in the containers of an endpoint; leave them as they \
                 are there, or use `vpipe serve` to serve on this machine"
                    .to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PlaneSettings;
    use super::USUAL_INTERVAL;
    use crate::serve::worker::note::NoteLevel;
    use std::collections::BTreeMap;
    use std::time::Duration;

    const RIGHT: [(&str, &str); 8] = [
        (
            "RUNPOD_WEBHOOK_GET_JOB",
            "http://a.example/job-take/$ID?gpu=x",
        ),
        (
            "RUNPOD_WEBHOOK_POST_OUTPUT",
            "http://a.example/job-done/$RUNPOD_POD_ID/$ID?gpu=x",
        ),
        (
            "RUNPOD_WEBHOOK_POST_STREAM",
            "http://a.example/job-stream/$RUNPOD_POD_ID/$ID?gpu=x",
        ),
        (
            "RUNPOD_WEBHOOK_PING",
            "http://a.example/ping/$RUNPOD_POD_ID",
        ),
        ("RUNPOD_AI_API_KEY", "a-key-that-nobody-may-see"),
        ("RUNPOD_POD_ID", "w1"),
        ("RUNPOD_PING_INTERVAL", "4000"),
        ("RUNPOD_LOG_LEVEL", "warn"),
    ];

    fn with(changes: &[(&'static str, &'static str)]) -> Result<PlaneSettings, String> {
        let mut variables = BTreeMap::from(RIGHT);
        variables.extend(changes.iter().copied());
        let read = |name: &str| variables.get(name).map(|&value| value.to_owned());
        PlaneSettings::from_variables(&read).map_err(|error| {
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        })
    }

    #[test]
    fn the_names_of_a_worker_and_a_job_are_filled_in() {
        let plane = with(&[]).unwrap();
        assert_eq!(plane.take.path(&[]), "/job-take/w1?gpu=x");
        let done = plane.done.with("$ID", "j1");
        assert_eq!(
            done.path(&[("isStream", "false")]),
            "/job-done/w1/j1?gpu=x&isStream=false"
        );
        assert_eq!(plane.ping.path(&[("job_id", "j1")]), "/ping/w1?job_id=j1");
        assert_eq!(plane.interval, Duration::from_secs(4));
        assert_eq!(plane.level, NoteLevel::Warn);
        assert!(!format!("{plane:?}").contains("nobody-may-see"));
        let plane = with(&[
            ("RUNPOD_WEBHOOK_POST_STREAM", ""),
            ("RUNPOD_PING_INTERVAL", "0"),
        ]);
        let plane = plane.unwrap();
        assert_eq!(plane.stream, None);
        assert_eq!(plane.interval, USUAL_INTERVAL);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_and_no_value() {
        for (changes, told) in [
            (
                vec![("RUNPOD_WEBHOOK_GET_JOB", " ")],
                "there is no control plane of RunPod's here: RUNPOD_WEBHOOK_GET_JOB is not set",
            ),
            (
                vec![("RUNPOD_WEBHOOK_PING", ""), ("RUNPOD_POD_ID", "")],
                "RUNPOD_WEBHOOK_PING is not set; RUNPOD_POD_ID is not set",
            ),
            (
                vec![("RUNPOD_WEBHOOK_POST_OUTPUT", "S3cret")],
                "RUNPOD_WEBHOOK_POST_OUTPUT is wrong: it does not begin with https://",
            ),
            (
                vec![
                    ("RUNPOD_POD_ID", "../S3cret"),
                    ("RUNPOD_AI_API_KEY", "S3cret\nx"),
                ],
                "RUNPOD_POD_ID is wrong: it holds more than letters and digits; RUNPOD_AI_API_KEY \
                 is wrong: it has more than one line",
            ),
            (
                vec![("RUNPOD_PING_INTERVAL", "soon"), ("RUNPOD_AI_API_KEY", "")],
                "RUNPOD_AI_API_KEY is not set; RUNPOD_PING_INTERVAL is wrong: it is no number of \
                 milliseconds",
            ),
            (
                vec![("RUNPOD_WEBHOOK_POST_STREAM", "S3cret")],
                "RUNPOD_WEBHOOK_POST_STREAM is wrong: it does not begin with https://",
            ),
        ] {
            let error = with(&changes).unwrap_err();
            assert_eq!(error, told);
            assert!(!error.contains("S3cret"), "{error}");
        }
    }
}
