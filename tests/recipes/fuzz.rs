//! Recipes of any text: none makes the program panic or go on for ever, and whatever is said of one
//! has its place in it.
//!
//! Texts are made of those that this repository has, good and bad, by cutting, joining and changing
//! them, and of words that mean something. Runs briefly with the other tests; for long by
//! `FUZZ_COUNT=1000000 cargo test --release --test recipes fuzz`, from another seed by `FUZZ_SEED=7`. Each
//! text is in `target/fuzz.toml` while it is tried, so one that is never done with is there.

use crate::support::placements;
use crate::support::repository::ROOT;
use crate::support::repository::recipes;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::sample::select;
use proptest::test_runner::Config;
use proptest::test_runner::RngSeed;
use proptest::test_runner::TestRunner;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::Path;
use vpipe::cli::diagnostic::Style;
use vpipe::cli::diagnostic::draw;
use vpipe::diag::Diagnostic;
use vpipe::diag::Report;
use vpipe::diag::SourceMap;
use vpipe::facts::Facts;
use vpipe::facts::Placement;
use vpipe::facts::RemoteFacts;
use vpipe::plan;
use vpipe::plan::CompileOptions;
use vpipe::plan::DrawFormat;
use vpipe::recipe;
use vpipe::recipe::Environment;
use vpipe::recipe::LoadError;
use vpipe::recipe::Request;
use vpipe::recipe::RunpodSpec;

const USUAL_COUNT: u32 = 1_000;

// One text, whatever it is called.
struct Only<'a>(&'a str);

impl Environment for Only<'_> {
    fn read(&self, _: &Path) -> io::Result<String> {
        Ok(self.0.to_owned())
    }

    fn variables(&self) -> BTreeMap<String, String> {
        [("ENGINE", "rten"), ("MY_TOKEN", "secret")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    }
}

#[test]
fn any_text_is_a_recipe_or_told_with_a_place() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let count = number("FUZZ_COUNT");
    let config = Config {
        cases: count.map_or(USUAL_COUNT, |count| {
            u32::try_from(count).unwrap_or(u32::MAX)
        }),
        rng_seed: number("FUZZ_SEED").map_or(RngSeed::Random, RngSeed::Fixed),
        failure_persistence: None,
        ..Config::default()
    };
    let shown = Path::new(ROOT).join("target/fuzz.toml");
    let mut runner = TestRunner::new(config);
    let tried = runner.run(&(text(), setting()), |(text, setting)| {
        if count.is_some() {
            fs::write(&shown, format!("{text}\n# --set {setting}\n")).unwrap();
        }
        holds(&text, &setting);
        Ok(())
    });
    if let Err(failure) = tried {
        panic!("{failure}");
    }
}

fn holds(text: &str, setting: &str) {
    let request = Request {
        recipe: "any.toml".to_owned(),
        sets: Vec::from_iter((!setting.is_empty()).then(|| setting.to_owned())),
        ..Request::default()
    };
    let recipe = match recipe::load(&request, &Only(text)) {
        Ok(recipe) => recipe,
        Err(LoadError::Wrong(report)) => return told(&report),
        Err(error) => panic!("{error}"),
    };
    let report = |diagnostics: Vec<Diagnostic>, sources: &SourceMap| Report {
        sources: sources.clone(),
        diagnostics,
    };
    let recipe = match plan::check(recipe) {
        Ok(recipe) => recipe,
        Err(report) => return told(&report),
    };
    // What is shown of it is the same recipe.
    recipe::show(&request, &Only(text), recipe::Showing::default()).unwrap();
    recipe::differences(&request, &Only(text)).unwrap();
    let placements = recipe
        .stages
        .iter()
        .map(|stage| (stage.id.clone(), there()));
    let facts = Facts {
        cores: 4,
        placements: placements.collect(),
        ..Facts::default()
    };
    match plan::compile(&recipe, &facts, CompileOptions::default()) {
        Ok(plan) => {
            let warnings = plan::warnings(&recipe, &plan, &facts);
            if !warnings.is_empty() {
                told(&report(warnings, &recipe.sources));
            }
            plan::forecast(&plan, &facts);
            plan.draw(DrawFormat::Text);
        }
        Err(wrong) => told(&report(wrong, &recipe.sources)),
    }
}

// Everything that is said has its place, within one of the texts.
fn told(report: &Report) {
    assert!(!report.diagnostics.is_empty());
    for diagnostic in &report.diagnostics {
        assert!(!diagnostic.labels.is_empty(), "{diagnostic:?} has no place");
        for (span, _) in &diagnostic.labels {
            let place = report.sources.place(*span).unwrap();
            assert_eq!(place.range.len(), span.end - span.start, "{diagnostic:?}");
            assert!(place.source.text.get(place.range).is_some());
        }
    }
    draw(report, Style::Plain);
}

fn there() -> Placement {
    Placement::Remote(RemoteFacts {
        fleet: Some((&RunpodSpec::default()).into()),
        ..placements::runpod()
    })
}

