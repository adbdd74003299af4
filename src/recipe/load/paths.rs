//! Paths that a recipe names: each is seen from the folder of the text that it stands in.
//!
//! Knows nothing of what is on the disk.

use crate::diag::Span;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

/// The path that `text` names in a file of `folder`; `~` is the folder `home`, where that is known.
pub(in crate::recipe) fn seen_from(folder: &Path, text: &str, home: Option<&Path>) -> PathBuf {
    let path = Path::new(text);
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => folder.join(path),
    }
}

/// The folders that the paths of a recipe are seen from.
pub(in crate::recipe) struct Folders {
    // Where each text begins, the last one first, and its folder.
    texts: Vec<(usize, PathBuf)>,
    home: Option<PathBuf>,
    // Where the value of each variable stands.
    variables: BTreeMap<String, Span>,
}

impl Folders {
    /// The folder of each text, which begins at a place; `home` is that of the user.
    pub(in crate::recipe) fn new(
        texts: impl IntoIterator<Item = (usize, PathBuf)>,
        home: Option<PathBuf>,
    ) -> Self {
        let mut texts: Vec<_> = texts.into_iter().collect();
        texts.sort_by(|(a, _), (b, _)| b.cmp(a));
        Self {
            texts,
            home,
            variables: BTreeMap::new(),
        }
    }

    /// These, where the values of variables stand where those of `vars` do.
    pub(in crate::recipe) fn with_variables(self, vars: &Table) -> Self {
        Self {
            variables: vars.places(),
            ..self
        }
    }

    /// Where each value of `table` comes from: where it stands, or where the variable does that is
    /// all of it.
    pub(in crate::recipe) fn origins(&self, table: &Table) -> BTreeMap<String, Span> {
        let origin = |value: &Value| match value {
            Value::Text(text) => self.variables.get(lone_variable(text)?).copied(),
            _ => None,
        };
        let entries = table.0.iter();
        entries
            .map(|entry| {
                let origin = origin(&entry.node.value).unwrap_or(entry.node.span);
                (entry.key.clone(), origin)
            })
            .collect()
    }

    /// The path that `text` names, which comes from `origin`.
    pub(in crate::recipe) fn path(&self, text: &str, origin: Span) -> PathBuf {
        let mut texts = self.texts.iter();
        let text_of = texts.find(|(start, _)| *start <= origin.start);
        let folder = text_of.map_or(Path::new(""), |(_, folder)| folder);
        seen_from(folder, text, self.home.as_deref())
    }
}

// The name of the variable in `{{ vars.NAME }}`.
fn lone_variable(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let name = inner.trim().strip_prefix("vars.")?;
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(is_letter).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::lone_variable;
    use super::seen_from;
    use std::path::Path;

    #[test]
    fn a_path_is_seen_from_its_folder_or_from_home() {
        let home = Some(Path::new("home"));
        let seen = |text| seen_from(Path::new("recipes"), text, home);
        for (text, path) in [
            ("m.onnx", "recipes/m.onnx"),
            ("../m.onnx", "recipes/../m.onnx"),
            ("~/m.onnx", "home/m.onnx"),
            ("~", "home"),
            ("~other/m.onnx", "recipes/~other/m.onnx"),
            ("a/~/m.onnx", "recipes/a/~/m.onnx"),
        ] {
            assert_eq!(seen(text), Path::new(path), "{text}");
        }
        let nobody = seen_from(Path::new("recipes"), "~/m.onnx", None);
        assert_eq!(nobody, Path::new("recipes/~/m.onnx"));
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(seen(&root.display().to_string()), root);
    }

    #[test]
    fn a_value_that_is_one_variable_is_told_from_others() {
        assert_eq!(lone_variable(" {{ vars.model }}"), Some("model"));
        for other in ["{{ vars.dir }}/m.onnx", "m.onnx", "{{ vars.a ~ vars.b }}"] {
            assert_eq!(lone_variable(other), None, "{other}");
        }
    }
}
