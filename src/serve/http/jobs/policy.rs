//! The policy of a job: how long it may run, and how long it may exist.

use serde_json::Value;
use std::time::Duration;

/// What RunPod documents where a request says nothing.
const EXECUTION: Duration = Duration::from_secs(600);
const LIFE: Duration = Duration::from_secs(24 * 3600);

/// Neither is longer, whatever a request says.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// How long a job may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::serve::http) struct Policy {
    /// From when it is begun to when it is done.
    pub(super) execution: Duration,
    /// From when it was submitted to when it is forgotten, in whatever state it is then.
    pub(super) life: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            execution: EXECUTION,
            life: LIFE,
        }
    }
}

impl Policy {
    /// What the `policy` of a request says; what it does not say is as usual.
    ///
    /// # Errors
    ///
    /// Where a time is no number of milliseconds above zero: which, as a sentence.
    pub(in crate::serve::http) fn read(policy: Option<&Value>) -> Result<Self, String> {
        let fields = match policy {
            None | Some(Value::Null) => return Ok(Self::default()),
            Some(Value::Object(fields)) => fields,
            Some(_) => return Err("`policy` is an object".to_owned()),
        };
        let time = |name: &str, usual| match fields.get(name) {
            None | Some(Value::Null) => Ok(usual),
            Some(value) => milliseconds(value)
                .ok_or_else(|| format!("`policy.{name}` is a number of milliseconds above 0")),
        };
        Ok(Self {
            execution: time("executionTimeout", EXECUTION)?,
            life: time("ttl", LIFE)?,
        })
    }
}

fn milliseconds(value: &Value) -> Option<Duration> {
    let number = value.as_f64().filter(|number| *number > 0.0)?;
    let time = Duration::try_from_secs_f64(number / 1000.0).unwrap_or(LONGEST);
    Some(time.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::LONGEST;
    use super::Policy;
    use serde_json::json;
    use std::time::Duration;

    #[test]
    fn times_are_milliseconds_within_a_week() {
        let policy = json!({ "executionTimeout": 5000, "ttl": 1e300, "lowPriority": true });
        let read = Policy::read(Some(&policy)).unwrap();
        assert_eq!(read.execution, Duration::from_secs(5));
        assert_eq!(read.life, LONGEST);
        assert_eq!(Policy::read(None), Ok(Policy::default()));
        assert_eq!(Policy::read(Some(&json!({}))), Ok(Policy::default()));
        for (policy, what) in [
            (json!([]), "`policy` is an object"),
            (json!({ "ttl": "1 h" }), "`policy.ttl` is a number"),
            (json!({ "ttl": -1 }), "`policy.ttl` is a number"),
            (
                json!({ "executionTimeout": 0 }),
                "`policy.executionTimeout` is a",
            ),
        ] {
            let error = Policy::read(Some(&policy)).unwrap_err();
            assert!(error.contains(what), "{policy}: {error}");
        }
    }
}
