//! Any text as a calendar: it is read and expanded, or refused, within the budget; the slots of the answer fill the window.
#![no_main]

use calcon::calendar::{Zone, slots_of};
use calcon::freebusy::{Window, availability_view, vfreebusy};
use chrono::{DateTime, TimeDelta};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let from = DateTime::from_timestamp(1_785_542_400, 0).expect("in range");
    let window = Window::new(from, from + TimeDelta::days(62));
    let zone: Zone = "Europe/Berlin".parse().expect("known");
    let Ok(slots) = slots_of(text, &zone, window) else { return };
    assert_eq!(slots.first().map(|slot| slot.from), Some(window.from));
    assert_eq!(slots.last().map(|slot| slot.to), Some(window.to));
    assert!(slots.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].state != pair[1].state));
    assert_eq!(availability_view(window, &slots, TimeDelta::minutes(30)).len(), 62 * 48);
    // What is published can be read.
    let published = vfreebusy("ada@notes.example", window, &slots, from);
    slots_of(&published, &zone, window).expect("a good calendar");
});
