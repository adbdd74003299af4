//! What `serve` and `worker` do not begin with: told in a sentence, with what to do.

use crate::support::program::vpipe_with;
use tempfile::TempDir;

#[test]
fn what_cannot_be_served_is_told_with_what_to_do() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("notes.onnx"), "not a model").unwrap();
    let address = "http://127.0.0.1:9/v2/ep/job-take/$ID?gpu=none";
    let control_plane = [
        ("RUNPOD_WEBHOOK_GET_JOB", address),
        ("RUNPOD_WEBHOOK_POST_OUTPUT", address),
        ("RUNPOD_WEBHOOK_PING", address),
        ("RUNPOD_AI_API_KEY", "a-key-of-nobody"),
        ("RUNPOD_POD_ID", "w1"),
    ];
    for (options, code, sentence, cure) in [
        (
            "--yolo nothing.onnx",
            2,
            "nothing.onnx does not exist",
            "`vpipe models`",
        ),
        (
            "--whisper nothing",
            2,
            "nothing does not exist",
            "`vpipe models`",
        ),
        (
            "--yolo notes.onnx",
            3,
            "notes.onnx is not a whole ONNX model",
            "`vpipe models`",
        ),
        (
            "--yolo none --whisper none",
            2,
            "there is nothing to serve",
            "leave one out",
        ),
        (
            "--engine rten --device cuda:0",
            2,
            "rten computes on the CPU alone",
            "help: ",
        ),
    ] {
        for verb in ["serve --listen 127.0.0.1:0", "worker"] {
            let line = format!("{verb} {options}");
            let words: Vec<&str> = line.split(' ').collect();
            let said = vpipe_with(folder.path(), &words, &control_plane);
            assert_eq!(said.code, code, "{line}: {}", said.talk);
            for part in [sentence, cure] {
                assert!(said.talk.contains(part), "{line}: {}", said.talk);
            }
        }
    }
}

#[test]
fn a_port_that_is_none_is_a_wrong_argument() {
    let folder = TempDir::new().unwrap();
    let words = ["serve", "--listen", "127.0.0.1:99999"];
    let said = vpipe_with(folder.path(), &words, &[]);
    assert_eq!(said.code, 2, "{}", said.talk);
    let sentence = "cannot listen at 127.0.0.1:99999";
    assert!(said.talk.contains(sentence), "{}", said.talk);
}
