//! Layers: the texts of a recipe, from the file that was asked for down to what it extends.

use crate::diag::Diagnostic;
use crate::diag::SourceMap;
use crate::recipe::load::environment::Environment;
use crate::recipe::load::environment::LoadError;
use crate::recipe::load::merge::KEYS;
use crate::recipe::load::parse;
use crate::recipe::load::paths::seen_from;
use crate::recipe::load::presets::PRESETS;
use crate::recipe::load::presets::preset;
use crate::recipe::load::tree::Entry;
use crate::recipe::load::tree::Table;
use crate::recipe::load::tree::Value;
use crate::recipe::tools::suggest::suggest;
use std::ffi::OsStr;
use std::io;
use std::path::Component;
use std::path::Path;
use std::path::PathBuf;

// Links can make one file a circle under ever new names.
const DEPTH: usize = 16;

/// One text, parsed.
pub(in crate::recipe) struct Layer {
    /// Where it begins in the source map.
    pub(in crate::recipe) start: usize,
    pub(in crate::recipe) table: Table,
    origin: Origin,
}

impl Layer {
    /// The folder that its paths are seen from.
    pub(in crate::recipe) fn folder(&self) -> &Path {
        self.origin.folder()
    }
}

/// The files that `layers` were read from.
pub(in crate::recipe) fn files(layers: &[Layer]) -> Vec<PathBuf> {
    let files = layers.iter().filter_map(|layer| match &layer.origin {
        Origin::File(path) => Some(path.clone()),
        Origin::Preset(_) => None,
    });
    files.collect()
}

/// Where a text comes from.
#[derive(Clone, Debug, PartialEq)]
enum Origin {
    Preset(&'static str),
    File(PathBuf),
}

impl Origin {
    // `name` as it stands in a text that lies in `folder`.
    fn of(name: &str, folder: &Path, environment: &dyn Environment) -> Self {
        match preset(name) {
            Some(preset) => Self::Preset(preset.name),
            None => Self::File(plain(&seen_from(
                folder,
                name,
                environment.home().as_deref(),
            ))),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Preset(name) => format!("preset {name}"),
            Self::File(path) => path.display().to_string(),
        }
    }

    fn read(&self, environment: &dyn Environment) -> io::Result<String> {
        match self {
            Self::Preset(name) => Ok(preset(name).map_or("", |preset| preset.text).to_owned()),
            Self::File(path) => environment.read(path),
        }
    }

    fn folder(&self) -> &Path {
        match self {
            Self::Preset(_) => Path::new(""),
            Self::File(path) => path.parent().unwrap_or(Path::new("")),
        }
    }
}

// Two spellings of one path are one file to the check for circles. Only text is looked at.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(plain.components().next_back(), Some(Component::Normal(_))) =>
            {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// What the user calls the recipe `name`: a preset's name, or a file's without extension.
pub(in crate::recipe) fn title(name: &str) -> String {
    let stem = Path::new(name).file_stem().and_then(OsStr::to_str);
    stem.unwrap_or(name).to_owned()
}

/// The recipe `name` and what it extends, the lowest layer first. The inner error is a mistake
/// in one of the texts.
pub(in crate::recipe) fn collect(
    name: &str,
    environment: &dyn Environment,
    sources: &mut SourceMap,
) -> Result<Result<Vec<Layer>, Diagnostic>, LoadError> {
    let mut origin = Origin::of(name, Path::new(""), environment);
    let mut text = origin
        .read(environment)
        .map_err(|error| unreadable(name, error))?;
    let mut seen = Vec::new();
    let mut layers = Vec::new();
    loop {
        let start = match &origin {
            Origin::Preset(_) => sources.add_built_in(origin.name(), text.as_str()),
            Origin::File(_) => sources.add(origin.name(), text.as_str()),
        };
        let table = match parse::document(&text, start) {
            Ok(table) => table,
            Err(diagnostic) => return Ok(Err(diagnostic)),
        };
        let extends = table.get("extends").cloned();
        seen.push(origin.clone());
        layers.push(Layer {
            start,
            table,
            origin,
        });
        let Some(extends) = extends else {
            layers.reverse();
            return Ok(Ok(layers));
        };
        match follow(&extends, &seen, environment) {
            Ok(next) => (origin, text) = next,
            Err(diagnostic) => return Ok(Err(diagnostic)),
        }
    }
}

fn unreadable(name: &str, source: io::Error) -> LoadError {
    let is_word = !name.contains(['/', '\\', '.']);
    if source.kind() == io::ErrorKind::NotFound && is_word {
        return LoadError::Unknown {
            name: name.to_owned(),
        };
    }
    LoadError::Unreadable {
        path: name.to_owned(),
        source,
    }
}

// The text that the last one of `seen` extends.
fn follow(
    extends: &Entry,
    seen: &[Origin],
    environment: &dyn Environment,
) -> Result<(Origin, String), Diagnostic> {
    let span = extends.node.span;
    let Value::Text(name) = &extends.node.value else {
        let what = extends.node.what();
        return Err(
            Diagnostic::error(span, format!("`extends` takes one name, not {what}"))
                .help("write a preset or a path, such as `extends = \"default\"`"),
        );
    };
    let folder = seen.last().map_or(Path::new(""), Origin::folder);
    let origin = Origin::of(name, folder, environment);
    if let Some(start) = seen.iter().position(|before| *before == origin) {
        let circle = seen.iter().skip(start).chain([&origin]);
        let path: Vec<String> = circle.map(Origin::name).collect();
        return Err(Diagnostic::error(
            span,
            format!("the recipes extend each other: {}", path.join(" -> ")),
        )
        .help("remove one of these `extends`"));
    }
    if seen.len() == DEPTH {
        let message = format!("this is the recipe number {DEPTH} in a chain of `extends`");
        return Err(Diagnostic::error(span, message)
            .help("extend fewer recipes; do links on the disk lead round?"));
    }
    let fault = match origin.read(environment) {
        Ok(text) if is_recipe(&text) => return Ok((origin, text)),
        Ok(_) => Diagnostic::error(
            span,
            format!("`{name}` cannot be extended: it is not a recipe"),
        )
        .help(format!(
            "`vpipe check {name}` says what is wrong, from the folder of this file"
        )),
        Err(error) => {
            let why = match error.kind() {
                io::ErrorKind::NotFound => "there is no such file or preset".to_owned(),
                _ => error.to_string(),
            };
            let presets = PRESETS.iter().map(|preset| preset.name);
            let otherwise = "write a path from this file's folder, or a preset";
            let file = format!("{name}.toml");
            let there = Origin::of(&file, folder, environment).read(environment);
            let help = match there.is_ok_and(|text| is_recipe(&text)) {
                true => format!("did you mean `{file}`?"),
                false => suggest(name, presets, otherwise),
            };
            Diagnostic::error(span, format!("`{name}` cannot be extended: {why}")).help(help)
        }
    };
    Err(fault.label(format!("looked for {}", origin.name())))
}

// Whether a text may be shown: a recipe can name any file of this machine, and a mistake is drawn
// with the line it is in.
fn is_recipe(text: &str) -> bool {
    parse::document(text, 0).is_ok_and(|table| {
        let mut keys = table.keys();
        table.get("version").is_some() && keys.all(|key| KEYS.contains(&key))
    })
}
