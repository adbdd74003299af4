//! The page: what was seen and said in videos, as one HTML file that opens from disk and asks nobody.
//!
//! | file | subject |
//! |---|---|
//! | `page` | the file: template, style, program and data put together |
//! | `data` | what the page knows of a video, column by column |
//! | `frames`, `speech`, `troubles`, `details` | the parts of that |
//! | `address` | where the video is, as seen from the page |
//! | `names` | what each video is called |
//! | `page.html`, `page.css`, `*.js` | the page itself, by hand, in the order of `page::PROGRAM` |
//!
//! Texts of results are data: they stand in blocks that no browser runs, and the program shows them
//! as text. Knows nothing of how a picture is decoded.

pub(super) mod address;
mod data;
mod details;
mod frames;
mod names;
#[expect(clippy::module_inception, reason = "the file is named by its subject")]
pub(super) mod page;
mod speech;
mod troubles;
