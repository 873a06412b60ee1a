//! Times in calendar files, tested through their expansion.

#[path = "tests/limits.rs"]
mod limits;
#[path = "tests/periods.rs"]
mod periods;
#[path = "tests/zones.rs"]
mod zones;

use super::*;
use crate::calendar::budget::Budget;
use crate::calendar::expand::expand;
use crate::freebusy::{Window, merge_overlapping};
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use proptest::prelude::*;

fn utc(text: &str) -> DateTime<Utc> {
    text.parse().expect("RFC 3339")
}

fn calendar(events: &[&str]) -> String {
    let events: Vec<String> = events.iter().map(|event| format!("BEGIN:VEVENT\n{event}\nEND:VEVENT\n")).collect();
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{}END:VCALENDAR\n", events.concat())
}

fn berlin() -> Zone {
    "Europe/Berlin".parse().expect("known")
}

/// Returns the events' intervals from August to October 2026, merged, each as `state from/to`.
fn taken(events: &[&str]) -> Vec<String> {
    shown(&read(&calendar(events), &berlin()).expect("a good calendar").events)
}

fn shown(events: &[Event]) -> Vec<String> {
    let window = Window::new(utc("2026-08-01T00:00:00Z"), utc("2026-11-01T00:00:00Z"));
    let shown = |time: DateTime<Utc>| time.format("%m-%dT%H:%M").to_string();
    let taken = merge_overlapping(&expand(events, window, Budget::default()).taken);
    taken.iter().map(|i| format!("{:?} {}/{}", i.state, shown(i.window.from), shown(i.window.to))).collect()
}

#[track_caller]
fn check(events: &[&str], expected: &[&str]) {
    assert_eq!(taken(events), expected);
}

/// Checks that a calendar is rejected, and where and why.
#[track_caller]
fn check_broken(text: &str, line: usize, what: &str) {
    let broken = read(text, &berlin()).expect_err("refused");
    assert_eq!((broken.line, broken.what.as_str()), (line, what));
}

#[test]
fn a_confirmed_event_is_busy() {
    check(&["DTSTART:20260803T080000Z\nDTEND:20260803T090000Z"], &["Busy 08-03T08:00/08-03T09:00"]);
}

#[test]
fn tentative_event_is_tentative_not_free() {
    check(&["STATUS:TENTATIVE\nDTSTART:20260803T080000Z\nDURATION:PT1H"], &["Tentative 08-03T08:00/08-03T09:00"]);
}

#[test]
fn cancelled_event_is_not_busy() {
    check(&["STATUS:CANCELLED\nDTSTART:20260803T080000Z\nDTEND:20260803T090000Z"], &[]);
}

#[test]
fn transparent_event_is_not_busy() {
    check(&["TRANSP:TRANSPARENT\nDTSTART:20260803T080000Z\nDTEND:20260803T090000Z"], &[]);
}

#[test]
fn event_without_an_end_takes_no_time() {
    check(&["DTSTART:20260803T080000Z"], &[]);
}

#[test]
fn all_day_event_takes_the_local_day() {
    check(&["DTSTART;VALUE=DATE:20260803"], &["Busy 08-02T22:00/08-03T22:00"]);
}

#[test]
fn all_day_event_takes_25_hours_when_the_clock_goes_back() {
    check(&["DTSTART;VALUE=DATE:20261025\nDTEND;VALUE=DATE:20261026"], &["Busy 10-24T22:00/10-25T23:00"]);
}

#[test]
fn floating_time_is_in_the_zone_of_the_settings() {
    check(&["DTSTART:20260803T080000\nDTEND:20260803T090000"], &["Busy 08-03T06:00/08-03T07:00"]);
}

#[test]
fn end_in_another_zone_is_its_own_instant() {
    check(
        &["DTSTART;TZID=Europe/Berlin:20260803T100000\nDTEND;TZID=America/New_York:20260803T120000"],
        &["Busy 08-03T08:00/08-03T16:00"],
    );
}

#[test]
fn recurrence_keeps_the_local_time_over_a_clock_change() {
    check(
        &["DTSTART;TZID=Europe/Berlin:20261018T090000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=2"],
        &["Busy 10-18T07:00/10-18T08:00", "Busy 10-25T08:00/10-25T09:00"],
    );
}

