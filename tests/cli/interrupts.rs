//! Ctrl-C ends the program whatever a server does, and twice whatever a model does.
#![cfg(unix)]

use crate::support::onnx::graph;
use crate::support::onnx::model;
use crate::support::onnx::node;
use crate::support::onnx::whole;
use crate::support::program;
use crate::support::repository::ROOT;
use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;
use tempfile::TempDir;

/// Far more than the seconds that answers are waited for, jobs are cancelled and files are written, and
/// less than what the server and the model would take.
const LIMIT: Duration = Duration::from_secs(60);

fn start(folder: &Path, recipe: &str) -> (Child, impl Iterator<Item = String> + use<>) {
    fs::write(folder.join("r.toml"), recipe).unwrap();
    started(
        folder,
        &["run", "r.toml", &format!("{ROOT}/tests/demo/clip.mp4")],
    )
}

fn started(folder: &Path, words: &[&str]) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    program::quiet_environment(&mut command);
    let mut child = command
        .current_dir(folder)
        .args(words)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let talk = BufReader::new(child.stderr.take().unwrap()).lines();
    (child, talk.map(Result::unwrap))
}

fn interrupt(child: &Child) {
    let mut kill = Command::new("kill");
    let sent = kill.args(["-INT", &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Interrupts a run a second time, when it has said that it stops.
fn interrupt_again(child: Child, mut talk: impl Iterator<Item = String> + Send + 'static) {
    let mut said = Vec::new();
    let stops = talk.by_ref().any(|line| {
        said.push(line.clone());
        line.contains("interrupted")
    });
    assert!(stops, "{said:#?}");
    interrupt(&child);
    ends(child, talk);
}

// A run that was interrupted ends, and says how.
fn ends(mut child: Child, talk: impl Iterator<Item = String> + Send + 'static) {
    let interrupted = Instant::now();
    // What it says must not fill the pipe.
    let rest = thread::spawn(move || talk.for_each(drop));
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if interrupted.elapsed() > LIMIT {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it goes on for more than {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(20));
    };
    rest.join().unwrap();
    assert_eq!(status.code(), Some(130), "{status}");
}

// A run that asks a server which never answers, once it has asked.
fn asked_in_vain(folder: &Path) -> (Child, impl Iterator<Item = String> + use<>, TcpStream) {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let recipe = format!(
        "version = 1\n[backends.silent]\nkind = \"http\"\nurl = \"http://{}/\"\n\
         request_timeout = 3600\n[stages.extract]\n[stages.yolo]\ninputs = [\"extract\"]\n\
         backend = \"silent\"\n[stages.merge]\ninputs = [\"yolo\"]\n",
        server.local_addr().unwrap()
    );
    let (child, talk) = start(folder, &recipe);
    let (line, _) = server.accept().unwrap();
    (child, talk, line)
}

#[test]
fn a_silent_server_is_not_waited_for() {
    let folder = TempDir::new().unwrap();
    let (child, talk, _line) = asked_in_vain(folder.path());
    interrupt(&child);
    ends(child, talk);
    // By itself, with what it knows.
    let partial = folder.path().join("output/clip_results.partial.json");
    assert!(partial.is_file());
}

#[test]
fn a_silent_server_does_not_hold_the_program() {
    let folder = TempDir::new().unwrap();
    let (child, talk, _line) = asked_in_vain(folder.path());
    interrupt(&child);
    interrupt_again(child, talk);
}

#[test]
fn a_model_that_takes_hours_does_not_hold_the_program() {
    // 3072 x 3072 numbers, multiplied by themselves some ten thousand times.
    let mut chain = vec![
        whole("column", &[3072, 4]),
        whole("row", &[4, 3072]),
        node("Reshape", &["images", "column"], "a", &[]),
        node("Reshape", &["images", "row"], "b", &[]),
        node("MatMul", &["a", "b"], "x0", &[]),
    ];
    for turn in 0..10_000 {
        let (from, to) = (format!("x{turn}"), format!("x{}", turn + 1));
        chain.push(node("MatMul", &[&from, &from], &to, &[]));
    }
    chain.push(node("Identity", &["x10000"], "out", &[]));
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("m.onnx"), model(&graph(&chain), &[])).unwrap();
    let recipe = "version = 1\n[stages.extract]\n[stages.yolo]\ninputs = [\"extract\"]\n\
                  model = \"m.onnx\"\n[stages.save]\ninputs = [\"extract\"]\n\
                  [stages.merge]\ninputs = [\"yolo\", \"save\"]\n";
    let (mut child, talk) = start(folder.path(), recipe);
    // Frames that are saved are looked at, too.
    program::interrupt_after(3, &folder.path().join("output/clip_frames"), &mut child);
    interrupt_again(child, talk);
}

// Results of very many frames in which nothing is, of a video that is not there.
fn many_frames(folder: &Path) {
    let entry =
        |at: u32| format!(r#"{{"timestamp":{at},"frame_number":{at},"detections":[],"count":0}}"#);
    let entries: Vec<String> = (0..80_000).map(entry).collect();
    let text = format!(
        r#"{{"format":1,"video":"v.mp4","processed_at":"","processing_time":0,"models":{{}},"failures":[],
        "config":{{"max_workers":1,"batch_size":1,"fps":1,"yolo_conf":0.1,"yolo_iou":0.5,"yolo_imgsz":640}},
        "source":{{"width":64,"height":48,"duration":80000,"fps":1,"codec":"h264","rotation":0,"digest":""}},
        "summary":{{"frames":80000,"failed":0,"skipped":0,"objects":0,"classes":{{}}}},"primary":"yolo",
        "transcription":{{"skipped":"nobody listened"}},"run":{{"version":"","stages":{{}}}},
        "detections":[{}]}}"#,
        entries.join(",")
    );
    fs::write(folder.join("v_results.json"), text).unwrap();
}

// What is in a folder, but for what is named.
fn left(folder: &Path, known: &[&str]) -> Vec<String> {
    let names = fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().file_name());
    let mut names: Vec<String> = names.map(|it| it.into_string().unwrap()).collect();
    names.retain(|name| !known.contains(&name.as_str()));
    names
}

