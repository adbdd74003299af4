//! Finds what is seen and said in videos, by recipe.
//!
//! What follows is `src/README.md`.
#![doc = include_str!("README.md")]

pub mod answer;
pub mod app;
pub mod backends;
pub mod cli;
pub mod diag;
pub mod disk;
pub mod duration;
pub mod engine;
pub mod event;
pub mod exchange;
pub mod facts;
pub mod failure;
pub mod item;
pub mod media;
pub mod name;
pub mod output;
pub mod plan;
pub mod recipe;
pub mod serve;
pub mod speech;
pub mod stages;
pub mod template;
pub mod time;