#[test]
fn recurrence_in_a_repeated_hour_takes_place_in_its_first() {
    check(
        &["DTSTART;TZID=Europe/Berlin:20261024T023000\nDURATION:PT15M\nRRULE:FREQ=DAILY;COUNT=2"],
        &["Busy 10-24T00:30/10-24T00:45", "Busy 10-25T00:30/10-25T00:45"],
    );
}

#[test]
fn until_in_utc_includes_the_instance_at_it() {
    check(
        &["DTSTART;TZID=Europe/Berlin:20260803T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20260804T070000Z"],
        &["Busy 08-03T07:00/08-03T08:00", "Busy 08-04T07:00/08-04T08:00"],
    );
}

#[test]
fn until_on_a_date_includes_that_day() {
    check(
        &["DTSTART;TZID=Europe/Berlin:20260803T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20260804"],
        &["Busy 08-03T07:00/08-03T08:00", "Busy 08-04T07:00/08-04T08:00"],
    );
}

#[test]
fn until_before_the_start_takes_no_time() {
    check(&["DTSTART:20260803T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20260101T000000Z"], &[]);
}

#[test]
fn exception_does_not_take_place() {
    check(
        &[
            "DTSTART;TZID=Europe/Berlin:20260803T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20260804T070000Z",
        ],
        &["Busy 08-03T07:00/08-03T08:00", "Busy 08-05T07:00/08-05T08:00"],
    );
}

#[test]
fn further_dates_take_place_too() {
    check(
        &["DTSTART:20260803T090000Z\nDURATION:PT1H\nRDATE:20260810T090000Z\nRDATE;VALUE=PERIOD:20260811T090000Z/PT2H"],
        &["Busy 08-03T09:00/08-03T10:00", "Busy 08-10T09:00/08-10T10:00", "Busy 08-11T09:00/08-11T11:00"],
    );
}

const DAILY: &str = "UID:a\nSEQUENCE:1\nDTSTART:20260803T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3";

#[test]
fn moved_instance_frees_its_old_time_whatever_its_sequence() {
    check(
        &[DAILY, "UID:a\nSEQUENCE:7\nRECURRENCE-ID:20260804T090000Z\nDTSTART:20260804T150000Z\nDURATION:PT30M"],
        &["Busy 08-03T09:00/08-03T10:00", "Busy 08-04T15:00/08-04T15:30", "Busy 08-05T09:00/08-05T10:00"],
    );
}

#[test]
fn cancelled_instance_is_free() {
    check(
        &[DAILY, "UID:a\nSTATUS:CANCELLED\nRECURRENCE-ID:20260804T090000Z\nDTSTART:20260804T090000Z\nDURATION:PT1H"],
        &["Busy 08-03T09:00/08-03T10:00", "Busy 08-05T09:00/08-05T10:00"],
    );
}

#[test]
fn change_of_one_event_leaves_another_at_the_same_time_alone() {
    let other = "UID:b\nSEQUENCE:1\nDTSTART:20260803T090000Z\nDURATION:PT2H\nRRULE:FREQ=DAILY;COUNT=3";
    check(
        &[
            DAILY,
            "UID:b\nSEQUENCE:1\nSTATUS:CANCELLED\nRECURRENCE-ID:20260804T090000Z\nDTSTART:20260804T090000Z",
            other,
        ],
        &["Busy 08-03T09:00/08-03T11:00", "Busy 08-04T09:00/08-04T10:00", "Busy 08-05T09:00/08-05T11:00"],
    );
}

#[test]
fn change_of_this_and_future_moves_the_later_ones() {
    let change = "UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260804T090000Z\nDTSTART:20260804T110000Z\nDURATION:PT2H";
    check(
        &[DAILY, change],
        &["Busy 08-03T09:00/08-03T10:00", "Busy 08-04T11:00/08-04T13:00", "Busy 08-05T11:00/08-05T13:00"],
    );
}

#[test]
fn todos_and_journals_take_no_time() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VTODO\nDTSTART:20260803T090000Z\nDUE:20260803T100000Z\nEND:VTODO\n\
                BEGIN:VJOURNAL\nDTSTART;VALUE=DATE:20260803\nEND:VJOURNAL\nEND:VCALENDAR\n";
    assert!(read(text, &berlin()).expect("a good calendar").events.is_empty());
}

#[test]
fn lines_may_end_as_on_any_system() {
    let text = calendar(&["DTSTART:20260803T080000Z\nDTEND:20260803T090000Z"]).replace('\n', "\r\n");
    assert_eq!(read(&text, &berlin()).expect("a good calendar").events.len(), 1);
}

