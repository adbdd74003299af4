//! Servers of one's own: the examples of this repository against servers with the schemas of their
//! kinds, stages of kind `http`, servers that lie, that answer without end or say the key they were
//! sent, recipes of strangers, and what they get of the environment.

mod endless;
mod environment;
mod escapes;
mod examples;
mod harness;
mod hosts;
mod http_stages;
mod keys;
mod lies;
mod try_command;
mod untrusted_recipes;
