//! The scheduling outbox of CalDAV (RFC 6638): a request for the free/busy times of its attendees, and the response. Pure functions.

use super::reply::Fault;
use super::schedule::{DAYS_MAX, SCHEDULES_MAX};
use crate::answer::{Answer, Code, Query, Refusal, USER_BYTES_MAX};
use crate::freebusy::{Window, vfreebusy_reply};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

/// The type of the response.
pub(super) const KIND: &str = "application/xml; charset=utf-8";
/// Maximum length of a UID, in bytes.
const UID_BYTES_MAX: usize = 255;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    uid: String,
    organizer: String,
    attendees: Vec<String>,
    window: Window,
}

impl Message {
    /// Reads a calendar with the method REQUEST and one VFREEBUSY, in UTC.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(body: &[u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(body).map_err(|_| Fault::bad("the body is not UTF-8"))?;
        let text = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
        let is_request = text.lines().any(|line| line.trim_end().eq_ignore_ascii_case("METHOD:REQUEST"));
        let (Some(begin), Some(end)) = (text.find("BEGIN:VFREEBUSY\n"), text.find("END:VFREEBUSY")) else {
            return Err(Fault::bad("the body has no VFREEBUSY"));
        };
        let inside = text.get(begin..end).ok_or_else(|| Fault::bad("VFREEBUSY ends before it begins"))?;
        if !is_request {
            return Err(Fault::bad("the method must be REQUEST"));
        }
        let properties: Vec<(String, &str)> = inside.lines().filter_map(property).collect();
        let all =
            |name: &'static str| properties.iter().filter(move |(known, _)| known == name).map(|(_, value)| *value);
        let one = |name| all(name).next().ok_or_else(|| Fault::bad(format!("VFREEBUSY has no {name}")));
        let window = Window::new(instant("DTSTART", one("DTSTART")?)?, instant("DTEND", one("DTEND")?)?);
        if window.is_empty() || window.to - window.from > TimeDelta::days(DAYS_MAX) {
            return Err(Fault::bad(format!("DTEND must be after DTSTART, by {DAYS_MAX} days at the most")));
        }
        let attendees = all("ATTENDEE").map(|value| user("ATTENDEE", value)).collect::<Result<Vec<_>, _>>()?;
        if attendees.is_empty() || attendees.len() > SCHEDULES_MAX {
            return Err(Fault::bad(format!(
                "there must be 1 to {SCHEDULES_MAX} of ATTENDEE: there are {}",
                attendees.len()
            )));
        }
        let uid = one("UID")?.to_owned();
        if uid.len() > UID_BYTES_MAX || !uid.is_ascii() || uid.contains(char::is_control) {
            return Err(Fault::bad(format!("UID must be a text of ASCII of up to {UID_BYTES_MAX} bytes")));
        }
        Ok(Self { uid, organizer: user("ORGANIZER", one("ORGANIZER")?)?, attendees, window })
    }

    /// Returns the query for each attendee.
    pub fn queries(&self) -> impl Iterator<Item = Query> {
        let query = |user: &String| Query { user: user.clone(), from: self.window.from, to: self.window.to };
        self.attendees.iter().map(query)
    }

    /// Returns the body of the response. The outcomes are in the order of the attendees.
    pub fn response(&self, outcomes: &[Result<Answer, Refusal>], now: DateTime<Utc>) -> Vec<u8> {
        let mut text = String::from(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <C:schedule-response xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">\n",
        );
        for (attendee, outcome) in self.attendees.iter().zip(outcomes) {
            text += "<C:response>\n<C:recipient><D:href>mailto:";
            push_escaped(&mut text, attendee);
            text += "</D:href></C:recipient>\n<C:request-status>";
            push_escaped(&mut text, &status(outcome));
            text += "</C:request-status>\n";
            if let Ok(answer) = outcome {
                let users = (self.organizer.as_str(), attendee.as_str());
                text += "<C:calendar-data>";
                push_escaped(&mut text, &vfreebusy_reply(users, &self.uid, self.window, &answer.slots, now));
                text += "</C:calendar-data>\n";
            }
            text += "</C:response>\n";
        }
        text += "</C:schedule-response>\n";
        text.into_bytes()
    }
}

/// Returns a status of RFC 5546, 3.6: its number, and its text.
fn status(outcome: &Result<Answer, Refusal>) -> String {
    match outcome {
        Ok(_) => "2.0;Success".to_owned(),
        Err(refusal) if refusal.code == Code::UnknownUser => format!("3.7;Invalid calendar user: {}", refusal.text),
        Err(refusal) if refusal.code == Code::BadQuery => format!("3.1;Invalid property value: {}", refusal.text),
        Err(refusal) => format!("5.1;Service unavailable: {}", refusal.text),
    }
}

/// Returns the name, in capitals, and the value of a property. Its parameters, which may contain colons in quotes, mean nothing here.
fn property(line: &str) -> Option<(String, &str)> {
    let mut is_quoted = false;
    let colon = line.find(|letter| {
        is_quoted ^= letter == '"';
        letter == ':' && !is_quoted
    })?;
    let (name, value) = (line[..colon].split(';').next().unwrap_or_default(), &line[colon + 1..]);
    Some((name.to_ascii_uppercase(), value.trim_end_matches('\r')))
}

