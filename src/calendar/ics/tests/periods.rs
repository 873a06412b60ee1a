//! Published free/busy time.

use super::*;

#[test]
fn published_periods_may_be_unsorted_overlapping_and_free() {
    let text = "BEGIN:VCALENDAR\nMETHOD:PUBLISH\nBEGIN:VFREEBUSY\nDTSTART:20260801T000000Z\nDTEND:20260901T000000Z\n\
                FREEBUSY;FBTYPE=BUSY:20260810T100000Z/PT2H,20260803T080000Z/20260803T093000Z\n\
                FREEBUSY:20260803T090000Z/PT1H\nFREEBUSY;FBTYPE=FREE:20260804T080000Z/PT1H\n\
                FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260803T093000Z/PT1H\n\
                FREEBUSY;FBTYPE=X-ELSEWHERE:20260812T100000Z/PT1H\n\
                FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260811T000000Z/P1D\nEND:VFREEBUSY\nEND:VCALENDAR\n";
    let events = read(text, &berlin()).expect("a good calendar").events;
    let expected = [
        "Busy 08-03T08:00/08-03T10:00",
        "Tentative 08-03T10:00/08-03T10:30",
        "Busy 08-10T10:00/08-10T12:00",
        "OutOfOffice 08-11T00:00/08-12T00:00",
        "Busy 08-12T10:00/08-12T11:00",
    ];
    assert_eq!(shown(&events), expected);
    let no_period = text.replace("/PT2H", "");
    check_broken(&no_period, 6, "FREEBUSY: \"20260810T100000Z\" is no period");
}

#[test]
fn what_is_published_reads_back_as_it_was() {
    use crate::freebusy::{Slot, slots, vfreebusy};
    let events = [
        "DTSTART:20260803T080000Z\nDURATION:PT1H",
        "STATUS:TENTATIVE\nDTSTART:20260803T083000Z\nDURATION:PT1H",
        "X-MICROSOFT-CDO-BUSYSTATUS:OOF\nDTSTART;VALUE=DATE:20260810",
    ];
    let window = Window::new(utc("2026-08-01T00:00:00Z"), utc("2026-11-01T00:00:00Z"));
    let slots_of = |text: &str| -> Vec<Slot> {
        let events = read(text, &berlin()).expect("a good calendar").events;
        slots(window, &merge_overlapping(&expand(&events, window, Budget::default()).taken))
    };
    let before = slots_of(&calendar(&events));
    assert_eq!(slots_of(&vfreebusy("a@b", window, &before, window.from)), before);
}

/// As Xandikos writes it.
#[test]
fn a_period_of_no_length_at_midnight_is_a_date_without_end() {
    let text = "BEGIN:VCALENDAR\nBEGIN:VFREEBUSY\nFREEBUSY;VALUE=PERIOD:20260804T000000Z/P0D\n\
                FREEBUSY;VALUE=PERIOD:20261024T220000Z/P0D,20260808T170000Z/P0D\nEND:VFREEBUSY\nEND:VCALENDAR\n";
    let events = read(text, &berlin()).expect("a good calendar").events;
    // In Berlin that day has 25 hours.
    assert_eq!(shown(&events), ["Busy 08-04T00:00/08-05T00:00", "Busy 10-24T22:00/10-25T23:00"]);
}
