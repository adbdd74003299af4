//! Detection models on this machine: a frame in, detections out, as Ultralytics has it.
//!
//! | file | what it is |
//! |---|---|
//! | `detector` | a checked model and its sessions |
//! | `fitted` | a frame in the shape that a model takes |
//! | `profile`, `layout`, `literal` | what a model's file says it takes and gives |
//! | `names`, `coco` | what classes are called |
//! | `letterbox`, `resize`, `nms` | before and after the model |

pub(in crate::backends) mod coco;
mod detector;
mod fitted;
mod layout;
mod letterbox;
mod literal;
pub(in crate::backends) mod names;
mod nms;
pub(in crate::backends) mod profile;
mod resize;

pub use crate::backends::engine::load::LoadOptions;
pub use detector::DetectParams;
pub use detector::Detector;
pub use detector::DetectorSession;
pub use fitted::FittedFrame;
