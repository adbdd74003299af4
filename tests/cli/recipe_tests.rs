//! `vpipe test`: what passes, what does not, how it is told, and what is written.
//!
//! A project of its own, with the demo's test in `tests/`, is changed as a file of
//! `recipe_tests/` says; then commands are run in it. A snapshot has what they wrote, how they
//! ended and which files are others then.

use crate::support::program::Said;
#[cfg(unix)]
use crate::support::program::quiet_environment;
use crate::support::program::vpipe;
use crate::support::program::vpipe_with;
use crate::support::repository::ROOT;
use crate::support::snapshots::settings;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;
use tempfile::TempDir;

/// The snapshot of the project's test.
const SNAPSHOT: &str = "tests/snapshots/demo@clip.json";

// What is changed in the project, and what is run in it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    // For those who read it.
    #[serde(rename = "why")]
    _why: String,
    // Texts of files, in place of what there is.
    #[serde(default)]
    files: BTreeMap<String, String>,
    // Files and folders, and under which names they are there too.
    #[serde(default)]
    copies: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    removed: Vec<String>,
    // What is in the place of what there is in the snapshot, by JSON pointers; nothing for `null`.
    #[serde(default)]
    snapshot: BTreeMap<String, Value>,
    // Each with its words set apart by spaces.
    commands: Vec<String>,
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
        return;
    }
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).unwrap();
}

fn project() -> TempDir {
    let folder = TempDir::new().unwrap();
    let demo = Path::new(ROOT).join("tests/demo");
    for name in ["clip.mp4", "demo.test.toml", "cassettes", "snapshots"] {
        copy(&demo.join(name), &folder.path().join("tests").join(name));
    }
    folder
}

fn change(at: &Path, case: Case) {
    for (from, names) in &case.copies {
        for to in names {
            copy(&at.join(from), &at.join(to));
        }
    }
    for (name, text) in &case.files {
        let path = at.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    if !case.snapshot.is_empty() {
        let text = fs::read_to_string(at.join(SNAPSHOT)).unwrap();
        let mut snapshot: Value = serde_json::from_str(&text).unwrap();
        for (pointer, value) in case.snapshot {
            set(&mut snapshot, &pointer, value);
        }
        fs::write(at.join(SNAPSHOT), format!("{snapshot:#}\n")).unwrap();
    }
    for name in &case.removed {
        let path = at.join(name);
        match path.is_dir() {
            true => fs::remove_dir_all(path).unwrap(),
            false => fs::remove_file(path).unwrap(),
        }
    }
}

fn set(snapshot: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match (snapshot.pointer_mut(parent).unwrap(), value) {
        (Value::Array(items), Value::Null) => drop(items.remove(key.parse().unwrap())),
        (Value::Object(fields), value) => drop(fields.insert(key.to_owned(), value)),
        (other, value) => *other.pointer_mut(&format!("/{key}")).unwrap() = value,
    }
}

// Every file of the project, and what is in it.
fn files(folder: &Path, at: &str, all: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{at}{}", entry.file_name().to_str().unwrap());
        match entry.file_type().unwrap().is_dir() {
            true => files(&entry.path(), &format!("{name}/"), all),
            false => drop(all.insert(name, fs::read(entry.path()).unwrap())),
        }
    }
}

fn all_files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    files(folder, "", &mut all);
    all
}

// Which files are others now.
fn changed(before: &BTreeMap<String, Vec<u8>>, now: &BTreeMap<String, Vec<u8>>) -> String {
    let mut told = String::new();
    let gone = before.keys().filter(|name| !now.contains_key(*name));
    gone.for_each(|name| writeln!(told, "gone: {name}").unwrap());
    for (name, content) in now {
        match before.get(name) {
            None => writeln!(told, "made: {name}").unwrap(),
            Some(old) if old != content => writeln!(told, "changed: {name}").unwrap(),
            Some(_) => {}
        }
    }
    told
}

fn tell(command: &str, said: &Said) -> String {
    let Said { out, talk, code } = said;
    let talk = match talk.as_str() {
        "" => String::new(),
        talk => format!("--- talk\n{talk}"),
    };
    format!("$ vpipe {command} -> {code}\n{out}{talk}")
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(ROOT).join("tests/cli/recipe_tests");
    let entries = fs::read_dir(folder).unwrap();
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    cases
}

