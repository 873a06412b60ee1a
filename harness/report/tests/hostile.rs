//! Hostile strings in any field of a trace are escaped in all reports.

use refrain_core::trace::{self, Trace};
use refrain_report::{Filter, Style, View, headline, json, mermaid, page, pcapng, perfetto, plan, timeline};
use serde_json::{Value, json as value};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What acts on a terminal, in a page, in a diagram or in an attribute.
const NASTY: &str = "x\u{7}\r\u{1b}[2J\u{7f}\u{9b}31m\u{200b}\u{202e}\u{2028}\u{2066}\u{feff}\nFORGED</script><img src=x onerror=hit()>\"'--><!--%%{init}";

/// Returns this repository's traces, which contain nearly every kind of event, cause, fault and failure.
fn saved() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["../../traces", "../selftest/traces"].map(|folder| here.join(folder));
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("it has traces"));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    paths
}

/// Collects each string of a value by its position; list indices and names chosen by a trace are treated as equal.
fn strings(value: &Value, at: &str, kind: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::String(_) => found.push((at.to_owned(), kind.to_owned())),
        Value::Array(values) => {
            (0..)
                .zip(values)
                .for_each(|(nth, value)| strings(value, &format!("{at}/{nth}"), &format!("{kind}/*"), found));
        }
        Value::Object(members) => {
            for (name, value) in members {
                let name_at = name.replace('~', "~0").replace('/', "~1");
                strings(value, &format!("{at}/{name_at}"), &format!("{kind}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// Returns a trace of this header and this line alone, with one string made hostile, if that is a valid trace.
fn poisoned(header: &str, line: Option<&str>, is_event: bool, at: &str) -> Option<Trace> {
    let parse = |text: &str| -> Value { serde_json::from_str(text).expect("it is JSON") };
    let (mut header, mut line) = (parse(header), line.map(parse));
    *line.as_mut().unwrap_or(&mut header).pointer_mut(at)? = value!(NASTY);
    header["events"] = value!(usize::from(line.is_some() && is_event));
    header["sockets"] = value!(usize::from(line.is_some() && !is_event));
    // serde_json sorts names, and the format must come first.
    let version = format!("\"refrain-trace\":{}", trace::VERSION);
    let header = header.to_string().replacen(&format!(",{version}"), "", 1).replacen('{', &format!("{{{version},"), 1);
    let text: String =
        [Some(header), line.map(|line| line.to_string())].into_iter().flatten().map(|line| line + "\n").collect();
    trace::parse(Path::new("a.jsonl"), text.as_bytes()).ok()
}

#[test]
fn no_string_of_a_trace_is_printed_as_it_is() {
    // Where only a few words are valid, no hostile string makes a valid trace.
    const TRIES: usize = 5;
    let (mut shown, mut tried) = (BTreeMap::<String, usize>::new(), BTreeMap::<String, usize>::new());
    for path in saved() {
        let text = fs::read_to_string(&path).expect("it is text");
        let lines: Vec<&str> = text.lines().collect();
        // The test of an unreadable trace fails on its own.
        let Ok(events) = trace::read(&path).map(|trace| trace.events.len()) else { continue };
        for (nth, line) in lines.iter().enumerate() {
            let mut found = vec![];
            strings(&serde_json::from_str(line).expect("it is JSON"), "", "", &mut found);
            for (at, kind) in found {
                let tried = tried.entry(kind.clone()).or_default();
                *tried += 1;
                if shown.contains_key(&kind) || *tried > TRIES {
                    continue;
                }
                let Some(trace) = poisoned(lines[0], (nth > 0).then_some(*line), nth <= events, &at) else { continue };
                let coloured = Style { width: Some(100), ..Style::default() };
                let view = View::new(&trace, &Filter::default());
                let texts = [
                    json(&view),
                    mermaid(&view),
                    perfetto(&view),
                    page(&view),
                    timeline(&trace, &Filter::default(), Style::default()),
                    timeline(&trace, &Filter::default(), coloured),
                    plan(&trace.plan),
                    headline(&trace.failure, Style::default()),
                ];
                for text in &texts {
                    let acts = |c: char| c != '\n' && (c.is_control() || !c.is_ascii() && NASTY.contains(c));
                    assert!(!text.contains(acts), "{kind} of {}: {text:?}", path.display());
                    assert!(!text.lines().any(|line| line.starts_with("FORGED")), "{kind}: {text}");
                }
                let markup = [&texts[1], &texts[3]];
                assert!(!markup.iter().any(|text| text.contains("<img")), "{kind} of {} is markup", path.display());
                let capture = pcapng(&trace, &Filter::default());
                assert!(!capture.windows(2).any(|two| two == b"\x1b["), "{kind}");
                *shown.entry(kind).or_default() += texts.iter().filter(|text| text.contains("FORGED")).count();
            }
        }
    }
    let printed = shown.values().filter(|times| **times > 0).count();
    assert!(printed > 30, "most strings are printed somewhere: {shown:#?}");
}
