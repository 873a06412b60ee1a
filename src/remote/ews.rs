//! `GetUserAvailability` of Exchange Web Services: the request about one user, and what the reply says. Pure functions.

use super::client::Request;
use super::failure::Failure;
use super::merged::{self, STRETCH};
use super::xml::{self, Piece};
use crate::freebusy::{Interval, Window};
use chrono::{DateTime, NaiveDateTime, Utc};

/// The longest window of a request, in days: that of Exchange 2010.
pub(super) const DAYS_MAX: i64 = 42;
/// What the server says of somebody whom it does not know.
const NOBODY: &str = "ErrorMailRecipientNotFound";
/// The namespaces of the envelope, of the operations and of their types.
const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";
const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";

/// Asks about a window of whole half hours. The zone of the request is UTC, and so are the times of the reply.
pub(super) fn request(user: &str, window: Window) -> Request {
    let headers = &[
        ("content-type", "text/xml; charset=utf-8"),
        ("soapaction", "\"http://schemas.microsoft.com/exchange/services/2006/messages/GetUserAvailability\""),
    ];
    let time = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%S");
    let change = |month: u32| {
        format!(
            "<t:Bias>0</t:Bias><t:Time>00:00:00</t:Time><t:DayOrder>1</t:DayOrder><t:Month>{month}</t:Month><t:DayOfWeek>Sunday</t:DayOfWeek>"
        )
    };
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
         <soap:Envelope xmlns:soap=\"{SOAP}\" xmlns:m=\"{MESSAGES}\" xmlns:t=\"{TYPES}\">\
         <soap:Body><m:GetUserAvailabilityRequest><t:TimeZone><t:Bias>0</t:Bias><t:StandardTime>{}</t:StandardTime>\
         <t:DaylightTime>{}</t:DaylightTime></t:TimeZone><m:MailboxDataArray><t:MailboxData><t:Email><t:Address>{}</t:Address></t:Email>\
         <t:AttendeeType>Required</t:AttendeeType><t:ExcludeConflicts>false</t:ExcludeConflicts></t:MailboxData></m:MailboxDataArray>\
         <t:FreeBusyViewOptions><t:TimeWindow><t:StartTime>{}</t:StartTime><t:EndTime>{}</t:EndTime></t:TimeWindow>\
         <t:MergedFreeBusyIntervalInMinutes>{}</t:MergedFreeBusyIntervalInMinutes><t:RequestedView>FreeBusyMerged</t:RequestedView>\
         </t:FreeBusyViewOptions></m:GetUserAvailabilityRequest></soap:Body></soap:Envelope>\n",
        change(10),
        change(3),
        xml::escaped(user),
        time(window.from),
        time(window.to),
        STRETCH.num_minutes(),
    );
    Request { method: "POST", headers, body }
}

/// An element that we know, at its place; all others are skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Envelope,
    Body,
    Availability,
    Responses,
    Response,
    Message,
    Code,
    View,
    ViewType,
    Merged,
    Events,
    Event,
    Start,
    End,
    BusyType,
    Other,
}

/// What has been read.
#[derive(Debug, Default)]
struct Reading {
    open: Vec<Element>,
    responses: usize,
    code: String,
    view_type: String,
    merged: String,
    event: Event,
    items: Vec<Interval>,
}

#[derive(Debug, Default)]
struct Event {
    start: String,
    end: String,
    busy_type: String,
}

/// Reads the reply about a window of whole half hours: what is taken. What the reply does not cover is unknown.
///
/// # Errors
/// What is not as it should be, or why the server has no answer.
pub fn read(text: &str, window: Window) -> Result<Vec<Interval>, Failure> {
    let mut reading = Reading::default();
    xml::each(text, |piece| reading.piece(piece))?;
    let Reading { responses, code, view_type, merged, items, .. } = reading;
    match (responses, code.trim()) {
        (1, "NoError") => {}
        (1, NOBODY) => return Err(Failure::NoCalendar),
        (1, code) => return Err(Failure::refused(code)),
        (count, _) => return Err(Failure::reply(format!("it has {count} of FreeBusyResponse, where one is due"))),
    }
    if merged.trim().is_empty() {
        // The login may not see this calendar, or nobody has published it.
        return Err(Failure::refused(&format!("a view of the type {:?}, which has nothing in it", view_type.trim())));
    }
    Ok(merged::taken(window, &merged, items))
}

impl Reading {
    fn piece(&mut self, piece: Piece<'_>) -> Result<(), String> {
        match piece {
            Piece::Start(namespace, name) => {
                let element = element(self.open.last().copied(), namespace, name)?;
                match element {
                    Element::Response => self.responses += 1,
                    Element::Event => self.event = Event::default(),
                    _ => {}
                }
                self.open.push(element);
            }
            Piece::Text(text) => self.text(text),
            Piece::End => {
                if self.open.pop() == Some(Element::Event) {
                    let Event { start, end, busy_type } = std::mem::take(&mut self.event);
                    self.items.push(merged::item(instant(&start)?, instant(&end)?, merged::named(&busy_type))?);
                }
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        match self.open.last() {
            Some(Element::Code) => self.code.push_str(text),
            Some(Element::ViewType) => self.view_type.push_str(text),
            Some(Element::Merged) => self.merged.push_str(text),
            Some(Element::Start) => self.event.start.push_str(text),
            Some(Element::End) => self.event.end.push_str(text),
            Some(Element::BusyType) => self.event.busy_type.push_str(text),
            _ => {}
        }
    }
}

/// Returns what an element is, by the one that it is in.
fn element(parent: Option<Element>, namespace: Option<&str>, name: &str) -> Result<Element, String> {
    Ok(match (parent, namespace, name) {
        (None, Some(SOAP), "Envelope") => Element::Envelope,
        (None, _, name) => return Err(format!("{name:?} where an envelope is due")),
        (Some(Element::Envelope), Some(SOAP), "Body") => Element::Body,
        (Some(Element::Body), Some(MESSAGES), "GetUserAvailabilityResponse") => Element::Availability,
        (Some(Element::Availability), Some(MESSAGES), "FreeBusyResponseArray") => Element::Responses,
        (Some(Element::Responses), Some(MESSAGES), "FreeBusyResponse") => Element::Response,
        (Some(Element::Response), Some(MESSAGES), "ResponseMessage") => Element::Message,
        (Some(Element::Message), Some(MESSAGES), "ResponseCode") => Element::Code,
        (Some(Element::Response), Some(MESSAGES), "FreeBusyView") => Element::View,
        (Some(Element::View), Some(TYPES), "FreeBusyViewType") => Element::ViewType,
        (Some(Element::View), Some(TYPES), "MergedFreeBusy") => Element::Merged,
        (Some(Element::View), Some(TYPES), "CalendarEventArray") => Element::Events,
        (Some(Element::Events), Some(TYPES), "CalendarEvent") => Element::Event,
        (Some(Element::Event), Some(TYPES), "StartTime") => Element::Start,
        (Some(Element::Event), Some(TYPES), "EndTime") => Element::End,
        (Some(Element::Event), Some(TYPES), "BusyType") => Element::BusyType,
        _ => Element::Other,
    })
}

/// Returns an instant: a time with its offset, or one in the zone of the request.
fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    let text = text.trim();
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.to_utc());
    }
    match text.parse::<NaiveDateTime>() {
        Ok(time) => Ok(time.and_utc()),
        Err(_) => Err(format!("{:?} is no time", text.chars().take(40).collect::<String>())),
    }
}

#[cfg(test)]
#[path = "ews/tests.rs"]
mod tests;
