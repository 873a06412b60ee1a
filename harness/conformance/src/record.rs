//! The record of the kernel's behaviour: the name of each case, and below it every outcome that was observed.

use std::{collections::BTreeMap, fs, io, path::Path};

/// The outcomes of each case, by name.
pub type Record = BTreeMap<String, Vec<String>>;

/// Parses a record: names at the beginning of a line, outcomes indented below. Lines starting with `#` are comments.
pub fn parse(text: &str) -> Record {
    let mut record = Record::new();
    let mut name = String::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        match line.strip_prefix(' ') {
            None => name = line.trim().to_owned(),
            Some(outcome) => record.entry(name.clone()).or_default().push(outcome.trim().to_owned()),
        }
    }
    record
}

/// Writes a record, with a comment about its origin.
#[allow(dead_code, reason = "the simulated network only reads it")]
pub fn save(path: &Path, about: &str, record: &Record) -> io::Result<()> {
    let mut text = about.lines().map(|line| format!("# {line}\n")).collect::<String>();
    for (name, outcomes) in record {
        text += &format!("\n{name}\n");
        outcomes.iter().for_each(|outcome| text += &format!("    {outcome}\n"));
    }
    fs::write(path, text)
}
