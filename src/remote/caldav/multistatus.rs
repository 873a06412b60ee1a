//! Reads a multistatus (RFC 4918, 13; RFC 6578, 6.4): the reply to a calendar-query, or to a sync-collection.
//!
//! A reply that is cut off, or that lacks an object, is refused: none of it is used.

use super::super::failure::Failure;
use super::super::xml::{self, Piece};

/// Maximum number of objects.
const OBJECTS_MAX: usize = 20_000;
/// The namespaces of WebDAV and of CalDAV.
const DAV: &str = "DAV:";
const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";

/// What a server says of a calendar.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Multistatus {
    /// The objects, each with its name on the server.
    pub objects: Vec<(String, String)>,
    /// The names of those that are not there any more.
    pub gone: Vec<String>,
    /// The state of the calendar, after the answer to a sync-collection.
    pub token: Option<String>,
    /// Where the server says that this is not all of it.
    pub is_partial: bool,
}

/// An element that we know, at its place; all others are skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Element {
    Multistatus,
    Response,
    Href,
    /// The status of a whole response.
    Status,
    Propstat,
    /// The status of some of its properties.
    PropStatus,
    Prop,
    CalendarData,
    SyncToken,
    Other,
}

/// A response that is being read.
#[derive(Debug, Default)]
struct Response {
    href: String,
    status: String,
    prop_status: String,
    /// The data of the propstat that is being read.
    data: Option<String>,
    /// The data of a propstat whose status is 200.
    object: Option<String>,
}

/// Reads a reply.
///
/// # Errors
/// The byte at which the reply is not what it should be, and how.
pub fn read(text: &str) -> Result<Multistatus, Failure> {
    let mut reading = Reading::default();
    xml::each(text, |piece| reading.piece(piece))?;
    Ok(reading.read)
}

/// What has been read.
#[derive(Debug, Default)]
struct Reading {
    open: Vec<Element>,
    response: Response,
    read: Multistatus,
    is_complete: bool,
}

impl Reading {
    fn piece(&mut self, piece: Piece<'_>) -> Result<(), String> {
        match piece {
            Piece::Start(namespace, name) => {
                let element = element(self.open.last().copied(), namespace, name, self.is_complete)?;
                self.begin(element);
                self.open.push(element);
            }
            Piece::Text(text) => self.text(text),
            Piece::End => {
                if let Some(element) = self.open.pop() {
                    self.end(element)?;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, element: Element) {
        match element {
            Element::Response => self.response = Response::default(),
            Element::Propstat => (self.response.data, self.response.prop_status) = (None, String::new()),
            Element::CalendarData => self.response.data = Some(String::new()),
            Element::SyncToken => self.read.token = Some(String::new()),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        let response = &mut self.response;
        match self.open.last() {
            Some(Element::Href) => response.href.push_str(text),
            Some(Element::Status) => response.status.push_str(text),
            Some(Element::PropStatus) => response.prop_status.push_str(text),
            Some(Element::CalendarData) => response.data.get_or_insert_default().push_str(text),
            Some(Element::SyncToken) => self.read.token.get_or_insert_default().push_str(text),
            _ => {}
        }
    }

    fn end(&mut self, element: Element) -> Result<(), String> {
        match element {
            Element::Multistatus => self.is_complete = true,
            Element::Propstat if is_ok(&self.response.prop_status) => self.response.object = self.response.data.take(),
            Element::Response => {
                let response = std::mem::take(&mut self.response);
                self.response(response)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn response(&mut self, Response { href, status, object, .. }: Response) -> Result<(), String> {
        match (object, code(&status)) {
            (Some(object), _) if status.is_empty() || is_ok(&status) => self.read.objects.push((href, object)),
            (_, Some("404")) => self.read.gone.push(href),
            // The server could not send more of it (RFC 5323, 2.4; RFC 6578, 3.6).
            (None, Some("507")) => self.read.is_partial = true,
            _ => return Err(format!("no calendar-data of {href:?}: {:?}", status.trim())),
        }
        match self.read.objects.len().max(self.read.gone.len()) > OBJECTS_MAX {
            true => Err(format!("more than {OBJECTS_MAX} objects")),
            false => Ok(()),
        }
    }
}

/// Returns what an element is, by the one that it is in.
fn element(parent: Option<Element>, namespace: Option<&str>, name: &str, is_complete: bool) -> Result<Element, String> {
    Ok(match (parent, namespace, name) {
        (None, Some(DAV), "multistatus") if !is_complete => Element::Multistatus,
        (None, _, name) => return Err(format!("{name:?} where a multistatus is due")),
        (Some(Element::Multistatus), Some(DAV), "response") => Element::Response,
        (Some(Element::Multistatus), Some(DAV), "sync-token") => Element::SyncToken,
        (Some(Element::Response), Some(DAV), "href") => Element::Href,
        (Some(Element::Response), Some(DAV), "status") => Element::Status,
        (Some(Element::Response), Some(DAV), "propstat") => Element::Propstat,
        (Some(Element::Propstat), Some(DAV), "status") => Element::PropStatus,
        (Some(Element::Propstat), Some(DAV), "prop") => Element::Prop,
        (Some(Element::Prop), Some(CALDAV), "calendar-data") => Element::CalendarData,
        _ => Element::Other,
    })
}

/// Returns the code of a status line such as `HTTP/1.1 200 OK`.
fn code(status: &str) -> Option<&str> {
    status.split_whitespace().nth(1)
}

fn is_ok(status: &str) -> bool {
    code(status) == Some("200")
}

#[cfg(test)]
#[path = "multistatus/tests.rs"]
mod tests;
