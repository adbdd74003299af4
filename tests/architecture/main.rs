//! The rooms and floors of the source (see `src/lib.rs`), and the house rules, held by a scan.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a scan that fails on a file fails the test"
)]

mod rules;
mod scan;

use rules::RULES;
use scan::File;
use scan::blank;
use std::fs;
use std::path::Path;

fn breaches(file: &File) -> Vec<String> {
    let breaches = RULES.iter().flat_map(|rule| rule(file));
    breaches
        .map(|(line, what)| format!("{}:{line}: {what}", file.path))
        .collect()
}

fn collect(folder: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            let text = fs::read_to_string(&path).unwrap();
            files.push(File::new(&name.replace('\\', "/"), &text));
        }
    }
}

#[test]
fn the_source_keeps_the_house_rules() {
    let mut files = Vec::new();
    collect(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
        &mut files,
    );
    assert!(files.len() > 20, "the source was not found");
    let mut all: Vec<String> = files.iter().flat_map(breaches).collect();
    all.sort();
    assert!(all.is_empty(), "\n{}\n", all.join("\n"));
}

// What a file at `path` with this line in it breaks.
fn broken(path: &str, line: &str) -> String {
    breaches(&File::new(path, &format!("//! A room.\n{line}\n"))).join("; ")
}

#[test]
fn floors_are_held() {
    let upward = broken("src/engine/lane.rs", "use crate::stages::Yolo;");
    assert_eq!(
        upward,
        "src/engine/lane.rs:2: engine (floor 3) uses stages (floor 4)"
    );
    for (path, line) in [
        ("src/engine/lane.rs", "fn f() -> crate::output::Results {}"),
        ("src/plan/lower.rs", "use crate::media::input::probe;"),
        ("src/time.rs", "use crate::recipe::Recipe;"),
        ("src/cli/run.rs", "use crate::main::x;"),
        ("src/plan/tests.rs", "use crate::engine::run;"),
    ] {
        assert!(broken(path, line).contains("(floor "), "{path}: {line}");
    }
    for (path, line) in [
        ("src/engine/lane.rs", "use crate::plan::Plan;"),
        ("src/engine/lane.rs", "use crate::engine::Stop;"),
        ("src/item.rs", "use crate::time::Pts;"),
        ("src/main.rs", "use vpipe::cli::main;"),
    ] {
        assert_eq!(broken(path, line), "", "{path}: {line}");
    }
    assert!(broken("src/attic/a.rs", "").contains("has no floor"));
    assert!(broken("src/engine/lane.rs", "use super::super::plan::Plan;").contains("climbs out"));
    assert!(broken("src/engine/mod.rs", "pub use super::plan::Plan;").contains("climbs out"));
    assert_eq!(
        broken("src/backends/local/a.rs", "use super::super::http::X;"),
        ""
    );
}

#[test]
fn foreign_crates_are_confined() {
    for (path, line) in [
        ("src/app/run.rs", "use clap::Parser;"),
        ("src/backends/local/yolo.rs", "use reqwest::Client;"),
        ("src/engine/run.rs", "fn f(db: &rusqlite::Connection) {}"),
        ("src/media/decode.rs", "#[tokio::main]"),
        ("src/plan/lower.rs", "use toml;"),
        ("src/plan/lower.rs", "use ::ort::session::Session;"),
        ("src/cli/run.rs", "async fn f() { tokio::spawn(g()) }"),
    ] {
        assert!(broken(path, line).contains("belongs in"), "{path}: {line}");
    }
    for (path, line) in [
        ("src/engine/journal.rs", "use rusqlite::Connection;"),
        ("src/backends/transport/http.rs", "use reqwest::Client;"),
        (
            "src/plan/lower.rs",
            "let toml = crate::recipe::toml::parse(rten);",
        ),
    ] {
        assert_eq!(broken(path, line), "", "{path}: {line}");
    }
    let leak = broken("src/media/mod.rs", "pub use ffmpeg_next::Rational;");
    assert!(leak.contains("may not leave"), "{leak}");
    assert!(broken("src/engine/lane.rs", "unsafe { f() }").contains("`unsafe` belongs in"));
    assert_eq!(broken("src/media/ffmpeg.rs", "unsafe { f() }"), "");
}

#[test]
fn house_rules_are_held() {
    for (line, what) in [
        ("use super::*;", "imports everything"),
        ("use crate::item::{Item, Frame};", "imports a group"),
        ("static SEEN: Mutex<u32> = Mutex::new(0);", "a global"),
        ("static mut SEEN: u32 = 0;", "a global"),
        ("thread_local! { }", "a global"),
        ("let x = y.unwrap();", "return an error"),
        ("let x = y.expect(text);", "return an error"),
        ("panic!(text)", "return an error"),
        ("println!(text)", "only cli may print"),
        ("let (a, b) = mpsc::unbounded_channel();", "without a bound"),
        ("let (a, b) = mpsc::channel();", "without a bound"),
    ] {
        let broken = broken("src/engine/lane.rs", line);
        assert!(broken.contains(what), "{line}: {broken}");
    }
    for line in [
        "static NAMES: [&str; 2] = [a, b];",
        "fn f(text: &'static Mutex<u32>) {}",
        "let x = y.unwrap_or_default();",
        "let (a, b) = mpsc::channel(8);",
        "writeln!(out)",
    ] {
        assert_eq!(broken("src/engine/lane.rs", line), "", "{line}");
    }
    assert_eq!(broken("src/cli/streams.rs", "println!(text)"), "");
    assert!(broken("src/engine/mod.rs", "fn f() {}").contains("holds more than"));
    assert_eq!(
        broken("src/engine/mod.rs", "mod lane;\npub use lane::Lane;"),
        ""
    );
    let bare = breaches(&File::new("src/time.rs", "use std::fmt;\n"));
    assert!(bare[0].contains("does not start with"), "{bare:?}");
    assert!(broken("src/time.rs", &"\n".repeat(500)).contains("at most 500"));
}

#[test]
fn comments_texts_and_tests_are_not_code() {
    for line in [
        "// y.unwrap()",
        "/* y.unwrap() /* nested */ y.unwrap() */",
        "let x = \"\\\" y.unwrap()\";",
        "let x = r#\"\" y.unwrap()\"#;",
        "#[cfg(test)]\nmod tests {\n fn f() { y.unwrap() }\n}",
        "#[cfg(test)]\nmod tests;",
    ] {
        assert_eq!(broken("src/engine/lane.rs", line), "", "{line}");
    }
    let after = "#[cfg(test)]\nmod tests { fn f() {} }\nfn g() { y.unwrap() }";
    assert!(broken("src/engine/lane.rs", after).contains("lane.rs:4: `.unwrap()`"));
    let quotes = "fn f<'a>(x: &'a str) { ('\"', '\\'', y.unwrap()) }";
    assert!(broken("src/engine/lane.rs", quotes).contains("`.unwrap()`"));
    assert_eq!(blank("a\"b\nc\"d // e\nf"), "a  \n  d     \nf");
    assert_eq!(broken("src/plan/lower/tests.rs", "y.unwrap()"), "");
    let long = format!("#[cfg(test)]\nmod tests {{\n{}}}", "f();\n".repeat(600));
    assert_eq!(broken("src/time.rs", &long), "");
}
