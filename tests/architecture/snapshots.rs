//! Snapshots: each belongs to a test that still asks for it.

use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What a family of snapshots is of, `kind@name` of the file `name`.
const FAMILIES: &[(&str, &str)] = &[
    ("preset@", "recipes/{}.toml"),
    ("good@", "tests/recipes/good/{}.toml"),
    ("bad@", "tests/recipes/bad/{}.toml"),
    ("misplaced@", "tests/recipes/misplaced/{}.toml"),
    ("warn@", "tests/recipes/warn/{}.toml"),
    ("plan@good-", "tests/recipes/good/{}.toml"),
    ("plan@example-", "recipes/examples/{}.toml"),
    ("plan@", "recipes/{}.toml"),
    ("job@", "tests/serve/handlers/jobs/{}.json"),
];

// Why a snapshot belongs to nobody.
fn orphaned(name: &str, snapshot: &str) -> Option<String> {
    let source = snapshot
        .lines()
        .find_map(|line| line.strip_prefix("source: "))?;
    let Ok(text) = fs::read_to_string(Path::new(ROOT).join(source)) else {
        return Some(format!("{name} is of {source}, which is not there"));
    };
    let recipe = FAMILIES
        .iter()
        .find_map(|(family, path)| Some((family, path, name.strip_prefix(family)?)));
    let (asked, recipe) = match recipe {
        Some((family, path, stem)) => (format!("\"{family}{{"), Some(path.replace("{}", stem))),
        None => (format!("\"{name}\""), None),
    };
    if !text.contains(&asked) {
        return Some(format!("{source} does not ask for {name}"));
    }
    let recipe = recipe.filter(|path| !Path::new(ROOT).join(path).exists())?;
    Some(format!("{name} is of {recipe}, which is not there"))
}

#[test]
fn every_snapshot_belongs_to_a_test() {
    let entries = fs::read_dir(Path::new(ROOT).join("snapshots")).unwrap();
    let mut count = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap();
        let name = file.strip_suffix(".snap");
        let name = name.unwrap_or_else(|| panic!("{file} is no snapshot"));
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(orphaned(name, &text), None);
        count += 1;
    }
    assert!(count > 100, "no snapshots were found");
}

#[test]
fn a_snapshot_of_nobody_is_seen() {
    let (load, lines) = (
        "source: tests/recipes/load.rs\n",
        "source: tests/cli/help.rs\n",
    );
    assert_eq!(orphaned("good@smallest", load), None);
    for (name, text) in [
        ("good@smaller", load),
        ("godd@smallest", load),
        ("help", load),
        ("help", lines),
    ] {
        assert!(orphaned(name, text).is_some(), "{name}");
    }
}
