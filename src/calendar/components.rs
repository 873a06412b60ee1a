//! Divides an iCalendar file into its components, each reduced to what affects times: what a calendar occupies while it is
//! read does not depend on what else is in it. Finds where the structure is broken: the parser does not detect that a file is cut off.

use std::borrow::Cow;

/// Maximum depth of components within each other.
const DEPTH_MAX: usize = 16;
/// Maximum length of what affects the times of one component, in bytes: an event with 10,000 exceptions is within it.
const COMPONENT_BYTES_MAX: usize = 256 << 10;
/// The properties that affect times.
const RELEVANT: [&str; 19] = [
    "DTSTART",
    "DTEND",
    "DURATION",
    "RRULE",
    "EXRULE",
    "RDATE",
    "EXDATE",
    "RECURRENCE-ID",
    "SEQUENCE",
    "UID",
    "STATUS",
    "TRANSP",
    "X-MICROSOFT-CDO-BUSYSTATUS",
    "FREEBUSY",
    "TZID",
    "X-LIC-LOCATION",
    "X-MICROSOFT-CDO-TZID",
    "TZOFFSETFROM",
    "TZOFFSETTO",
];

/// The kind of a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Event,
    FreeBusy,
    TimeZone,
    /// STANDARD and DAYLIGHT of a time zone.
    Observance,
    Other,
}

/// A component, without those within it, except for the observances of a time zone.
#[derive(Debug)]
pub(super) struct Component {
    pub(super) kind: Kind,
    /// The calendar of the file that it belongs to, from 0.
    pub(super) calendar: usize,
    /// The line of the file on which it begins.
    pub(super) line: usize,
    /// Its properties that affect times, unfolded, between its BEGIN and its END.
    pub(super) text: String,
    /// The line of the file on which each of these lines begins.
    lines: Vec<usize>,
}

/// A line where a file is broken, and how.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) line: usize,
    pub(super) what: String,
}

impl Component {
    fn new(kind: Kind, calendar: usize, line: usize) -> Self {
        Self { kind, calendar, line, text: String::new(), lines: Vec::new() }
    }

    /// Returns the line of a property, or the component's first line if there is none.
    pub(super) fn line_of(&self, property: &str) -> usize {
        let found = self.text.lines().position(|content| name_of(content).eq_ignore_ascii_case(property));
        found.and_then(|at| self.lines.get(at).copied()).unwrap_or(self.line)
    }

    fn push(&mut self, line: usize, content: &str) -> Result<(), Broken> {
        self.text.push_str(content);
        self.text.push('\n');
        self.lines.push(line);
        if self.text.len() > COMPONENT_BYTES_MAX {
            let what = format!("more than {COMPONENT_BYTES_MAX} bytes of times in one component");
            return Err(broken(self.line, what));
        }
        Ok(())
    }
}

/// Calls `visit` with each component of some kinds, in the order in which they end.
///
/// # Errors
/// The first line where an END does not match, or the BEGIN without an END; or what `visit` returns.
pub(super) fn each(
    text: &str,
    kinds: &[Kind],
    mut visit: impl FnMut(Component) -> Result<(), Broken>,
) -> Result<(), Broken> {
    let mut open: Vec<(String, Component)> = Vec::new();
    let mut calendars = 0;
    for (line, content) in content_lines(text) {
        let content = content.as_ref();
        if let Some(name) = value_of("BEGIN", content) {
            if open.len() == DEPTH_MAX {
                return Err(broken(line, format!("BEGIN:{name} is within {DEPTH_MAX} other components")));
            }
            let mut component = Component::new(kind(&name), calendars, line);
            if component.kind == Kind::Observance {
                component.push(line, content)?;
            }
            open.push((name, component));
        } else if let Some(name) = value_of("END", content) {
            match open.pop() {
                Some((begun, component)) if begun == name => {
                    close(component, (line, content), open.last_mut(), kinds, &mut visit)?;
                }
                Some((begun, _)) => return Err(broken(line, format!("END:{name} where END:{begun} is due"))),
                None => return Err(broken(line, format!("END:{name} without its BEGIN"))),
            }
            calendars += usize::from(open.is_empty());
        } else if let Some((_, component)) = open.last_mut()
            && component.kind != Kind::Other
            && RELEVANT.iter().any(|name| name_of(content).eq_ignore_ascii_case(name))
        {
            component.push(line, content)?;
        }
    }
    match open.pop() {
        Some((name, component)) => {
            Err(broken(component.line, format!("BEGIN:{name} is never ended: is the file cut off?")))
        }
        None if calendars == 0 => Err(broken(1, "no BEGIN:VCALENDAR in the file".to_owned())),
        None => Ok(()),
    }
}

