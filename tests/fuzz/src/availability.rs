//! Any text as the reply of Domino, Graph or Exchange Web Services: what is taken, or what is wrong with it.
#![no_main]

use calcon::calendar::Zone;
use calcon::freebusy::{Slot, State, Window, merge_overlapping, slots};
use calcon::remote::{domino, ews, graph};
use chrono::{DateTime, TimeDelta};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let from = DateTime::from_timestamp(1_785_542_400, 0).expect("in range");
    let window = Window::new(from, from + TimeDelta::days(14));
    if let Ok(slots) = domino::read(text.as_bytes(), &Zone::UTC, window) {
        check(&slots, window);
    }
    let taken = [graph::read(text.as_bytes(), "ada@exchange.example", window), ews::read(text, window)];
    for taken in taken.into_iter().flatten() {
        let slots = slots(window, &merge_overlapping(&taken));
        check(&slots, window);
        // A half hour without a digit is not free.
        let free: TimeDelta =
            slots.iter().filter(|slot| slot.state == State::Free).map(|slot| slot.to - slot.from).sum();
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        assert!(free <= TimeDelta::minutes(30) * i32::try_from(digits).expect("a short text"));
    }
});

fn check(slots: &[Slot], window: Window) {
    assert_eq!(slots.first().map(|slot| slot.from), Some(window.from));
    assert_eq!(slots.last().map(|slot| slot.to), Some(window.to));
    assert!(slots.windows(2).all(|pair| pair[0].to == pair[1].from));
}
