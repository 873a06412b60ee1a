//! Refrain against services that are wrong in known ways, and against services that are right: one executable, which is
//! linked once.

mod api;
mod depth;
mod determinism;
mod driver;
mod edits;
mod guards;
mod model;
mod network;
mod plans;
mod processes;
mod saving;
mod shrink;
mod verdicts;
