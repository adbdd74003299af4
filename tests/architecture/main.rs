//! What must hold of the source as text: rooms and floors (see `src/lib.rs`) and the house rules.
//!
//! A rule stands with examples that break it and such that keep it, and is tried on both before
//! it is believed about the source.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a scan that fails on a file fails the test"
)]

mod circles;
mod manners;
mod names;
mod packages;
mod rooms;
mod rule;
mod scan;
mod sizes;
mod snapshots;

use rule::Rule;
use rule::written_out;
use scan::File;
use scan::Tree;

fn rules() -> impl Iterator<Item = &'static Rule> {
    [rooms::RULES, manners::RULES, sizes::RULES]
        .into_iter()
        .flatten()
}

#[test]
fn the_source_keeps_every_rule() {
    let source = Tree::of(&["src"]);
    let mut breaches: Vec<String> = rules()
        .flat_map(|rule| source.files.iter().flat_map(|file| rule.breaches(file)))
        .collect();
    breaches.sort();
    assert!(breaches.is_empty(), "\n{}\n", breaches.join("\n"));
}

#[test]
fn every_rule_is_broken_by_what_should_break_it_and_by_nothing_else() {
    for (number, rule) in rules().enumerate() {
        assert!(
            !rule.broken_by.is_empty(),
            "rule {number} was never seen to be broken"
        );
        for (path, text, told) in rule.broken_by {
            let breaches = rule.breaches(&File::new(path, &written_out(text)));
            assert!(
                breaches.iter().any(|breach| breach.contains(told)),
                "{path}: {text:?} should be told `{told}`, and is told {breaches:?}"
            );
        }
        for (path, text) in rule.kept_by {
            let breaches = rule.breaches(&File::new(path, &written_out(text)));
            assert!(breaches.is_empty(), "{text:?}: {breaches:?}");
        }
    }
}
