//! Local times and their instants: every local time has one,
//! even in the hours that a clock change skips or repeats.

use calcard::common::timezone::Tz;
use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use std::str::FromStr;

/// A time zone, by its IANA name or one of the names that calendar programs use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

/// Error: no time zone has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {0:?}: use an IANA name such as \"Europe/Berlin\"")]
pub struct UnknownTimeZone(pub String);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Zone = Zone(Tz::UTC);

    /// Creates a zone from one that the parser resolved; floating times are in `default`.
    pub(super) fn of(zone: Tz, default: Zone) -> Zone {
        if zone.is_floating() { default } else { Zone(zone) }
    }

    /// Returns the instant of a local time: the first one if the time is repeated; if it is skipped, the instant as if
    /// the clock had not changed (RFC 5545, 3.3.5).
    pub(super) fn instant(self, local: NaiveDateTime) -> DateTime<Utc> {
        match self.0.from_local_datetime(&local) {
            MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => instant.to_utc(),
            MappedLocalTime::None => {
                // No clock change is within the day before another one.
                let before = self.0.offset_from_utc_datetime(&(local - TimeDelta::days(1))).fix();
                DateTime::from_naive_utc_and_offset(local - before, Utc)
            }
        }
    }

    /// Returns the local time at an instant.
    pub(super) fn local(self, instant: DateTime<Utc>) -> NaiveDateTime {
        instant.with_timezone(&self.0).naive_local()
    }
}

impl FromStr for Zone {
    type Err = UnknownTimeZone;

    fn from_str(name: &str) -> Result<Self, UnknownTimeZone> {
        Tz::from_str(name).map(Zone).map_err(|()| UnknownTimeZone(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin(local: &str) -> String {
        let zone: Zone = "Europe/Berlin".parse().expect("known");
        zone.instant(local.parse().expect("a local time")).format("%FT%RZ").to_string()
    }

    #[test]
    fn a_local_time_is_the_instant_its_zone_says() {
        assert_eq!(berlin("2026-01-10T09:00:00"), "2026-01-10T08:00Z");
        assert_eq!(berlin("2026-07-10T09:00:00"), "2026-07-10T07:00Z");
    }

    #[test]
    fn a_skipped_hour_is_read_by_the_clock_before_the_change() {
        assert_eq!(berlin("2026-03-29T02:30:00"), "2026-03-29T01:30Z");
    }

    #[test]
    fn a_repeated_hour_is_its_first_one() {
        assert_eq!(berlin("2026-10-25T02:30:00"), "2026-10-25T00:30Z");
    }

    #[test]
    fn an_unknown_zone_is_refused() {
        assert!("Mars/Olympus".parse::<Zone>().is_err());
    }
}
