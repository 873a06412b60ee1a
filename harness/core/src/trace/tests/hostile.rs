//! Texts that are not traces: truncated, modified, too large, of another format.

use super::*;

#[test]
fn a_trace_cut_at_any_byte_is_refused() {
    for end in 1..V3.len() {
        let refusal = refusal(&V3.as_bytes()[..end]);
        assert!(refusal.contains("is torn"), "{end}: {refusal}");
    }
    refused("", "a.jsonl:1: is empty, expected a header: restore it from version control or explore again");
    refused(V3.trim_end(), "a.jsonl:16: is torn: the header promises 15 events and sockets, 14 are there: restore it");
}

#[test]
fn a_trace_with_any_byte_cut_out_is_refused_or_says_something_else() {
    for at in 0..V3.len() {
        let mut text = V3.as_bytes().to_vec();
        text.remove(at);
        assert!(
            parse(Path::new("a"), &text).is_ok_and(|trace| trace != v3()) || refusal(&text).starts_with("a.jsonl:")
        );
    }
}

#[test]
fn a_trace_without_any_one_of_its_lines_is_refused() {
    let lines: Vec<&str> = V3.split_inclusive('\n').collect();
    for left_out in 0..lines.len() {
        let kept = lines.iter().enumerate().filter(|(nth, _)| *nth != left_out).map(|(_, line)| *line);
        let why = match left_out {
            0 => "is no trace",
            1..=12 => "a.jsonl:13: expected an event",
            _ => "14 are there",
        };
        refused(kept.collect::<String>(), why);
    }
}

#[test]
fn a_trace_that_goes_on_is_refused() {
    refused(format!("{V3}\n"), "a.jsonl:17: the header promises 15 events and sockets, more text follows");
    refused(format!("{V3}{V3}"), "a.jsonl:17: the header promises 15 events and sockets, more text follows");
    let header = V3.lines().next().unwrap();
    refused(V3.replacen('\n', &format!("\n{header}\n"), 1), "a.jsonl:2: expected an event, found a second header");
}

#[test]
fn another_format_is_refused() {
    let format = |format: Value| with_header(|header| header["refrain-trace"] = format);
    refused(format(json!(4)), "a.jsonl:1: trace has format 4, this build reads 3: update refrain");
    for old in [1, 2] {
        let why = format!("a.jsonl:1: trace has format {old}, this build reads 3: delete it and explore again");
        refused(format(json!(old)), &why);
    }
    refused(format(json!(u64::MAX)), "trace has format 18446744073709551615");
    for no_format in [json!(0), json!(-1), json!("1"), json!(1.0), json!(null), json!([1])] {
        refused(format(no_format), "is no trace");
    }
    for no_trace in ["x", "\n", "{}\n", "[]\n", "{\"seed\":1}\n", "# Traces\n\nSaved failures.\n", "\0\0\0\0"] {
        refused(
            no_trace,
            "a.jsonl:1: is no trace, expected a line that begins with {\"refrain-trace\":3: name a saved",
        );
    }
}

/// Collects every position in a value that could have another type.
fn pointers(value: &Value, at: String, all: &mut Vec<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| pointers(value, format!("{at}/{name}"), all)),
        Value::Array(values) => (0..).zip(values).for_each(|(nth, value)| pointers(value, format!("{at}/{nth}"), all)),
        _ => {}
    }
    all.push(at);
}

fn kind(value: &Value) -> std::mem::Discriminant<Value> {
    std::mem::discriminant(value)
}

