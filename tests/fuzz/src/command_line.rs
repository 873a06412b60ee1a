//! Any line as a command line of an operator: a command, or what is wrong with it.
#![no_main]

#[allow(dead_code, missing_docs)]
#[path = "../../../src/main/arguments.rs"]
mod arguments;

use clap::Parser;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|line: &str| {
    let words = std::iter::once("calcon").chain(line.split_ascii_whitespace());
    if let Err(error) = arguments::Cli::try_parse_from(words) {
        // What is printed.
        let _ = error.render().to_string();
    }
});
