//! The handlers of jobs: pictures to boxes, sound to words, by models of this machine.
//!
//! | file | what it is |
//! |---|---|
//! | `dispatch` | by the keys of a job, its schema and the model that does it |
//! | `options` | which models are served, and how they are run |
//! | `served` | what all served models have in common |
//! | `detection` | jobs of pictures: what is asked, and the answer |
//! | `detectors` | the detector's sessions, and frames made ready for them |
//! | `queue` | frames that wait, and which of them go through the model together |
//! | `speech`, `validator` | jobs of sound, in two schemas |
//! | `transcribers` | the speech model's sessions |
//! | `sound` | a sound file to samples |
//! | `captions` | segments as text |
//! | `keys`, `file`, `number` | values of an input and of an answer |
//! | `meter` | what the models have done so far |
//!
//! Does not know who asks, or how jobs come.

mod captions;
mod detection;
mod detectors;
mod dispatch;
mod file;
mod keys;
mod meter;
mod number;
mod options;
mod queue;
mod served;
mod sound;
mod speech;
mod transcribers;
mod validator;

pub use captions::TranscriptText;
pub use dispatch::Handlers;
pub use meter::MeterReading;
pub use options::ModelOptions;
pub use options::ServedModel;
pub use served::ServingError;
pub use served::Tell;
pub use speech::SoundTranscript;
