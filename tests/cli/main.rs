//! The program as a process: words in, text, files and an exit code out.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod annotate;
mod authoring;
mod cassette;
mod classes;
mod command_line;
mod compare;
mod convert;
mod cost;
mod crops;
mod dedup;
mod demo;
mod docs;
mod doctor;
mod engines;
mod files;
mod find;
mod forecast;
mod found;
mod habits;
mod hostile;
mod hostile_models;
mod inputs;
mod interrupts;
mod journal;
mod jsonl;
mod kept;
mod kills;
mod log;
mod models;
mod outages;
mod paths;
mod plan;
mod ranges;
mod recipe_tests;
mod report;
mod runpod;
mod sampling;
mod save;
mod servers;
mod speech;
#[path = "../support/mod.rs"]
mod support;
mod track;
mod videos;
