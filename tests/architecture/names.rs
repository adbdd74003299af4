//! Names of public types: none stands in two rooms.

use crate::scan::Tree;
use crate::scan::lines;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// Names that stand in two rooms today. An entry goes when its second type has its own name.
const EXCEPTIONS: &[&str] = &[];

const KINDS: [&str; 5] = ["struct", "enum", "trait", "type", "union"];

/// The public types of a source, by name, with the rooms that declare one.
fn rooms_by_name(tree: &Tree) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut rooms: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for file in &tree.files {
        for (_, line) in lines(&file.live) {
            if let Some(name) = declared(line) {
                rooms.entry(name).or_default().insert(file.room());
            }
        }
    }
    rooms
}

// The name of the public type that a line declares.
fn declared(line: &str) -> Option<&str> {
    let item = line.trim_start().strip_prefix("pub ")?;
    let item = item.strip_prefix("unsafe ").unwrap_or(item);
    let (kind, rest) = item.split_once(' ')?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
    KINDS
        .contains(&kind)
        .then(|| &rest[..end.unwrap_or(rest.len())])
}

fn twice(tree: &Tree) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut rooms = rooms_by_name(tree);
    rooms.retain(|_, rooms| rooms.len() > 1);
    rooms
}

#[test]
fn no_public_type_name_stands_in_two_rooms() {
    let source = Tree::of(&["src"]);
    assert!(rooms_by_name(&source).len() > 100, "no types were found");
    let twice = twice(&source);
    for (name, rooms) in &twice {
        let is_known = EXCEPTIONS.contains(name);
        assert!(is_known, "`{name}` is a type of each of {rooms:?}");
    }
    for name in EXCEPTIONS {
        assert!(
            twice.contains_key(name),
            "`{name}` is no exception any more"
        );
    }
}

#[test]
fn a_name_in_two_rooms_is_seen() {
    let tree = |second| Tree::new(&[("src/plan/a.rs", "pub struct Lane<'a>(u8);"), second]);
    for second in [
        ("src/engine/lane.rs", "pub enum Lane { A }"),
        ("src/time.rs", "pub type Lane = u8;"),
        (
            "src/engine/lane.rs",
            "mod a {\n    pub unsafe trait Lane {}\n}",
        ),
    ] {
        assert!(twice(&tree(second)).contains_key("Lane"), "{second:?}");
    }
    for second in [
        ("src/plan/lower/b.rs", "pub struct Lane;"),
        (
            "src/engine/lane.rs",
            "pub(crate) struct Lane;\nstruct Other;",
        ),
        (
            "src/engine/lane.rs",
            "// pub struct Lane;\npub fn lane() {}",
        ),
        ("src/engine/lane.rs", "pub use crate::plan::Lane;"),
        ("src/engine/tests.rs", "pub struct Lane;"),
    ] {
        assert!(twice(&tree(second)).is_empty(), "{second:?}");
    }
}
