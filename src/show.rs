//! Writes an answer as text for people.

use crate::answer::Answer;
use crate::freebusy::State;
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt::Write;

/// The answer as aligned text: a line about its source and age, then a line for each slot.
pub fn answer(answer: &Answer) -> String {
    let mut text = format!("{}: {}, {} s old\n", answer.user, answer.source, answer.age_secs);
    for slot in &answer.slots {
        let (from, to, length) = (minute(slot.from), minute(slot.to), length(slot.to - slot.from));
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{:<9}  {from}  {to}  {length:>9}", state(slot.state));
    }
    text
}

fn state(state: State) -> &'static str {
    match state {
        State::Free => "free",
        State::Tentative => "tentative",
        State::Busy => "busy",
        State::Unknown => "unknown",
    }
}

/// To the minute, with seconds only where there are some.
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
