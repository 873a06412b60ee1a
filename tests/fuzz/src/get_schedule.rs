//! Any text as the body of `getSchedule`, behind a line that is a header: its queries and a response in JSON, or what is wrong with it.
#![no_main]

mod busy;

use busy::busy;
use calcon::face::schedule::{Rendered, Wanted};
use calcon::query::{Answer, Code, Refusal};
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (prefer, body) = text.split_once('\n').unwrap_or(("", text));
    let mut headers = HeaderMap::new();
    if let Ok(prefer) = HeaderValue::from_str(prefer) {
        headers.insert("prefer", prefer);
    }
    let Ok(wanted) = Wanted::read(body.as_bytes(), &headers) else { return };
    let outcomes: Vec<Result<Answer, Refusal>> = wanted.queries().map(busy).collect();
    let response: serde_json::Value =
        serde_json::from_slice(&wanted.response(&outcomes, &Rendered::default())).expect("JSON");
    let value = response["value"].as_array().expect("a list");
    assert_eq!(value.len(), outcomes.len());
    for (one, outcome) in value.iter().zip(&outcomes) {
        match outcome {
            Ok(_) => assert!(one["availabilityView"].as_str().expect("a text").bytes().all(|digit| digit == b'2')),
            Err(refusal) => assert!(refusal.code == Code::BadQuery && one["error"]["responseCode"].is_string()),
        }
    }
});
