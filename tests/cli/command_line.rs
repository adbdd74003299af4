//! The program as users meet it: words in, text and an exit code out.

use crate::support::program::vpipe;
use crate::support::snapshots::settings;
use std::path::Path;
use std::process::Stdio;

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
            ("help_show", vec!["show", "--help"]),
            ("help_schema", vec!["schema", "--help"]),
            ("help_init", vec!["init", "--help"]),
            ("help_completions", vec!["completions", "--help"]),
            ("help_history", vec!["history", "--help"]),
            ("help_compare", vec!["compare", "--help"]),
            ("help_clean", vec!["clean", "--help"]),
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
            "nothing matches `nothing/*.mp4`",
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