#[test]
fn tests_are_told_as_people_want_to_read_them() {
    let mut told = String::new();
    let cases = cases();
    for path in &cases {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let case: Case = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let project = project();
        let (at, commands) = (project.path(), case.commands.clone());
        change(at, case);
        writeln!(told, "## {name}").unwrap();
        for command in commands {
            let before = all_files(at);
            let words: Vec<&str> = command.split(' ').collect();
            let said = vpipe(at, &words);
            told += &tell(&command, &said);
            told += &changed(&before, &all_files(at));
        }
        told.push('\n');
    }
    assert!(cases.len() >= 30, "where are the cases?");
    settings().bind(|| insta::assert_snapshot!("recipe_tests", told));
}

// Every letter that a run of many tests writes, whatever is done side by side.
#[test]
fn what_is_said_does_not_depend_on_how_many_are_done_at_once() {
    let project = project();
    let at = project.path();
    for number in 0..12 {
        let (file, cassette) = (
            format!("tests/t{number}.test.toml"),
            format!("tests/cassettes/t{number}"),
        );
        copy(&at.join("tests/demo.test.toml"), &at.join(file));
        copy(&at.join("tests/cassettes/demo"), &at.join(cassette));
        if number % 3 > 0 {
            let snapshot = format!("tests/snapshots/t{number}@clip.json");
            let text = fs::read_to_string(at.join(SNAPSHOT)).unwrap();
            let text = text.replace("moves up", &format!("moves {number} up"));
            fs::write(at.join(snapshot), text).unwrap();
        }
    }
    let one = vpipe(at, &["test", "-j", "1"]);
    assert_eq!(one.code, 5, "{}", one.out);
    assert!(
        one.out.ends_with("13 tests: 1 same, 4 new, 8 differs\n"),
        "{}",
        one.out
    );
    for jobs in ["2", "4", "64"] {
        let many = vpipe(at, &["test", "-j", jobs]);
        assert_eq!(
            (many.out, many.talk, many.code),
            (one.out.clone(), one.talk.clone(), 5)
        );
    }
    let json = |jobs| vpipe(at, &["test", "--json", "-j", jobs]).out;
    assert_eq!(json("1"), json("4"));
}

#[test]
fn a_test_is_the_same_from_every_folder_and_with_any_environment() {
    let project = project();
    let at = project.path().join("a folder of mine");
    copy(&project.path().join("tests"), &at.join("tests"));
    fs::create_dir(at.join("empty")).unwrap();
    let scratch = TempDir::new().unwrap();
    let scratch_folder = scratch.path().to_str().unwrap();
    let variables = [
        ("TMPDIR", scratch_folder),
        ("TMP", scratch_folder),
        ("RUNPOD_API_KEY", "none"),
        ("RUNPOD_YOLO_ENDPOINT_ID", "none"),
        ("HTTPS_PROXY", "http://127.0.0.1:1"),
        ("VPIPE_STATE_DIR", "empty"),
    ];
    for (folder, path) in [
        (project.path(), "a folder of mine"),
        (&at, "tests/demo.test.toml"),
        (&at.join("empty"), "../tests"),
        (&at.join("tests"), "."),
        (&at, at.to_str().unwrap()),
    ] {
        let said = vpipe_with(folder, &["test", path, "--update"], &variables);
        assert!(
            said.out.ends_with("1 test: 1 same\n"),
            "{path}: {}",
            said.out
        );
        assert_eq!((said.talk.as_str(), said.code), ("", 0), "{path}");
    }
    let (here, there) = (
        all_files(&project.path().join("tests")),
        all_files(&at.join("tests")),
    );
    assert!(here == there, "something was written");
    assert!(all_files(scratch.path()).is_empty(), "something was left");
}

