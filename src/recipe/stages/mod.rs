//! The parameters of each kind of stage, a file a kind.

pub(super) mod extract;
pub(super) mod http;
pub(super) mod moment;
pub(super) mod save;
pub(super) mod take;