// The recipes of this repository.
fn corpus() -> Vec<String> {
    let folders = [
        "recipes",
        "recipes/examples",
        "tests/recipes/good",
        "tests/recipes/bad",
    ];
    let paths = folders.into_iter().flat_map(recipes);
    paths
        .map(|path| fs::read_to_string(Path::new(ROOT).join(path)).unwrap())
        .collect()
}

// Every key that recipes have, each with a value that one of them might take or not.
fn line() -> impl Strategy<Value = String> {
    let mut keys = Vec::new();
    keys_of(&recipe::schema(), &mut keys);
    let values = [
        "0",
        "1",
        "-1",
        "16",
        "1280",
        "0.5",
        "1e300",
        "-0.0",
        "nan",
        "inf",
        "1_000",
        "0x10",
        "99999999999999999999",
        "true",
        "\"\"",
        "\"auto\"",
        "\"local\"",
        "\"fleet\"",
        "\"1:30\"",
        "\"{{ vars.x }}\"",
        "\"{{ env.ENGINE }}\"",
        "\"{{ env.MY_TOKEN }}\"",
        "\"{{ 1 / 0 }}\"",
        "\"{% for i in range(99999999) %}x{% endfor %}\"",
        "\"{{\"",
        "[]",
        "[\"extract\"]",
        "[\"yolo.crops\"]",
        "[\"batch\", \"yolo\"]",
        "[0, 2]",
        "[[[[[[]]]]]]",
        "{ a = 1 }",
        "{ kind = \"yolo\" }",
        "1979-05-27",
        "'''x'''",
        "\"\\u0000\"",
        "\"../..\"",
        "\"🦀\"",
    ];
    let value = prop_oneof![
        select(values.map(str::to_owned).to_vec()),
        "[ -~]{0,12}",
        (1_usize..300).prop_map(|depth| "[".repeat(depth) + &"]".repeat(depth)),
    ];
    (select(keys), value).prop_map(|(key, value)| format!("{key} = {value}\n"))
}

fn keys_of(schema: &serde_json::Value, keys: &mut Vec<String>) {
    if let Some(properties) = schema["properties"].as_object() {
        keys.extend(properties.keys().cloned());
        properties.values().for_each(|inner| keys_of(inner, keys));
    }
    let kinds = schema["additionalProperties"]["anyOf"].as_array();
    kinds
        .into_iter()
        .flatten()
        .for_each(|inner| keys_of(inner, keys));
    keys.sort();
    keys.dedup();
}

fn piece() -> impl Strategy<Value = String> {
    let headers = [
        "[stages.x]\n",
        "[stages.yolo]\n",
        "[backends.fleet]\nkind = \"runpod\"\n",
        "[vars]\n",
        "[stages]\n",
        "[[stages.yolo]]\n",
        "extends = \"max-speed\"\n",
        "extends = \"any.toml\"\n",
        "kind = \"yolo\"\ninputs = [\"extract\"]\n",
        "kind = \"http\"\n",
        "\u{feff}",
        "\r\n",
        "#",
        "\"",
        "\"\"\"",
        "[",
        "{",
        "\u{202e}",
        "\0",
    ];
    prop_oneof![
        4 => line(),
        2 => select(headers.map(str::to_owned).to_vec()),
        1 => "\\PC{0,8}",
    ]
}

// What is done to a text: from here, so much is taken out and this put in.
type Edit = (Index, usize, String);

fn text() -> impl Strategy<Value = String> {
    let texts = corpus();
    let edits = prop::collection::vec((any::<Index>(), 0_usize..40, piece()), 0..6);
    let joined = (
        select(texts.clone()),
        select(texts),
        any::<Index>(),
        any::<Index>(),
    );
    (joined, any::<bool>(), edits).prop_map(|((one, other, here, there), join, edits)| {
        let mut text = one;
        if join {
            let (head, _) = text.split_at(boundary(&text, here));
            let (_, tail) = other.split_at(boundary(&other, there));
            text = format!("{head}{tail}");
        }
        edits.into_iter().for_each(|edit| change(&mut text, edit));
        text
    })
}

fn change(text: &mut String, (at, length, piece): Edit) {
    let start = boundary(text, at);
    let mut end = (start + length).min(text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    text.replace_range(start..end, &piece);
}

// Half of them at the start of a line, where most words mean something.
fn boundary(text: &str, at: Index) -> usize {
    let mut place = at.index(text.len() + 1);
    while !text.is_char_boundary(place) {
        place += 1;
    }
    match place % 2 {
        0 => place,
        _ => text
            .get(..place)
            .and_then(|head| head.rfind('\n'))
            .map_or(0, |end| end + 1),
    }
}

fn setting() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "(yolo|vars|stages.yolo|backends.fleet|\\PC)[.=a-z0-9\"\\[{]{0,12}",
    ]
}