#[test]
fn a_new_test_passes_and_can_be_recorded_again_byte_for_byte() {
    let project = project();
    let at = project.path();
    fs::create_dir(at.join("my recipes")).unwrap();
    let recipe = "version = 1\nextends = \"default\"\n[vars]\nconf = 0.3\n[stages.yolo]\nconf = \"{{ vars.conf }}\"\n";
    fs::write(at.join("my recipes/r.toml"), recipe).unwrap();
    let words = [
        "test",
        "--new",
        "my tests/gate 1",
        "my recipes/r.toml",
        "tests/clip.mp4",
        "--first",
        "2s",
        "--set",
        "batch.size=2",
        "--var",
        "conf=0.5",
    ];
    let said = vpipe(at, &words);
    assert_eq!(said.code, 0, "{}{}", said.out, said.talk);
    let file = fs::read_to_string(at.join("my tests/gate 1.test.toml")).unwrap();
    insta::assert_snapshot!(file, @r#"
    recipe = "../my recipes/r.toml"
    inputs = ["../tests/clip.mp4"]
    set = ["batch.size=2"]
    first = 2

    [vars]
    conf = "0.5"
    "#);
    assert!(!at.join("output").exists(), "a test writes no results");
    let made = all_files(&at.join("my tests"));
    let names: Vec<&str> = made.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "cassettes/gate 1/1-extract.jsonl",
            "cassettes/gate 1/2-yolo.jsonl",
            "cassettes/gate 1/3-whisper.jsonl",
            "cassettes/gate 1/cassette.json",
            "gate 1.test.toml",
            "snapshots/gate 1@clip.json"
        ]
    );
    for words in [&["test", "my tests"][..], &["test", "my tests", "--record"]] {
        let said = vpipe(at, words);
        assert_eq!(said.code, 0, "{}{}", said.out, said.talk);
        assert!(said.out.ends_with("1 test: 1 same\n"), "{}", said.out);
        assert!(all_files(&at.join("my tests")) == made, "{words:?}");
    }
    // A word more and all is refused.
    let said = vpipe(at, &words);
    assert_eq!(said.code, 2, "{}", said.out);
    assert!(said.talk.contains("is there already"), "{}", said.talk);
    assert!(all_files(&at.join("my tests")) == made);
}

// What a test of a stranger leads to by links is not written to, and nobody walks in circles.
#[cfg(unix)]
#[test]
fn nothing_is_written_by_way_of_links() {
    use std::os::unix::fs::symlink;
    let project = project();
    let at = project.path();
    let elsewhere = TempDir::new().unwrap();
    symlink("..", at.join("tests/round")).unwrap();
    symlink(elsewhere.path(), at.join("elsewhere")).unwrap();
    let said = vpipe(at, &["test"]);
    assert_eq!(said.out, "same      tests/demo.test.toml\n1 test: 1 same\n");
    for (name, option) in [("snapshots", "--update"), ("cassettes", "--record")] {
        let (place, aside) = (at.join("tests").join(name), at.join("aside"));
        fs::rename(&place, &aside).unwrap();
        copy(&aside, &elsewhere.path().join("there"));
        fs::remove_file(elsewhere.path().join("there/demo@clip.json")).unwrap_or_default();
        let before = all_files(elsewhere.path());
        symlink(elsewhere.path().join("there"), &place).unwrap();
        let said = vpipe(at, &["test", option]);
        assert_eq!(said.code, 2, "{}{}", said.out, said.talk);
        assert!(said.talk.contains("is outside of"), "{}", said.talk);
        assert!(all_files(elsewhere.path()) == before, "{name}");
        fs::remove_file(&place).unwrap();
        fs::rename(&aside, &place).unwrap();
    }
    let mine = elsewhere.path().join("mine");
    fs::write(&mine, "mine").unwrap();
    fs::remove_file(at.join(SNAPSHOT)).unwrap();
    symlink(&mine, at.join(SNAPSHOT)).unwrap();
    let said = vpipe(at, &["test", "--update"]);
    assert_eq!(said.code, 2, "{}{}", said.out, said.talk);
    assert_eq!(fs::read_to_string(&mine).unwrap(), "mine");
}

// A recording that is interrupted leaves what there is, and no test after it is begun.
#[cfg(unix)]
#[test]
fn an_interrupted_recording_leaves_everything_as_it_was() {
    use std::io::BufRead;
    use std::io::BufReader;
    use std::process::Command;
    use std::process::Stdio;
    let project = project();
    let at = project.path();
    // It takes seconds.
    let test = "recipe = \"default\"\ninputs = [\"clip.mp4\"]\nset = [\"extract.fps=30\"]\n";
    fs::write(at.join("tests/a.test.toml"), test).unwrap();
    let before = all_files(at);
    let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
    quiet_environment(&mut command);
    command.current_dir(at).args(["test", "--record"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let talk = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut talk = talk.map(Result::unwrap);
    assert!(talk.any(|line| line == "tests/clip.mp4: started"));
    let process = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &process]).status();
    assert!(sent.unwrap().success());
    talk.for_each(drop);
    let ended = child.wait_with_output().unwrap();
    let out = String::from_utf8(ended.stdout).unwrap();
    assert_eq!(ended.status.code(), Some(130), "{out}");
    assert!(out.ends_with("2 tests: 2 interrupted\n"), "{out}");
    assert!(all_files(at) == before, "something was written");
}
