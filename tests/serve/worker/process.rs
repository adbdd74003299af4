//! `vpipe worker`, as a process in the container of an endpoint.

use super::harness::plane;
use super::harness::within;
use crate::control_plane::ControlPlane;
use crate::control_plane::KEY;
use crate::support::program;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use serde_json::json;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

fn command(plane: &ControlPlane) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    program::quiet_environment(&mut command);
    let models = ["worker", "--whisper", "none"];
    command
        .args(models)
        .envs(plane.variables("w1", Duration::from_millis(20)))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

// A picture on which nothing is.
fn white() -> String {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 64, 64);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[255; 64 * 64 * 3]).unwrap();
    writer.finish().unwrap();
    STANDARD.encode(file)
}

fn terminate(process: u32) {
    let sent = Command::new("kill")
        .args(["-TERM", &process.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

#[tokio::test]
async fn jobs_are_done_until_sigterm_and_each_has_a_line() {
    for endpoint in [None, Some("ep")] {
        let plane = plane(&[]).await;
        plane.submit("a", json!({ "images": [white()] }));
        plane.submit("b", json!({ "images": ["AAAA"] }));
        plane.submit("c", json!({}));
        let mut command = command(&plane);
        command.envs(endpoint.map(|id| ("RUNPOD_ENDPOINT_ID", id)));
        let worker = command.spawn().unwrap();
        within(plane.until_all_are_through()).await;
        terminate(worker.id());
        let ended = tokio::task::spawn_blocking(|| worker.wait_with_output());
        let ended = within(ended).await.unwrap().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let (out, talk) = (text(&ended.stdout), text(&ended.stderr));
        assert_eq!(ended.status.code(), Some(0), "{talk}");
        assert!(!out.contains(KEY) && !talk.contains(KEY), "{out}{talk}");
        let answer = |id| plane.job(id).answer().unwrap().clone();
        assert_eq!(answer("a")["output"]["detections"], json!([[]]));
        for id in ["b", "c"] {
            assert!(answer(id)["error"].is_string(), "{id}: {}", answer(id));
        }
        assert!(plane.state().wrong.is_empty());
        match endpoint {
            None => {
                assert!(out.is_empty(), "{out}");
                assert!(
                    talk.lines().any(|line| line.starts_with("a: done in ")),
                    "{talk}"
                );
                assert!(talk.contains("c: error: failed after "), "{talk}");
            }
            Some(_) => {
                assert!(talk.is_empty(), "{talk}");
                let lines: Vec<Value> = out
                    .lines()
                    .map(|it| serde_json::from_str(it).unwrap())
                    .collect();
                let of = |id: &str| lines.iter().find(|line| line["requestId"] == id).unwrap();
                assert_eq!(of("a")["level"], "INFO");
                assert_eq!(of("c")["level"], "ERROR");
            }
        }
    }
}

#[test]
fn without_a_control_plane_it_says_what_to_do() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let said = program::vpipe(here, &["worker"]);
    assert_eq!((said.code, said.out.as_str()), (2, ""));
    assert!(
        said.talk.contains("RUNPOD_WEBHOOK_GET_JOB is not set"),
        "{}",
        said.talk
    );
    assert!(said.talk.contains("`vpipe serve`"), "{}", said.talk);
    let address = "https://stranger:S3cret@a.example/job-take/$ID";
    let variables = [
        ("RUNPOD_WEBHOOK_GET_JOB", address),
        ("RUNPOD_WEBHOOK_POST_OUTPUT", address),
        ("RUNPOD_WEBHOOK_PING", address),
        ("RUNPOD_AI_API_KEY", KEY),
        ("RUNPOD_POD_ID", "w1"),
    ];
    for (changed, words) in [
        (
            ("RUNPOD_WEBHOOK_PING", ""),
            "RUNPOD_WEBHOOK_PING is not set",
        ),
        (
            ("RUNPOD_WEBHOOK_PING", "S3cret"),
            "RUNPOD_WEBHOOK_PING is wrong",
        ),
        (("RUNPOD_POD_ID", "w1"), "a user name or a password"),
    ] {
        let words_of_it = ["worker", "--yolo", "none"];
        let said = program::vpipe_with(here, &words_of_it, &[&variables[..], &[changed]].concat());
        assert_eq!(said.code, 2, "{}", said.talk);
        assert!(said.talk.contains(words), "{}", said.talk);
        assert!(
            !said.talk.contains("S3cret") && !said.talk.contains(KEY),
            "{}",
            said.talk
        );
    }
}
