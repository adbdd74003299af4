//! What runs have made: files of results without what may differ between two runs, and all others
//! as they are.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The content of a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    Results(Box<Value>),
    Other(Vec<u8>),
}

/// All files of the output folder of `folder` but the journal, by their names from there.
pub(super) fn outcome(folder: &Path) -> BTreeMap<String, Content> {
    let output = folder.join("output");
    let mut found = BTreeMap::new();
    let mut open = vec![output.clone()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.ends_with(".vpipe") {
                continue;
            }
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let name = path.strip_prefix(&output).unwrap();
            let name = name.to_str().unwrap().replace('\\', "/");
            // What a kill has left of a file is hidden, and removed by a run an hour later.
            if name.contains(".vpipe-") {
                continue;
            }
            found.insert(name, content(&path));
        }
    }
    found
}

fn content(path: &Path) -> Content {
    let bytes = fs::read(path).unwrap();
    if path.extension().is_none_or(|it| it != "json") {
        return Content::Other(bytes);
    }
    let mut results: Value = serde_json::from_slice(&bytes).unwrap();
    let fields = results.as_object_mut().unwrap();
    for varies in ["processed_at", "processing_time", "run"] {
        fields.remove(varies);
    }
    Content::Results(Box::new(results))
}
