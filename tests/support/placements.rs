//! Where the stages of a plan under test infer: facts that no machine and no account decides.

use std::time::Duration;
use vpipe::facts::Encoding;
use vpipe::facts::LocalFacts;
use vpipe::facts::ModelFacts;
use vpipe::facts::RemoteFacts;

/// A model on one thread of this machine.
pub(crate) fn local(model: &str) -> LocalFacts {
    LocalFacts {
        why: String::new(),
        backend: "local".into(),
        engine: "rten".to_owned(),
        device: "cpu".to_owned(),
        threads: 1,
        concurrency: None,
        model: ModelFacts {
            name: model.to_owned(),
            demo: false,
            classes: ["person", "car"].map(Into::into).into(),
            fixed_size: None,
            imgsz: None,
            digest: String::new(),
        },
    }
}

/// An endpoint of RunPod, with no word on its workers.
pub(crate) fn runpod() -> RemoteFacts {
    RemoteFacts {
        why: String::new(),
        backend: "runpod".into(),
        host: "api.runpod.ai".to_owned(),
        model: None,
        endpoint: Some("abc123".to_owned()),
        concurrency: None,
        max_body: 10_000_000,
        encoding: Encoding::Base64,
        attempts: 5,
        retry_time: Duration::from_secs(600),
        outage_timeout: Duration::from_secs(300),
        fleet: None,
        class_names: Vec::new(),
        variables: Vec::new(),
        key: None,
        proxy: None,
    }
}
