//! Drawing on frames: boxes, each with a label that can be read.
//!
//! | file | what it is |
//! |---|---|
//! | `painter` | where boxes and labels go, and how large they are |
//! | `typeface` | a line of text, in letters of the font or as their escapes |
//! | `canvas` | pixels that are filled and blended |
//! | `font` | the font, with its licence |
//!
//! Knows pixels, rectangles, colours and texts; nothing of stages or results.

mod canvas;
mod painter;
mod typeface;

pub use painter::Annotation;
pub use painter::Painter;
