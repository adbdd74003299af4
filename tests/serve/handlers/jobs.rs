//! Each list of inputs in `jobs/` has a snapshot of what is answered to them.

use super::files;
use super::files::Files;
use crate::support::repository::ROOT;
use crate::support::snapshots::settings;
use serde_json::Value;
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use vpipe::serve::Handler;
use vpipe::serve::Job;
use vpipe::serve::Updates;
use vpipe::serve::handlers::Handlers;
use vpipe::serve::handlers::ModelOptions;
use vpipe::serve::handlers::ServedModel;
use vpipe::serve::handlers::Tell;

/// Who writes down what whoever runs the program is told.
pub(crate) fn listener() -> (Tell, Arc<Mutex<Vec<String>>>) {
    let told = Arc::<Mutex<Vec<String>>>::default();
    let list = Arc::clone(&told);
    let tell = move |line: &str| list.lock().unwrap().push(line.to_owned());
    (Arc::new(tell), told)
}

/// The built-in models, or what `options` name.
pub(crate) fn handlers(options: &ModelOptions) -> Handlers {
    vpipe::media::init();
    Handlers::load(options, &listener().0).unwrap()
}

pub(crate) fn job(input: Value) -> Job {
    Job {
        id: "job".to_owned(),
        input,
    }
}

/// What is answered to an input, or the error.
pub(crate) async fn answer(handlers: &Handlers, input: Value) -> Result<Value, String> {
    let job = job(input);
    let (updates, mut heard) = Updates::pair();
    let work = handlers.handle(&job, updates);
    let listening = async move { while heard.recv().await.is_some() {} };
    let (output, ()) = tokio::join!(work, listening);
    output.map_err(|error| error.0)
}

// Times differ from run to run, and the last places of numbers from machine to machine.
fn steady(key: &str, value: &mut Value) {
    match value {
        Value::Object(keys) => keys.iter_mut().for_each(|(key, value)| steady(key, value)),
        Value::Array(list) => list.iter_mut().for_each(|value| steady(key, value)),
        Value::Number(_) if ["inference_time", "throughput", "processing_time"].contains(&key) => {
            *value = "a time".into();
        }
        Value::Number(number) if number.is_f64() => {
            let parts = if key == "bbox" { 1.0 } else { 1e2 };
            let number = number.as_f64().unwrap();
            *value = ((number * parts).round() / parts).into();
        }
        _ => {}
    }
}

async fn answers(path: &Path, handlers: &Handlers, files: &Files) -> Vec<Value> {
    let inputs = std::fs::read_to_string(path).unwrap();
    let inputs: Vec<Value> = serde_json::from_str(&inputs).unwrap();
    let mut told = Vec::new();
    for input in inputs {
        let mut outcome = match answer(handlers, files::filled(&input, files)).await {
            Ok(output) => json!({ "input": input, "output": output }),
            Err(error) => json!({ "input": input, "error": error }),
        };
        steady("", &mut outcome["output"]);
        if outcome["output"].is_null() {
            outcome.as_object_mut().unwrap().remove("output");
        }
        told.push(outcome);
    }
    told
}

#[test]
fn jobs_are_answered_as_they_are_asked() {
    let handlers = handlers(&ModelOptions::default());
    let files = files::files();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let folder = Path::new(ROOT).join("tests/serve/handlers/jobs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let told = runtime.block_on(answers(&path, &handlers, &files));
        let stem = path.file_stem().unwrap().to_string_lossy();
        settings().bind(|| insta::assert_json_snapshot!(format!("job@{stem}"), told));
    }
}

#[test]
fn what_is_not_served_is_told_and_the_rest_goes_on() {
    let files = files::files();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let none = handlers(&ModelOptions {
        yolo: ServedModel::None,
        whisper: ServedModel::None,
        ..ModelOptions::default()
    });
    assert_eq!((none.detector(), none.speech_model()), (None, None));
    let ask = |input| runtime.block_on(answer(&none, input)).unwrap_err();
    assert_eq!(
        ask(json!({ "image": files["$frame.png"] })),
        "no detector is served here, so pictures cannot be looked at"
    );
    assert_eq!(
        ask(json!({ "audio": files["$silence.wav"] })),
        "no speech model is served here, so sound cannot be transcribed"
    );
}

#[test]
fn models_that_are_not_there_are_told_before_anything_is_served() {
    let load = |options: ModelOptions| match Handlers::load(&options, &listener().0) {
        Ok(_) => "served".to_owned(),
        Err(error) => error.to_string(),
    };
    let at = |path: &str| ServedModel::At(path.into());
    assert_eq!(
        load(ModelOptions {
            yolo: at("none.onnx"),
            ..ModelOptions::default()
        }),
        "none.onnx does not exist"
    );
    let told = load(ModelOptions {
        yolo: ServedModel::None,
        whisper: at("base"),
        ..ModelOptions::default()
    });
    assert!(
        told.starts_with("base does not exist; `optimum-cli export onnx"),
        "{told}"
    );
}

#[test]
fn the_built_in_models_are_told_to_whoever_serves_them() {
    vpipe::media::init();
    let (tell, told) = listener();
    let options = ModelOptions {
        batch: Some(8),
        ..ModelOptions::default()
    };
    let handlers = Handlers::load(&options, &tell).unwrap();
    assert_eq!(handlers.detector(), Some("built-in shapes"));
    assert_eq!(handlers.speech_model(), Some("built-in voice"));
    let told = told.lock().unwrap();
    for (line, words) in told.iter().zip([
        "no --yolo: the built-in demo model is served",
        "built-in shapes was exported for one frame at a time, and not for batches of 8",
        "no --whisper: the built-in demo model is served",
    ]) {
        assert!(line.starts_with(words), "{line}");
    }
    assert_eq!(told.len(), 3);
}
