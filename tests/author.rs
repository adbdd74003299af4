//! What helps to write a recipe: `init`, `show`, `check --json`, `schema`, `completions`.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that panics fails the test that called it"
)]

mod program;

use program::vpipe;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn recipes(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(Path::new(ROOT).join(folder)).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".toml"))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_recipe_to_begin_with_is_right_and_written_once() {
    let folder = TempDir::new().unwrap();
    let said = vpipe(folder.path(), &["init"]);
    assert_eq!((said.out.as_str(), said.code), ("", 0), "{}", said.talk);
    let said = vpipe(folder.path(), &["check", "recipe.toml"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    fs::write(folder.path().join("recipe.toml"), "mine").unwrap();
    let said = vpipe(folder.path(), &["init", "recipe.toml"]);
    assert_eq!(said.code, 2);
    assert!(
        said.talk.starts_with("error: recipe.toml is there already"),
        "{}",
        said.talk
    );
    assert_eq!(
        fs::read_to_string(folder.path().join("recipe.toml")).unwrap(),
        "mine"
    );
    let said = vpipe(folder.path(), &["init", "nowhere/recipe.toml"]);
    assert_eq!(said.code, 2, "{}", said.talk);
}

#[test]
fn every_key_that_the_first_recipe_hints_at_can_be_written() {
    let folder = TempDir::new().unwrap();
    vpipe(folder.path(), &["init"]);
    let path = folder.path().join("recipe.toml");
    let text = fs::read_to_string(&path).unwrap();
    let hinted = text.lines().map(|line| match line.strip_prefix("# ") {
        // A model would have to be there.
        Some(key) if key.starts_with('[') || key.contains(" = ") && !key.starts_with("model") => {
            key
        }
        _ => line,
    });
    fs::write(&path, hinted.collect::<Vec<_>>().join("\n")).unwrap();
    let said = vpipe(folder.path(), &["check", "recipe.toml"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    assert!(said.out.contains("save"), "{}", said.out);
}

#[test]
fn what_show_writes_is_the_same_recipe() {
    let folder = TempDir::new().unwrap();
    let all = recipes("recipes")
        .into_iter()
        .chain(recipes("recipes/examples"));
    for name in all.chain(recipes("tests/recipes/good")) {
        let path = Path::new(ROOT).join(&name);
        let path = path.to_str().unwrap();
        let shown = vpipe(folder.path(), &["show", path]);
        if shown.code != 0 {
            // It needs what its own test gives it, such as an environment.
            assert!(shown.talk.contains("not defined"), "{name}: {}", shown.talk);
            continue;
        }
        fs::write(folder.path().join("shown.toml"), &shown.out).unwrap();
        let again = vpipe(folder.path(), &["show", "shown.toml"]);
        assert_eq!(
            (again.out, again.code),
            (shown.out, 0),
            "{name}: {}",
            again.talk
        );
    }
}

#[test]
fn every_value_says_where_it_came_from() {
    let folder = TempDir::new().unwrap();
    let recipe = "version = 1\nextends = \"max-speed\"\n[vars]\nrate = 4\n\
                  [stages.extract]\nfps = \"{{ vars.rate / 2 }}\"\n";
    fs::write(folder.path().join("my.toml"), recipe).unwrap();
    let words = [
        "show",
        "my.toml",
        "--origins",
        "--set",
        "yolo.conf=0.3",
        "--batch-size",
        "7",
    ];
    let said = vpipe(folder.path(), &words);
    assert_eq!(said.code, 0, "{}", said.talk);
    insta::with_settings!({
        snapshot_path => "../snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!("show_origins", said.out);
    });
}

#[test]
fn mistakes_are_told_to_editors_with_their_places() {
    let folder = TempDir::new().unwrap();
    let recipe = "version = 1\nextends = \"default\"\n[stages.yolo]\nconf = 1.5\nimgsize = 640\n";
    fs::write(folder.path().join("bad.toml"), recipe).unwrap();
    let said = vpipe(folder.path(), &["check", "bad.toml", "--json"]);
    assert_eq!((said.talk.as_str(), said.code), ("", 2));
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["right"], false);
    assert_eq!(
        told["diagnostics"][0],
        serde_json::json!({
            "severity": "error",
            "message": "`conf` cannot be 1.5",
            "help": "allowed: 0 to 1",
            "places": [{
                "source": "bad.toml",
                "line": 4,
                "column": 8,
                "end_line": 4,
                "end_column": 11,
                "label": "",
            }],
        })
    );
    assert_eq!(told["diagnostics"][1]["help"], "did you mean `imgsz`?");
    let said = vpipe(folder.path(), &["check", "none.toml", "--json"]);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&told["right"], said.code), (&Value::Bool(false), 2));
    let said = vpipe(folder.path(), &["check", "default", "--json"]);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&told["right"], said.code), (&Value::Bool(true), 0));
    assert_eq!(told["stages"][0]["id"], "extract");
}

#[test]
fn shells_learn_the_words() {
    let folder = TempDir::new().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let said = vpipe(folder.path(), &["completions", shell]);
        assert_eq!(said.code, 0, "{shell}");
        assert!(said.out.contains("origins"), "{shell}");
    }
    assert_eq!(vpipe(folder.path(), &["completions", "csh"]).code, 2);
}
