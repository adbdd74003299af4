//! `show`: a recipe as it is run, as one text.

use crate::app::compile;
use crate::app::environment::ProcessEnvironment;
use crate::app::error::AppError;
use crate::recipe;
use crate::recipe::Request;
use crate::recipe::Showing;

/// A recipe as it is run, as one text.
pub fn show(request: &Request, showing: Showing) -> Result<String, AppError> {
    compile::load(request)?;
    Ok(recipe::show(request, &ProcessEnvironment, showing)?)
}
