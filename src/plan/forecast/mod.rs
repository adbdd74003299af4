//! Forecasts: what a plan will ask of servers, how long that takes and what it costs.
//!
//! | file | what it is |
//! |---|---|
//! | `forecast` | a stage's figures, low, expected and high, and what they assume |
//! | `local` | how long the stages on this machine take |
//! | `requests` | how many requests, of how many bytes |
//! | `shares` | the same for some of the videos |
//! | `storage` | how many bytes are written |
//! | `time` | how long workers take for them |
//! | `billing` | what is paid for workers that ran |
//! | `vram` | the GPU memory of a batch |

pub(super) mod billing;
#[expect(clippy::module_inception, reason = "the file is named by its subject")]
pub(super) mod forecast;
pub(super) mod local;
pub(super) mod requests;
pub(super) mod shares;
pub(super) mod storage;
pub(super) mod time;
pub(super) mod vram;
