//! An answer as iCalendar: published free/busy time (RFC 5545, 3.6.4), with merged periods.

use super::{Interval, Slot, State, Window, merge_overlapping};
use chrono::{DateTime, TimeDelta, Utc};

/// Maximum length of a line, in bytes. A longer one is folded.
const LINE_BYTES_MAX: usize = 75;

/// Returns a VCALENDAR with one VFREEBUSY of a user. Periods are in UTC, sorted, disjoint, and of whole seconds, of which none is
/// lost. Out of office is BUSY-UNAVAILABLE. What is unknown is BUSY, and what is free, or elsewhere, has no period.
pub fn vfreebusy(user: &str, window: Window, slots: &[Slot], made_at: DateTime<Utc>) -> String {
    let (from, to, address) = (time(window.from), time(up(window.to)), escaped(user));
    let head = [format!("UID:{from}-{to}-{address}"), format!("ORGANIZER:mailto:{address}")];
    calendar("PUBLISH", head, window, slots, made_at)
}

/// Returns the answer to a request for the free/busy time of a user (RFC 5546, 3.3.3). `uid` is that of the request.
///
/// # Panics
/// If `uid` is not of ASCII, or has control characters: it is repeated as it is.
pub fn vfreebusy_reply(
    users: (&str, &str),
    uid: &str,
    window: Window,
    slots: &[Slot],
    made_at: DateTime<Utc>,
) -> String {
    assert!(uid.is_ascii() && !uid.contains(char::is_control), "a UID is repeated as it is");
    let (organizer, attendee) = users;
    let head = [
        format!("UID:{uid}"),
        format!("ORGANIZER:mailto:{}", escaped(organizer)),
        format!("ATTENDEE:mailto:{}", escaped(attendee)),
    ];
    calendar("REPLY", head, window, slots, made_at)
}

fn calendar(
    method: &str,
    head: impl IntoIterator<Item = String>,
    window: Window,
    slots: &[Slot],
    made_at: DateTime<Utc>,
) -> String {
    let mut text = String::new();
    let mut line = |content: &str| push_folded(&mut text, content);
    line("BEGIN:VCALENDAR");
    line("VERSION:2.0");
    line(concat!("PRODID:-//Calcon//", env!("CARGO_PKG_VERSION"), "//EN"));
    line(&format!("METHOD:{method}"));
    line("BEGIN:VFREEBUSY");
    let mut head = head.into_iter();
    head.next().iter().for_each(|uid| line(uid));
    line(&format!("DTSTAMP:{}", time(made_at)));
    head.for_each(|property| line(&property));
    line(&format!("DTSTART:{}", time(window.from)));
    line(&format!("DTEND:{}", time(up(window.to))));
    for (kind, period) in periods(window, slots) {
        line(&format!("FREEBUSY;FBTYPE={kind}:{}/{}", time(period.from), time(up(period.to))));
    }
    line("END:VFREEBUSY");
    line("END:VCALENDAR");
    text
}

/// Returns the periods that take time, each with its FBTYPE.
fn periods(window: Window, slots: &[Slot]) -> Vec<(&'static str, Window)> {
    // Slots with the same FBTYPE are one period.
    let taken = slots.iter().filter_map(|slot| {
        let state = if slot.state == State::Unknown { State::Busy } else { slot.state };
        fbtype(state)?;
        Some(Interval { window: Window::new(slot.from, slot.to).intersect(&window), state })
    });
    let merged = merge_overlapping(&taken.collect::<Vec<_>>());
    merged.into_iter().filter_map(|interval| Some((fbtype(interval.state)?, interval.window))).collect()
}

fn fbtype(state: State) -> Option<&'static str> {
    match state {
        State::Free | State::WorkingElsewhere => None,
        State::Tentative => Some("BUSY-TENTATIVE"),
        State::Busy | State::Unknown => Some("BUSY"),
        State::OutOfOffice => Some("BUSY-UNAVAILABLE"),
    }
}

fn time(at: DateTime<Utc>) -> String {
    at.format("%Y%m%dT%H%M%SZ").to_string()
}

/// Returns the next whole second, or the time itself if it is one.
fn up(at: DateTime<Utc>) -> DateTime<Utc> {
    if at.timestamp_subsec_nanos() == 0 { at } else { at.checked_add_signed(TimeDelta::seconds(1)).unwrap_or(at) }
}

/// Escapes what a URI may not contain (RFC 6068), which includes all that is special in iCalendar.
fn escaped(user: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$*+@".contains(&byte);
    user.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// Adds a line of ASCII, folded.
fn push_folded(text: &mut String, content: &str) {
    let mut rest = content;
    let mut room = LINE_BYTES_MAX;
    while rest.len() > room {
        let (line, more) = rest.split_at(room);
        text.push_str(line);
        text.push_str("\r\n ");
        // The space counts.
        (rest, room) = (more, LINE_BYTES_MAX - 1);
    }
    text.push_str(rest);
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_785_542_400 + minute * 60, 0).expect("in range")
    }

    fn slot((from, to, state): (i64, i64, State)) -> Slot {
        Slot { from: at(from), to: at(to), state }
    }

    #[test]
    fn periods_are_merged_and_typed() {
        let slots = [
            (0, 60, State::Free),
            (60, 90, State::Busy),
            (90, 120, State::Unknown),
            (120, 150, State::Tentative),
            (150, 180, State::WorkingElsewhere),
            (180, 1500, State::OutOfOffice),
        ];
        let text = vfreebusy("ada@notes.example", Window::new(at(0), at(1440)), &slots.map(slot), at(7));
        let expected = "\
            BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Calcon//0.1.0//EN\r\nMETHOD:PUBLISH\r\nBEGIN:VFREEBUSY\r\n\
            UID:20260801T000000Z-20260802T000000Z-ada@notes.example\r\nDTSTAMP:20260801T000700Z\r\n\
            ORGANIZER:mailto:ada@notes.example\r\nDTSTART:20260801T000000Z\r\nDTEND:20260802T000000Z\r\n\
            FREEBUSY;FBTYPE=BUSY:20260801T010000Z/20260801T020000Z\r\n\
            FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260801T020000Z/20260801T023000Z\r\n\
            FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260801T030000Z/20260802T000000Z\r\n\
            END:VFREEBUSY\r\nEND:VCALENDAR\r\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_period_is_never_shorter_than_what_it_stands_for() {
        let (from, to) = (at(0) + TimeDelta::milliseconds(900), at(1) + TimeDelta::milliseconds(1));
        let slots = [Slot { from, to, state: State::Busy }];
        let text = vfreebusy("a", Window::new(from, to), &slots, at(0));
        assert!(text.contains("FREEBUSY;FBTYPE=BUSY:20260801T000000Z/20260801T000101Z\r\n"), "{text}");
        assert!(text.contains("DTEND:20260801T000101Z\r\n"), "{text}");
    }

    #[test]
    fn a_name_cannot_add_a_line_and_a_long_one_is_folded() {
        let user = format!("x\r\nFREEBUSY:,;\u{e9}{}@y", "z".repeat(200));
        let text = vfreebusy(&user, Window::new(at(0), at(1)), &[], at(0));
        assert!(text.contains("ORGANIZER:mailto:x%0D%0AFREEBUSY%3A%2C%3B%C3%A9zzz"), "{text}");
        assert!(text.split("\r\n").all(|line| line.len() <= LINE_BYTES_MAX && line.is_ascii()), "{text}");
        assert_eq!(text.replace("\r\n ", "").matches("\r\n").count(), 12, "{text}");
    }
}
