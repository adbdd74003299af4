//! The house rules: heads of files, imports, globals, panics, the screen, channels.

use crate::rule::Rule;
use crate::rule::find;
use crate::scan::lines;
use crate::scan::words;

/// All of them.
pub(crate) const RULES: &[Rule] = &[
    EVERY_KIND,
    HEAD,
    PLAIN_IMPORTS,
    NOTHING_BUT_MODULES,
    NO_GLOBALS,
    NO_PANICS,
    NO_PRINTING,
    BOUNDED_CHANNELS,
];

/// ONNX Runtime has one environment a process, whoever asks, and cannot make another after it is
/// gone; and a process has one allocator. No other file has such an excuse.
pub(crate) const ONE_A_PROCESS: [&str; 2] =
    ["src/backends/engine/ort.rs", "src/backends/engine/heap.rs"];

/// A file says in its first line what it is.
pub(crate) const HEAD: Rule = Rule {
    check: |file| match file.text.starts_with("//! ") {
        true => Vec::new(),
        false => vec![(1, "does not start with `//! ` and what it is".to_owned())],
    },
    broken_by: &[
        ("src/time.rs", "use std::fmt;\n", "does not start with"),
        ("src/time.rs", "/// A time.\n", "does not start with"),
    ],
    kept_by: &[("src/time.rs", "//! Times.\n")],
};

const PLAIN_IMPORTS: Rule = Rule {
    check: |file| {
        let mut breaches = Vec::new();
        for (number, line) in lines(&file.code).filter(|(_, line)| is_import(line)) {
            if line.trim_end().ends_with("::*;") {
                breaches.push((number, "imports everything; name what is meant".to_owned()));
            }
            if line.contains('{') {
                let what = "imports a group; write one `use` an item";
                breaches.push((number, what.to_owned()));
            }
        }
        breaches
    },
    broken_by: &[
        ("src/a.rs", "use super::*;", "imports everything"),
        ("src/a.rs", "pub use crate::item::*;", "imports everything"),
        (
            "src/a.rs",
            "use crate::item::{Item, Frame};",
            "imports a group",
        ),
        (
            "src/a.rs",
            "pub(crate) use crate::item::{",
            "imports a group",
        ),
    ],
    kept_by: &[("src/a.rs", "use crate::item::Item;\nlet a = b.use_it({});")],
};

const NOTHING_BUT_MODULES: Rule = Rule {
    check: |file| {
        if !file.path.ends_with("/mod.rs") && file.path != "src/lib.rs" {
            return Vec::new();
        }
        let told = "holds more than docs, `mod` and `pub use`".to_owned();
        lines(&file.live)
            .filter(|(_, line)| !is_listing(line.trim()))
            .map(|(number, _)| (number, told.clone()))
            .collect()
    },
    broken_by: &[
        ("src/engine/mod.rs", "fn f() {}", "holds more than"),
        (
            "src/engine/mod.rs",
            "use crate::item::Item;",
            "holds more than",
        ),
        ("src/lib.rs", "pub struct A;", "holds more than"),
    ],
    kept_by: &[
        (
            "src/engine/mod.rs",
            "mod lane;\n#[cfg(unix)]\npub mod a;\npub use lane::Lane;",
        ),
        (
            "src/engine/mod.rs",
            "//! Words.\n#[cfg(test)]\nmod tests;\n",
        ),
        (
            "src/lib.rs",
            "//! Words.\n#![doc = include_str!(\"README.md\")]\npub mod a;\n",
        ),
        ("src/engine/lane.rs", "fn f() {}"),
    ],
};

