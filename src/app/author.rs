//! `init`, `show` and `schema`: what helps to write a recipe.

use crate::app::compile;
use crate::app::environment::ProcessEnvironment;
use crate::app::error::AppError;
use crate::recipe;
use crate::recipe::Request;
use crate::recipe::Showing;
use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;

/// Writes a commented recipe to begin with to `path`, where nothing may be yet.
pub fn init(path: &Path) -> Result<(), AppError> {
    let written = File::create_new(path).and_then(|mut file| {
        file.write_all(recipe::STARTER.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| {
        let message = format!("cannot write {}: {error}", path.display());
        match error.kind() {
            io::ErrorKind::AlreadyExists => AppError::Request {
                message: format!("{} is there already", path.display()),
                help: Some("give another name: `vpipe init NAME.toml`".to_owned()),
            },
            io::ErrorKind::NotFound => AppError::Request {
                message,
                help: Some("make its folder first".to_owned()),
            },
            _ => AppError::Environment {
                message,
                help: None,
            },
        }
    })
}

/// A recipe as it is run, as one text.
pub fn show(request: &Request, showing: Showing) -> Result<String, AppError> {
    compile::load(request)?;
    Ok(recipe::show(request, &ProcessEnvironment, showing)?)
}

/// The JSON Schema of recipes.
pub fn schema() -> String {
    format!("{:#}\n", recipe::schema())
}
