//! Local times and their instants: every local time has one,
//! even in the hours that a clock change skips or repeats.

use super::definition::Definition;
use calcard::common::timezone::Tz;
use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use std::str::FromStr;
use std::sync::Arc;

/// A time zone: by its IANA name or one of the names that calendar programs use, or as a calendar defines it. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(Kind);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Named(Tz),
    Defined(Arc<Definition>),
}

/// Error: no time zone has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {0:?}: use an IANA name such as \"Europe/Berlin\"")]
pub struct UnknownTimeZone(pub String);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Zone = Zone(Kind::Named(Tz::UTC));

    /// Creates a zone from one that the parser resolved; floating times are in `default`.
    pub(super) fn of(zone: Tz, default: &Zone) -> Zone {
        if zone.is_floating() { default.clone() } else { Zone(Kind::Named(zone)) }
    }

    /// Creates the zone that a calendar defines.
    pub(super) fn defined(definition: Definition) -> Zone {
        Zone(Kind::Defined(Arc::new(definition)))
    }

    /// Returns the instant of a local time: the first one if the time is repeated; if it is skipped, the instant as if
    /// the clock had not changed (RFC 5545, 3.3.5).
    pub(crate) fn instant(&self, local: NaiveDateTime) -> DateTime<Utc> {
        let zone = match &self.0 {
            Kind::Named(zone) => zone,
            Kind::Defined(definition) => return minus(local, definition.offset_of(local)),
        };
        match zone.from_local_datetime(&local) {
            MappedLocalTime::Single(instant) | MappedLocalTime::Ambiguous(instant, _) => instant.to_utc(),
            MappedLocalTime::None => {
                // No clock change is within the day before another one.
                let day_before = local.checked_sub_signed(TimeDelta::days(1)).unwrap_or(local);
                let before = zone.offset_from_utc_datetime(&day_before).fix();
                minus(local, TimeDelta::seconds(before.local_minus_utc().into()))
            }
        }
    }

    /// Returns the local time at an instant.
    pub(crate) fn local(&self, instant: DateTime<Utc>) -> NaiveDateTime {
        match &self.0 {
            Kind::Named(zone) => instant.with_timezone(zone).naive_local(),
            Kind::Defined(definition) => instant.naive_utc() + definition.offset_at(instant),
        }
    }
}

/// Returns the instant of a local time with this offset. Within a day of the end of the calendar it is that end.
fn minus(local: NaiveDateTime, offset: TimeDelta) -> DateTime<Utc> {
    let end = if offset < TimeDelta::zero() { DateTime::<Utc>::MAX_UTC } else { DateTime::<Utc>::MIN_UTC };
    local.checked_sub_signed(offset).map_or(end, |instant| instant.and_utc())
}

impl FromStr for Zone {
    type Err = UnknownTimeZone;

    fn from_str(name: &str) -> Result<Self, UnknownTimeZone> {
        let unknown = || UnknownTimeZone(name.to_owned());
        let zone = Tz::from_str(name).map_err(|()| unknown())?;
        // Of `(UTC+05:30) Anywhere` the parser takes the whole hours, which is a guess, and wrong for half of the year elsewhere.
        let is_guess = name.trim_start().starts_with('(') && zone.name().is_none_or(|name| name.starts_with("Etc/GMT"));
        if is_guess { Err(unknown()) } else { Ok(Zone(Kind::Named(zone))) }
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

    #[test]
    fn the_offset_in_a_name_is_not_taken_for_a_zone() {
        assert!("(UTC+05:30) Anywhere".parse::<Zone>().is_err());
        let known: Zone = "(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna".parse().expect("known");
        let noon = "2026-07-10T12:00:00".parse().expect("a local time");
        assert_eq!(known.instant(noon).format("%RZ").to_string(), "10:00Z");
    }
}
