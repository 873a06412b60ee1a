//! The reports of RFC 4791 that we ask for, as XML.

use super::super::client::Request;
use crate::freebusy::Window;
use chrono::{DateTime, TimeDelta, Utc};

/// How much longer than the window the one is that events are asked for. Of what has no time zone, or one that the server does not know,
/// the server takes another instant than we do: by up to 14 hours.
const MARGIN: TimeDelta = TimeDelta::days(1);

/// Returns a report of RFC 3253, 3.6, about a calendar and what is in it.
pub(super) fn report(body: String) -> Request {
    let headers = &[("depth", "1"), ("content-type", "application/xml; charset=utf-8")];
    Request { method: "REPORT", headers, body }
}

/// Asks for the free/busy time of a window.
pub(in super::super) fn free_busy_query(window: Window) -> Request {
    report(format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <C:free-busy-query xmlns:C=\"urn:ietf:params:xml:ns:caldav\">{}</C:free-busy-query>\n",
        time_range(window)
    ))
}

/// Asks for the events of a window.
pub(in super::super) fn calendar_query(window: Window) -> Request {
    let earlier = window.from.checked_sub_signed(MARGIN).unwrap_or(window.from);
    let later = window.to.checked_add_signed(MARGIN).unwrap_or(window.to);
    report(format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <C:calendar-query xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">\
         <D:prop><C:calendar-data/></D:prop>\
         <C:filter><C:comp-filter name=\"VCALENDAR\"><C:comp-filter name=\"VEVENT\">{}</C:comp-filter>\
         </C:comp-filter></C:filter></C:calendar-query>\n",
        time_range(Window::new(earlier, later))
    ))
}

/// Returns a window in whole seconds, none of which is missing.
fn time_range(window: Window) -> String {
    let time = |at: DateTime<Utc>| at.format("%Y%m%dT%H%M%SZ").to_string();
    let partial = window.to.timestamp_subsec_nanos() != 0;
    let to = if partial { window.to + TimeDelta::seconds(1) } else { window.to };
    format!("<C:time-range start=\"{}\" end=\"{}\"/>", time(window.from), time(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_range_has_every_second_of_the_window() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().expect("a time");
        let window = Window::new(at("2026-08-03T00:00:00.5Z"), at("2026-08-04T00:00:00.1Z"));
        assert_eq!(time_range(window), "<C:time-range start=\"20260803T000000Z\" end=\"20260804T000001Z\"/>");
        let events = calendar_query(window).body;
        assert!(events.contains("start=\"20260802T000000Z\" end=\"20260805T000001Z\""), "{events}");
    }
}
