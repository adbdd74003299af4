//! The parameters of each kind of stage, a file a kind; and the keys that several kinds have.

pub(super) mod batch;
pub(super) mod classes;
pub(super) mod extract;
pub(super) mod http;
pub(super) mod merge;
pub(super) mod moment;
pub(super) mod parameters;
pub(super) mod places;
pub(super) mod ranges;
pub(super) mod save;
pub(super) mod sound;
pub(super) mod take;
pub(super) mod track;
pub(super) mod whisper;
pub(super) mod yolo;
