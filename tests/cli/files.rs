//! Files that a run writes: several runs at once into one folder, a folder that the user names, and
//! results whose place is taken while the run goes on.

use crate::support::program;
use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use tempfile::TempDir;

const FRAMES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/recipes/examples/frames.toml");

#[test]
fn six_runs_at_once_write_into_one_folder() {
    let folder = TempDir::new().unwrap();
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vpipe"));
        program::quiet_environment(&mut command);
        command.current_dir(folder.path());
        command.args(["run", FRAMES, CLIP, "--first", "4s", "--fps", "10"]);
        command.args(["--output-dir", "all"]);
        command.stderr(Stdio::piped()).stdout(Stdio::piped());
        command.spawn().unwrap()
    };
    let runs: Vec<_> = (0..6).map(|_| start()).collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        let talk = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{talk}");
    }
    let frames = folder.path().join("all/clip_frames");
    let names = fs::read_dir(frames).unwrap();
    let names: BTreeSet<_> = names.map(|it| it.unwrap().file_name()).collect();
    assert_eq!(names.len(), 40, "{names:?}");
    for name in names {
        let name = name.into_string().unwrap();
        assert!(name.ends_with(".jpg"), "{name}");
    }
}

#[test]
fn the_user_may_name_any_folder() {
    let top = TempDir::new().unwrap();
    let work = top.path().join("work");
    fs::create_dir(&work).unwrap();
    let recipe = "version = 1\n[stages.extract]\n[stages.save]\ninputs = [\"extract\"]\n\
                  output_dir = \"../of-the-recipe\"\n";
    fs::write(work.join("r.toml"), recipe).unwrap();
    let words = ["run", "r.toml", CLIP, "--first", "1s"];
    let run = |more: &[&str]| vpipe(&work, &[&words, more].concat());
    let refused = run(&[]);
    assert_eq!(refused.code, 2, "{}", refused.talk);
    assert!(
        refused.talk.contains("--output-dir DIR"),
        "{}",
        refused.talk
    );
    for (more, made) in [
        (["--output-dir", "../flag"], "flag"),
        (["--set", "save.output_dir=../set"], "set"),
        (["--output-dir", "../{{ video.stem }}"], "clip"),
    ] {
        let said = run(&more);
        assert_eq!(said.code, 0, "{}", said.talk);
        assert!(top.path().join(made).join("clip_frames").is_dir(), "{made}");
    }
    assert!(!top.path().join("of-the-recipe").exists());
}

// The second frame goes where the results of the run would: when these come, a folder is in their
// place.
#[test]
fn results_whose_place_is_taken_are_kept_elsewhere() {
    let folder = TempDir::new().unwrap();
    let recipe = "version = 1\n[stages.extract]\n[stages.save]\ninputs = [\"extract\"]\n\
                  name = \"{{ 'clip_results.json/' if frame.index == '000001' }}{{ frame.index }}\"\n\
                  [stages.merge]\ninputs = [\"save\"]\n";
    fs::write(folder.path().join("r.toml"), recipe).unwrap();
    let temporary = TempDir::new().unwrap();
    let name = if cfg!(windows) { "TMP" } else { "TMPDIR" };
    let variables = [(name, temporary.path().to_str().unwrap())];
    let words = ["run", "r.toml", CLIP, "--first", "2s", "--json"];
    let said = program::vpipe_with(folder.path(), &words, &variables);
    assert_eq!(said.code, 3, "{}", said.talk);
    assert!(
        said.talk.contains("the results are kept in"),
        "{}",
        said.talk
    );
    let outcome: Value = serde_json::from_str(&said.out).unwrap();
    let kept = Path::new(outcome["videos"][0]["results"].as_str().unwrap());
    let inside = fs::canonicalize(kept).unwrap();
    assert!(inside.starts_with(fs::canonicalize(temporary.path()).unwrap()));
    let results: Value = serde_json::from_slice(&fs::read(kept).unwrap()).unwrap();
    assert_eq!(results["detections"].as_array().unwrap().len(), 2);
}
