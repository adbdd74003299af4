//! What helps to write a recipe: `init`, `show`, `check --json`, `schema`, `completions`.

use crate::support::program::vpipe;
use crate::support::repository::ROOT;
use crate::support::repository::recipes;
use crate::support::snapshots::settings;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

#[test]
fn a_recipe_to_begin_with_is_right_and_written_once() {
    let folder = TempDir::new().unwrap();
    let said = vpipe(folder.path(), &["init"]);
    assert_eq!((said.out.as_str(), said.code), ("", 0), "{}", said.talk);
    let said = vpipe(folder.path(), &["check", "recipe.toml"]);
    assert_eq!(said.code, 0, "{}", said.talk);
    let text = fs::read_to_string(folder.path().join("recipe.toml")).unwrap();
    assert!(
        text.starts_with("#:schema ./recipe.schema.json\n"),
        "{text}"
    );
    assert!(text.contains("\n[stages.batch]\n"), "{text}");
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
            let needs = ["not defined", "may not take the variable"];
            let is_lack = needs.iter().any(|lack| shown.talk.contains(lack));
            assert!(is_lack, "{name}: {}", shown.talk);
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
fn what_is_built_in_can_be_shown_and_is_the_same_recipe() {
    let folder = TempDir::new().unwrap();
    for name in recipes("recipes")
        .into_iter()
        .chain(recipes("recipes/examples"))
    {
        let path = Path::new(ROOT).join(&name);
        let path = path.to_str().unwrap();
        let shown = vpipe(folder.path(), &["show", path, "--built-in"]);
        assert_eq!(shown.code, 0, "{name}: {}", shown.talk);
        fs::write(folder.path().join("shown.toml"), &shown.out).unwrap();
        let again = vpipe(folder.path(), &["show", "shown.toml", "--built-in"]);
        assert_eq!(
            (again.out, again.code),
            (shown.out, 0),
            "{name}: {}",
            again.talk
        );
        let clip = Path::new(ROOT).join("tests/demo/clip.mp4");
        let unlike = |recipe: &str| {
            let words = [
                "plan",
                recipe,
                clip.to_str().unwrap(),
                "--json",
                "--first",
                "1s",
            ];
            let said = vpipe(folder.path(), &words);
            let planned: Value = serde_json::from_str(&said.out).unwrap_or_default();
            planned["differences"].clone()
        };
        if !name.contains("examples") {
            assert_eq!(unlike(path), unlike("shown.toml"), "{name}");
        }
    }
    let said = vpipe(
        folder.path(),
        &["show", "conservative", "--built-in", "--origins"],
    );
    settings().bind(|| {
        insta::assert_snapshot!("show_built_in", said.out);
    });
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
    settings().bind(|| {
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

#[test]
fn the_schema_in_the_repository_is_the_one_of_this_program() {
    let path = Path::new(ROOT).join("recipes/recipe.schema.json");
    let said = vpipe(Path::new(ROOT), &["schema"]);
    assert_eq!(said.code, 0);
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        fs::write(&path, &said.out).unwrap();
    }
    let kept = fs::read_to_string(path).unwrap();
    assert!(
        kept == said.out,
        "write it anew: vpipe schema > recipes/recipe.schema.json"
    );
}

// The keys of a table that the schema does not know.
fn strangers(table: &toml::Table, known: &Value) -> Vec<String> {
    let keys = table
        .keys()
        .filter(|key| known["properties"].get(key).is_none());
    keys.cloned().collect()
}

#[test]
fn the_schema_knows_every_key_of_every_recipe_and_explains_it() {
    let text = fs::read_to_string(Path::new(ROOT).join("recipes/recipe.schema.json")).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    let kinds = &schema["properties"]["stages"]["properties"];
    let all = recipes("recipes")
        .into_iter()
        .chain(recipes("recipes/examples"));
    for name in all.chain(recipes("tests/recipes/good")) {
        let recipe = fs::read_to_string(Path::new(ROOT).join(&name)).unwrap();
        let recipe: toml::Table = recipe.parse().unwrap();
        assert_eq!(strangers(&recipe, &schema), [""; 0], "{name}");
        let Some(stages) = recipe.get("stages").and_then(toml::Value::as_table) else {
            continue;
        };
        for (id, stage) in stages {
            let stage = stage.as_table().unwrap();
            let kind = stage
                .get("kind")
                .and_then(toml::Value::as_str)
                .unwrap_or(id);
            // The kind of a stage of a recipe that is extended stands there.
            if let Some(known) = kinds.get(kind) {
                assert_eq!(strangers(stage, known), [""; 0], "{name}: {id}");
            }
        }
    }
    for (kind, keys) in kinds.as_object().unwrap() {
        assert_eq!(keys["additionalProperties"], false, "{kind}");
        for (key, about) in keys["properties"].as_object().unwrap() {
            assert!(
                about["description"].is_string(),
                "{kind}.{key} is not explained"
            );
            let kinds = about["type"].to_string();
            if kinds.contains("number") || kinds.contains("integer") {
                let low = about.get("minimum").or(about.get("exclusiveMinimum"));
                let high = about.get("maximum");
                let range = low
                    .and_then(Value::as_f64)
                    .zip(high.and_then(Value::as_f64));
                let (low, high) = range.unwrap_or_else(|| panic!("{kind}.{key}: {about}"));
                assert!(low < high, "{kind}.{key}: {about}");
                let usual = about.get("default").and_then(Value::as_f64);
                assert!(
                    usual.is_none_or(|usual| (low..=high).contains(&usual)),
                    "{about}"
                );
            }
        }
    }
}
