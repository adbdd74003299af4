//! Rooms, their floors, and the foreign crates that live in one of them.

use crate::rule::Rule;
use crate::rule::find;
use crate::scan::lines;
use crate::scan::words;

/// All of them.
pub(crate) const RULES: &[Rule] = &[DOWN_ONLY, BY_FULL_NAME, CRATES_AT_HOME, UNSAFE_AT_HOME];

/// The floor of every room. The rooms of floor 0 are one vocabulary and may use each other; of
/// the others, none may use another of its own floor.
const FLOORS: &[(&str, u8)] = &[
    ("main", 7),
    ("cli", 7),
    ("serve", 6),
    ("app", 5),
    ("stages", 4),
    ("engine", 3),
    ("output", 3),
    ("plan", 2),
    ("media", 2),
    ("backends", 2),
    ("recipe", 1),
    ("answer", 0),
    ("diag", 0),
    ("disk", 0),
    ("duration", 0),
    ("event", 0),
    ("exchange", 0),
    ("facts", 0),
    ("failure", 0),
    ("item", 0),
    ("name", 0),
    ("speech", 0),
    ("template", 0),
    ("time", 0),
];

/// Where a foreign crate may be named.
const HOMES: &[(&str, &[&str])] = &[
    ("clap", &["src/cli/"]),
    ("axum", &["src/serve/"]),
    ("clap_complete", &["src/cli/"]),
    ("console", &["src/cli/"]),
    ("indicatif", &["src/cli/"]),
    ("textwrap", &["src/cli/"]),
    ("miette", &["src/cli/"]),
    ("dotenvy", &["src/app/"]),
    ("tracing_subscriber", &["src/cli/"]),
    ("jiff", &["src/app/", "src/cli/"]),
    ("glob", &["src/app/", "src/cli/"]),
    ("opener", &["src/app/report.rs"]),
    ("walkdir", &["src/app/test/find.rs"]),
    (
        "pathdiff",
        &["src/app/test/new.rs", "src/output/page/address.rs"],
    ),
    ("quick_junit", &["src/cli/test/junit.rs"]),
    ("tokio", ASYNC),
    ("futures_util", ASYNC),
    ("icu_segmenter", &["src/output/formats/", "src/speech/"]),
    ("unicode_normalization", &["src/output/find/words.rs"]),
    ("unicode_width", &["src/output/formats/"]),
    (
        "pathfinding",
        &["src/output/compare/boxes.rs", "src/stages/track/assign.rs"],
    ),
    ("libm", &["src/stages/track/"]),
    ("parquet", &["src/output/formats/"]),
    ("rapidfuzz", &["src/output/compare/words.rs"]),
    ("similar", &["src/output/compare/words.rs"]),
    ("tempfile", &["src/output/", "src/serve/handlers/sound.rs"]),
    ("fs4", &["src/disk.rs"]),
    ("file_id", &["src/output/", "src/engine/journal/stamp.rs"]),
    ("backon", &["src/engine/", "src/serve/worker/pauses.rs"]),
    ("rusqlite", &["src/engine/journal/"]),
    ("gethostname", &["src/engine/journal/hold.rs"]),
    ("petgraph", &["src/plan/"]),
    ("ffmpeg_next", &["src/media/"]),
    ("turbojpeg", &["src/media/"]),
    ("png", &["src/media/"]),
    ("ab_glyph", &["src/media/draw/"]),
    ("hyper", &["src/serve/http/connections.rs"]),
    (
        "hyper_util",
        &[
            "src/backends/transport/access.rs",
            "src/serve/http/connections.rs",
        ],
    ),
    (
        "reqwest",
        &[
            "src/backends/transport/http.rs",
            "src/backends/transport/clients.rs",
        ],
    ),
    ("rustls", &["src/backends/transport/clients.rs"]),
    (
        "rustls_platform_verifier",
        &["src/backends/transport/clients.rs"],
    ),
    (
        "base64",
        &[
            "src/backends/",
            "src/output/page/page.rs",
            "src/serve/handlers/file.rs",
        ],
    ),
    ("httpdate", &["src/backends/transport/retry_after.rs"]),
    ("rten", &["src/backends/engine/"]),
    ("rten_tensor", &["src/backends/engine/"]),
    ("ort", &["src/backends/engine/"]),
    ("half", &["src/backends/engine/"]),
    ("rayon", &["src/backends/engine/"]),
    ("realfft", &["src/backends/models/whisper/mel.rs"]),
    ("flate2", &["src/backends/models/whisper/fallback.rs"]),
    ("toml", &["src/recipe/"]),
    ("schemars", &["src/recipe/"]),
    ("strsim", &["src/diag.rs"]),
    ("minijinja", &["src/template/"]),
];

