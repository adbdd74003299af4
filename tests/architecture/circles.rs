//! Imports that go in circles: none between files of different folders, and none of more than
//! three files inside one.
//!
//! What a file uses is followed through re-exports to the file that has it. A file and the folder
//! of its name are one folder.

use crate::scan::File;
use crate::scan::Tree;
use crate::scan::lines;
use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;
use petgraph::graph::NodeIndex;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

/// The most files of one folder that may need each other.
const MOST: usize = 3;

/// The rooms with a circle today. An entry goes when its circle is cut.
const EXCEPTIONS: &[&str] = &[];

/// The modules of a source, and what each imports under which name.
struct Modules<'a> {
    files: BTreeMap<Vec<&'a str>, &'a File>,
    imports: BTreeMap<Vec<&'a str>, BTreeMap<&'a str, Vec<&'a str>>>,
}

impl<'a> Modules<'a> {
    fn of(tree: &'a Tree) -> Self {
        let files = tree.files.iter().map(|file| (module(&file.path), file));
        let mut modules = Self {
            files: files.collect(),
            imports: BTreeMap::new(),
        };
        for (own, file) in &modules.files {
            let uses = lines(&file.live).filter_map(|(_, line)| import(line));
            let uses = uses.map(|(name, path)| (name, modules.absolute(own, &path)));
            let uses = uses
                .filter_map(|(name, path)| Some((name, path?)))
                .collect();
            modules.imports.insert(own.clone(), uses);
        }
        modules
    }

