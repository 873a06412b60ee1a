//! `cargo refrain show`: prints saved traces.

use crate::{
    args::Show,
    exit::{Exit, Problem},
    output,
    saved::Saved,
};
use refrain_report as report;

pub fn show(args: &Show) -> Result<Exit, Problem> {
    let mut worst = Exit::Passed;
    for (index, path) in args.traces.iter().enumerate() {
        if index > 0 {
            output::print("\n");
        }
        match Saved::read(path) {
            Ok(saved) if args.plan => output::print(&report::plan(&saved.trace.plan)),
            Ok(saved) => output::print(&report::timeline(&saved.trace, output::style())),
            Err(problem) => worst = worst.max(output::print_error(&problem)),
        }
    }
    Ok(worst)
}
