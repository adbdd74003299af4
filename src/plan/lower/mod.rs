//! Lowering: from the graph of stages and the facts to steps with limits.
//!
//! | file | what it is |
//! |---|---|
//! | `compile` | the whole recipe, stage by stage, and `merge` |
//! | `frames` | `extract`, `batch` and `save` |
//! | `vision`, `speech` | stages that infer on frames and on sound |
//! | `feed` | the frames, or crops, that reach a stage |
//! | `demand` | which forms of frames any stage takes |
//! | `chunk`, `memory` | how much sound at once; the most that is alive at once |

pub(super) mod chunk;
pub(super) mod compile;
pub(super) mod demand;
pub(super) mod feed;
pub(super) mod frames;
mod memory;
pub(super) mod speech;
pub(super) mod track;
pub(super) mod vision;
