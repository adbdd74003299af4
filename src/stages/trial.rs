//! Trials: one request of a stage, shown before it is sent and while it is understood.
//!
//! What a run does, step by step and without retries. Does not know screens.

use crate::engine::BoxFuture;
use crate::failure::Failure;
use crate::item::Item;
use crate::template::Filled;
use serde_json::Value;

/// A stage that asks a remote backend.
pub trait Trial: Send + Sync {
    /// What is asked about `item`.
    ///
    /// # Errors
    ///
    /// Where no request can be made of it.
    fn rendered(&self, item: &Item) -> Result<RenderedRequest, Failure>;

    /// Asks, and gives the answer as it came.
    ///
    /// # Errors
    ///
    /// Where there is none.
    fn send<'a>(&'a self, item: &'a Item) -> BoxFuture<'a, Result<Value, Failure>>;

    /// What the stage makes of an answer.
    ///
    /// # Errors
    ///
    /// Where it is not what the recipe says.
    fn read(&self, item: &Item, answer: &Value) -> Result<Vec<Item>, Failure>;
}

/// A request, for people to read.
#[derive(Clone, Debug)]
pub struct RenderedRequest {
    /// The address and the headers, a line each; without the key.
    pub head: String,
    /// The fields.
    pub fields: Filled,
    /// How many bytes the body has.
    pub bytes: usize,
}
