//! What the tests of several protocols need.

pub(super) mod mutations;