/// The crates that may be named everywhere.
const FREE: &[&str] = &[
    "bytes",
    "serde",
    "serde_json",
    "thiserror",
    "tracing",
    "blake3",
];

const ASYNC: &[&str] = &[
    "src/engine/",
    "src/backends/",
    "src/app/",
    "src/serve/",
    "src/main.rs",
];

fn floor(room: &str) -> Option<u8> {
    let known = FLOORS.iter().find(|(name, _)| *name == room)?;
    Some(known.1)
}

const DOWN_ONLY: Rule = Rule {
    check: |file| {
        if file.path == "src/lib.rs" {
            return Vec::new();
        }
        let room = file.room();
        let Some(own) = floor(room) else {
            let what = format!("the room `{room}` has no floor in tests/architecture/rooms.rs");
            return vec![(1, what)];
        };
        let mut breaches = Vec::new();
        for (number, line) in lines(&file.code) {
            for (before, other, _) in words(line) {
                let roots = ["crate::", "vpipe::"];
                let is_named = roots.iter().any(|root| before.ends_with(root));
                let Some(floor) = floor(other).filter(|_| is_named) else {
                    continue;
                };
                let is_same =
                    other == room || (own == 0 && floor == 0) || room == "main" && other == "cli";
                if !is_same && floor >= own {
                    let what = format!("{room} (floor {own}) uses {other} (floor {floor})");
                    breaches.push((number, what));
                }
            }
        }
        breaches
    },
    broken_by: &[
        (
            "src/engine/lane.rs",
            "//! A lane.\nuse crate::stages::Yolo;",
            "src/engine/lane.rs:2: engine (floor 3) uses stages (floor 4)",
        ),
        (
            "src/engine/lane.rs",
            "fn f() -> crate::output::Results {}",
            "engine (floor 3) uses output (floor 3)",
        ),
        (
            "src/plan/lower.rs",
            "use crate::media::probe;",
            "uses media",
        ),
        ("src/time.rs", "use crate::recipe::Recipe;", "uses recipe"),
        ("src/cli/run.rs", "use crate::main::x;", "uses main"),
        (
            "src/plan/tests.rs",
            "use crate::engine::run;",
            "uses engine",
        ),
        ("src/attic/a.rs", "", "has no floor"),
    ],
    kept_by: &[
        ("src/engine/lane.rs", "use crate::plan::Plan;"),
        ("src/engine/lane.rs", "use crate::engine::Stop;"),
        ("src/item.rs", "use crate::time::Pts;"),
        ("src/main.rs", "use vpipe::cli::main;"),
    ],
};

const BY_FULL_NAME: Rule = Rule {
    check: |file| {
        let what = "climbs out of its room; name it from `crate::`";
        find(&file.live, &"super::".repeat(file.depth()), what)
    },
    broken_by: &[
        (
            "src/engine/lane.rs",
            "use super::super::plan::Plan;",
            "climbs out",
        ),
        (
            "src/engine/mod.rs",
            "pub use super::plan::Plan;",
            "climbs out",
        ),
    ],
    kept_by: &[("src/backends/local/a.rs", "use super::super::http::X;")],
};

