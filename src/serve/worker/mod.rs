//! A worker of RunPod's: takes jobs from a control plane, does them, and delivers what comes of them.
//!
//! | file | what it is |
//! |---|---|
//! | `settings` | what the environment and the user say of a worker |
//! | `address` | the addresses of the control plane, as templates |
//! | `message` | jobs as they are handed out, and answers as they are delivered |
//! | `plane` | the calls of the protocol, one function each |
//! | `pauses` | how long is waited between two calls |
//! | `held` | the jobs that this worker has: waiting, at work, not yet delivered |
//! | `delivery` | an answer on its way, until it is taken or nobody wants it any more |
//! | `attend` | one job, from the moment that it is taken until its answer is delivered |
//! | `worker` | the loops: take, heed what is stopped, ping |
//! | `note` | what a worker tells whoever started it |
//! | `process` | a worker for as long as this process is not asked to end |
//!
//! Does not know what a job asks for, or how its work is done.

mod address;
mod attend;
mod delivery;
mod held;
mod message;
mod note;
mod pauses;
mod plane;
mod process;
mod settings;
#[expect(clippy::module_inception, reason = "the file is named by its subject")]
mod worker;

pub use address::AddressTemplate;
pub use note::NoteLevel;
pub use note::Notes;
pub use note::WorkerNote;
pub use pauses::Pace;
pub use pauses::Pauses;
pub use process::work;
pub use settings::PlaneSettings;
pub use settings::WorkerSettings;
pub use worker::Worker;