const NO_GLOBALS: Rule = Rule {
    check: |file| {
        if ONE_A_PROCESS.contains(&file.path.as_str()) {
            return Vec::new();
        }
        let stateful = ["Mutex", "RwLock", "Once", "Lazy", "Atomic", "Cell", "mut "];
        let mut breaches = Vec::new();
        for (number, line) in lines(&file.live) {
            for (before, word, after) in words(line) {
                let is_item = word == "static" && !before.ends_with('\'');
                let holds_state = is_item && stateful.iter().any(|kind| after.contains(kind));
                if holds_state || ["thread_local", "lazy_static"].contains(&word) {
                    let what = "a global with state; pass it as an argument";
                    breaches.push((number, what.to_owned()));
                }
            }
        }
        breaches
    },
    broken_by: &[
        (
            "src/a.rs",
            "static SEEN: Mutex<u32> = Mutex::new(0);",
            "a global",
        ),
        (
            "src/a.rs",
            "pub static SEEN: AtomicU64 = AtomicU64::new(0);",
            "a global",
        ),
        ("src/a.rs", "static mut SEEN: u32 = 0;", "a global"),
        ("src/a.rs", "thread_local! { }", "a global"),
    ],
    kept_by: &[
        ("src/a.rs", "static NAMES: [&str; 2] = [a, b];"),
        ("src/a.rs", "fn f(text: &'static Mutex<u32>) {}"),
        (
            ONE_A_PROCESS[0],
            "static MADE: OnceLock<bool> = OnceLock::new();",
        ),
    ],
};

const NO_PANICS: Rule = Rule {
    check: |file| {
        let panics = [
            ".unwrap()",
            ".expect(",
            ".unwrap_err()",
            ".expect_err(",
            "panic!(",
            "todo!(",
            "unimplemented!(",
            "unreachable!(",
        ];
        let told = |panic: &str| {
            let what = format!("`{panic}` may end the program; return an error");
            find(&file.live, panic, &what)
        };
        panics.into_iter().flat_map(told).collect()
    },
    broken_by: &[
        ("src/a.rs", "let x = y.unwrap();", "return an error"),
        ("src/a.rs", "let x = y.expect(text);", "return an error"),
        ("src/a.rs", "panic!(text)", "return an error"),
        ("src/a.rs", "unreachable!()", "return an error"),
        (
            "src/a.rs",
            "#[cfg(test)]\nmod tests { fn f() {} }\nfn g() { y.unwrap() }",
            "a.rs:3: `.unwrap()`",
        ),
        (
            "src/a.rs",
            "fn f<'a>(x: &'a str) { ('\"', '\\'', y.unwrap()) }",
            "`.unwrap()`",
        ),
    ],
    kept_by: &[
        ("src/a.rs", "let x = y.unwrap_or_default();"),
        ("src/a.rs", "// y.unwrap()"),
        ("src/a.rs", "/* y.unwrap() /* nested */ y.unwrap() */"),
        ("src/a.rs", "let x = \"\\\" y.unwrap()\";"),
        ("src/a.rs", "let x = r#\"\" y.unwrap()\"#;"),
        (
            "src/a.rs",
            "#[cfg(test)]\nmod tests {\n fn f() { y.unwrap() }\n}",
        ),
        ("src/a.rs", "#[cfg(test)]\nmod tests;"),
        ("src/a/tests.rs", "y.unwrap()"),
    ],
};

const NO_PRINTING: Rule = Rule {
    check: |file| {
        if ["cli", "main"].contains(&file.room()) {
            return Vec::new();
        }
        let prints = ["print", "println", "eprint", "eprintln", "dbg"];
        lines(&file.live)
            .filter(|(_, line)| {
                words(line)
                    .any(|(_, word, after)| prints.contains(&word) && after.starts_with("!("))
            })
            .map(|(number, _)| (number, "only cli may print; give an `Event`".to_owned()))
            .collect()
    },
    broken_by: &[
        ("src/engine/lane.rs", "println!(text)", "only cli may print"),
        ("src/engine/lane.rs", "dbg!(text)", "only cli may print"),
    ],
    kept_by: &[
        ("src/engine/lane.rs", "writeln!(out)"),
        ("src/cli/streams.rs", "println!(text)"),
    ],
};

