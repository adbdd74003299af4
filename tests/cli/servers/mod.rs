//! Servers of one's own: the examples of this repository against servers with the schemas of their
//! kinds, stages of kind `http`, servers that lie, and recipes of strangers.

mod examples;
mod harness;
mod http_stages;
mod lies;
mod try_command;
mod untrusted_recipes;
