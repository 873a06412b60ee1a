//! Time zones of events: names of any kind, definitions, and contradictions between them.

use super::*;

/// Returns the calendar with a VTIMEZONE, and an event in it.
fn in_zone(name: &str, definition: &str, start: &str) -> String {
    let event = format!("BEGIN:VEVENT\nDTSTART;TZID=\"{name}\":{start}\nDURATION:PT1H\nEND:VEVENT\n");
    // The definition may come after what uses it.
    format!("BEGIN:VCALENDAR\n{event}BEGIN:VTIMEZONE\nTZID:{name}\n{definition}END:VTIMEZONE\nEND:VCALENDAR\n")
}

/// Returns the start of the only event, and what looks wrong.
#[track_caller]
fn start_and_doubts(text: &str) -> (String, Vec<String>) {
    let parsed = read(text, &berlin()).expect("a good calendar");
    let [event] = &parsed.events[..] else { panic!("{parsed:?}") };
    let doubts = parsed.doubts.iter().map(|Broken { line, what }| format!("{line}: {what}")).collect();
    (event.zone.instant(event.start).format("%FT%RZ").to_string(), doubts)
}

/// As Outlook writes it: the rules of today, since 1601.
const OF_OUTLOOK: &str = "BEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:+0100\n\
    RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\nDTSTART:16010101T020000\n\
    TZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\n";

#[test]
fn a_windows_name_is_its_zone_with_a_definition_or_without() {
    for definition in ["", OF_OUTLOOK] {
        for (start, instant) in [("20260703T090000", "2026-07-03T07:00Z"), ("20261203T090000", "2026-12-03T08:00Z")] {
            let text = in_zone("W. Europe Standard Time", definition, start);
            assert_eq!(start_and_doubts(&text), (instant.to_owned(), vec![]));
        }
    }
}

#[test]
fn a_name_that_nobody_knows_is_the_zone_that_the_file_defines() {
    let cases = [
        ("20260329T013000", "2026-03-29T00:30Z"),
        // Skipped: by the clock before the change.
        ("20260329T023000", "2026-03-29T01:30Z"),
        ("20260703T090000", "2026-07-03T07:00Z"),
        // Repeated: the first one.
        ("20261025T023000", "2026-10-25T00:30Z"),
        ("20261025T033000", "2026-10-25T02:30Z"),
        ("20991203T090000", "2099-12-03T08:00Z"),
    ];
    for (start, instant) in cases {
        for name in ["Customized Time Zone", "(UTC+01:00) Our office"] {
            let text = in_zone(name, OF_OUTLOOK, start);
            assert_eq!(start_and_doubts(&text), (instant.to_owned(), vec![]), "{name}");
        }
    }
    let india = "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0530\nTZOFFSETTO:+0530\nEND:STANDARD\n";
    let text = in_zone("(UTC+05:30) Our office", india, "20260703T090000");
    assert_eq!(start_and_doubts(&text), ("2026-07-03T03:30Z".to_owned(), vec![]));
}

/// Q271614: the offset was taken to be +0.
#[test]
fn a_definition_that_contradicts_its_name_is_ignored_and_told() {
    let utc = "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0000\nTZOFFSETTO:+0000\nEND:STANDARD\n";
    let what =
        |name: &str| vec![format!("6: the VTIMEZONE of {name:?} has other offsets than that zone has, and is ignored")];
    for name in ["Europe/Berlin", "W. Europe Standard Time"] {
        let seen = start_and_doubts(&in_zone(name, utc, "20260703T090000"));
        assert_eq!(seen, ("2026-07-03T07:00Z".to_owned(), what(name)));
    }
}

#[test]
fn a_zone_that_is_neither_known_nor_defined_is_refused() {
    for definition in ["", "BEGIN:STANDARD\nTZOFFSETTO:+0100\nEND:STANDARD\n"] {
        for name in ["Customized Time Zone", "(UTC+01:00) Our office"] {
            let what = format!("DTSTART: unknown time zone {name:?}");
            check_broken(&in_zone(name, definition, "20260703T090000"), 3, &what);
        }
    }
}

#[test]
fn the_zone_of_an_event_is_its_own_and_not_that_of_the_settings() {
    check(&["DTSTART;TZID=Eastern Standard Time:20260803T090000\nDURATION:PT1H"], &["Busy 08-03T13:00/08-03T14:00"]);
}