#[test]
fn a_field_of_another_type_is_refused_with_its_name() {
    let lines: Vec<&str> = V3.lines().collect();
    for (nth, line) in lines.iter().enumerate() {
        let whole: Value = serde_json::from_str(line).unwrap();
        let mut all = Vec::new();
        pointers(&whole, String::new(), &mut all);
        // The service's own fields may have any type.
        all.retain(|at| !at.is_empty() && at != "/refrain-trace" && !at.contains("/fields/"));
        for at in all {
            for other in [json!(null), json!(true), json!(5), json!(-0.5), json!("\u{0}"), json!([7]), json!({"a": 1})]
            {
                let mut changed = whole.clone();
                let place = changed.pointer_mut(&at).unwrap();
                if kind(place) == kind(&other) && !other.is_number() {
                    continue;
                }
                if place.is_u64() && other.is_u64() || at.ends_with("/fields") && other.is_object() {
                    continue;
                }
                *place = other;
                let text = if nth == 0 {
                    with_header(|header| *header = changed)
                } else {
                    V3.replacen(line, &changed.to_string(), 1)
                };
                let field = at[1..].split('/').next().unwrap();
                let part = ["a header", "an event", "a socket"][usize::from(nth > 0) + usize::from(nth > 12)];
                refused(&text, &format!("a.jsonl:{}: expected {part}", nth + 1));
                refused(&text, &format!(": {field}"));
            }
        }
    }
}

#[test]
fn a_missing_or_unknown_field_is_refused() {
    let header: Value = serde_json::from_str(V3.lines().next().unwrap()).unwrap();
    for field in header.as_object().unwrap().keys().filter(|field| *field != "refrain-trace") {
        let text = with_header(|header| drop(header.as_object_mut().unwrap().remove(field)));
        refused(text, &format!("a.jsonl:1: expected a header: missing field `{field}`"));
    }
    for object in ["", "/engine", "/failure", "/failure/causes/0/waits", "/build"] {
        let text = with_header(|header| header.pointer_mut(object).unwrap()["weather"] = json!(1));
        // The variant is not part of the path.
        let field = format!("{object}/weather")[1..].replace("waits", "?").replace('/', ".");
        refused(text, &format!("field {field} is not known in format 3"));
    }
    refused(V3.replacen("\"at\":0,", "\"at\":0,\"weather\":1,", 1), "a.jsonl:2: expected an event: field weather");
    refused(V3.replacen("\"port\":", "\"weather\":1,\"port\":", 1), "a.jsonl:4: expected an event: field kind");
    let socket = "a.jsonl:14: expected a socket";
    refused(V3.replacen("\"state\":\"LISTEN\",", "", 1), &format!("{socket}: missing field `state`"));
    refused(
        V3.replacen("\"state\":\"LISTEN\"", "\"state\":\"LISTEN\",\"weather\":1", 1),
        &format!("{socket}: field weather"),
    );
    refused(V3.replacen("\"at\":0,", "", 1), "a.jsonl:2: expected an event: missing field `at`");
    refused(
        V3.replacen("\"at\":0,", "\"at\":0,\"at\":0,", 1),
        "a.jsonl:2: expected one JSON object, found the name \"at\"",
    );
}

#[test]
fn a_wrong_value_is_refused_with_its_name() {
    refused(
        V3.replace("12.3 s for 4.2 s\",\"lose", "12.3 s fro 4.2 s\",\"lose"),
        "plan: sentence 3, \"cut exchange <-> notes at 12.3 s fro 4.2 s\"",
    );
    refused(V3.replacen("\"stall\"", "\"stalled\"", 1), "failure.class: unknown variant `stalled`");
    refused(V3.replacen("\"listen\"", "\"listens\"", 1), "a.jsonl:4: expected an event: kind: unknown variant");
    refused(
        V3.replacen("\"place\":\"src/link.rs:88\"", "\"place\":\"src/link.rs\"", 1),
        "failure.place: expected a place",
    );
    refused(V3.replacen("at 12.3 s for 4.2 s\",\"began", "for ever\",\"began", 1), "cut exchange <-> notes for ever");
    for digest in ["", "07c1e5a9b3d2f84", "07C1E5A9B3D2F846", "07c1e5a9b3d2f84é"] {
        let text = V3.replacen("07c1e5a9b3d2f846", digest, 1);
        refused(text, "a.jsonl:1: digest: expected 16 hexadecimal digits, found");
    }
}

