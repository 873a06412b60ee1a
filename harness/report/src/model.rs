//! A model as source: the operations of a network trace, each task's on a thread of its own.

use super::timeline::clock;
use refrain_core::{
    bridge::{Operation, Operations},
    trace::Trace,
};
use std::fmt::Write;

/// Where the code is that the threads shall run.
#[derive(Debug, Clone, Copy)]
pub struct Core<'a> {
    /// Its file, as seen from the model's: it takes its primitives from `super::sync`.
    pub file: &'a str,
    /// The type whose methods have the names of the operations, beside `at_rest`, which checks the end.
    pub name: &'a str,
    /// The class of failure that the model must find, if it is a seeded bug.
    pub expect: Option<&'a str>,
}

/// The source of the model.
pub fn model(operations: &Operations, trace: &Trace, core: Core<'_>) -> String {
    let Operations { kind, id, before, at_once } = operations;
    let Core { file, name, expect } = core;
    let module = module(file);
    let variable = module.rsplit("::").next().unwrap_or_default();
    let test = trace.test.replace("::", "_");
    let attributes = expect.map(|class| format!("(expect = \"{class}\")")).unwrap_or_default();
    // In the order in which rustfmt has them.
    let mut uses = [format!("{module}::{name}"), "std::sync::Arc".to_owned(), "sync::thread".to_owned()];
    uses.sort();
    let uses: String = uses.iter().map(|path| format!("use {path};\n")).collect();
    let mut text = format!(
        "//! What the tasks of `{}` did to {kind} {id}, each on a thread of its own.\n\
         //! Written by `cargo refrain model`.\n\n\
         mod sync {{\n    pub use refrain::sync::*;\n}}\n\
         // The tasks may not have done all that it can do.\n#[allow(dead_code)]\n\
         #[path = \"{file}\"]\nmod {module};\n\n\
         {uses}\n\
         /// On the network: {}\n\
         #[refrain::model{attributes}]\nfn {test}() {{\n",
        trace.test,
        one_line(&trace.failure.message),
    );
    let (opening, before) = match before.split_first() {
        Some((first, rest)) if first.what == "opened" => (comment(first, 4), rest),
        _ => (String::new(), &before[..]),
    };
    let _ = writeln!(text, "{opening}    let {variable} = Arc::new({name}::opened());");
    for operation in before {
        let _ = writeln!(text, "{}    {variable}.{}();", comment(operation, 4), method(&operation.what));
    }
    text += "    let threads = [\n";
    for operation in at_once {
        let _ = write!(
            text,
            "{}        {{\n            let {variable} = Arc::clone(&{variable});\n            \
             thread::spawn(move || {variable}.{}())\n        }},\n",
            comment(operation, 8),
            method(&operation.what),
        );
    }
    let _ = write!(
        text,
        "    ];\n    threads.into_iter().for_each(|thread| thread.join().expect(\"a thread ends\"));\n    \
         {variable}.at_rest();\n}}\n"
    );
    text
}

fn comment(operation: &Operation, indent: usize) -> String {
    let Operation { at, host, task, .. } = operation;
    format!("{:indent$}// {} {host} {task}\n", "", clock(*at))
}

/// The name of the file, as a module.
fn module(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or_default();
    name.strip_suffix(".rs").unwrap_or(name).to_owned()
}

/// `handed_over` of `handed over`.
fn method(what: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    what.trim().chars().map(plain).collect()
}

fn one_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}
