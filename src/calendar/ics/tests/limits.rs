//! Calendars that take long: what exceeds the budget is unknown, and the rest takes no longer than its size.

use super::*;

#[test]
fn what_cannot_be_expanded_within_the_budget_is_unknown_and_never_free() {
    let list = |range: std::ops::Range<u32>| range.map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    let (days, hours, minutes) = (list(1..367), list(0..24), list(0..60));
    let every_second = format!(
        "UID:b\nDTSTART:20200101T000000Z\nDURATION:PT1S\n\
         RRULE:FREQ=YEARLY;BYYEARDAY={days};BYHOUR={hours};BYMINUTE={minutes};BYSECOND={minutes}"
    );
    let shown = taken(&["UID:a\nDTSTART:20260820T080000Z\nDURATION:PT1H", &every_second]);
    // The seconds that the budget sufficed for, and from then on what else is known.
    let [seconds, unknown, rest @ ..] = &shown[..] else { panic!("{shown:?}") };
    assert!(seconds.starts_with("Busy 08-01T00:00/"), "{shown:?}");
    assert!(unknown.starts_with(&seconds.replace("Busy 08-01T00:00/", "Unknown ")), "{shown:?}");
    assert!(unknown.ends_with("/08-20T08:00"), "{shown:?}");
    assert_eq!(rest, ["Busy 08-20T08:00/08-20T09:00", "Unknown 08-20T09:00/11-01T00:00"]);
}

/// Returns the processor time that this thread has taken, in seconds: how long it waits for a processor does not count.
fn processor_secs() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    stat.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).expect("nanoseconds") / 1_000_000_000
}

/// Looking at each change for each original took the product of their numbers.
#[test]
fn many_originals_with_many_changes_of_the_future_are_expanded_in_linear_time() {
    const EACH: i64 = 48_000;
    let original = "UID:a\nDTSTART:20260803T080000Z\nDURATION:PT1M\nRRULE:FREQ=YEARLY;UNTIL=20260804".to_owned();
    let change = |n: i64| {
        let start = (utc("2027-01-01T00:00:00Z") + TimeDelta::hours(n)).format("%Y%m%dT%H%M%SZ");
        format!("UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE:{start}\nDTSTART:{start}\nDURATION:PT1M")
    };
    let events: Vec<String> = std::iter::repeat_n(original, EACH as usize).chain((0..EACH).map(change)).collect();
    let began = processor_secs();
    let shown = taken(&events.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(shown, ["Busy 08-03T08:00/08-03T08:01"]);
    assert!(processor_secs() - began <= 4, "it took {} s", processor_secs() - began);
}

#[test]
fn sixty_thousand_changed_instances_are_expanded_within_the_budget() {
    let change = |n: i64| {
        let start = (utc("2020-01-01T00:00:00Z") + TimeDelta::hours(n)).format("%Y%m%dT%H%M%SZ");
        format!("UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE:{start}\nDTSTART:{start}\nDURATION:PT1M")
    };
    let changes: Vec<String> = (0..60_000).map(change).collect();
    let original = "UID:a\nDTSTART:20200101T000000Z\nDURATION:PT1H\nRRULE:FREQ=HOURLY".to_owned();
    let events: Vec<&str> = [&original].into_iter().chain(&changes).map(String::as_str).collect();
    let shown = taken(&events);
    assert_eq!(shown.first().map(String::as_str), Some("Busy 08-01T00:00/08-01T00:01"));
    assert_eq!(shown.len(), 92 * 24);
}
