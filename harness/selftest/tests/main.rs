//! Refrain against services with known bugs, and against correct services. A single executable, which is linked once.

mod api;
mod cause;
mod depth;
mod determinism;
mod driver;
mod edits;
mod guards;
mod heap;
mod machine;
mod model;
mod network;
mod oracle;
mod plans;
mod processes;
mod saving;
mod shrink;
mod sources;
mod threads;
mod verdicts;
