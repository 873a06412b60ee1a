//! `cargo refrain` against an executable that answers what it is told to: every exit code, and every way it can go wrong.

mod explore;
mod fixture;
mod help;
mod hostile;
mod interrupt;
mod model;
mod traces;
