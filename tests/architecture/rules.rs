//! The house rules, each a function from a file to what breaks it.

use crate::scan::File;
use crate::scan::lines;
use crate::scan::words;

/// A line and what is wrong with it.
pub(crate) type Breach = (usize, String);

/// All of them.
pub(crate) const RULES: [fn(&File) -> Vec<Breach>; 10] = [
    starts_with_what_it_is,
    imports_down_only,
    stays_in_its_room,
    foreign_crates_have_their_rooms,
    imports_are_plain,
    keeps_no_globals,
    does_not_panic,
    leaves_the_screen_alone,
    bounds_every_channel,
    is_short,
];

/// What may be on a file's non-test lines.
const LONGEST: usize = 500;

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
    ("diag", 0),
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

/// Where a foreign crate may be named; a crate that is not here is free everywhere.
const HOMES: &[(&str, &[&str])] = &[
    ("clap", &["src/cli/"]),
    ("clap_complete", &["src/cli/"]),
    ("indicatif", &["src/cli/"]),
    ("miette", &["src/cli/"]),
    ("jiff", &["src/app/", "src/cli/"]),
    ("glob", &["src/app/", "src/cli/"]),
    ("axum", &["src/serve/"]),
    ("tokio", ASYNC),
    ("tokio_util", ASYNC),
    ("futures_util", ASYNC),
    ("backon", &["src/engine/"]),
    ("rusqlite", &["src/engine/journal.rs"]),
    ("petgraph", &["src/plan/"]),
    ("ffmpeg_next", &["src/media/"]),
    ("turbojpeg", &["src/media/"]),
    ("png", &["src/media/"]),
    ("reqwest", &["src/backends/transport/http.rs"]),
    ("rustls", &["src/backends/transport/http.rs"]),
    ("base64", &["src/backends/"]),
    ("httpdate", &["src/backends/transport/http.rs"]),
    ("rten", &["src/backends/engine/"]),
    ("rten_tensor", &["src/backends/engine/"]),
    ("ort", &["src/backends/engine/"]),
    ("realfft", &["src/backends/models/whisper/mel.rs"]),
    ("flate2", &["src/backends/models/whisper/decode.rs"]),
    ("toml", &["src/recipe/"]),
    ("schemars", &["src/recipe/"]),
    ("minijinja", &["src/template.rs", "src/template/"]),
];

const ASYNC: &[&str] = &[
    "src/engine/",
    "src/backends/",
    "src/app/",
    "src/serve/",
    "src/main.rs",
];

/// ONNX Runtime has one environment a process, whoever asks, and cannot make another after it is
/// gone. No other file has such an excuse.
const ONE_A_PROCESS: &str = "src/backends/engine/ort.rs";

fn floor(room: &str) -> Option<u8> {
    let known = FLOORS.iter().find(|(name, _)| *name == room)?;
    Some(known.1)
}

fn starts_with_what_it_is(file: &File) -> Vec<Breach> {
    if file.text.starts_with("//! ") {
        return Vec::new();
    }
    vec![(1, "does not start with `//! ` and what it is".to_owned())]
}

fn imports_down_only(file: &File) -> Vec<Breach> {
    if file.path == "src/lib.rs" {
        return Vec::new();
    }
    let room = file.room();
    let Some(own) = floor(room) else {
        return vec![(
            1,
            format!("the room `{room}` has no floor in tests/architecture/rules.rs"),
        )];
    };
    let mut breaches = Vec::new();
    for (number, line) in lines(&file.code) {
        for (before, other, _) in words(line) {
            let named = ["crate::", "vpipe::"]
                .iter()
                .any(|root| before.ends_with(root));
            let Some(floor) = floor(other).filter(|_| named) else {
                continue;
            };
            let same =
                other == room || (own == 0 && floor == 0) || room == "main" && other == "cli";
            if !same && floor >= own {
                breaches.push((
                    number,
                    format!("{room} (floor {own}) uses {other} (floor {floor})"),
                ));
            }
        }
    }
    breaches
}

fn stays_in_its_room(file: &File) -> Vec<Breach> {
    let climb = "super::".repeat(file.depth());
    find(
        &file.live,
        &climb,
        "climbs out of its room; name it from `crate::`",
    )
}

