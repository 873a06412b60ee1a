//! Formats the progress of a long operation, and what keeps it from making any.

use super::{plan_summary, shell_word};
use refrain_core::{
    escape::escaped,
    protocol::{Doing, SlotHolder, SlotWait},
};
use std::path::Path;

/// Formats the operation, and its progress beyond the number of runs, if any: `shrinking`, `2 faults, 1 hold`.
pub fn doing(doing: &Doing) -> (&'static str, Option<String>) {
    match doing {
        Doing::Exploring => ("exploring", None),
        Doing::ExploringFor { gone_s, of_s } => ("exploring", Some(format!("{gone_s} of {of_s} s"))),
        Doing::Continuing => ("continuing in other ways", None),
        Doing::Shrinking { best } => ("shrinking", Some(plan_summary(best, 0))),
    }
}

/// Formats how to get into a run that waits for a debugger in a process of this executable. Ends with a newline.
///
/// A run answers system calls in a handler of SIGSYS, at which a debugger would stop otherwise, long before the event.
pub fn awaits_debugger(process: u32, event: usize, executable: &Path) -> String {
    let executable = shell_word(executable);
    format!(
        "process {process} has come to event {event} and waits for a debugger:\n  \
         gdb   rust-gdb -p {process} -ex 'handle SIGSYS nostop noprint pass' -ex continue {executable}\n  \
         lldb  rust-lldb -p {process} -o 'process handle SIGSYS --stop false --notify false --pass true' -o continue\n\
         `continue` lets it stop with SIGTRAP just before the event. Ctrl-C here ends it.\n"
    )
}

/// Formats what a test waits for, and what to do.
pub fn slot_wait(SlotWait { holders, goes_on_after_s }: &SlotWait) -> String {
    let taken = holders.iter().map(|SlotHolder { process, name, is_stopped }| {
        format!("{process} ({}{})", escaped(name), if *is_stopped { ", stopped" } else { "" })
    });
    let by = match holders.len() {
        0 => String::new(),
        _ => format!(" by process {}", taken.collect::<Vec<_>>().join(", ")),
    };
    let goes_on = match goes_on_after_s {
        0 => "now".to_owned(),
        seconds => format!("after {seconds} s"),
    };
    let mut text =
        format!("note: the slots of this machine for runs are taken{by}; the test goes on without one {goes_on}");
    let stopped: Vec<_> =
        holders.iter().filter(|holder| holder.is_stopped).map(|holder| holder.process.to_string()).collect();
    if !stopped.is_empty() {
        let stopped = stopped.join(" ");
        text +=
            &format!("\n  `fg`, or `kill -CONT {stopped}`, lets what is stopped go on; `kill -KILL {stopped}` ends it");
    }
    text
}
