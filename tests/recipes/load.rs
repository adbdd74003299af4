//! Recipes as data: what good ones come to, and every word that is said about bad ones.
//!
//! A comment `# vpipe: OPTIONS` in a recipe of this folder gives the command line.

use crate::support::repository::Repository;
use crate::support::repository::recipes;
use crate::support::repository::stem;
use crate::support::snapshots::settings;
use insta::assert_snapshot;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::io;
use std::path::Path;
use vpipe::cli::diagnostic::Style;
use vpipe::cli::diagnostic::draw;
use vpipe::diag::Report;
use vpipe::plan;
use vpipe::plan::CheckedRecipe;
use vpipe::recipe;
use vpipe::recipe::Environment;
use vpipe::recipe::LoadError;
use vpipe::recipe::PRESETS;
use vpipe::recipe::Port;
use vpipe::recipe::Recipe;
use vpipe::recipe::Request;
use vpipe::recipe::TakeSpec;

/// One text, whatever path is asked for.
struct Only<'a>(&'a str);

impl Environment for Only<'_> {
    fn read(&self, _: &Path) -> io::Result<String> {
        Ok(self.0.to_owned())
    }

    fn variables(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
}

/// The recipe, with its graph checked, or all that is wrong with it.
fn check(request: &Request, environment: &dyn Environment) -> Result<CheckedRecipe, LoadError> {
    let recipe = recipe::load(request, environment)?;
    Ok(plan::check(recipe)?)
}

/// The request for a recipe, with the options that its text names.
fn request(path: &str, text: &str) -> Request {
    let mut request = Request {
        recipe: path.to_owned(),
        ..Request::default()
    };
    let options = text
        .lines()
        .filter_map(|line| line.strip_prefix("# vpipe: "));
    for option in options {
        let (name, value) = option.split_once(' ').unwrap_or((option, ""));
        let value = value.to_owned();
        match name {
            "--set" => request.sets.push(value),
            "--var" => request.vars.push(value),
            "--without" => request.without.push(value),
            "--fps" => request.fps = value.parse().ok(),
            "--max-workers" => request.max_workers = value.parse().ok(),
            "--batch-size" => request.batch_size = value.parse().ok(),
            "--output-dir" => request.output_dir = Some(value),
            "--allow-env" => request.allowed_variables.push(value),
            other => panic!("{path}: what is {other}?"),
        }
    }
    request
}

fn load(path: &str) -> Result<CheckedRecipe, LoadError> {
    let text = Repository.read(Path::new(path)).unwrap();
    check(&request(path, &text), &Repository)
}

/// Debug's long form with a line a field.
fn lines(value: &impl std::fmt::Debug) -> String {
    let mut text = String::new();
    for line in format!("{value:#?}").lines() {
        let inner = line.trim_start();
        match line.len() - inner.len() {
            8 if !inner.starts_with([')', ']', '}']) => write!(text, "\n    {inner}").unwrap(),
            _ if inner.starts_with([')', ']', '}']) => {
                text.truncate(text.trim_end_matches(',').len());
                text.push_str(inner);
            }
            _ if text.ends_with(',') => write!(text, " {inner}").unwrap(),
            _ => text.push_str(inner),
        }
    }
    text
}

fn show(recipe: &Recipe) -> String {
    let mut text = format!(
        "{}: {}\n",
        recipe.name,
        recipe.description.as_deref().unwrap_or("-")
    );
    for stage in &recipe.stages {
        let inputs: Vec<String> = stage
            .inputs
            .iter()
            .map(|input| match input.port {
                Port::Main => input.stage.to_string(),
                Port::Crops => format!("{}.crops", input.stage),
                Port::Frames => format!("{}.frames", input.stage),
                Port::Boxes => format!("{}.boxes", input.stage),
                Port::Sound => format!("{}.sound", input.stage),
            })
            .collect();
        writeln!(text, "\n{} <- {inputs:?}\n{}", stage.id, lines(&stage.spec)).unwrap();
        if stage.take != TakeSpec::default() {
            writeln!(text, "{}", lines(&stage.take)).unwrap();
        }
    }
    for (name, backend) in &recipe.backends {
        writeln!(text, "\nbackend {name}\n{}", lines(&backend.spec)).unwrap();
    }
    text
}

