//! Formats answers and reports as human-readable text.

use crate::answer::Answer;
use crate::browse_log::Number;
use crate::check::Check;
use crate::console::{Report, Task};
use crate::freebusy::State;
use crate::keys::Wanted;
use crate::session::User;
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Formats an answer as aligned text: a line with its source and age, then a line for each slot.
pub fn answer(answer: &Answer) -> String {
    let mut text = format!("{}: {}, {} s old\n", answer.user, answer.source, answer.age_secs);
    for slot in &answer.slots {
        let (from, to, length) = (minute(slot.from), minute(slot.to), length(slot.to - slot.from));
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{:<9}  {from}  {to}  {length:>9}", state(slot.state));
    }
    text
}

/// Formats checks: a line for each, and a paragraph for each problem.
pub fn checks(checks: &[Check]) -> String {
    let mut text = String::new();
    for check in checks {
        let outcome = if check.problems.is_empty() { "ok" } else { "failed" };
        let _ = writeln!(text, "{outcome:<8}{}", check.name);
        for problem in &check.problems {
            let cause = serde_json::to_value(problem.cause).unwrap_or_default();
            let _ = writeln!(text, "        {problem}");
            let _ = writeln!(text, "        cause: {}, tried: {}", cause.as_str().unwrap_or_default(), problem.tried);
        }
    }
    text
}

/// Formats the numbers of events: a line for each, and below it what to do.
pub fn numbers(numbers: &[Number]) -> String {
    let mut text = String::new();
    for Number { number, component, severity, meaning, remedy } in numbers {
        let _ = writeln!(text, "{number:<6} {severity:<8} {component:<23} {meaning}\n{:<40}{remedy}", "");
    }
    text
}

/// Formats what `calcon keys` has written, and where it goes.
pub fn keys(directory: &Path, wanted: &Wanted, written: &[PathBuf]) -> String {
    let mut text = String::new();
    for path in written {
        let _ = writeln!(text, "wrote {}", path.display());
    }
    let at = directory.display();
    for name in &wanted.names {
        let _ =
            writeln!(text, "\n{name}: take ca.pem, {name}.pem and {name}.key there, and write into its settings:\n");
        let other = wanted.names.iter().find(|other| *other != name).map_or("NAME OF THE OTHER SIDE", String::as_str);
        let _ = writeln!(text, "[access]\nca = \"{at}/ca.pem\"\ncertificate = \"{at}/{name}.pem\"");
        let _ = writeln!(text, "key = \"{at}/{name}.key\"\npeer = \"{other}\"");
    }
    if !wanted.names.is_empty() {
        text += "\nKeep ca.key elsewhere: whoever has it can make certificates of any name.\n";
    }
    for name in &wanted.renewed {
        let _ = writeln!(
            text,
            "\n{name}: take the new {name}.pem and {name}.key there, and have it reload: `calcon reload`"
        );
    }
    for name in &wanted.clients {
        let _ = writeln!(
            text,
            "\n{name}: take {name}.token and ca.pem there, and ask with `--token {name}.token --ca ca.pem`"
        );
    }
    if !wanted.clients.is_empty() {
        let _ = writeln!(text, "\nThe daemons need `tokens = \"{at}/tokens\"` in [access]; then `calcon reload`");
    }
    text
}

/// Formats a report: users as an aligned table, with a bold header if `styled`.
pub fn report(report: &Report, styled: bool) -> String {
    match report {
        Report::Users { users, sessions_max } => {
            format!("{}{} of {sessions_max} sessions\n", table(users, styled), users.len())
        }
        Report::Dropped => "dropped\n".to_owned(),
        Report::Started => "started\n".to_owned(),
        Report::Reloaded => "reloaded\n".to_owned(),
        Report::Tasks { tasks } => tasks.iter().map(task).collect(),
    }
}

/// Formats a task: the add-in in the form of the old server (Q222893), where a query is about one invitee.
fn task(task: &Task) -> String {
    let Task { name, status, server, requests, answer_ms_avg, answer_ms_max, holder, session, why } = task;
    if server.is_empty() {
        let process = if name == "ntsmex" { "LME-NOTES-NTSMEX" } else { name };
        let held = holder.as_ref().zip(session.as_ref());
        let held = held.map(|(holder, session)| format!(" as {holder} in session {session}")).unwrap_or_default();
        let why = why.as_ref().map(|why| format!(" for a session: {}", why.replace('\n', "; "))).unwrap_or_default();
        return format!("{process} {status}{held}{why}\n");
    }
    let (invitees, average, longest) = ((*requests).min(1), secs(*answer_ms_avg), secs(*answer_ms_max));
    format!("Exchange Cal conn {status} to {server} for Exchange. Stats={requests} {invitees}/{average} {longest}\n")
}