    // A path from the root of the crate; `None` for one of another crate.
    fn absolute(&self, own: &[&'a str], path: &[&'a str]) -> Option<Vec<&'a str>> {
        let mut base = own.to_vec();
        let mut rest = path;
        loop {
            match rest.first()? {
                &"crate" | &"vpipe" => base.clear(),
                &"self" => {}
                &"super" => drop(base.pop()?),
                _ => break,
            }
            rest = &rest[1..];
        }
        base.extend(rest);
        let is_rooted = rest.len() < path.len();
        let is_child = || self.files.contains_key(&[own, &path[..1]].concat());
        (is_rooted || is_child()).then_some(base)
    }

    // The file that has what a path from the root names.
    fn home(&self, path: &[&'a str]) -> Option<&'a str> {
        let mut path = path.to_vec();
        // As often as names are handed on at most.
        for _ in 0..8 {
            let depth = (0..=path.len())
                .rev()
                .find(|depth| self.files.contains_key(&path[..*depth]))?;
            let (module, rest) = path.split_at(depth);
            let handed_on = rest
                .first()
                .and_then(|name| self.imports.get(module)?.get(name));
            let Some(from) = handed_on.filter(|from| !from.starts_with(&path[..=depth])) else {
                return Some(&self.files[module].path);
            };
            path = [from, &rest[1..]].concat();
        }
        None
    }

    // The file that an import needs. What a module is needed for is said where it is mentioned;
    // a function may have the name of its module.
    fn imported(&self, path: &[&'a str]) -> Option<&'a str> {
        if !self.files.contains_key(path) {
            return self.home(path);
        }
        let (name, parent) = path.split_last()?;
        let item = self.imports.get(parent)?.get(name)?;
        (item.as_slice() != path).then(|| self.home(item))?
    }

    // The files that a file uses.
    fn used(&self, own: &[&'a str]) -> BTreeSet<&'a str> {
        let file = self.files[own];
        let imports = &self.imports[own];
        let mut used = BTreeSet::new();
        for (_, line) in lines(&file.live) {
            if let Some((name, _)) = import(line) {
                used.extend(imports.get(name).and_then(|path| self.imported(path)));
                continue;
            }
            for path in paths(line) {
                let path = match imports.get(path[0]) {
                    Some(module) if path.len() > 1 => [module, &path[1..]].concat(),
                    _ => match self.absolute(own, &path) {
                        Some(path) => path,
                        None => continue,
                    },
                };
                used.extend(self.home(&path));
            }
        }
        used.remove(&file.path.as_str());
        used
    }
}

// The module of a file, from the root of the crate.
fn module(path: &str) -> Vec<&str> {
    let path = path.trim_start_matches("src/").trim_end_matches(".rs");
    let mut parts: Vec<&str> = path.split('/').collect();
    if ["mod", "lib"].contains(&parts[parts.len() - 1]) {
        parts.pop();
    }
    parts
}

// The folder of a file: that of its name, where there is one.
fn folder<'a>(tree: &Tree, path: &'a str) -> &'a str {
    let own = path.trim_end_matches(".rs");
    let inner = format!("{own}/");
    let has_folder = tree.files.iter().any(|file| file.path.starts_with(&inner));
    match has_folder {
        true => own,
        false => path.rsplit_once('/').map_or("", |(folder, _)| folder),
    }
}

// The name that a line imports, and its path.
fn import(line: &str) -> Option<(&str, Vec<&str>)> {
    let line = line.trim().strip_suffix(';')?;
    let (before, path) = match line.strip_prefix("use ") {
        Some(path) => ("", path),
        None => line.split_once(" use ")?,
    };
    if !before.is_empty() && !before.starts_with("pub") {
        return None;
    }
    let (path, name) = match path.split_once(" as ") {
        Some((path, name)) => (path, Some(name)),
        None => (path, None),
    };
    let parts: Vec<&str> = path.split("::").collect();
    Some((name.or(parts.last().copied())?, parts))
}

// The paths of two names and more on a line.
fn paths(line: &str) -> Vec<Vec<&str>> {
    // Who may see an item is no use of anything.
    let mut parts = line.split("pub(");
    let first = parts.next();
    let visible = parts.map(|part| part.split_once(')').map_or(part, |(_, rest)| rest));
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    first
        .into_iter()
        .chain(visible)
        .flat_map(|part| part.split(move |c| !is_path(c)))
        .filter(|text| text.contains("::") && !text.starts_with(':'))
        .map(|text| text.split("::").filter(|part| !part.is_empty()).collect())
        .filter(|parts: &Vec<&str>| !parts.is_empty())
        .collect()
}

/// The circles of a source that may not be, each with its files in order.
fn circles(tree: &Tree) -> BTreeSet<Vec<&str>> {
    let modules = Modules::of(tree);
    let mut graph = DiGraph::new();
    let nodes: BTreeMap<&str, NodeIndex> = tree
        .files
        .iter()
        .map(|file| (file.path.as_str(), graph.add_node(file.path.as_str())))
        .collect();
    for (module, file) in &modules.files {
        for other in modules.used(module) {
            graph.add_edge(nodes[file.path.as_str()], nodes[other], ());
        }
    }
    let groups = tarjan_scc(&graph).into_iter().map(|group| {
        let mut files: Vec<&str> = group.into_iter().map(|node| graph[node]).collect();
        files.sort_unstable();
        files
    });
    groups
        .filter(|files| {
            let folders: BTreeSet<&str> = files.iter().map(|path| folder(tree, path)).collect();
            folders.len() > 1 || files.len() > MOST
        })
        .collect()
}

#[test]
fn no_imports_go_in_circles() {
    let source = Tree::of(&["src"]);
    let modules = Modules::of(&source);
    let count: usize = modules
        .files
        .keys()
        .map(|own| modules.used(own).len())
        .sum();
    assert!(count > source.files.len(), "hardly an import was found");
    let circles = circles(&source);
    let mut told = String::new();
    for circle in circles
        .iter()
        .filter(|circle| !EXCEPTIONS.contains(&room(circle)))
    {
        told += "a circle of imports\n";
        for path in circle {
            let used = modules.used(&module(path));
            let inside: Vec<&&str> = circle
                .iter()
                .filter(|other| used.contains(*other))
                .collect();
            told += &format!("  {path} uses {inside:?}\n");
        }
    }
    assert!(told.is_empty(), "\n{told}");
    let rooms: BTreeSet<&str> = circles.iter().map(|circle| room(circle)).collect();
    for exception in EXCEPTIONS {
        assert!(
            rooms.contains(exception),
            "{exception} has no circle any more"
        );
    }
}

// The room of a circle, since no import goes up a floor.
fn room<'a>(circle: &[&'a str]) -> &'a str {
    circle[0].split('/').nth(1).unwrap()
}

