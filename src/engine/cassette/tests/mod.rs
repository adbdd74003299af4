//! Tests of the cassette.
