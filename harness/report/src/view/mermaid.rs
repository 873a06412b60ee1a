//! A sequence diagram, as text for Mermaid, which many sites draw in comments and pull requests.

use super::{
    Group, View,
    messages::{Message, What},
};
use crate::words;
use std::collections::BTreeMap;

/// Formats a view as a Mermaid sequence diagram: messages as arrows, with a cross where they never arrive, and faults, errors,
/// warnings and what the test does as notes. Ends with a newline.
pub fn mermaid(view: &View<'_>) -> String {
    let mut text = "sequenceDiagram\n".to_owned();
    for (lane, of) in view.lanes.iter().enumerate() {
        text += &format!("    participant l{lane} as {}\n", quoted(&of.name));
    }
    // An arrow is drawn where its message arrives; one that never arrives, where it was sent.
    let mut arrows: BTreeMap<usize, Vec<&Message>> = BTreeMap::new();
    for message in &view.messages {
        arrows.entry(message.to.unwrap_or(message.from)).or_default().push(message);
    }
    let lane_of: BTreeMap<usize, usize> = view.events.iter().map(|row| (row.n, row.lane)).collect();
    for row in &view.events {
        for message in arrows.get(&row.n).into_iter().flatten() {
            let (from, to) = (lane_of[&message.from], message.lane);
            let line = if message.to.is_some() { "->>" } else { "--x" };
            text += &format!("    l{from}{line}l{to}: {}\n", quoted(&label(message)));
        }
        if is_noted(row.group) {
            text += &format!(
                "    Note over l{}: {}\n",
                row.lane,
                quoted(&format!("{} {}", words::clock(row.at), row.text))
            );
        }
    }
    text += &format!("    Note over l0: {}\n", quoted(view.headline()));
    text
}

fn is_noted(group: Group) -> bool {
    matches!(
        group,
        Group::Process
            | Group::NetworkError
            | Group::Fault
            | Group::Hold
            | Group::LogWarning
            | Group::LogError
            | Group::Test
            | Group::Operation
    )
}

fn label(message: &Message) -> String {
    match message.what {
        What::Connect => "connects".to_owned(),
        What::Bytes(count) => words::bytes(count),
        What::End => "end".to_owned(),
        What::Stale => "old value".to_owned(),
    }
}

/// Writes what could end a line or begin something else in Mermaid as numbers, which it shows as the characters.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || " .,()/=+*_-'`|!?".contains(c);
    let mut quoted = String::new();
    for c in text.chars() {
        match is_plain(c) {
            true => quoted.push(c),
            false => quoted += &format!("#{};", u32::from(c)),
        }
    }
    // It would end the diagram's block.
    if quoted.trim() == "end" { "#101;nd".to_owned() } else { quoted }
}
