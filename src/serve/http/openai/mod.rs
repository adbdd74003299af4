//! OpenAI's speech API.
//!
//! | file | what it is |
//! |---|---|
//! | `routes` | what is asked, and what is refused |
//! | `form` | the fields of a request |
//! | `answer` | a transcript in the format that was asked for |

mod answer;
mod form;
mod routes;

pub(super) use routes::routes;
