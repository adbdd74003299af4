//! Every recipe of a page is right, and every command of it does what it should.
//!
//! All `vpipe` commands are run, beside the demo clip and with the demo models in place of those
//! that a reader downloads. The others are listed here, each with who runs it.

use super::page::Page;
use crate::support::program::vpipe;
use crate::support::repository::CLIP;
use crate::support::repository::ROOT;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

// How a command begins that no test of this file can run, and why.
const NOT_RUN: [(&str, &str); 16] = [
    ("bash .ci/setup && cargo test", "this runs it"),
    ("bash .ci/setup && cargo install --path .", "it installs"),
    ("bash .ci/wheel/", "it takes minutes"),
    ("docker ", "it needs Docker"),
    ("python3 -m venv ", "it is a user's Python"),
    ("pip install ", "it downloads"),
    ("yolo export ", "it downloads"),
    ("optimum-cli export ", "it downloads"),
    ("export RUNPOD_API_KEY=", "it is a user's key"),
    ("export SERVE_KEY=", "it is a user's key"),
    (
        "vpipe serve ",
        "it serves until it is ended; tests/serve/http/run.rs does it",
    ),
    ("cargo run -- schema > ", "it writes what a test compares"),
    ("cargo test", "it is how tests are run and write"),
    ("benches/gpu/try.sh ", "it needs a GPU"),
    ("cargo bench --bench ", "it takes minutes; see below"),
    (
        "python tests/counterparts/",
        "it needs other people's models",
    ),
];

#[test]
fn the_readme_does_what_it_says() {
    run("README.md");
}

#[test]
fn the_guide_to_recipes_does_what_it_says() {
    run("recipes/README.md");
}

#[test]
fn the_page_of_the_source_does_what_it_says() {
    run("src/README.md");
}

#[test]
fn the_page_of_backends_does_what_it_says() {
    run("src/backends/README.md");
}

#[test]
fn the_page_of_results_does_what_it_says() {
    run("src/output/README.md");
}

#[test]
fn the_page_of_the_page_does_what_it_says() {
    run("src/output/page/README.md");
}

#[test]
fn the_page_of_formats_does_what_it_says() {
    run("src/output/formats/README.md");
}

#[test]
fn the_page_of_measurements_does_what_it_says() {
    run("benches/README.md");
}

fn run(path: &'static str) {
    let page = Page::read(path);
    let folder = readers_folder();
    for recipe in page.fenced("toml") {
        let name = recipe
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# "));
        let name = name.unwrap_or_else(|| panic!("{path}: a recipe begins with `# NAME.toml`"));
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, &recipe).unwrap();
        // Tests are done by the commands of the page.
        if name.ends_with(".test.toml") {
            continue;
        }
        let said = vpipe(folder.path(), &["check", name]);
        assert_eq!(said.code, 0, "{path}: {name}: {}", said.talk);
    }
    for command in commands(&page) {
        let rest = command.strip_prefix("vpipe ");
        let Some(rest) = rest.filter(|rest| !rest.starts_with("serve ")) else {
            known(path, &command);
            continue;
        };
        let mut words = words(rest);
        if words.first().is_some_and(|verb| verb == "run") && !rest.contains("--first") {
            words.extend(["--first".to_owned(), "1s".to_owned()]);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let said = vpipe(folder.path(), &words);
        // A comparison that shows something differs.
        let is_done = said.code == 0 || (words.first() == Some(&"compare") && said.code == 5);
        assert!(is_done, "{path}: {command}: {}", said.talk);
    }
}

// What a reader has before the first command: the repository's own files that commands name, and
// the models that other commands download.
fn readers_folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let copy = |from: &str, to: &str| {
        let to = folder.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(Path::new(ROOT).join(from), to).unwrap();
    };
    copy(CLIP, "clip.mp4");
    copy(CLIP, "tests/demo/clip.mp4");
    copy("recipes/default.toml", "recipes/default.toml");
    for file in [
        "demo.test.toml",
        "cassettes/demo/cassette.json",
        "cassettes/demo/1-extract.jsonl",
        "cassettes/demo/2-yolo.jsonl",
        "cassettes/demo/3-whisper.jsonl",
        "snapshots/demo@clip.json",
    ] {
        let file = format!("tests/demo/{file}");
        copy(&file, &file);
    }
    let demo = "src/backends/models/demo";
    copy(&format!("{demo}/shapes.onnx"), "yolo11n.onnx");
    for file in fs::read_dir(Path::new(ROOT).join(demo).join("voice")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".onnx") || name.ends_with(".json") {
            copy(
                &format!("{demo}/voice/{name}"),
                &format!("whisper-base/{name}"),
            );
        }
    }
    folder
}

