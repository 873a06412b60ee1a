//! Any text as the reply of a CalDAV server: objects, which are read as a calendar and kept as a copy, or what is wrong with them.
#![no_main]

use calcon::calendar::{Zone, slots_of_all};
use calcon::freebusy::Window;
use calcon::remote::caldav::{multistatus, sync::CalendarCopy};
use chrono::{DateTime, TimeDelta};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(reply) = multistatus::read(text) else { return };
    let from = DateTime::from_timestamp(1_785_542_400, 0).expect("in range");
    let window = Window::new(from, from + TimeDelta::days(62));
    let objects = reply.objects.clone();
    if let Ok(slots) =
        slots_of_all(objects.iter().map(|(name, text)| (name.as_str(), text.as_str())), &Zone::UTC, window)
    {
        assert_eq!(slots.first().map(|slot| slot.from), Some(window.from));
        assert_eq!(slots.last().map(|slot| slot.to), Some(window.to));
    }
    let Ok(copy) = CalendarCopy::default().changed(reply) else { return };
    // Of several objects with one name the last one counts.
    assert!(objects.iter().all(|(name, _)| copy.objects().any(|(kept, _)| kept == name)));
    assert!(copy.bytes() >= copy.objects().map(|(name, text)| name.len() + text.len()).sum());
});
