//! The documentation, kept true: its recipes are checked, its commands are run, its samples are
//! what the program writes, and its links and names lead somewhere.

mod commands;
mod figures;
mod links;
mod page;
mod results;
mod samples;
mod source;