/// The commands of a page: lines behind `$ ` of `console` blocks, all lines of `sh` blocks, and the
/// steps of workflows that are done by a `vpipe` beside them.
fn commands(page: &Page) -> Vec<String> {
    let shown = page.fenced("console");
    let shown = shown.iter().flat_map(|block| block.lines());
    let shown = shown.filter_map(|line| line.strip_prefix("$ "));
    let plain = page.fenced("sh");
    let plain = plain.iter().flat_map(|block| block.lines());
    let steps = page.fenced("yaml");
    let steps = steps.iter().flat_map(|block| block.lines());
    let steps = steps.filter_map(|line| line.trim().strip_prefix("- run: ./"));
    shown.chain(plain).chain(steps).map(str::to_owned).collect()
}

// The words of a command, as a shell would split them.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    for letter in command.chars() {
        match (letter, quote) {
            ('\'' | '"', None) => quote = Some(letter),
            (_, Some(open)) if letter == open => quote = None,
            (' ', None) => words.push(std::mem::take(&mut word)),
            _ => word.push(letter),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

fn known(path: &str, command: &str) {
    // Variables may stand before a command.
    let bare = command.split(' ').skip_while(|word| {
        word.split_once('=')
            .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
    });
    let bare = bare.collect::<Vec<_>>().join(" ");
    let is_known = |(begin, _): &(&str, &str)| bare.starts_with(begin);
    assert!(
        NOT_RUN.iter().any(is_known),
        "{path}: nobody runs `{command}`"
    );
    let names = |begin| {
        bare.strip_prefix(begin)
            .and_then(|rest| rest.split(' ').next())
    };
    if let Some(bench) = names("cargo bench --bench ") {
        let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
        let entry = format!("[[bench]]\nname = \"{bench}\"");
        assert!(
            manifest.contains(&entry),
            "{path}: there is no bench `{bench}`"
        );
    }
    if let Some(script) = names("python ") {
        let is_there = Path::new(ROOT).join(script).is_file();
        assert!(is_there, "{path}: there is no `{script}`");
    }
}

#[test]
fn the_readme_lists_every_command() {
    let readme = Page::read("README.md").text;
    let help = vpipe(Path::new(ROOT), &["--help"]).out;
    let (_, commands) = help.split_once("Commands:\n").unwrap();
    let commands = commands.lines().take_while(|line| !line.is_empty());
    // What a command is for may go on in a second line, further in.
    let commands = commands.filter_map(|line| line.strip_prefix("  "));
    let commands = commands.filter(|line| !line.starts_with(' '));
    let mut seen = 0;
    for name in commands.filter_map(|line| line.split(' ').next()) {
        let row = format!("| `vpipe {name}");
        assert!(readme.contains(&row), "README.md: no row for `{name}`");
        seen += 1;
    }
    assert!(seen > 0, "{help}");
}

#[test]
fn the_commands_of_images_are_understood() {
    for image in ["cpu", "worker"] {
        let path = Path::new(ROOT).join(format!(".ci/images/{image}.Dockerfile"));
        let text = fs::read_to_string(path).unwrap();
        let command = text.lines().find_map(|line| line.strip_prefix("CMD "));
        let command: Vec<String> = serde_json::from_str(command.unwrap()).unwrap();
        assert_eq!(command[0], "vpipe");
        // What is not understood is told before the help.
        let words = command[1..].iter().map(String::as_str).chain(["--help"]);
        let said = vpipe(Path::new(ROOT), &words.collect::<Vec<_>>());
        assert_eq!(said.code, 0, "{image}: {}", said.talk);
    }
}