fn instant(name: &str, value: &str) -> Result<DateTime<Utc>, Fault> {
    let parsed = NaiveDateTime::parse_from_str(value, "%Y%m%dT%H%M%SZ");
    parsed
        .map(|time| time.and_utc())
        .map_err(|_| Fault::bad(format!("{name} must be a time in UTC, such as 20260803T090000Z")))
}

/// Returns the mail address of a `mailto:` URI.
fn user(name: &str, uri: &str) -> Result<String, Fault> {
    let bad = || Fault::bad(format!("{name} must be mailto: and an address of up to {USER_BYTES_MAX} bytes"));
    let scheme = uri.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("mailto:")).ok_or_else(bad)?;
    let mut bytes = uri[scheme.len()..].bytes();
    let mut address = Vec::new();
    while let Some(byte) = bytes.next() {
        let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
        address.push(match byte {
            b'%' => {
                let (high, low) = (digit(bytes.next()).ok_or_else(bad)?, digit(bytes.next()).ok_or_else(bad)?);
                (high * 16 + low) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(address).ok().filter(|address| address.len() <= USER_BYTES_MAX).ok_or_else(bad)
}

/// Adds a text to XML. What XML cannot have is replaced.
fn push_escaped(text: &mut String, added: &str) {
    for letter in added.chars() {
        match letter {
            '&' => *text += "&amp;",
            '<' => *text += "&lt;",
            '>' => *text += "&gt;",
            '\r' => *text += "&#13;",
            '\n' | '\t' => text.push(letter),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => text.push('\u{fffd}'),
            letter => text.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Source;
    use crate::freebusy::{Slot, State};

    const REQUEST: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\nBEGIN:VFREEBUSY\r\nUID:34222-232@x\r\n\
        DTSTAMP:20260801T000000Z\r\nDTSTART:20260803T080000Z\r\nDTEND:20260803T100000Z\r\n\
        ORGANIZER;CN=\"Ada: the first\":mailto:ada@exchange.example\r\nATTENDEE;CN=Car\r\n ol:MAILTO:carol@notes.\r\n example\r\n\
        ATTENDEE:mailto:n%3Cobody@x\r\nEND:VFREEBUSY\r\nEND:VCALENDAR\r\n";

    fn at(hour: u32) -> DateTime<Utc> {
        chrono::TimeZone::with_ymd_and_hms(&Utc, 2026, 8, 3, hour, 0, 0).unwrap()
    }

    #[test]
    fn a_request_is_answered_for_each_attendee() {
        let message = Message::read(REQUEST.as_bytes()).expect("valid");
        let users: Vec<String> = message.queries().map(|query| query.user).collect();
        assert_eq!(users, ["carol@notes.example", "n<obody@x"]);
        let slots = vec![
            Slot { from: at(8), to: at(9), state: State::Free },
            Slot { from: at(9), to: at(10), state: State::Unknown },
        ];
        let (user, from, to) = (users[0].clone(), at(8), at(10));
        let answer = Answer { user, from, to, slots, source: Source::Live, age_secs: 0 };
        let refusal = Refusal::new(Code::UnknownUser, "nobody has a calendar of n<obody@x");
        let response = message.response(&[Ok(answer), Err(refusal)], at(7));
        let text = String::from_utf8(response).expect("UTF-8").replace("&#13;", "\r").replace("\r\n", "\n");
        for expected in [
            "<D:href>mailto:carol@notes.example</D:href></C:recipient>\n<C:request-status>2.0;Success</C:request-status>",
            "METHOD:REPLY\nBEGIN:VFREEBUSY\nUID:34222-232@x\nDTSTAMP:20260803T070000Z\nORGANIZER:mailto:ada@exchange.example\n\
             ATTENDEE:mailto:carol@notes.example\nDTSTART:20260803T080000Z\nDTEND:20260803T100000Z\n\
             FREEBUSY;FBTYPE=BUSY:20260803T090000Z/20260803T100000Z\nEND:VFREEBUSY\n",
            "<D:href>mailto:n&lt;obody@x</D:href></C:recipient>\n\
             <C:request-status>3.7;Invalid calendar user: nobody has a calendar of n&lt;obody@x</C:request-status>\n</C:response>",
        ] {
            assert!(text.contains(expected), "{expected} is not in {text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_request_is_named() {
        let refused = |from: &str, to: &str| {
            format!("{:?}", Message::read(REQUEST.replace(from, to).as_bytes()).expect_err("refused"))
        };
        assert!(refused("METHOD:REQUEST", "METHOD:PUBLISH").contains("must be REQUEST"));
        assert!(refused("DTEND:20260803", "DTEND:20260802").contains("DTEND must be after DTSTART"));
        assert!(refused("DTEND:20260803", "DTEND:20270803").contains("by 62 days at the most"));
        assert!(
            refused("DTSTART:20260803T080000Z", "DTSTART;TZID=Europe/Berlin:20260803T080000").contains("a time in UTC")
        );
        assert!(refused("mailto:n%3C", "mailto:n%ZZ").contains("ATTENDEE must be mailto:"));
        assert!(refused("UID:", "UID:\u{e9}").contains("UID must be"));
        assert!(refused("ORGANIZER", "X-O").contains("has no ORGANIZER"));
        assert!(refused("VFREEBUSY", "VEVENT").contains("no VFREEBUSY"));
        assert!(refused("ATTENDEE", "X-A").contains("there are 0"));
        assert!(Message::read(b"\xff").is_err());
    }
}
