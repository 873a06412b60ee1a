//! `cargo refrain`: explores, replays, shrinks and shows the runs of tests written with refrain.
//!
//! It links no engine. It builds the tests, finds them in their executables, and starts an executable for each request,
//! which it sends over a socket ([`session`]). The reports come from `refrain_report`, as those of `cargo test` do.

mod args;
mod cargo;
mod cause;
mod coverage;
mod exit;
mod explore;
mod graph;
mod init;
mod interrupt;
mod junit;
mod list;
mod model;
mod output;
mod replay;
mod reports;
mod run;
mod saved;
mod session;
mod show;
mod shrink;
mod sync;
mod tail;

use args::{Args, Command, MessageFormat};
use clap::Parser;
use std::{ffi::OsString, process::ExitCode};

fn main() -> ExitCode {
    let args = Args::parse_from(without_subcommand(std::env::args_os()));
    interrupt::listen();
    if args.message_format == MessageFormat::Json {
        output::speak_to_programs();
    }
    let ended = match args.command {
        Command::Init(args) => init::init(&args),
        Command::Sync(args) => sync::sync(&args),
        Command::Explore(args) => explore::explore(&args),
        Command::Run(args) => run::run(&args),
        Command::Replay(args) => replay::replay(&args),
        Command::Cause(args) => cause::cause(&args),
        Command::Shrink(args) => shrink::shrink(&args),
        Command::Show(args) => show::show(&args),
        Command::Model(args) => model::model(&args),
        Command::List(args) => list::list(&args),
    };
    let exit = ended.unwrap_or_else(|problem| output::print_error(&problem));
    output::tell_end(exit);
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
