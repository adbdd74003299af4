//! The command line: words of the user in, talk and data out.
//!
//! Knows how a mistake, progress and a summary look, and the exit codes; no rule of the domain.

mod annotate;
mod args;
mod bars;
mod cassette;
mod check;
mod commands;
mod compare;
mod convert;
mod data;
mod defect;
pub mod diagnostic;
mod duration;
mod find;
mod forecast;
mod habits;
mod history;
mod inputs;
mod live;
mod log;
mod mask;
mod mistake;
mod money;
mod plan;
mod progress;
mod report;
mod results_files;
mod screen;
mod serve;
mod streams;
mod summary;
mod tables;
mod test;
mod r#try;
mod worker;

pub use commands::main;
