//! `vpipe doctor`: what it finds in place, with and without a fleet.

use crate::support::fleet::Fleet;
use crate::support::fleet::KEY;
use crate::support::program::Said;
use crate::support::program::vpipe_beside;
use serde_json::Value;
use tempfile::TempDir;

async fn doctor(words: &[&str], variables: &[(&str, &str)]) -> Said {
    let folder = TempDir::new().unwrap();
    vpipe_beside(folder.path(), &[&["doctor"], words].concat(), variables).await
}

// The screen without what differs from machine to machine.
fn screen(said: &Said, base: &str) -> String {
    let lines = said.out.replace(base, "BASE");
    let lines = lines.lines().filter(|line| !line.starts_with("FFmpeg"));
    let mut text: String = lines.map(|line| format!("{line}\n")).collect();
    let runtime = text.find("ONNX Runtime").unwrap();
    text.truncate(runtime);
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_account_nothing_is_wrong() {
    let said = doctor(&[], &[]).await;
    assert_eq!((said.code, said.talk.as_str()), (0, ""), "{}", said.out);
    assert!(said.out.starts_with("FFmpeg"), "{}", said.out);
    assert!(said.out.contains("decodes h264, hevc"), "{}", said.out);
    insta::assert_snapshot!(screen(&said, "none"), @r"
    RunPod key    -      RUNPOD_API_KEY is not set
                         -> to run on RunPod, set it in the environment or in .env
    yolo          -      RUNPOD_YOLO_ENDPOINT_ID is not set
                         -> set it to the id of an endpoint to run this stage on RunPod
    whisper       -      RUNPOD_WHISPER_ENDPOINT_ID is not set
                         -> set it to the id of an endpoint to run this stage on RunPod
    models        ok     the built-in demo, and 0 of 0 files here can be used
                         -> the demo knows six drawn shapes; `vpipe models` says how to get more
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_is_asked_how_it_is() {
    let fleet = Fleet::start(&[], 0, 1).await;
    let variables = [
        ("RUNPOD_API_KEY", KEY),
        ("RUNPOD_YOLO_ENDPOINT_ID", "detect"),
        ("RUNPOD_ENDPOINT_BASE_URL", &fleet.base),
    ];
    let said = doctor(&[], &variables).await;
    assert_eq!(said.code, 0, "{}", said.out);
    insta::assert_snapshot!(screen(&said, &fleet.base), @r"
    RunPod key    ok     RUNPOD_API_KEY is set
    yolo          ok     endpoint detect at 127.0.0.1: workers 0 running, 3 ready, 0 starting, 0 throttled, 0 crashing; 0 jobs wait
    whisper       -      RUNPOD_WHISPER_ENDPOINT_ID is not set
                         -> set it to the id of an endpoint to run this stage on RunPod
    models        ok     the built-in demo, and 0 of 0 files here can be used
                         -> the demo knows six drawn shapes; `vpipe models` says how to get more
    ");
    assert!(!said.out.contains(KEY));

    let said = doctor(&["--json"], &variables).await;
    assert!(!said.out.contains(KEY));
    let findings: Value = serde_json::from_str(&said.out).unwrap();
    let yolo = findings.as_array().unwrap().iter();
    let yolo: Vec<_> = yolo.filter(|finding| finding["about"] == "yolo").collect();
    assert_eq!(yolo[0]["state"], "good");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_up_and_cannot_work_is_wrong() {
    let fleet = Fleet::start(&[], 0, 1).await;
    let said = doctor(
        &[],
        &[
            ("RUNPOD_API_KEY", "rpa_WRONG"),
            ("RUNPOD_YOLO_ENDPOINT_ID", "detect"),
            ("RUNPOD_WHISPER_ENDPOINT_ID", "nowhere"),
            ("RUNPOD_ENDPOINT_BASE_URL", &fleet.base),
        ],
    )
    .await;
    assert_eq!(said.code, 3, "{}", said.out);
    insta::assert_snapshot!(screen(&said, &fleet.base), @r#"
    RunPod key    ok     RUNPOD_API_KEY is set
    yolo          WRONG  endpoint detect: the key in RUNPOD_API_KEY is not accepted (HTTP 401: who is Some("Bearer (the key)")?)
                         -> look at the key, the id and the endpoint in RunPod's console
    whisper       WRONG  endpoint nowhere: there is no such endpoint: see its id (HTTP 404: )
                         -> look at the key, the id and the endpoint in RunPod's console
    models        ok     the built-in demo, and 0 of 0 files here can be used
                         -> the demo knows six drawn shapes; `vpipe models` says how to get more
    "#);
    assert!(!said.out.contains("rpa_WRONG"));

    let said = doctor(&[], &[("RUNPOD_YOLO_ENDPOINT_ID", "detect")]).await;
    assert_eq!(said.code, 3, "{}", said.out);
    assert!(
        said.out.contains("endpoint detect, and no key"),
        "{}",
        said.out
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_onnx_runtime_that_is_not_there_is_told_with_what_to_do() {
    let nowhere = [("ORT_DYLIB_PATH", "/nowhere/libonnxruntime.so")];
    let said = doctor(&["--json"], &nowhere).await;
    assert_eq!(said.code, 0, "{}", said.out);
    let findings: Value = serde_json::from_str(&said.out).unwrap();
    let mut findings = findings.as_array().unwrap().iter();
    let finding = findings.find(|finding| finding["about"] == "ONNX Runtime");
    let finding = finding.unwrap();
    assert_eq!(finding["state"], "absent", "{finding}");
    let help = finding["help"].as_str().unwrap();
    assert!(help.starts_with("set ORT_DYLIB_PATH"), "{finding}");
}