// A new kind of stage or backend is met by the compiler wherever it matters.
const EVERY_KIND: Rule = Rule {
    check: |file| {
        let kinds = [
            "StageSpec::",
            "StageKind::",
            "BackendSpec::",
            "BackendKind::",
        ];
        let code: Vec<(usize, &str)> = lines(&file.live).collect();
        let depth = |line: &str| line.len() - line.trim_start().len();
        let mut breaches = Vec::new();
        for (at, (number, line)) in code.iter().enumerate() {
            if !line.trim_start().starts_with("_ =>") {
                continue;
            }
            let before = code[..at].iter().rev().map(|(_, line)| *line);
            let of_match = before.take_while(|it| it.trim().is_empty() || depth(it) >= depth(line));
            let mut arms = of_match.filter(|it| depth(it) == depth(line));
            if arms.any(|arm| kinds.iter().any(|kind| arm.contains(kind))) {
                breaches.push((*number, "`_ =>` over kinds; name each of them".to_owned()));
            }
        }
        breaches
    },
    broken_by: &[(
        "src/plan/a.rs",
        "fn f() {\n    match spec {\n        StageSpec::Yolo(_) => {\n            1\n        }\n        _ => 2,\n    }\n}",
        "over kinds",
    )],
    kept_by: &[(
        "src/plan/a.rs",
        "fn f() {\n    match spec {\n        StageSpec::Yolo(it) => match it {\n            1 => 1,\n            _ => 2,\n        },\n        StageSpec::Http(_) => 2,\n    }\n}",
    )],
};

// Memory is a computed number, so every channel has a bound. `oneshot::channel()` has: one.
const BOUNDED_CHANNELS: Rule = Rule {
    check: |file| {
        let mut breaches = Vec::new();
        for (number, line) in lines(&file.code) {
            for (before, word, after) in words(line) {
                let is_unbounded = match word {
                    // The channel of the standard library takes no bound, by whatever name.
                    "channel" if before.ends_with("std::sync::mpsc::") => true,
                    "channel" if before.ends_with("oneshot::") => false,
                    "channel" => takes_nothing(after),
                    _ => word.starts_with("unbounded"),
                };
                if is_unbounded {
                    let what = "a channel without a bound; memory is a computed number";
                    breaches.push((number, what.to_owned()));
                }
            }
        }
        breaches
    },
    broken_by: &[
        (
            "src/a.rs",
            "use std::sync::mpsc::channel;",
            "without a bound",
        ),
        (
            "src/a.rs",
            "use std::sync::mpsc::channel as pipe;",
            "without a bound",
        ),
        ("src/a.rs", "let (a, b) = channel();", "without a bound"),
        (
            "src/a.rs",
            "let (a, b) = mpsc::channel();",
            "without a bound",
        ),
        (
            "src/a.rs",
            "let (a, b) = mpsc::channel::<u8>();",
            "without a bound",
        ),
        (
            "src/a.rs",
            "let (a, b) = channel::<Vec<u8>>();",
            "without a bound",
        ),
        (
            "src/a.rs",
            "let (a, b) = mpsc::unbounded_channel();",
            "without a bound",
        ),
        (
            "src/a.rs",
            "use tokio::sync::mpsc::UnboundedSender;\nlet a = unbounded();",
            "without a bound",
        ),
    ],
    kept_by: &[
        ("src/a.rs", "let (a, b) = mpsc::channel(8);"),
        (
            "src/a.rs",
            "use std::sync::mpsc::sync_channel;\nlet (a, b) = sync_channel(8);",
        ),
        ("src/a.rs", "let (a, b) = oneshot::channel();"),
        (
            "src/a.rs",
            "use tokio::sync::mpsc::channel;\nlet (a, b) = channel::<u8>(8);",
        ),
        ("src/a.rs", "let layout = frame.channel_layout();"),
    ],
};

fn is_import(line: &str) -> bool {
    let line = line.trim();
    line.starts_with("use ") || line.starts_with("pub") && line.contains(" use ")
}

fn is_listing(line: &str) -> bool {
    let starts = [
        "mod ",
        "pub mod ",
        "pub use ",
        "pub(crate) mod ",
        "pub(super) mod ",
        "pub(super) use ",
        "pub(crate) use ",
        "pub(in ",
        "#[",
        "#![doc = include_str!(",
    ];
    line.is_empty() || starts.iter().any(|start| line.starts_with(start))
}

// Whether a call has no arguments, types aside.
fn takes_nothing(after: &str) -> bool {
    let call = match after.strip_prefix("::<") {
        Some(types) => types.split_once(">(").map(|(_, arguments)| arguments),
        None => after.strip_prefix('('),
    };
    call.is_some_and(|arguments| arguments.starts_with(')'))
}