#[test]
fn broken_values_are_named_with_their_line() {
    check_broken(&calendar(&["UID:a\nDTSTART:yesterday"]), 5, "DTSTART: \"yesterday\" is no date");
    check_broken(&calendar(&["UID:a\nDTSTART:20260231T000000Z"]), 5, "DTSTART: there is no such date");
    check_broken(&calendar(&["UID:a\nSUMMARY:x"]), 3, "DTSTART: missing");
    let zone = "DTSTART;TZID=Mars/Olympus:20260803T090000";
    check_broken(
        &calendar(&["UID:b\nDTSTART:20260101T000000Z", zone]),
        8,
        "DTSTART: unknown time zone \"Mars/Olympus\"",
    );
    check_broken(&calendar(&["DTSTART:20260803T080000Z\nRRULE:FREQ=NEVER"]), 5, "RRULE: no recurrence rule");
}

#[test]
fn a_rule_below_hourly_is_refused() {
    let secondly = calendar(&["UID:a\nDTSTART:20260803T080000Z\nDURATION:PT1M\nRRULE:FREQ=SECONDLY"]);
    check_broken(&secondly, 7, "RRULE: FREQ below HOURLY is not supported");
}

#[test]
fn an_hourly_rule_of_ten_years_is_expanded_from_where_the_window_begins() {
    check(
        &["DTSTART:20160803T080000Z\nDURATION:PT1M\nRRULE:FREQ=HOURLY;BYMONTH=8;BYMONTHDAY=3;BYHOUR=9,10"],
        &["Busy 08-03T09:00/08-03T09:01", "Busy 08-03T10:00/08-03T10:01"],
    );
    let events = calendar(&["DTSTART:20160803T080000Z\nDURATION:PT1M\nRRULE:FREQ=HOURLY"]);
    let window = Window::new(utc("2026-08-01T00:00:00Z"), utc("2026-11-01T00:00:00Z"));
    let events = read(&events, &berlin()).expect("a good calendar").events;
    let expansion = expand(&events, window, Budget::default());
    assert_eq!((expansion.taken.len(), expansion.over_budget), (92 * 24, None));
}

#[test]
fn an_event_that_never_ends_is_never_free() {
    let expected = &["Busy 08-03T08:00/12-31T23:59"];
    check(&["DTSTART:20260803T080000Z\nDURATION:P99999999W"], expected);
    check(&["DTSTART:20260803T080000Z\nRDATE;VALUE=PERIOD:20260803T080000Z/P99999999W"], expected);
    check(&["DTSTART:20260803T080000Z\nDURATION:P99999999W\nRRULE:FREQ=YEARLY"], expected);
}

#[test]
fn an_event_that_ends_before_it_starts_is_refused() {
    let backwards = calendar(&["DTSTART:20260803T080000Z\nDTEND:20260803T070000Z"]);
    check_broken(&backwards, 5, "DTEND: before DTSTART");
    let backwards = calendar(&["DTSTART:20260803T080000Z\nRDATE;VALUE=PERIOD:20260803T080000Z/20260803T070000Z"]);
    check_broken(&backwards, 5, "RDATE: a period that ends before it starts");
}

#[test]
fn a_date_takes_its_day_when_its_end_is_the_same_date_or_its_duration_is_empty() {
    for end in ["DURATION:P0D", "DTEND;VALUE=DATE:20260803"] {
        check(&[&format!("DTSTART;VALUE=DATE:20260803\n{end}")], &["Busy 08-02T22:00/08-03T22:00"]);
    }
}

#[test]
fn what_exchange_shows_counts() {
    let event = |status: &str| format!("DTSTART:20260803T080000Z\nDURATION:PT1H\nX-MICROSOFT-CDO-BUSYSTATUS:{status}");
    check(&[&event("OOF"), &event("TENTATIVE")], &["OutOfOffice 08-03T08:00/08-03T09:00"]);
    check(&[&event("TENTATIVE")], &["Tentative 08-03T08:00/08-03T09:00"]);
    check(&[&event("WORKINGELSEWHERE")], &["WorkingElsewhere 08-03T08:00/08-03T09:00"]);
    check(&[&event("FREE")], &[]);
}

#[test]
fn change_that_moves_this_and_future_ahead_includes_the_first_after_the_window() {
    let original = "UID:a\nDTSTART:20261001T090000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=6";
    let change = "UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261105T090000Z\nDTSTART:20261029T120000Z\nDURATION:PT1H";
    let shown = taken(&[original, change]);
    assert_eq!(shown.last().map(String::as_str), Some("Busy 10-29T12:00/10-29T13:00"), "{shown:?}");
}

