//! Jobs answered by models of this machine: inputs as data, answers as snapshots.

mod batches;
mod files;
mod jobs;
mod page;
mod speech;
