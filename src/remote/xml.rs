//! XML from a server, and to it: elements and texts, one after the other, within limits, and without document types.

use super::failure::Failure;
use quick_xml::events::{BytesRef, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

/// Maximum depth of elements within each other.
const DEPTH_MAX: usize = 16;

/// A piece of a document.
pub(super) enum Piece<'a> {
    /// An element begins: its namespace, if it has one, and its name.
    Start(Option<&'a str>, &'a str),
    /// A text within it.
    Text(&'a str),
    /// It ends.
    End,
}

/// Passes the pieces of a document on, which must be complete.
///
/// # Errors
/// The byte at which it is not what it should be, and how.
pub(super) fn each(text: &str, mut take: impl FnMut(Piece<'_>) -> Result<(), String>) -> Result<(), Failure> {
    let mut reader = NsReader::from_str(text);
    // So that each start has an end.
    reader.config_mut().expand_empty_elements = true;
    let (mut depth, mut is_begun) = (0, false);
    loop {
        let broken = |at: u64, what: String| Failure::Xml { at, what };
        let at = reader.buffer_position();
        let (namespace, event) = reader.read_resolved_event().map_err(|error| broken(at, error.to_string()))?;
        match &event {
            Event::Eof if depth == 0 && is_begun => return Ok(()),
            Event::Eof => return Err(broken(at, "its end is missing: is the reply cut off?".to_owned())),
            Event::Start(_) if depth == DEPTH_MAX => {
                return Err(broken(at, format!("more than {DEPTH_MAX} elements within each other")));
            }
            Event::Start(_) => (depth, is_begun) = (depth + 1, true),
            // The reader has compared it with the start.
            Event::End(_) => depth -= 1,
            _ => {}
        }
        piece(&namespace, &event, &mut take).map_err(|what| broken(at, what))?;
    }
}

fn piece(
    namespace: &ResolveResult<'_>,
    event: &Event<'_>,
    take: &mut impl FnMut(Piece<'_>) -> Result<(), String>,
) -> Result<(), String> {
    match event {
        Event::Start(start) => {
            let namespace = match namespace {
                ResolveResult::Bound(Namespace(namespace)) => Some(*namespace),
                _ => None,
            };
            take(Piece::Start(namespace, start.local_name().as_ref()))
        }
        Event::End(_) => take(Piece::End),
        Event::Text(text) => take(Piece::Text(&text.xml10_content())),
        Event::CData(text) => take(Piece::Text(&text.xml10_content())),
        Event::GeneralRef(reference) => take(Piece::Text(character(reference)?.encode_utf8(&mut [0; 4]))),
        // Its entities could stand for anything, of any length.
        Event::DocType(_) => Err("a document type is not accepted".to_owned()),
        _ => Ok(()),
    }
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

/// Returns a text as it stands in an element.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