/// Formats milliseconds as seconds.
fn secs(ms: u64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

fn table(users: &[User], styled: bool) -> String {
    const BOLD: &str = "\x1b[1m";
    const PLAIN: &str = "\x1b[0m";
    let width = users.iter().map(|user| user.holder.chars().count()).chain(["HOLDER".len()]).max().unwrap_or_default();
    let (bold, plain) = if styled { (BOLD, PLAIN) } else { ("", "") };
    let head = format!("{:<10}  {:<width$}  {:<7}  IN USE    USES    OPEN    IDLE", "SESSION", "HOLDER", "STATE");
    let mut text = format!("{bold}{head}{plain}\n");
    for user in users {
        let User { session, holder, closing, in_use, uses, open_secs, idle_secs } = user;
        let state = if *closing { "closing" } else { "open" };
        let (open, idle) = (ago(*open_secs), ago(*idle_secs));
        let _ =
            writeln!(text, "{session:<10}  {holder:<width$}  {state:<7}  {in_use:>6}  {uses:>6}  {open:>6}  {idle:>6}");
    }
    text
}

/// Formats seconds in a suitable unit: `59s`, `3m`, `2h`, `5d`.
fn ago(secs: u64) -> String {
    match secs {
        0..60 => format!("{secs}s"),
        60..3600 => format!("{}m", secs / 60),
        3600..86400 => format!("{}h", secs / 3600),
        _ => format!("{}d", secs / 86400),
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Free => "free",
        State::WorkingElsewhere => "elsewhere",
        State::Tentative => "tentative",
        State::Busy => "busy",
        State::OutOfOffice => "away",
        State::Unknown => "unknown",
    }
}

/// Formats a time to the minute, with seconds only if they are not zero.
fn minute(at: DateTime<Utc>) -> String {
    let seconds = at.timestamp() % 60 != 0;
    at.format(if seconds { "%F %TZ" } else { "%F %RZ" }).to_string()
}

fn length(length: TimeDelta) -> String {
    let (days, hours, minutes) = (length.num_days(), length.num_hours() % 24, length.num_minutes() % 60);
    match days {
        0 => format!("{hours}h{minutes:02}"),
        _ => format!("{days}d{hours:02}h{minutes:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Source;
    use crate::freebusy::Slot;

    #[test]
    fn users_stand_below_each_other() {
        let user = |session: &str, holder: &str, closing, open_secs| User {
            session: session.to_owned(),
            holder: holder.to_owned(),
            closing,
            in_use: 0,
            uses: 12,
            open_secs,
            idle_secs: 4,
        };
        let users = vec![user("10000", "CALCON exchange:5010", false, 7200), user("20001", "client ::1", true, 61)];
        let shown = report(&Report::Users { users, sessions_max: 1024 }, false);
        let expected = "\
            SESSION     HOLDER                STATE    IN USE    USES    OPEN    IDLE\n\
            10000       CALCON exchange:5010  open          0      12      2h      4s\n\
            20001       client ::1            closing       0      12      1m      4s\n\
            2 of 1024 sessions\n";
        assert_eq!(shown, expected);
    }

    #[test]
    fn slots_stand_below_each_other() {
        let at = |hour: i64| DateTime::from_timestamp(1_785_542_400 + hour * 3600, 0).expect("in range");
        let slots = vec![
            Slot { from: at(0), to: at(9), state: State::Free },
            Slot { from: at(9), to: at(10), state: State::Tentative },
            Slot { from: at(10), to: at(58), state: State::Unknown },
        ];
        let user = "ada@notes.example".to_owned();
        let shown = answer(&Answer { user, from: at(0), to: at(58), slots, source: Source::Stale, age_secs: 901 });
        let expected = "\
            ada@notes.example: stale, 901 s old\n\
            free       2026-08-01 00:00Z  2026-08-01 09:00Z       9h00\n\
            tentative  2026-08-01 09:00Z  2026-08-01 10:00Z       1h00\n\
            unknown    2026-08-01 10:00Z  2026-08-03 10:00Z    2d00h00\n";
        assert_eq!(shown, expected);
    }
}
