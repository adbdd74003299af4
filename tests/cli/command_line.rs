//! The program as users meet it: words in, text and an exit code out.

use crate::support::program::vpipe;
use crate::support::snapshots::settings;
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use tempfile::TempDir;

fn said(words: &[&str]) -> (String, String, i32) {
    let said = vpipe(Path::new(env!("CARGO_MANIFEST_DIR")), words);
    (said.out, said.talk, said.code)
}

#[test]
fn help_teaches() {
    settings().bind(|| {
        for (name, words) in [
            ("help", vec!["--help"]),
            ("help_run", vec!["run", "--help"]),
            ("help_run_short", vec!["run", "-h"]),
            ("help_check", vec!["check", "--help"]),
            ("help_plan", vec!["plan", "--help"]),
            ("help_graph", vec!["graph", "--help"]),
            ("help_try", vec!["try", "--help"]),
            ("help_test", vec!["test", "--help"]),
            ("help_show", vec!["show", "--help"]),
            ("help_schema", vec!["schema", "--help"]),
            ("help_init", vec!["init", "--help"]),
            ("help_completions", vec!["completions", "--help"]),
            ("help_history", vec!["history", "--help"]),
            ("help_compare", vec!["compare", "--help"]),
            ("help_annotate", vec!["annotate", "--help"]),
            ("help_find", vec!["find", "--help"]),
            ("help_report", vec!["report", "--help"]),
            ("help_convert", vec!["convert", "--help"]),
            ("help_clean", vec!["clean", "--help"]),
            ("help_serve", vec!["serve", "--help"]),
            ("help_worker", vec!["worker", "--help"]),
            ("help_models", vec!["models", "--help"]),
            ("help_doctor", vec!["doctor", "--help"]),
        ] {
            let (out, talk, code) = said(&words);
            assert_eq!((talk.as_str(), code), ("", 0), "{words:?}");
            insta::assert_snapshot!(name, out);
        }
    });
}

#[test]
fn wrong_words_end_with_2_and_one_message() {
    for (words, message) in [
        (vec!["fly"], "unrecognized subcommand 'fly'"),
        (vec!["run", "default"], "<INPUT>..."),
        (
            vec!["run", "default", "a.mp4", "--fast"],
            "unexpected argument '--fast'",
        ),
        (
            vec!["run", "default", "a.mp4", "--first", "soon"],
            "write it as 30s, 2m, 1m30s",
        ),
        (
            vec!["run", "default", "a.mp4", "--max-cost", "cheap"],
            "write it in US dollars",
        ),
        (
            vec!["run", "default", "a.mp4", "--deadline", "-1"],
            "unexpected argument '-1'",
        ),
        (
            vec!["run", "default", "nothing/*.mp4"],
            "nothing matches `nothing/*.mp4`; the name of a folder stands for all of its videos",
        ),
        (
            vec!["run", "default", "a.mp4", "--first", "0"],
            "it has to be more than nothing; write it as 30s",
        ),
        (
            vec!["run", "default", "a.mp4", "--fps", "0,5"],
            "invalid value '0,5' for '--fps <N>': write 0.5",
        ),
        (
            vec!["run", "default", "a.mp4", "--max-workers", "many"],
            "write a whole number, such as 5",
        ),
        (
            vec!["run", "default", "no-folder/a.mp4"],
            "there is no folder `no-folder` either",
        ),
        (
            vec!["graph", "default", "--format", "png"],
            "[possible values: text, mermaid, dot]",
        ),
    ] {
        let (out, talk, code) = said(&words);
        assert_eq!((out.as_str(), code), ("", 2), "{words:?}: {talk}");
        assert!(talk.starts_with("error: "), "{words:?}: {talk}");
        assert!(talk.contains(message), "{words:?}: {talk}");
    }
}

#[test]
fn without_words_it_says_what_it_can_do() {
    let (out, talk, code) = said(&[]);
    assert_eq!((out.as_str(), code), ("", 2));
    assert!(talk.contains("Usage: vpipe [OPTIONS] <COMMAND>"), "{talk}");
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_vpipe"))
        .arg("--help")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn a_file_of_nearly_that_name_is_named() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("holiday.mp4"), "").unwrap();
    std::fs::write(folder.path().join("holiday.toml"), "version = 1").unwrap();
    std::fs::write(
        folder.path().join("more.toml"),
        "version = 1\nextends = \"holiday\"",
    )
    .unwrap();
    for recipe in ["holyday.toml", "holiday", "more.toml"] {
        let said = vpipe(folder.path(), &["run", recipe, "holiday.mp4"]);
        let help = "help: did you mean `holiday.toml`?\n";
        assert!(said.talk.contains(help) && said.code == 2, "{}", said.talk);
    }
    let said = vpipe(folder.path(), &["run", "default", "holyday.mp4"]);
    assert_eq!(
        (said.talk.as_str(), said.code),
        (
            "error: there is no file or folder `holyday.mp4`\n  help: did you mean `holiday.mp4`?\n",
            2
        )
    );
}

// Every command that writes JSON, with a mistake in its recipe, its files and its words.
#[test]
fn mistakes_are_json_where_json_is_asked_for() {
    let folder = TempDir::new().unwrap();
    let recipe = "version = 1\nextends = \"default\"\n[stages.yolo]\nconf = 1.5\n";
    std::fs::write(folder.path().join("bad.toml"), recipe).unwrap();
    for (words, error, place) in [
        (
            vec!["run", "bad.toml", "a.mp4"],
            "`conf` cannot be 1.5",
            Some(4),
        ),
        (
            vec!["plan", "bad.toml", "a.mp4"],
            "`conf` cannot be 1.5",
            Some(4),
        ),
        (vec!["check", "bad.toml"], "`conf` cannot be 1.5", Some(4)),
        (
            vec!["run", "default", "a.mp4"],
            "there is no file or folder `a.mp4`",
            None,
        ),
        (
            vec!["plan", "default", "b*.mp4"],
            "nothing matches `b*.mp4`",
            None,
        ),
        (
            vec!["check", "none.toml"],
            "the recipe none.toml cannot be read",
            None,
        ),
        (
            vec!["history"],
            "there is no journal in output/.vpipe",
            None,
        ),
        (
            vec!["compare", "a.json", "b.json"],
            "a.json cannot be read",
            None,
        ),
        (
            vec!["run", "default"],
            "the following required arguments",
            None,
        ),
        (
            vec!["doctor", "--mend"],
            "unexpected argument '--mend'",
            None,
        ),
    ] {
        let said = vpipe(folder.path(), &[&words[..], &["--json"]].concat());
        assert_eq!(said.code, 2, "{words:?}");
        // Beside JSON only a run talks to people.
        let talks = words[0] == "run";
        assert_eq!(said.talk.contains(error), talks, "{words:?}: {}", said.talk);
        assert_eq!(said.talk.is_empty(), !talks, "{words:?}: {}", said.talk);
        let told: Value = serde_json::from_str(&said.out).unwrap();
        let first = &told["diagnostics"][0];
        let text = told["error"].as_str().unwrap();
        assert!(text.starts_with(error), "{words:?}: {told}");
        assert_eq!(
            (&first["message"], &first["help"]),
            (&told["error"], &told["help"])
        );
        assert_eq!(told["exit_code"], 2, "{words:?}: {told}");
        assert_eq!(
            first["places"][0]["line"].as_u64(),
            place,
            "{words:?}: {told}"
        );
    }
    // The command that is meant is the cure.
    let said = vpipe(folder.path(), &["run", "clip.mp4", "--json"]);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["help"], "`vpipe run default clip.mp4`");
}
