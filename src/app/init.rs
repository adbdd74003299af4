//! `init`: a commented recipe to begin with.

use crate::app::error::AppError;
use crate::recipe;
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
