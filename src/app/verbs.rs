//! The verbs, as the command line calls them.

use super::AppError;
use super::Checked;
use super::FoundModel;
use super::Outcome;
use super::Update;
use crate::plan::Format;
use crate::recipe::Request;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// What to run.
#[derive(Clone, Debug)]
pub struct RunRequest {
    /// The recipe, and what is changed in it.
    pub recipe: Request,
    /// Videos, pictures and folders of pictures, in order.
    pub inputs: Vec<PathBuf>,
    /// How much of each video is looked at; all where `None`.
    pub first: Option<Duration>,
}

/// Runs a recipe over videos and tells `said` what happens, in order.
pub fn run(_request: &RunRequest, _said: &mut dyn FnMut(Update)) -> Result<Outcome, AppError> {
    unjoined()
}

/// Says whether a recipe is right, and what it would do.
pub fn check(_request: &Request) -> Result<Checked, AppError> {
    unjoined()
}

/// Draws the steps that a recipe compiles to.
pub fn graph(_request: &Request, _format: Format) -> Result<String, AppError> {
    unjoined()
}

/// The models in the usual places and in `folders`, the built-in one first.
pub fn models(_folders: &[PathBuf]) -> Result<Vec<FoundModel>, AppError> {
    unjoined()
}

fn unjoined<T>() -> Result<T, AppError> {
    let error = io::Error::other("this build of vpipe has no engine joined to its command line");
    Err(AppError::environment(&error))
}
