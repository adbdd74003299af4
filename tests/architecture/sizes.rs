//! How long files and functions may be.

use crate::rule::Rule;
use crate::scan::File;
use crate::scan::Function;
use crate::scan::Tree;
use crate::scan::functions;
use std::collections::BTreeSet;

/// All of them.
pub(crate) const RULES: &[Rule] = &[SHORT_FILE, SHORT_FUNCTION];

/// The most lines of a file.
const LONGEST_FILE: usize = 500;

/// The most lines of a function, from its name to its closing brace.
const LONGEST_FUNCTION: usize = 60;

/// Files that are longer today. An entry goes when its file is cut.
const LONG_FILES: &[&str] = &[];

/// Functions that are longer today, by room and name. An entry goes when its function is cut or
/// has its reason.
const LONG_FUNCTIONS: &[&str] = &[];

/// How the reason begins that a longer function has above it.
const REASON: &str = "// Long because ";

/// A file is read in one sitting.
pub(crate) const SHORT_FILE: Rule = Rule {
    check: |file| {
        let is_known = LONG_FILES.contains(&file.name());
        let length = too_long(file).filter(|_| !is_known);
        let told = |length| format!("{length} lines; at most {LONGEST_FILE}");
        let breach = length.map(|length| (LONGEST_FILE, told(length)));
        breach.into_iter().collect()
    },
    broken_by: &[("src/a.rs", "<501 lines>", "501 lines; at most 500")],
    kept_by: &[("src/a.rs", "<500 lines>")],
};

const SHORT_FUNCTION: Rule = Rule {
    check: |file| {
        let told = |function: Function<'_>| {
            let Function { name, line, length } = function;
            let what = format!("`{name}` has {length} lines; at most {LONGEST_FUNCTION}");
            (line, format!("{what}, or `{REASON}...` above it"))
        };
        too_long_functions(file)
            .filter(|function| !LONG_FUNCTIONS.contains(&named(file, function).as_str()))
            .map(told)
            .collect()
    },
    broken_by: &[
        (
            "src/a.rs",
            "fn f<'a>(\n  a: [u8; 3],\n) -> fn(u8) {\n<57 lines>}",
            "1: `f` has 61 lines",
        ),
        (
            "src/a.rs",
            "impl A {\n/// Long.\nfn f() {\n<59 lines>}\n}",
            "3: `f` has 61 lines",
        ),
        (
            "src/a.rs",
            "// Long because it is a table.\nfn f() {\n<59 lines>}\nfn g() {\n<59 lines>}",
            "63: `g` has 61 lines",
        ),
    ],
    kept_by: &[
        ("src/a.rs", "fn f() {\n<58 lines>}"),
        (
            "src/a.rs",
            "// Long because it is a table.\n#[inline]\nfn f() {\n<59 lines>}",
        ),
        ("src/a.rs", "trait A {\n    fn f(&self);\n}\n<59 lines>"),
        ("src/tests.rs", "fn f() {\n<59 lines>}"),
    ],
};

fn too_long(file: &File) -> Option<usize> {
    let length = file.text.lines().count();
    (length > LONGEST_FILE).then_some(length)
}

fn too_long_functions(file: &File) -> impl Iterator<Item = Function<'_>> {
    functions(&file.live)
        .filter(|function| function.length > LONGEST_FUNCTION)
        .filter(|function| !has_reason(file, function.line))
}

fn named(file: &File, function: &Function<'_>) -> String {
    format!("{}::{}", file.room(), function.name)
}

// Whether the comments and attributes right above a line give the reason.
fn has_reason(file: &File, line: usize) -> bool {
    let above: Vec<&str> = file.text.lines().take(line - 1).collect();
    let mut above = above.iter().rev().map(|line| line.trim_start());
    above
        .by_ref()
        .take_while(|line| line.starts_with("//") || line.starts_with("#["))
        .any(|line| line.starts_with(REASON))
}

#[test]
fn every_exception_is_needed() {
    let source = Tree::of(&["src"]);
    let long = source.files.iter().filter(|file| too_long(file).is_some());
    let files: BTreeSet<&str> = long.map(File::name).collect();
    let known = LONG_FILES.iter().copied().collect();
    assert_eq!(files, known, "long files, and LONG_FILES");
    let functions: BTreeSet<String> = source
        .files
        .iter()
        .flat_map(|file| too_long_functions(file).map(move |function| named(file, &function)))
        .collect();
    let known = LONG_FUNCTIONS.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(functions, known, "long functions, and LONG_FUNCTIONS");
}
