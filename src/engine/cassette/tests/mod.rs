//! Tests of the cassette.

mod damage;
mod samples;
mod whole;
