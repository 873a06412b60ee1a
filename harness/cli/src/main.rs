//! `cargo refrain`: explores, replays, shrinks and shows the runs of tests written with refrain.
//!
//! It links no engine. It builds the tests, finds them in their executables, starts an executable for each and talks
//! with it over a socket ([`session`]). What it prints comes from `refrain_report`, so that `cargo test` prints the same.

mod args;
mod cargo;
mod exit;
mod explore;
mod interrupt;
mod list;
mod model;
mod output;
mod replay;
mod saved;
mod session;
mod show;
mod shrink;
mod tail;

use args::{Args, Command};
use clap::Parser;
use std::{ffi::OsString, process::ExitCode};

fn main() -> ExitCode {
    let args = Args::parse_from(without_subcommand(std::env::args_os()));
    interrupt::listen();
    let ended = match args.command {
        Command::Explore(asked) => explore::explore(&asked),
        Command::Replay(asked) => replay::replay(&asked),
        Command::Shrink(asked) => shrink::shrink(&asked),
        Command::Show(asked) => show::show(&asked),
        Command::Model(asked) => model::model(&asked),
        Command::List(asked) => list::list(&asked),
    };
    let exit = ended.unwrap_or_else(|problem| output::complain(&problem));
    ExitCode::from(exit.code())
}

/// Cargo starts `cargo refrain explore` as `cargo-refrain refrain explore`; an alias starts it as `cargo-refrain explore`.
fn without_subcommand(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.collect();
    if args.get(1).is_some_and(|arg| arg == "refrain") {
        args.remove(1);
    }
    args
}
