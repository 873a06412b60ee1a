//! `cargo refrain` with an executable that sends scripted replies: every exit code, and every error.

mod explore;
mod fixture;
mod help;
mod hostile;
mod init;
mod interrupt;
mod messages;
mod model;
mod publish;
mod read_only;
mod run;
mod traces;
