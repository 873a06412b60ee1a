//! Reads the reply to a calendar-query: a multistatus (RFC 4918, 13) with the objects of a calendar.
//!
//! A reply that is cut off, that lacks an object, or in which the server says that it is not complete, is refused: none of it is used.

use super::failure::Failure;
use quick_xml::events::{BytesRef, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

/// Maximum depth of elements within each other.
const DEPTH_MAX: usize = 16;
/// Maximum number of objects.
const OBJECTS_MAX: usize = 20_000;
/// The namespaces of WebDAV and of CalDAV.
const DAV: &str = "DAV:";
const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";

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

/// Returns the objects, each with its name on the server.
///
/// # Errors
/// The byte at which the reply is not what it should be, and how.
pub(super) fn read(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut reader = NsReader::from_str(text);
    // So that each start has an end.
    reader.config_mut().expand_empty_elements = true;
    let mut reading =
        Reading { open: Vec::new(), response: Response::default(), objects: Vec::new(), is_complete: false };
    loop {
        let broken = |at: u64, what: String| Failure::Xml { at, what };
        let at = reader.buffer_position();
        let (namespace, event) = reader.read_resolved_event().map_err(|error| broken(at, error.to_string()))?;
        if matches!(event, Event::Eof) {
            return match reading.is_complete {
                true => Ok(reading.objects),
                false => Err(broken(at, "the end of the multistatus is missing: is the reply cut off?".to_owned())),
            };
        }
        reading.event(&namespace, event).map_err(|what| broken(at, what))?;
    }
}

/// What has been read.
struct Reading {
    open: Vec<Element>,
    response: Response,
    objects: Vec<(String, String)>,
    is_complete: bool,
}

impl Reading {
    fn event(&mut self, namespace: &ResolveResult<'_>, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(start) => {
                let name = start.local_name();
                let element = element(self.open.last().copied(), namespace, name.as_ref(), self.is_complete)?;
                if self.open.len() == DEPTH_MAX {
                    return Err(format!("more than {DEPTH_MAX} elements within each other"));
                }
                self.begin(element);
                self.open.push(element);
            }
            Event::End(_) => {
                if let Some(element) = self.open.pop() {
                    self.end(element)?;
                }
            }
            Event::Text(text) => self.text(&text.xml10_content()),
            Event::CData(text) => self.text(&text.xml10_content()),
            Event::GeneralRef(reference) => self.text(character(&reference)?.encode_utf8(&mut [0; 4])),
            // Its entities could stand for anything, of any length.
            Event::DocType(_) => return Err("a document type is not accepted".to_owned()),
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, element: Element) {
        match element {
            Element::Response => self.response = Response::default(),
            Element::Propstat => (self.response.data, self.response.prop_status) = (None, String::new()),
            Element::CalendarData => self.response.data = Some(String::new()),
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
            _ => {}
        }
    }

    fn end(&mut self, element: Element) -> Result<(), String> {
        match element {
            Element::Multistatus => self.is_complete = true,
            Element::Propstat if is_ok(&self.response.prop_status) => self.response.object = self.response.data.take(),
            Element::Response => {
                let Response { href, status, object, .. } = std::mem::take(&mut self.response);
                match object {
                    Some(object) if status.is_empty() || is_ok(&status) => self.objects.push((href, object)),
                    // It was deleted meanwhile.
                    _ if code(&status) == Some("404") => {}
                    _ => return Err(format!("no calendar-data of {href:?}: {:?}", status.trim())),
                }
                if self.objects.len() > OBJECTS_MAX {
                    return Err(format!("more than {OBJECTS_MAX} objects"));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Returns what an element is, by the one that it is in.
fn element(
    parent: Option<Element>,
    namespace: &ResolveResult<'_>,
    name: &str,
    is_complete: bool,
) -> Result<Element, String> {
    let ResolveResult::Bound(Namespace(namespace)) = namespace else {
        return match parent {
            None => Err(format!("{name:?} where a multistatus is due")),
            Some(_) => Ok(Element::Other),
        };
    };
    Ok(match (parent, *namespace, name) {
        (None, DAV, "multistatus") if !is_complete => Element::Multistatus,
        (None, _, name) => return Err(format!("{name:?} where a multistatus is due")),
        (Some(Element::Multistatus), DAV, "response") => Element::Response,
        (Some(Element::Response), DAV, "href") => Element::Href,
        (Some(Element::Response), DAV, "status") => Element::Status,
        (Some(Element::Response), DAV, "propstat") => Element::Propstat,
        (Some(Element::Propstat), DAV, "status") => Element::PropStatus,
        (Some(Element::Propstat), DAV, "prop") => Element::Prop,
        (Some(Element::Prop), CALDAV, "calendar-data") => Element::CalendarData,
        _ => Element::Other,
    })
}

/// Returns the character that a reference stands for: one of those that every document has.
fn character(reference: &BytesRef<'_>) -> Result<char, String> {
    match &**reference {
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "amp" => Ok('&'),
        "apos" => Ok('\''),
        "quot" => Ok('"'),
        name => match reference.resolve_char_ref() {
            Ok(Some(character)) => Ok(character),
            _ => Err(format!("the entity {name:?} is not accepted")),
        },
    }
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
