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
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    program::quiet_environment(&mut command);
    let clip = Path::new(ROOT).join("tests/demo/clip.mp4");
    let mut child = command
        .current_dir(folder)
        .args(["run", "r.toml"])
        .arg(clip)
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
