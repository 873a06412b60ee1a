//! A local time as Graph writes it. A response has so many of them that chrono's own formatting would take most of its time.

use chrono::{Datelike, NaiveDateTime, Timelike};
use serde::{Serialize, Serializer};

/// What a time looks like: seven digits behind the second, the last of which is 0.
const FORM: [u8; 27] = *b"0000-00-00T00:00:00.0000000";
const NANOS_PER_SECOND: u32 = 1_000_000_000;

/// A time such as `2026-08-03T09:00:00.0000000`, from the year 0 to the year 9999.
pub(super) struct Stamp([u8; FORM.len()]);

impl Stamp {
    /// Writes a time, down to its microseconds.
    pub(super) fn of(time: NaiveDateTime) -> Self {
        // chrono has a leap second as more than a second of nanoseconds.
        let (more, nanos) = (time.nanosecond() / NANOS_PER_SECOND, time.nanosecond() % NANOS_PER_SECOND);
        let mut text = FORM;
        put(&mut text[..4], time.year().unsigned_abs());
        put(&mut text[5..7], time.month());
        put(&mut text[8..10], time.day());
        put(&mut text[11..13], time.hour());
        put(&mut text[14..16], time.minute());
        put(&mut text[17..19], time.second() + more);
        put(&mut text[20..26], nanos / 1_000);
        Self(text)
    }
}

/// Writes the last digits of a number.
fn put(digits: &mut [u8], mut number: u32) {
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // They are digits.
        serializer.serialize_str(str::from_utf8(&self.0).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{NaiveDate, NaiveTime};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_time_is_written_as_chrono_formats_it(
            days in 0..3_652_059_i32, second in 0..86_400_u32, nanos in 0..1_000_000_000_u32, is_leap: bool,
        ) {
            let date = NaiveDate::from_num_days_from_ce_opt(days).expect("in range");
            // A leap second is the last one of a minute.
            let second = if is_leap { second / 60 * 60 + 59 } else { second };
            let nanos = if is_leap { nanos + NANOS_PER_SECOND } else { nanos };
            let time = NaiveTime::from_num_seconds_from_midnight_opt(second, nanos).expect("a time");
            let time = date.and_time(time);
            let written = serde_json::to_value(Stamp::of(time)).expect("a text");
            prop_assert_eq!(written, time.format("%Y-%m-%dT%H:%M:%S%.6f0").to_string());
        }
    }
}
