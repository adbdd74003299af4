//! Formats: what a run found, as the files that other programs read.
//!
//! A format is a file here and an entry of [`Format`](crate::recipe::OutputFormat); it is made from
//! results alone, so it can be made again later. Where a file goes is said by
//! [`Place`](crate::output::Place).
//!
//! | format | times | lines |
//! |---|---|---|
//! | `srt`, `vtt` | of each caption | at most `line_width` columns wide, at most `line_count` a caption |
//! | `tsv` | milliseconds of each segment | one a segment |
//! | `txt` | none | one a segment |
//! | `jsonl` | seconds of each frame | one a frame, and while the run goes on |

mod atoms;
pub(super) mod caption;
mod captions;
mod clock;
pub(super) mod jsonl;
pub(super) mod render;
mod schedule;
mod split;
mod srt;
mod text;
mod tsv;
mod txt;
mod vtt;

#[cfg(test)]
mod tests;
