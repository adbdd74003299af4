//! What a model server is sent, and where in its answer is what it found.

pub(super) mod answer;
pub(super) mod mapping;
