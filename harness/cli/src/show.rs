//! `cargo refrain show`: prints saved traces.

use crate::{
    args::Show,
    exit::{Exit, Problem},
    output,
    saved::Saved,
};
use refrain_report as report;

pub fn show(asked: &Show) -> Result<Exit, Problem> {
    let mut worst = Exit::Passed;
    for (index, path) in asked.traces.iter().enumerate() {
        if index > 0 {
            output::say("\n");
        }
        match Saved::read(path) {
            Ok(saved) if asked.plan => output::say(&report::plan(&saved.trace.plan)),
            Ok(saved) => output::say(&report::timeline(&saved.trace, output::style())),
            Err(problem) => worst = worst.max(output::complain(&problem)),
        }
    }
    Ok(worst)
}
