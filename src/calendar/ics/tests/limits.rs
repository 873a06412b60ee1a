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

/// Returns the processor time of a closure on this thread, in nanoseconds, and what it returns: how long it waits for a processor does not count.
fn timed<T>(f: impl FnOnce() -> T) -> (u64, T) {
    let now = || {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
        stat.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).expect("nanoseconds")
    };
    let began = now();
    let returned = f();
    (now() - began, returned)
}

/// Looking at each change for each original took the product of their numbers: 16 times as long for four times as many.
#[test]
fn many_originals_with_many_changes_of_the_future_are_expanded_in_linear_time() {
    let original = "UID:a\nDTSTART:20260803T080000Z\nDURATION:PT1M\nRRULE:FREQ=YEARLY;UNTIL=20260804".to_owned();
    let change = |n: i64| {
        let start = (utc("2027-01-01T00:00:00Z") + TimeDelta::hours(n)).format("%Y%m%dT%H%M%SZ");
        format!("UID:a\nRECURRENCE-ID;RANGE=THISANDFUTURE:{start}\nDTSTART:{start}\nDURATION:PT1M")
    };
    let times = [12_000, 48_000].map(|each| {
        let events: Vec<String> =
            std::iter::repeat_n(original.clone(), each).chain((0..each as i64).map(change)).collect();
        let text = calendar(&events.iter().map(String::as_str).collect::<Vec<_>>());
        let (reading, parsed) = timed(|| read(&text, &berlin()).expect("a good calendar"));
        let (expanding, taken) = timed(|| shown(&parsed.events));
        assert_eq!(taken, ["Busy 08-03T08:00/08-03T08:01"]);
        [reading, expanding]
    });
    let [few, many] = times;
    for (few, many) in few.into_iter().zip(many) {
        assert!(many < few * 8, "{} us, and {} us for four times as many", few / 1_000, many / 1_000);
    }
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
