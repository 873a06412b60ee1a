//! Any bytes as a scheduling message: its queries and a response in XML, or what is wrong with it.
#![no_main]

mod busy;

use busy::busy;
use calcon::face::outbox::Message;
use calcon::query::{Answer, Refusal};
use chrono::DateTime;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(message) = Message::read(body) else { return };
    let outcomes: Vec<Result<Answer, Refusal>> = message.queries().map(busy).collect();
    let now = DateTime::from_timestamp(1_785_542_400, 0).expect("in range");
    let text = String::from_utf8(message.response(&outcomes, now)).expect("UTF-8");
    // Whatever stands in names, each attendee has one response, and the document is the one that we write.
    assert_eq!(text.matches("<C:response>").count(), outcomes.len());
    assert_eq!(
        text.matches("<C:request-status>2.0;Success</C:request-status>").count(),
        outcomes.iter().flatten().count()
    );
    assert!(text.starts_with("<?xml") && text.ends_with("</C:schedule-response>\n"));
    assert!(!text.contains(|letter: char| letter.is_control() && !matches!(letter, '\n' | '\t')));
});