#[test]
fn until_in_utc_is_an_instant_where_the_clock_is_set_back() {
    // 02:30 takes place at 00:30Z, and 02:15 is 01:15Z as well.
    check(
        &["DTSTART;TZID=Europe/Berlin:20261024T023000\nDURATION:PT15M\nRRULE:FREQ=DAILY;UNTIL=20261025T011500Z"],
        &["Busy 10-24T00:30/10-24T00:45", "Busy 10-25T00:30/10-25T00:45"],
    );
}

/// The record that `ci/recurrence` made with python-dateutil.
#[test]
fn rules_take_place_at_the_instants_that_dateutil_names() {
    let record = std::fs::read_to_string("tests/calendars/recurrence.txt").expect("the record");
    let time = |text: &&str| NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").expect("a time").and_utc();
    for line in record.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [start, zone, rule, from, to, dates @ ..] = &words[..] else { panic!("{line}") };
        let text = calendar(&[&format!("DTSTART;TZID={zone}:{start}\nDURATION:PT1S\nRRULE:{rule}")]);
        let parsed = read(&text, &berlin()).unwrap_or_else(|broken| panic!("{line}: {broken:?}"));
        // The last second included.
        let window = Window::new(time(from), time(to) + TimeDelta::seconds(1));
        let expansion = expand(&parsed.events, window, Budget::default());
        assert_eq!(expansion.over_budget, None, "{line}");
        let mut found: Vec<_> = expansion.taken.iter().map(|interval| interval.window.from).collect();
        found.sort_unstable();
        assert_eq!(found, dates.iter().map(time).collect::<Vec<_>>(), "{line}");
    }
    assert!(record.lines().count() >= 4000);
}

#[test]
fn a_parameter_may_be_written_twice() {
    check(
        &["DTSTART;CHARSET=utf-8;CHARSET=utf-8:20260803T080000Z\nDTEND;CHARSET=utf-8:20260803T090000Z"],
        &["Busy 08-03T08:00/08-03T09:00"],
    );
}

#[test]
fn a_duration_that_ends_with_the_calendar_never_ends() {
    for zone in ["UTC", "America/New_York", "Pacific/Kiritimati"] {
        // From 2026 to about the last day that can be expressed.
        for days in 95_003_100..95_003_800_i64 {
            let event = format!("DTSTART;TZID={zone}:20260803T080000\nDURATION:P{days}D");
            assert_eq!(taken(&[&event]).len(), 1, "{event}");
        }
    }
}

const GOOD: &str = "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Company\nX-LIC-LOCATION:Europe/London\nEND:VTIMEZONE\n\
    BEGIN:VEVENT\nUID:a\nSEQUENCE:1\nSTATUS:TENTATIVE\nDTSTART;TZID=Company:20260803T090000\n\
    DTEND;TZID=Company:20260803T100000\nRRULE:FREQ=MONTHLY;BYDAY=-1FR;BYSETPOS=1;INTERVAL=2;UNTIL=20270101T000000Z\n\
    EXDATE:20260828T080000Z\nRDATE;VALUE=PERIOD:20260811T090000Z/PT2H\nBEGIN:VALARM\nTRIGGER:-PT5M\nEND:VALARM\n\
    END:VEVENT\nBEGIN:VEVENT\nUID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260925T080000Z\nDTSTART;VALUE=DATE:20260926\n\
    DURATION:P1DT2H\nEND:VEVENT\nEND:VCALENDAR\n";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_damaged_calendar_never_panics(
        damage in prop::collection::vec((any::<prop::sample::Index>(), "[0-9A-Z:;=,/\n -]{0,4}"), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut text = GOOD.to_owned();
        for (place, with) in damage {
            let at = place.index(text.len());
            text.replace_range(at..(at + with.len()).min(text.len()), &with);
        }
        if let Some(cut) = cut {
            text.truncate(cut.index(text.len()));
        }
        let window = Window::new(utc("2026-08-01T00:00:00Z"), utc("2026-11-01T00:00:00Z"));
        // Either outcome is fine.
        let _ = read(&text, &berlin()).map(|parsed| expand(&parsed.events, window, Budget::default()));
    }

    #[test]
    fn any_text_never_panics(text: String) {
        let _ = read(&text, &berlin());
    }
}
