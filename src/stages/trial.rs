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

    /// Asks, and says what came of it.
    ///
    /// # Errors
    ///
    /// Where there is no answer.
    fn ask<'a>(&'a self, item: &'a Item) -> BoxFuture<'a, Result<TrialAnswer, Failure>>;
}

/// An answer, for people to read.
#[derive(Debug)]
pub struct TrialAnswer {
    /// As it came.
    pub came: Value,
    /// What the stage makes of it; or why it cannot.
    pub read: Result<Vec<Item>, Failure>,
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