fn foreign_crates_have_their_rooms(file: &File) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (number, line) in lines(&file.live) {
        for (before, word, after) in words(line) {
            let parent = before.strip_suffix("::").unwrap_or_default();
            let is_root = !parent.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '>');
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
        let is_unsafe = words(line).any(|(_, word, _)| word == "unsafe");
        if is_unsafe && !file.path.starts_with("src/media/") {
            breaches.push((number, "`unsafe` belongs in src/media/".to_owned()));
        }
    }
    breaches
}

fn imports_are_plain(file: &File) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (number, line) in lines(&file.code) {
        let line = line.trim();
        let import = line.starts_with("use ") || line.starts_with("pub") && line.contains(" use ");
        if import && line.ends_with("::*;") {
            breaches.push((number, "imports everything; name what is meant".to_owned()));
        }
        if import && line.contains('{') {
            breaches.push((
                number,
                "imports a group; write one `use` an item".to_owned(),
            ));
        }
        let holds_code = !line.is_empty()
            && ![
                "mod ",
                "pub mod ",
                "pub use ",
                "pub(crate) mod ",
                "pub(super) mod ",
                "pub(super) use ",
                "pub(in ",
                "#[",
            ]
            .iter()
            .any(|start| line.starts_with(start));
        if holds_code && (file.path.ends_with("/mod.rs") || file.path == "src/lib.rs") {
            breaches.push((
                number,
                "holds more than docs, `mod` and `pub use`".to_owned(),
            ));
        }
    }
    breaches
}

fn keeps_no_globals(file: &File) -> Vec<Breach> {
    if file.path == ONE_A_PROCESS {
        return Vec::new();
    }
    let stateful = ["Mutex", "RwLock", "Once", "Lazy", "Atomic", "Cell", "mut "];
    let mut breaches = Vec::new();
    for (number, line) in lines(&file.live) {
        for (before, word, after) in words(line) {
            let is_item = word == "static" && !before.ends_with('\'');
            let holds_state = is_item && stateful.iter().any(|kind| after.contains(kind));
            if holds_state || ["thread_local", "lazy_static"].contains(&word) {
                breaches.push((
                    number,
                    "a global with state; pass it as an argument".to_owned(),
                ));
            }
        }
    }
    breaches
}

fn does_not_panic(file: &File) -> Vec<Breach> {
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
    let mut breaches = Vec::new();
    for panic in panics {
        let what = format!("`{panic}` may end the program; return an error");
        breaches.extend(find(&file.live, panic, &what));
    }
    breaches
}

fn leaves_the_screen_alone(file: &File) -> Vec<Breach> {
    if file.room() == "cli" || file.room() == "main" {
        return Vec::new();
    }
    let prints = ["print", "println", "eprint", "eprintln", "dbg"];
    lines(&file.live)
        .filter(|(_, line)| {
            words(line).any(|(_, word, after)| prints.contains(&word) && after.starts_with("!("))
        })
        .map(|(number, _)| (number, "only cli may print; give an `Event`".to_owned()))
        .collect()
}

// The channel of the standard library that takes no number has no bound.
fn bounds_every_channel(file: &File) -> Vec<Breach> {
    let what = "a channel without a bound; memory is a computed number";
    let unbounded = find(&file.code, "unbounded", what);
    unbounded
        .into_iter()
        .chain(find(&file.code, "mpsc::channel()", what))
        .collect()
}

fn is_short(file: &File) -> Vec<Breach> {
    let tests = lines(&file.code).zip(lines(&file.live));
    let tests = tests.filter(|((_, code), (_, live))| code.trim_end() != live.trim_end());
    let length = file.text.lines().count() - tests.count();
    if length <= LONGEST {
        return Vec::new();
    }
    vec![(
        LONGEST,
        format!("{length} lines without tests; at most {LONGEST}"),
    )]
}

fn find(text: &str, pattern: &str, what: &str) -> Vec<Breach> {
    lines(text)
        .filter(|(_, line)| line.contains(pattern))
        .map(|(number, _)| (number, what.to_owned()))
        .collect()
}
