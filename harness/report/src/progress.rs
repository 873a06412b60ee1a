//! Formats the progress of a long operation.

use super::plan_summary;
use refrain_core::protocol::Doing;

/// Formats the operation, and its progress beyond the number of runs, if any: `shrinking`, `2 faults, 1 hold`.
pub fn doing(doing: &Doing) -> (&'static str, Option<String>) {
    match doing {
        Doing::Exploring => ("exploring", None),
        Doing::ExploringFor { gone_s, of_s } => ("exploring", Some(format!("{gone_s} of {of_s} s"))),
        Doing::Shrinking { best } => ("shrinking", Some(plan_summary(best, 0))),
    }
}
