//! Finding moments: what is seen and said at once, in results.
//!
//! | file | what it is |
//! |---|---|
//! | `searched` | what of results is searched, read fast and bounded |
//! | `query` | what is looked for, and when each of it is there |
//! | `words` | texts as the words that are compared |
//! | `moments` | when all of it is |
//!
//! Pure but for reading a file.

mod moments;
mod query;
mod searched;
mod words;

#[cfg(test)]
mod tests;

pub use moments::FoundMoment;
pub use moments::moments;
pub use query::MomentQuery;
pub use searched::SearchedResults;
pub use searched::read_searched;