#[test]
fn good_recipes_come_to_these_stages() {
    settings().bind(|| {
        for preset in PRESETS {
            let request = request(preset.name, "");
            let recipe = check(&request, &Repository).unwrap();
            assert_snapshot!(format!("preset@{}", preset.name), show(&recipe));
        }
        for path in recipes("tests/recipes/good") {
            let recipe = load(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert_snapshot!(format!("good@{}", stem(&path)), show(&recipe));
        }
    });
}

#[test]
fn bad_recipes_are_told_where_and_what_to_do() {
    settings().bind(|| {
        for path in recipes("tests/recipes/bad") {
            let report = match load(&path) {
                Err(LoadError::Wrong(report)) => report,
                other => panic!("{path}: {other:?}"),
            };
            assert_snapshot!(format!("bad@{}", stem(&path)), draw(&report, Style::Plain));
        }
    });
}

#[test]
fn a_preset_is_the_file_of_its_name() {
    for preset in PRESETS {
        let path = format!("recipes/{}.toml", preset.name);
        let from_file = check(&request(&path, ""), &Repository).unwrap();
        let by_name = check(&request(preset.name, ""), &Repository).unwrap();
        assert_eq!(show(&from_file), show(&by_name));
    }
}

#[test]
fn what_is_not_there_is_named() {
    let missing = |name: &str| {
        let error = recipe::load(&request(name, ""), &Repository).unwrap_err();
        format!("{error}\n{}", error.help().unwrap())
    };
    assert_eq!(
        missing("defualt"),
        "there is no preset and no file called `defualt`\ndid you mean `default`?"
    );
    assert_eq!(
        missing("fastest"),
        "there is no preset and no file called `fastest`\n\
         presets: `default`, `max-speed`, `conservative`, `high-detail`"
    );
    assert_eq!(
        missing("tests/none.toml"),
        "the recipe tests/none.toml cannot be read\n\
         RECIPE is a path or a preset: `default`, `max-speed`, `conservative`, `high-detail`"
    );
}

#[test]
fn a_chain_of_extends_ends_even_where_its_names_do_not() {
    let environment = Only("version = 1\nextends = \"deeper/recipe.toml\"\n");
    let error = recipe::load(&request("recipe.toml", ""), &environment).unwrap_err();
    assert_eq!(
        error.to_string(),
        "this is the recipe number 16 in a chain of `extends`"
    );
}

/// Loads a text that may be anything; whatever is said of it has its place.
fn holds(text: &str, set: &str) {
    let request = Request {
        recipe: "any.toml".to_owned(),
        sets: vec![set.to_owned()],
        vars: vec![set.to_owned()],
        ..Request::default()
    };
    let Err(error) = check(&request, &Only(text)) else {
        return;
    };
    let LoadError::Wrong(report) = error else {
        panic!("{error}");
    };
    assert!(!report.diagnostics.is_empty());
    for diagnostic in &report.diagnostics {
        for (span, _) in &diagnostic.labels {
            let place = report.sources.place(*span).unwrap();
            let exact = span.end - span.start;
            assert_eq!(place.range.len(), exact, "{diagnostic:?} leaves its text");
            assert!(place.source.text.get(place.range).is_some());
        }
    }
    draw(&report, Style::Plain);
}

fn mutated() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~\n]{0,6}",
        "\\PC{0,3}",
        Just("{{ vars.x }}".to_owned()),
        Just("\n[stages.x]\n".to_owned()),
        Just("extends = \"max-speed\"\n".to_owned()),
        Just("\"".to_owned()),
        Just("inputs = [\"yolo\"]\n".to_owned()),
    ];
    let edit = (any::<prop::sample::Index>(), 0_usize..12, piece);
    (0..PRESETS.len(), prop::collection::vec(edit, 1..4)).prop_map(|(preset, edits)| {
        let mut text = PRESETS[preset].text.to_owned();
        for (index, length, piece) in edits {
            let bounds: Vec<usize> = text
                .char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .collect();
            let start = index.index(bounds.len());
            let end = (start + length).min(bounds.len() - 1);
            text.replace_range(bounds[start]..bounds[end], &piece);
        }
        text
    })
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}", set in "\\PC{0,20}") {
        holds(&text, &set);
    }

    #[test]
    fn no_change_to_a_preset_makes_it_panic(text in mutated(), set in "(yolo|vars|stages.yolo|\\PC)[.=a-z0-9\"\\[{]{0,12}") {
        holds(&text, &set);
    }
}

fn wrong(text: &str) -> Report {
    let request = Request {
        recipe: "any.toml".to_owned(),
        ..Request::default()
    };
    match check(&request, &Only(text)) {
        Err(LoadError::Wrong(report)) => report,
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_very_many_mistakes_the_first_are_told() {
    let stages: String = (0..300)
        .map(|n| format!("[stages.s{n}]\nkind = \"yolo\"\ninputs = [\"extract\"]\n"))
        .collect();
    let text =
        format!("version = 1\n[stages.extract]\n{stages}[stages.merge]\ninputs = [\"s0\"]\n");
    let drawn = draw(&wrong(&text), Style::Plain);
    assert!(drawn.ends_with("the first 100 of 299 errors\n"), "{drawn}");
    assert!(drawn.contains("nothing takes what `s100` gives"));
    assert!(!drawn.contains("nothing takes what `s101` gives"));
    let inputs: String = (0..3_000).map(|n| format!("\"none{n}\", ")).collect();
    let text = format!("version = 1\n[stages.extract]\n[stages.merge]\ninputs = [{inputs}]\n");
    let report = wrong(&text);
    assert_eq!(report.diagnostics.len(), 100);
    // Of a very long line the part around the mistake.
    let drawn = draw(&report, Style::Plain);
    assert!(drawn.contains("\"none99\", \"none100\""));
    assert!(drawn.lines().all(|line| line.len() < 3_000), "{drawn}");
}

#[test]
fn a_recipe_has_so_many_variables() {
    let text = |count: usize| {
        let vars: String = (0..count).map(|n| format!("v{n} = {n}\n")).collect();
        format!("version = 1\n[vars]\n{vars}[stages.extract]\n[stages.merge]\ninputs = [\"x\"]\n")
    };
    let messages = |count| {
        let report = wrong(&text(count));
        let messages = report.diagnostics.into_iter().map(|it| it.message);
        messages.collect::<Vec<_>>()
    };
    assert_eq!(messages(256), ["there is no stage `x`"]);
    assert_eq!(
        messages(257),
        ["this is the variable number 257", "there is no stage `x`"]
    );
}