fn interrupt_when(child: &mut Child, is_due: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_due() && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < LIMIT, "it does not begin");
        thread::sleep(Duration::from_millis(1));
    }
    interrupt(child);
}

#[test]
fn a_conversion_leaves_nothing_that_is_not_whole() {
    let folder = TempDir::new().unwrap();
    many_frames(folder.path());
    let words = [
        "convert",
        "v_results.json",
        "--to",
        "csv",
        "--to",
        "yolo",
        "--to",
        "mot",
    ];
    let (mut child, talk) = started(folder.path(), &words);
    let known = ["v_results.json", "v_detections.csv", "v_speech.csv"];
    // The folder of labels is begun, and has tens of thousands of files to come.
    let labels = || {
        left(folder.path(), &known).iter().any(|name| {
            fs::read_dir(folder.path().join(name).join("labels"))
                .is_ok_and(|files| files.count() > 10)
        })
    };
    interrupt_when(&mut child, labels);
    ends(child, talk);
    assert_eq!(left(folder.path(), &known), [""; 0]);
    assert!(folder.path().join("v_detections.csv").is_file());
}

// Where the signals that a process listens to can be looked up.
#[cfg(target_os = "linux")]
#[test]
fn a_page_that_is_interrupted_is_not_written() {
    let folder = TempDir::new().unwrap();
    many_frames(folder.path());
    let (mut child, talk) = started(folder.path(), &["report", "v_results.json"]);
    let status = format!("/proc/{}/status", child.id());
    let listens = || {
        let status = fs::read_to_string(&status).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        caught.is_some_and(|mask| mask & 2 != 0)
    };
    interrupt_when(&mut child, listens);
    ends(child, talk);
    assert_eq!(left(folder.path(), &["v_results.json"]), [""; 0]);
}
