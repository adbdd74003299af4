//! What is seen and said in videos, by recipe.
//!
//! A recipe (TOML) declares stages; it is compiled to a typed graph of steps, and the graph is
//! run with every stage under its own limit. See `README.md` for what users do with it.
//!
//! # Rooms and floors
//!
//! A file uses its own room and the floors below it, never up, never sideways;
//! `tests/architecture` holds it to that.
//!
//! | floor | room | what it is | what it does not know |
//! |---|---|---|---|
//! | 7 | [`cli`] | words of the user, progress, how a mistake looks, exit codes | any rule of the domain |
//! | 5 | [`app`] | one file a verb: recipe, facts, plan, steps, engine, results | how any of them works |
//! | 4 | [`stages`] | what each kind of stage does | screens, processes |
//! | 3 | [`engine`] | moves items: channels, lanes, permits, retries, stop, events | media, models, HTTP, TOML |
//! | 3 | [`output`] | results and their formats | running anything |
//! | 2 | [`plan`] | graph, checks, lowering, limits, memory; pure over recipe and facts | files, network, tokio |
//! | 2 | [`media`] | video to frames and sound; iterators on plain threads | tokio, the engine |
//! | 2 | [`backends`] | inference: here, or submitted to a server and waited for | stages, videos |
//! | 1 | [`recipe`] | text to a typed recipe with places | that stages exist as code |
//! | 0 | [`item`], [`speech`], [`time`], [`event`], [`exchange`], [`failure`], [`name`], [`diag`], [`facts`], [`template`] | the vocabulary | everything else |

pub mod app;
pub mod backends;
pub mod cli;
pub mod diag;
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
pub mod speech;
pub mod stages;
pub mod template;
pub mod time;
