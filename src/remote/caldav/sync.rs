//! sync-collection (RFC 6578): the copy of a calendar, and what has changed since it was made.

use super::super::client::Request;
use super::super::failure::Failure;
use super::super::xml;
use super::multistatus::Multistatus;
use super::report::report;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Maximum length of a copy, in bytes: that of a calendar file.
const COPY_BYTES_MAX: usize = 8 << 20;
/// Maximum length of a token, in bytes.
const TOKEN_BYTES_MAX: usize = 4096;
/// What an object occupies besides its name and its text, in bytes.
const OBJECT_BYTES: usize = 100;

/// A calendar as it was when the server gave its token.
#[derive(Debug, Clone, Default)]
pub struct CalendarCopy {
    token: String,
    objects: BTreeMap<String, Arc<str>>,
    bytes: usize,
}

impl CalendarCopy {
    /// Returns the objects, each behind its name.
    pub fn objects(&self) -> impl Iterator<Item = (&str, &str)> {
        self.objects.iter().map(|(name, text)| (name.as_str(), &**text))
    }

    /// Returns whether it has nothing, not even a token.
    pub fn is_empty(&self) -> bool {
        self.token.is_empty()
    }

    /// Returns about how much memory it occupies, in bytes.
    pub fn bytes(&self) -> usize {
        self.bytes + self.token.len()
    }

    /// Asks for what has changed since; of an empty copy, for everything.
    pub(in super::super) fn request(&self) -> Request {
        report(format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n\
             <D:sync-collection xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">\
             <D:sync-token>{}</D:sync-token><D:sync-level>1</D:sync-level>\
             <D:prop><D:getetag/><C:calendar-data/></D:prop></D:sync-collection>\n",
            xml::escaped(&self.token)
        ))
    }

    /// Returns the copy with the changes of a reply.
    ///
    /// # Errors
    /// If the reply has no token, or the calendar is too large.
    pub fn changed(mut self, reply: Multistatus) -> Result<Self, Failure> {
        self.token = match reply.token.as_deref().map(str::trim) {
            Some(token) if !token.is_empty() && token.len() <= TOKEN_BYTES_MAX => token.to_owned(),
            _ => return Err(Failure::reply(format!("it has no sync-token of up to {TOKEN_BYTES_MAX} bytes"))),
        };
        for name in &reply.gone {
            self.remove(name);
        }
        for (name, text) in reply.objects {
            self.remove(&name);
            self.bytes += size(&name, &text);
            if self.bytes > COPY_BYTES_MAX {
                return Err(Failure::reply(format!("the calendar has more than {COPY_BYTES_MAX} bytes")));
            }
            self.objects.insert(name, text.into());
        }
        Ok(self)
    }

    fn remove(&mut self, name: &str) {
        if let Some(text) = self.objects.remove(name) {
            self.bytes -= size(name, &text);
        }
    }
}

fn size(name: &str, text: &str) -> usize {
    name.len() + text.len() + OBJECT_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(objects: &[(&str, &str)], gone: &[&str], token: &str) -> Multistatus {
        Multistatus {
            objects: objects.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
            gone: gone.iter().map(|name| (*name).to_owned()).collect(),
            token: Some(token.to_owned()),
            is_partial: false,
        }
    }

    #[test]
    fn a_copy_has_what_was_added_and_changed_and_not_what_is_gone() {
        let copy = CalendarCopy::default().changed(reply(&[("a", "1"), ("b", "1")], &[], "t&1")).expect("good");
        assert!(copy.request().body.contains("<D:sync-token>t&amp;1</D:sync-token>"));
        let copy = copy.changed(reply(&[("b", "22"), ("c", "1")], &["a", "nobody"], "t2")).expect("good");
        assert_eq!(copy.objects().collect::<Vec<_>>(), [("b", "22"), ("c", "1")]);
        assert_eq!(copy.bytes(), 5 + 2 * OBJECT_BYTES + 2);
        let empty = copy.changed(reply(&[], &["b", "c"], "t3")).expect("good");
        assert_eq!((empty.objects().count(), empty.bytes()), (0, 2));
    }

    #[test]
    fn a_reply_without_a_token_is_refused() {
        for token in ["", " ", &"t".repeat(TOKEN_BYTES_MAX + 1)] {
            assert!(CalendarCopy::default().changed(reply(&[], &[], token)).is_err());
        }
        assert!(CalendarCopy::default().changed(Multistatus { token: None, ..reply(&[], &[], "") }).is_err());
    }

    #[test]
    fn a_calendar_that_grows_for_ever_is_refused() {
        let large = "x".repeat(COPY_BYTES_MAX / 2);
        let copy = CalendarCopy::default().changed(reply(&[("a", &large)], &[], "1")).expect("good");
        let same = copy.clone().changed(reply(&[("a", &large)], &[], "2")).expect("it is replaced");
        assert!(same.changed(reply(&[("b", &large)], &[], "3")).is_err());
    }
}