/// Visits a component, or adds it to the time zone that it is part of.
fn close(
    mut component: Component,
    (line, content): (usize, &str),
    around: Option<&mut (String, Component)>,
    kinds: &[Kind],
    visit: &mut impl FnMut(Component) -> Result<(), Broken>,
) -> Result<(), Broken> {
    match around {
        Some((_, zone)) if component.kind == Kind::Observance && zone.kind == Kind::TimeZone => {
            component.push(line, content)?;
            let lines = std::mem::take(&mut component.lines);
            lines.into_iter().zip(component.text.lines()).try_for_each(|(line, content)| zone.push(line, content))
        }
        _ if kinds.contains(&component.kind) => visit(component),
        _ => Ok(()),
    }
}

/// Returns the lines of a file as they were before they were folded, each with the number of its first line.
fn content_lines(text: &str) -> impl Iterator<Item = (usize, Cow<'_, str>)> {
    let continues = |line: &str| line.starts_with([' ', '\t']);
    // Some programs write a byte order mark.
    let mut lines = text.lines().map(|line| line.trim_start_matches('\u{feff}')).enumerate().peekable();
    std::iter::from_fn(move || {
        let (at, first) = lines.next()?;
        let mut content = Cow::Borrowed(first);
        while let Some((_, more)) = lines.next_if(|(_, line)| continues(line)) {
            content.to_mut().push_str(&more[1..]);
        }
        Some((at + 1, content))
    })
}

fn kind(name: &str) -> Kind {
    match name {
        "VEVENT" => Kind::Event,
        "VFREEBUSY" => Kind::FreeBusy,
        "VTIMEZONE" => Kind::TimeZone,
        "STANDARD" | "DAYLIGHT" => Kind::Observance,
        _ => Kind::Other,
    }
}

fn broken(line: usize, what: String) -> Broken {
    Broken { line, what }
}

/// Returns the name before the first `:` or `;`.
fn name_of(content: &str) -> &str {
    content.split([':', ';']).next().unwrap_or_default()
}

fn value_of(property: &str, content: &str) -> Option<String> {
    let (name, value) = content.split_once(':')?;
    name.eq_ignore_ascii_case(property).then(|| value.trim().to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NESTED: &str = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:DURATION\n :of it\nBEGIN:VALARM\nDURATION:PT1H\n\
                          END:VALARM\nDURA\n TION:PT2H\nEND:VEVENT\nEND:VCALENDAR\n";

    fn events(text: &str) -> Result<Vec<Component>, Broken> {
        let mut found = Vec::new();
        each(text, &[Kind::Event], |component| {
            found.push(component);
            Ok(())
        })?;
        Ok(found)
    }

    #[track_caller]
    fn check(text: &str, line: usize, what: &str) {
        assert_eq!(events(text).expect_err("refused"), broken(line, what.to_owned()));
    }

    #[test]
    fn a_component_has_its_own_properties_that_affect_times() {
        let events = events(NESTED).expect("well formed");
        assert_eq!(events.len(), 1);
        assert_eq!((events[0].line, events[0].text.as_str()), (2, "DURATION:PT2H\n"));
        assert_eq!(events[0].line_of("duration"), 8);
        assert_eq!(events[0].line_of("RRULE"), 2);
    }

    #[test]
    fn observances_are_part_of_their_time_zone() {
        let text = "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nBEGIN:STANDARD\nTZOFFSETTO:+0100\nEND:STANDARD\nTZID:x\n\
                    END:VTIMEZONE\nEND:VCALENDAR\n";
        let mut seen = Vec::new();
        let visited = each(text, &[Kind::TimeZone, Kind::Observance], |zone| {
            seen.push((zone.text.clone(), zone.line_of("TZID")));
            Ok(())
        });
        assert_eq!(visited, Ok(()));
        assert_eq!(seen, [("BEGIN:STANDARD\nTZOFFSETTO:+0100\nEND:STANDARD\nTZID:x\n".to_owned(), 6)]);
    }

    #[test]
    fn a_broken_structure_is_named_with_its_line() {
        check("", 1, "no BEGIN:VCALENDAR in the file");
        check("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", 2, "BEGIN:VEVENT is never ended: is the file cut off?");
        check("BEGIN:VCALENDAR\nEND:VEVENT\n", 2, "END:VEVENT where END:VCALENDAR is due");
        check("END:VCALENDAR\n", 1, "END:VCALENDAR without its BEGIN");
        check(&"BEGIN:X\n".repeat(17), 17, "BEGIN:X is within 16 other components");
        let long = format!("BEGIN:VEVENT\n{}END:VEVENT\n", "EXDATE:20260803T080000Z\n".repeat(11_000));
        check(&long, 1, "more than 262144 bytes of times in one component");
    }
}
