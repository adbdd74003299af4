//! Health: why a queue stands still, as `/health` of an endpoint shows it, and what to do.
//!
//! Pure.

use crate::backends::transport::json;
use crate::failure::Class;
use serde::Deserialize;

/// What `/health` says; all counts that it does not say are zero.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Health {
    /// Workers by their state.
    pub workers: Workers,
    /// Jobs by their state.
    pub jobs: Jobs,
}

/// Workers by their state.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Workers {
    /// At work.
    pub running: u64,
    /// There, and ready for a job.
    pub ready: u64,
    /// There, without a job.
    pub idle: u64,
    /// Starting.
    pub initializing: u64,
    /// Without a GPU, since none is free.
    pub throttled: u64,
    /// Crashed as they started.
    pub unhealthy: u64,
}

/// Jobs by their state.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Jobs {
    /// Taken by no worker yet.
    pub in_queue: u64,
}

/// Why nobody took a job, from the body of `/health`: whether others would fare better, and a
/// part of a sentence.
pub(super) fn stuck(body: Option<&[u8]>) -> (Class, String) {
    let health = body.and_then(|body| serde_json::from_value(json::parse(body).ok()?).ok());
    let Some(Health { workers, jobs }) = health else {
        let why = "and its health cannot be read; look at it in RunPod's console";
        return (Class::TimedOut, why.to_owned());
    };
    let works = workers.running + workers.ready;
    let (class, what, help) = match workers {
        _ if works > 0 => (
            Class::TimedOut,
            format!("{works} of its workers are at work or ready"),
            "raise its number of workers or `queue_timeout`, or lower `concurrency`",
        ),
        Workers { unhealthy: 1.., .. } => (
            Class::Unavailable,
            format!("{} of its workers crash as they start", workers.unhealthy),
            "look at their logs in RunPod's console",
        ),
        Workers {
            initializing: 1.., ..
        } => (
            Class::TimedOut,
            format!("{} of its workers are starting", workers.initializing),
            "raise `queue_timeout`, or keep a worker active",
        ),
        Workers { throttled: 1.., .. } => (
            Class::Unavailable,
            format!(
                "{} of its workers are throttled: no GPU of their kind is free",
                workers.throttled
            ),
            "allow the endpoint more kinds of GPU, or try again later",
        ),
        _ => (
            Class::Unavailable,
            "it has no workers".to_owned(),
            "raise its largest number of workers in RunPod's console",
        ),
    };
    let waiting = jobs.in_queue;
    (class, format!("{what} and {waiting} jobs wait; {help}"))
}

#[cfg(test)]
mod tests {
    use super::stuck;
    use crate::failure::Class;

    #[test]
    fn a_queue_that_stands_still_is_explained() {
        for (body, class, part) in [
            (
                r#"{"jobs":{"inQueue":4},"workers":{"running":1,"ready":1,"throttled":2}}"#,
                Class::TimedOut,
                "2 of its workers are at work or ready and 4 jobs wait; raise",
            ),
            (
                r#"{"jobs":{"inQueue":4},"workers":{"initializing":1,"unhealthy":0}}"#,
                Class::TimedOut,
                "starting",
            ),
            (
                r#"{"workers":{"throttled":2,"unhealthy":0}}"#,
                Class::Unavailable,
                "no GPU of their kind is free",
            ),
            (
                r#"{"workers":{"throttled":1,"unhealthy":2,"initializing":1}}"#,
                Class::Unavailable,
                "2 of its workers crash as they start",
            ),
            (
                r#"{"jobs":{"inQueue":1},"workers":{"idle":0}}"#,
                Class::Unavailable,
                "it has no workers and 1 jobs wait",
            ),
            ("<html>", Class::TimedOut, "cannot be read"),
        ] {
            let (found, why) = stuck(Some(body.as_bytes()));
            assert_eq!(found, class, "{body}");
            assert!(why.contains(part), "{why}");
        }
        assert_eq!(stuck(None).0, Class::TimedOut);
    }
}
