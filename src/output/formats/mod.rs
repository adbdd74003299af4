//! Formats made from the results, a file each.

pub(super) mod captions;