const CRATES_AT_HOME: Rule = Rule {
    check: |file| {
        let mut breaches = Vec::new();
        for (number, line) in lines(&file.live) {
            for (before, word, after) in words(line) {
                let parent = before.strip_suffix("::").unwrap_or_default();
                let is_root =
                    !parent.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '>');
                let is_path = after.starts_with("::") && is_root;
                let is_import = before.trim_end().ends_with("use");
                let Some((name, homes)) = HOMES.iter().find(|(name, _)| *name == word) else {
                    continue;
                };
                if !is_path && !is_import {
                    continue;
                }
                if line.trim_start().starts_with("pub use") {
                    breaches.push((number, format!("types of {name} may not leave their room")));
                }
                if !homes.iter().any(|home| file.path.starts_with(home)) {
                    breaches.push((number, format!("{name} belongs in {}", homes.join(", "))));
                }
            }
        }
        breaches
    },
    broken_by: &[
        ("src/app/run.rs", "use clap::Parser;", "clap belongs in"),
        (
            "src/backends/local/yolo.rs",
            "use reqwest::Client;",
            "reqwest belongs in",
        ),
        (
            "src/engine/run.rs",
            "fn f(db: &petgraph::Graph) {}",
            "petgraph belongs in",
        ),
        ("src/media/decode.rs", "#[tokio::main]", "tokio belongs in"),
        ("src/plan/lower.rs", "use toml;", "toml belongs in"),
        (
            "src/plan/lower.rs",
            "use ::ort::session::Session;",
            "ort belongs in",
        ),
        (
            "src/cli/run.rs",
            "async fn f() { tokio::spawn(g()) }",
            "tokio belongs in",
        ),
        (
            "src/media/mod.rs",
            "pub use ffmpeg_next::Rational;",
            "may not leave",
        ),
    ],
    kept_by: &[
        ("src/backends/transport/http.rs", "use reqwest::Client;"),
        (
            "src/plan/lower.rs",
            "let toml = crate::recipe::toml::parse(rten);",
        ),
    ],
};

// What is handed to the whole program, or to a library, as its allocator.
const ALLOCATORS: [&str; 2] = [
    "src/backends/engine/heap.rs",
    "src/backends/engine/ort_heap.rs",
];

const UNSAFE_AT_HOME: Rule = Rule {
    check: |file| {
        if file.path.starts_with("src/media/") || ALLOCATORS.contains(&file.path.as_str()) {
            return Vec::new();
        }
        lines(&file.live)
            .filter(|(_, line)| words(line).any(|(_, word, _)| word == "unsafe"))
            .map(|(number, _)| {
                (
                    number,
                    "`unsafe` belongs in src/media/ and the allocators".to_owned(),
                )
            })
            .collect()
    },
    broken_by: &[(
        "src/engine/lane.rs",
        "unsafe { f() }",
        "`unsafe` belongs in",
    )],
    kept_by: &[
        ("src/media/ffmpeg.rs", "unsafe { f() }"),
        ("src/backends/engine/heap.rs", "unsafe { f() }"),
        ("src/engine/lane.rs", "// unsafe\nlet unsafe_ones = 1;"),
    ],
};

// A rule about what is not there is never broken.
mod what_is_named_is_there {
    use super::FLOORS;
    use super::FREE;
    use super::HOMES;
    use std::collections::BTreeSet;
    use std::path::Path;

    fn is_there(path: &str) -> bool {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists()
    }

    #[test]
    fn rooms() {
        for (room, _) in FLOORS {
            let (file, folder) = (format!("src/{room}.rs"), format!("src/{room}"));
            assert!(is_there(&file) || is_there(&folder), "there is no {room}");
        }
    }

    #[test]
    fn crates_and_their_homes() {
        let manifest = include_str!("../../Cargo.toml");
        let manifest: toml::Table = manifest.parse().unwrap();
        let dependencies = manifest["dependencies"].as_table().unwrap();
        let used: BTreeSet<String> = dependencies
            .keys()
            .map(|name| name.replace('-', "_"))
            .collect();
        let named = HOMES
            .iter()
            .map(|(name, _)| *name)
            .chain(FREE.iter().copied());
        let named: BTreeSet<String> = named.map(str::to_owned).collect();
        assert_eq!(named, used, "HOMES and FREE, and Cargo.toml");
        for home in HOMES.iter().flat_map(|(_, homes)| *homes) {
            assert!(is_there(home), "there is no {home}");
        }
    }

    #[test]
    fn the_one_excuse() {
        assert!(crate::manners::ONE_A_PROCESS.into_iter().all(is_there));
    }
}