#[test]
fn bytes_of_another_encoding_are_refused() {
    let mut text = V3.as_bytes().to_vec();
    text[V3.find("waits for HELLO").unwrap()] = 0xff;
    refused(text, "a.jsonl:10: expected UTF-8, byte 133 is not: correct it, or restore it");
    refused(V3.replace('\n', "\r\n"), "a.jsonl:1: expected the line to end in \\n alone, found \\r\\n");
    refused(format!("\u{feff}{V3}"), "is no trace");
    refused(V3.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(), "is no trace");
}

#[test]
fn more_than_the_limits_is_refused() {
    let nested = format!("\"fields\":{{\"x\":{}", "[".repeat(1_000_000));
    refused(
        V3.replacen("\"fields\":{", &nested, 1),
        "a.jsonl:10: expected one JSON object, found more than 64 nested arrays",
    );
    let long = |bytes: usize| V3.replacen("waits for HELLO", &"x".repeat(bytes), 1);
    refused(long(LINE_BYTES_MAX), "a.jsonl:10: has a line of more than 4194304 bytes: shrink the trace");
    assert!(parse(Path::new("a"), long(LINE_BYTES_MAX - 250).as_bytes()).is_ok());
    refused(with_header(|header| header["events"] = json!(EVENTS_MAX + 1)), "a.jsonl:1: has more than 100000 events");
    refused(with_header(|header| header["sockets"] = json!(SOCKETS_MAX)), "promises 10012 events and sockets, 15 are");
    refused(with_header(|header| header["sockets"] = json!(SOCKETS_MAX + 1)), "a.jsonl:1: has more than 10000 sockets");
    refused(vec![b'{'; 100 << 20], "a.jsonl:1: has more than 67108864 bytes");
}

#[test]
fn many_small_values_are_refused() {
    let list = format!("\"list\":[0{}],", ",0".repeat(1_000_000));
    let text = V3.replacen("\"fields\":{", &format!("\"fields\":{{{list}"), 1);
    assert!(parse(Path::new("a"), text.as_bytes()).is_ok(), "a million in one event");
    let second = text.replacen("\"fields\":{\"list\"", "\"fields\":{\"LIST\"", 1);
    let lines: Vec<&str> = second.lines().collect();
    let twice = [&lines[..9], &[lines[9]; 4], &lines[13..]].concat().join("\n") + "\n";
    refused(twice, "has more than 2000000 JSON values: shrink the trace, or explore again");
}

#[test]
fn what_an_error_quotes_is_escaped() {
    let nasty = "\\u001b[2J\\n\u{7f}\u{9b}\u{202e}\u{200b}\u{2028}";
    for (from, to) in [
        ("\"at\":0,", format!("\"at\":0,\"{nasty}\":1,")),
        ("\"kind\":\"start\"", format!("\"kind\":\"{nasty}\"")),
        ("\"engine\":{", format!("\"engine\":{{\"{nasty}\":1,")),
        ("\"at\":0,", format!("\"{nasty}\":0,\"{nasty}\":0,\"at\":0,")),
        ("lose 10 %", format!("{nasty} 10 %")),
    ] {
        let refusal = refusal(V3.replacen(from, &to, 1));
        assert!(!refusal.contains(|c: char| c.is_control() || "\u{202e}\u{200b}\u{2028}".contains(c)), "{refusal}");
        assert!(refusal.contains("[2J") && refusal.contains("202e"), "{refusal}");
    }
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), bit in 0u8..8) {
        let mut text = V3.as_bytes().to_vec();
        let at = at.index(text.len());
        text[at] = byte;
        let _ = parse(Path::new("a"), &text);
        text[at] = V3.as_bytes()[at] ^ (1 << bit);
        let _ = parse(Path::new("a"), &text);
    }

    #[test]
    fn garbage_never_panics(bytes in any::<Vec<u8>>(), json in plan::arbitrary::values()) {
        refusal(&bytes);
        refusal(format!("{{\"refrain-trace\":3,\"test\":{json}}}\n{json}\n"));
    }
}
