//! What the journal keeps, and what becomes of it where the disk or another program fails it.

mod damage;
mod power;
pub(in crate::engine::journal) mod samples;
mod use_of_it;
mod videos;
