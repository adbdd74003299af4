//! Messages: jobs as a control plane hands them out, and answers as it takes them.
//!
//! Pure. What a job asks for is a stranger's, and so is its id.

use crate::backends::transport::json;
use crate::serve::job::Job;
use crate::serve::worker::address::is_plain;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Map;
use serde_json::Value;

/// The most bytes of an answer that RunPod takes of any job: 20 MiB of one that was sent to
/// `/runsync`. Of one that was sent to `/run` it takes 10 MiB and refuses more.
pub(super) const LARGEST_ANSWER: usize = 20 << 20;

/// Letters of an error.
const LONGEST_ERROR: usize = 4_000;

/// A job that was handed out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HandedJob {
    /// What is asked.
    pub(super) job: Job,
    /// Why it cannot be done, where that is known before.
    pub(super) refusal: Option<&'static str>,
}

/// The jobs in what a control plane answers, and how many have no id that can be used, so that
/// nobody could be answered.
///
/// # Errors
///
/// Why it cannot be read.
pub(super) fn handed_out(body: &[u8]) -> Result<(Vec<HandedJob>, usize), String> {
    let value = json::parse(body).map_err(|error| error.to_string())?;
    let given = match value {
        Value::Array(list) => list,
        Value::Null => Vec::new(),
        one => vec![one],
    };
    let all = given.len();
    let jobs: Vec<HandedJob> = given.into_iter().filter_map(job).collect();
    let nameless = all - jobs.len();
    Ok((jobs, nameless))
}

fn job(value: Value) -> Option<HandedJob> {
    let Value::Object(mut fields) = value else {
        return None;
    };
    let id = match fields.get("id")? {
        Value::String(id) if is_plain(id) => id.clone(),
        _ => return None,
    };
    let input = fields.remove("input").unwrap_or_default();
    let refusal = match &input {
        Value::Object(keys) if !keys.is_empty() => None,
        Value::Object(_) | Value::Null => {
            Some("the job has no input: send {\"input\": {...}} with what is asked for in it")
        }
        _ => Some("the input of the job is not an object: send {\"input\": {...}}"),
    };
    let input = match refusal {
        None => input,
        Some(_) => Value::Object(Map::new()),
    };
    Some(HandedJob {
        job: Job { id, input },
        refusal,
    })
}

/// The ids of the jobs that nobody wants any more.
pub(super) fn stopped(body: &[u8]) -> Vec<String> {
    let value = json::parse(body).unwrap_or_default();
    let ids = value.get("jobsToStop").and_then(Value::as_array);
    let ids = ids.into_iter().flatten().filter_map(Value::as_str);
    ids.map(str::to_owned).collect()
}

/// What is delivered of a job.
#[derive(Debug, Serialize)]
pub(super) struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a Value>,
    // Always a text: a job whose error is an object counts as completed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(rename = "stopPod", skip_serializing_if = "Option::is_none")]
    stop_pod: Option<bool>,
}

impl<'a> Answer<'a> {
    const NONE: Self = Self {
        status: None,
        output: None,
        error: None,
        stop_pod: None,
    };

    /// What was asked for, or a part of it.
    pub(super) fn output(output: &'a Value) -> Self {
        Self {
            output: Some(output),
            ..Self::NONE
        }
    }

    /// How far the job is.
    pub(super) fn progress(output: &'a Value) -> Self {
        Self {
            status: Some("IN_PROGRESS"),
            ..Self::output(output)
        }
    }

    /// Why there is no output.
    pub(super) fn error(why: &str) -> Self {
        Self {
            error: Some(why.chars().take(LONGEST_ERROR).collect()),
            ..Self::NONE
        }
    }

    /// The same, after which the worker begins anew where `is_last`.
    pub(super) fn last(mut self, is_last: bool) -> Self {
        self.stop_pod = is_last.then_some(true);
        self
    }

    /// As it is sent.
    pub(super) fn bytes(&self) -> Bytes {
        // Fails for maps whose keys are no texts alone, and there is none.
        serde_json::to_vec(self).unwrap_or_default().into()
    }
}

/// Why an answer of so many bytes is not delivered.
pub(super) fn too_large(bytes: usize) -> String {
    format!(
        "the output has {bytes} bytes and RunPod takes 10 MiB of a job of /run, 20 MiB of one of \
         /runsync: ask for less in one job, such as fewer frames or a shorter sound"
    )
}

#[cfg(test)]
mod tests {
    use super::Answer;
    use super::handed_out;
    use super::stopped;
    use serde_json::json;

    #[test]
    fn jobs_come_alone_and_in_lists() {
        for (body, ids, nameless) in [
            (r#"{"id":"a","input":{"x":1},"webhook":null}"#, vec!["a"], 0),
            (
                r#"[{"id":"a","input":{"x":1}},{"id":"b","input":{"x":1}}]"#,
                vec!["a", "b"],
                0,
            ),
            ("[]", vec![], 0),
            ("null", vec![], 0),
            ("{}", vec![], 1),
            (r#"[{"id":7,"input":{}},{"id":"../x"},4]"#, vec![], 3),
        ] {
            let (jobs, without) = handed_out(body.as_bytes()).unwrap();
            let found: Vec<&str> = jobs.iter().map(|it| it.job.id.as_str()).collect();
            assert_eq!((found, without), (ids, nameless), "{body}");
        }
        for body in ["", "{", "<html>", r#"{"id":"a","inp"#] {
            assert!(handed_out(body.as_bytes()).is_err(), "{body}");
        }
        let deep = format!("[{}", "[".repeat(100_000));
        assert!(handed_out(deep.as_bytes()).is_err());
    }

    #[test]
    fn a_job_without_an_input_is_refused_by_name() {
        for (input, words) in [
            (r#","input":{}"#, Some("no input")),
            (r#","input":null"#, Some("no input")),
            ("", Some("no input")),
            (r#","input":[1]"#, Some("not an object")),
            (r#","input":"x""#, Some("not an object")),
            (r#","input":{"x":null}"#, None),
        ] {
            let (jobs, _) = handed_out(format!(r#"{{"id":"a"{input}}}"#).as_bytes()).unwrap();
            let refusal = jobs[0].refusal;
            assert_eq!(refusal.is_some(), words.is_some(), "{input}");
            assert!(refusal.is_none_or(|why| why.contains(words.unwrap())));
        }
    }

    #[test]
    fn what_is_stopped_is_a_list_of_ids() {
        assert_eq!(stopped(br#"{"jobsToStop":["a",7,"b"]}"#), ["a", "b"]);
        for body in ["", "{}", "[]", r#"{"jobsToStop":"a"}"#] {
            assert!(stopped(body.as_bytes()).is_empty(), "{body}");
        }
    }

    #[test]
    fn answers_are_written_as_the_protocol_has_them() {
        let output = json!({ "count": 1 });
        for (answer, text) in [
            (Answer::output(&output), r#"{"output":{"count":1}}"#),
            (
                Answer::progress(&output),
                r#"{"status":"IN_PROGRESS","output":{"count":1}}"#,
            ),
            (Answer::error("boom"), r#"{"error":"boom"}"#),
            (
                Answer::error("boom").last(true),
                r#"{"error":"boom","stopPod":true}"#,
            ),
            (
                Answer::output(&output).last(false),
                r#"{"output":{"count":1}}"#,
            ),
        ] {
            assert_eq!(answer.bytes(), text);
        }
        let long = Answer::error(&"\u{fc}".repeat(100_000)).bytes();
        assert_eq!(long.len(), 2 * 4_000 + r#"{"error":""}"#.len());
    }
}
