//! Generates the source of a model: the operations of a network trace, each task's on its own thread.
//!
//! A trace may come from anyone, and this output will be compiled. So only identifiers and comments are taken from a
//! trace: names through [`identifier`], everything else through [`escaped`], which keeps it on its line.

use super::{message, words::clock};
use refrain_core::{
    bridge::{Operation, Operations},
    escape::escaped,
    trace::Trace,
    verdict::Class,
};
use std::fmt::Write;

/// The code that the threads run.
#[derive(Debug, Clone, Copy)]
pub struct Core<'a> {
    /// Its file, relative to the model's; it imports its primitives from `super::sync`.
    pub file: &'a str,
    /// The type whose methods have the names of the operations, and `at_rest`, which checks the final state.
    pub name: &'a str,
    /// The class of failure that the model must find, if it is a seeded bug.
    pub expect: Option<Class>,
}

/// Returns the source of the model.
pub fn model(operations: &Operations, trace: &Trace, core: Core<'_>) -> String {
    let Operations { kind, id, before, at_once } = operations;
    let Core { file, name, expect } = core;
    let module = module(file);
    let test = identifier(&trace.test.replace("::", "_"));
    let [of, kind, id] = [&trace.test, kind, id].map(|text| escaped(text));
    let attributes = expect.map(|class| format!("(expect = \"{class}\")")).unwrap_or_default();
    // In rustfmt's order.
    let mut uses = [format!("{module}::{name}"), "std::sync::Arc".to_owned(), "sync::thread".to_owned()];
    uses.sort();
    let uses: String = uses.iter().map(|path| format!("use {path};\n")).collect();
    let mut text = format!(
        "//! What the tasks of `{of}` did to {kind} {id}, each on a thread of its own.\n\
         //! Written by `cargo refrain model`.\n\n\
         mod sync {{\n    pub use refrain::sync::*;\n}}\n\
         // The tasks may not have done all that it can do.\n#[allow(dead_code)]\n\
         #[path = {file:?}]\nmod {module};\n\n\
         {uses}\n\
         /// On the network: {}\n\
         #[refrain::model{attributes}]\nfn {test}() {{\n",
        escaped(message(&trace.failure).lines().next().unwrap_or_default()),
    );
    let (opening, before) = match before.split_first() {
        Some((first, rest)) if first.what == "opened" => (comment(first, 4), rest),
        _ => (String::new(), &before[..]),
    };
    let _ = writeln!(text, "{opening}    let {module} = Arc::new({name}::opened());");
    for operation in before {
        let _ = writeln!(text, "{}    {module}.{}();", comment(operation, 4), identifier(&operation.what));
    }
    text += "    let threads = [\n";
    for operation in at_once {
        let _ = write!(
            text,
            "{}        {{\n            let {module} = Arc::clone(&{module});\n            \
             thread::spawn(move || {module}.{}())\n        }},\n",
            comment(operation, 8),
            identifier(&operation.what),
        );
    }
    let _ = write!(
        text,
        "    ];\n    threads.into_iter().for_each(|thread| thread.join().expect(\"a thread ends\"));\n    \
         {module}.at_rest();\n}}\n"
    );
    text
}

fn comment(operation: &Operation, indent: usize) -> String {
    let Operation { at, host, task, .. } = operation;
    let task = task.as_ref().map(|task| format!(" {task}")).unwrap_or_default();
    format!("{:indent$}// {} {}{}\n", "", clock(*at), escaped(host), escaped(&task))
}

/// Returns the file name as a module and variable name.
fn module(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or_default();
    identifier(name.strip_suffix(".rs").unwrap_or(name))
}

/// Converts a text to an identifier: `handed_over` for `Handed over`, `loop_0` for `loop`.
fn identifier(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let name: String = text.trim().chars().map(plain).collect();
    let is_none = KEYWORDS.contains(&name.as_str()) || name.chars().all(|c| c == '_');
    match name.starts_with(|c: char| c.is_ascii_digit()) {
        true => format!("_{name}"),
        false if is_none => format!("{name}_0"),
        false => name,
    }
}

/// Words that cannot be identifiers: <https://doc.rust-lang.org/reference/keywords.html>.
#[rustfmt::skip]
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod",
    "move", "mut", "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true",
    "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];
