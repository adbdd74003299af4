//! Values in an answer: the list, the number or the text that an expression must come to.

use crate::failure::Class;
use crate::failure::Failure;
use crate::item::Size;
use crate::template::Data;
use crate::template::Expression;
use crate::template::Fault;
use crate::template::Names;

/// The sizes of a frame that was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// As it was sent.
    pub sent: Size,
    /// As it is in the video.
    pub source: Size,
}

impl Sizes {
    /// Those of a frame that was sent as it is in the video.
    pub fn unscaled(size: Size) -> Self {
        Self {
            sent: size,
            source: size,
        }
    }
}

pub(super) fn list(expression: &Expression<'_>, names: &Names) -> Result<Vec<Data>, Failure> {
    let data = expression.eval(names).map_err(bad)?;
    let items = data.items();
    items.ok_or_else(|| {
        bad(format!(
            "`{expression}` is not a list; `answer` in the recipe says where it is"
        ))
    })
}

pub(super) fn number(expression: &Expression<'_>, names: &Names) -> Result<f64, Failure> {
    let data = expression.eval(names).map_err(bad)?;
    let number = data.number();
    number.ok_or_else(|| bad(format!("`{expression}` is not a number")))
}

pub(super) fn text(expression: &Expression<'_>, names: &Names) -> Result<String, Failure> {
    let data = expression.eval(names).map_err(bad)?;
    let text = data.text();
    text.ok_or_else(|| bad(format!("`{expression}` is not text")))
}

pub(super) fn bad(why: impl Into<Why>) -> Failure {
    let Why(why) = why.into();
    Failure::new(
        Class::BadAnswer,
        format!("the answer cannot be used: {why}"),
    )
}

pub(super) struct Why(String);

impl From<&str> for Why {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Why {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Fault> for Why {
    fn from(fault: Fault) -> Self {
        Self(fault.message)
    }
}