#[test]
fn a_circle_is_seen_however_it_is_closed() {
    let one = (
        "src/plan/a.rs",
        "use crate::plan::low::B;\npub struct A(B);",
    );
    for others in [
        // By the file itself, by a name that is handed on, by a module, in the middle of a line.
        [
            ("src/plan/low/b.rs", "use crate::plan::a::A;\npub struct B;"),
            ("src/plan/mod.rs", "mod a;"),
        ],
        [
            ("src/plan/low/b.rs", "use crate::plan::A;\npub struct B;"),
            ("src/plan/mod.rs", "pub use a::A;\nmod a;"),
        ],
        [
            ("src/plan/low/b.rs", "use super::super::A;\npub struct B;"),
            ("src/plan/mod.rs", "pub use self::a::A;"),
        ],
        [
            (
                "src/plan/low/b.rs",
                "use crate::plan;\nfn f() -> plan::A { }",
            ),
            ("src/plan/mod.rs", "pub use a::A;"),
        ],
        [
            (
                "src/plan/low/b.rs",
                "use crate::plan::a;\nfn f() { g(a::A) }",
            ),
            ("src/plan/mod.rs", "mod a;"),
        ],
        [
            ("src/plan/low/b.rs", "fn f() -> crate::plan::Other {}"),
            ("src/plan/mod.rs", "pub use a::A as Other;"),
        ],
    ] {
        let handed_on = ("src/plan/low/mod.rs", "pub use b::B;\nmod b;");
        let tree = Tree::new(&[one, handed_on, others[0], others[1]]);
        let expected = BTreeSet::from([vec!["src/plan/a.rs", "src/plan/low/b.rs"]]);
        assert_eq!(circles(&tree), expected, "{others:?}");
    }
}

#[test]
fn what_is_no_circle_is_none() {
    let ring = |count: usize| -> Vec<(String, String)> {
        let file = |number: usize| {
            let next = (number + 1) % count;
            let text = format!("use crate::plan::f{next}::F{next};\npub struct F{number};");
            (format!("src/plan/f{number}.rs"), text)
        };
        (0..count).map(file).collect()
    };
    let tree = |files: &[(String, String)]| {
        let files = files
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()));
        Tree::new(&files.collect::<Vec<_>>())
    };
    assert_eq!(circles(&tree(&ring(3))).len(), 0);
    assert_eq!(circles(&tree(&ring(4))).len(), 1);
    for second in [
        (
            "src/plan/low/b.rs",
            "use crate::plan::c::C;\n// crate::plan::a::A",
        ),
        (
            "src/plan/low/b.rs",
            "#[cfg(test)]\nmod tests {\n    use crate::plan::a::A;\n}",
        ),
        ("src/plan/low/b.rs", "use other::plan::a::A;"),
    ] {
        let first = ("src/plan/a.rs", "use crate::plan::low::b::B;");
        assert_eq!(circles(&Tree::new(&[first, second])), BTreeSet::new());
    }
    // A file and the folder of its name.
    let first = (
        "src/plan/low.rs",
        "mod b;\npub use b::B;\nfn f() { b::f() }",
    );
    let second = (
        "src/plan/low/b.rs",
        "use super::A;\nuse crate::plan::low::A;",
    );
    assert_eq!(circles(&Tree::new(&[first, second])), BTreeSet::new());
}
