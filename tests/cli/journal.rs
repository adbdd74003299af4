//! The journal as users meet it: where it is, what a run says of it, who may write, and forgetting.

use crate::support::program::Said;
#[cfg(unix)]
use crate::support::program::quiet_environment;
use crate::support::program::vpipe;
use crate::support::program::vpipe_with;
use crate::support::repository::CLIP;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use vpipe::engine::journal::Journal;

const WORDS: [&str; 6] = ["run", "default", CLIP, "--first", "1s", "--json"];

fn run(folder: &Path, more: &[&str]) -> Said {
    vpipe(folder, &[&WORDS, more].concat())
}

// The journal of a run that went well, in the folder where it usually is.
fn ran() -> TempDir {
    let folder = TempDir::new().unwrap();
    let said = run(folder.path(), &[]);
    assert_eq!(said.code, 0, "{}", said.talk);
    folder
}

fn history(folder: &Path, more: &[&str]) -> Value {
    let said = vpipe(folder, &[&["history", "--json"], more].concat());
    assert_eq!(said.code, 0, "{}", said.talk);
    serde_json::from_str(&said.out).unwrap()
}

#[test]
fn a_run_stands_in_the_history() {
    let folder = ran();
    assert!(folder.path().join("output/.vpipe/journal.sqlite").is_file());
    run(folder.path(), &["--fresh"]);
    let told = history(folder.path(), &[]);
    let runs = told["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!((&runs[0]["run"], &runs[1]["run"]), (&2.into(), &1.into()));
    for run in runs {
        assert_eq!(run["recipe"], "default");
        assert_eq!((&run["done"], &run["failed"]), (&1.into(), &0.into()));
        assert_eq!(run["exit_code"], 0);
        assert_eq!(run["inputs"][0]["path"], CLIP);
        assert_eq!(run["open_jobs"], 0);
    }
    let list = vpipe(folder.path(), &["history"]).out;
    assert!(
        list.lines().count() == 2 && list.contains("default over 1 input; 1 done"),
        "{list}"
    );
    let page = vpipe(folder.path(), &["history", "1"]).out;
    assert!(page.starts_with("run 1: default over 1 input\n"), "{page}");
    let none = vpipe(folder.path(), &["history", "3"]);
    assert_eq!(none.code, 2);
    assert!(none.talk.contains("there is no run 3 in "), "{}", none.talk);
}

#[test]
fn the_journal_is_where_the_user_wants_it() {
    let folder = TempDir::new().unwrap();
    let at = |path: &str| folder.path().join(path).is_file();
    run(folder.path(), &["--state-dir", "state/of/mine"]);
    assert!(at("state/of/mine/journal.sqlite"));
    let variables = [("VPIPE_STATE_DIR", "other")];
    vpipe_with(folder.path(), &WORDS, &variables);
    assert!(at("other/journal.sqlite"));
    let told = vpipe_with(folder.path(), &["history", "--json"], &variables);
    assert!(told.out.contains("journal.sqlite"), "{}", told.talk);
    let templated = ["--output-dir", "out/{{ video.stem }}"];
    run(folder.path(), &templated);
    assert!(at("out/.vpipe/journal.sqlite") && at("out/clip/clip_results.json"));
    assert!(!at("output/.vpipe/journal.sqlite"));
    let runs = history(folder.path(), &["--state-dir", "out/.vpipe"]);
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
}

#[test]
fn a_plan_makes_no_journal() {
    let folder = TempDir::new().unwrap();
    let said = vpipe(folder.path(), &["plan", "default", CLIP]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    let none = vpipe(folder.path(), &["history"]);
    assert_eq!(none.code, 2);
    let talk = none.talk.replace('\\', "/");
    insta::assert_snapshot!(talk, @r"
    error: there is no journal in output/.vpipe
      help: a run makes one in .vpipe of its output folder; --state-dir DIR says where that is
    ");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_second_run_over_the_same_results_says_who_has_them() {
    let folder = ran();
    let state = folder.path().join("output/.vpipe");
    let results = fs::canonicalize(folder.path())
        .unwrap()
        .join("output/clip_results.json");
    let before = fs::read(&results).unwrap();
    let journal = Journal::open(&state).unwrap();
    let hold = journal
        .hold(&format!("results {}", results.display()))
        .unwrap();
    let said = run(folder.path(), &[]);
    assert_eq!(said.code, 2, "{}", said.talk);
    let who = format!("clip_results.json: process {} on ", std::process::id());
    assert!(
        said.talk
            .contains("error: another vpipe is at work on output"),
        "{}",
        said.talk
    );
    assert!(said.talk.contains(&who), "{}", said.talk);
    assert!(said.talk.contains(" since 2"), "{}", said.talk);
    assert!(
        said.talk.contains("wait for it or stop it"),
        "{}",
        said.talk
    );
    assert_eq!(fs::read(&results).unwrap(), before);
    // Elsewhere there is nobody.
    let elsewhere = run(folder.path(), &["--output-dir", "elsewhere"]);
    assert_eq!(elsewhere.code, 0, "{}", elsewhere.talk);
    drop(hold);
    assert_eq!(run(folder.path(), &[]).code, 0);
}

#[test]
fn a_journal_that_cannot_be_used_stops_a_run_before_it_begins() {
    let folder = ran();
    let journal = folder.path().join("output/.vpipe/journal.sqlite");
    let newer = rusqlite::Connection::open(&journal).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    drop(newer);
    fs::remove_file(folder.path().join("output/clip_results.json")).unwrap();
    for words in [&WORDS[..], &["history"], &["clean", "--older-than", "1d"]] {
        let said = vpipe(folder.path(), words);
        assert_eq!(said.code, 3, "{}", said.talk);
        assert!(
            said.talk.contains("is of a newer vpipe: it has format 99"),
            "{}",
            said.talk
        );
        assert!(said.talk.contains("--state-dir DIR"), "{}", said.talk);
    }
    assert!(!folder.path().join("output/clip_results.json").exists());
    fs::write(folder.path().join("file"), "").unwrap();
    let said = run(folder.path(), &["--state-dir", "file"]);
    assert_eq!(said.code, 3, "{}", said.talk);
    assert!(
        said.talk.contains("error: the journal file"),
        "{}",
        said.talk
    );
    assert!(!said.talk.contains("running default"), "{}", said.talk);
}

#[test]
fn a_damaged_journal_is_set_aside_and_the_run_goes_on() {
    let folder = ran();
    let state = folder.path().join("output/.vpipe");
    fs::write(state.join("journal.sqlite"), "damaged").unwrap();
    let history = vpipe(folder.path(), &["history"]);
    assert_eq!(history.code, 3);
    assert!(history.talk.contains("is damaged"), "{}", history.talk);
    assert!(history.talk.contains("sets it aside"), "{}", history.talk);
    let said = run(folder.path(), &[]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let talk = said.talk.replace('\\', "/");
    let told = "the journal output/.vpipe/journal.sqlite was damaged: it is now \
                output/.vpipe/journal.damaged-1.sqlite, and a new one is begun";
    assert!(talk.contains(told), "{talk}");
    assert_eq!(
        fs::read(state.join("journal.damaged-1.sqlite")).unwrap(),
        b"damaged"
    );
}

#[test]
fn clean_says_what_it_forgot() {
    let folder = ran();
    let said = vpipe(folder.path(), &["clean", "--older-than", "0s"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(
        said.out.contains(" forgotten, 0 answers kept; output"),
        "{}",
        said.out
    );
    let vague = vpipe(folder.path(), &["clean", "--older-than", "long"]);
    assert_eq!(vague.code, 2);
    assert!(
        vague.talk.contains("write it as 30d, 12h or 0s"),
        "{}",
        vague.talk
    );
    // What ran stays known.
    assert_eq!(
        history(folder.path(), &[])["runs"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let state = folder.path().join("output/.vpipe");
    let journal = Journal::open(&state).unwrap();
    let start = vpipe::engine::journal::RunStart {
        recipe: "default".to_owned(),
        recipe_digest: String::new(),
        inputs: Vec::new(),
    };
    journal.begin(&start).unwrap();
    let busy = vpipe(folder.path(), &["clean", "--older-than", "0s"]);
    assert_eq!(busy.code, 2, "{}", busy.talk);
    assert!(
        busy.talk.contains("run 2 still goes on and uses "),
        "{}",
        busy.talk
    );
}

#[test]
fn the_folder_of_a_journal_is_no_input() {
    let folder = ran();
    let output = folder.path().join("output");
    fs::copy(CLIP, output.join("a.mp4")).unwrap();
    let said = vpipe(
        folder.path(),
        &["run", "default", "output", "--first", "1s"],
    );
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(
        said.talk.contains("running default over 1 input"),
        "{}",
        said.talk
    );
    assert!(!said.talk.contains("left out"), "{}", said.talk);
}

#[cfg(unix)]
#[test]
fn a_journal_that_the_disk_has_no_room_for_stops_a_run_before_it_begins() {
    let folder = TempDir::new().unwrap();
    let script = "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"";
    let mut command = std::process::Command::new("sh");
    quiet_environment(&mut command);
    let command = command.current_dir(folder.path());
    let command = command.args(["-c", script, env!("CARGO_BIN_EXE_vpipe")]);
    let output = command.args(WORDS).output().unwrap();
    let talk = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{talk}");
    assert!(
        talk.starts_with("error: the journal output/.vpipe/journal.sqlite cannot be used: "),
        "{talk}"
    );
    assert!(talk.contains("--state-dir DIR"), "{talk}");
}

#[cfg(unix)]
#[test]
fn a_link_leads_no_journal_out_of_the_folder() {
    let folder = TempDir::new().unwrap();
    let elsewhere = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("output")).unwrap();
    let link = folder.path().join("output/.vpipe");
    std::os::unix::fs::symlink(elsewhere.path(), link).unwrap();
    let said = run(folder.path(), &[]);
    assert_eq!(said.code, 2, "{}", said.talk);
    assert!(
        said.talk.contains("is not written: it is outside of"),
        "{}",
        said.talk
    );
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
}
