//! Edits the echo service of the tutorial in ordinary ways, so that tests can replay a trace of it after each edit.

use std::{env, fmt::Write, fs, path::Path};

const SOURCE: &str = "../refrain/examples/echo/src/lib.rs";

/// The name of each edit, and which texts it replaces.
const EDITS: [(&str, &[(&str, &str)]); 11] = [
    ("original", &[]),
    (
        "comment",
        &[(
            "/// Echoes on every connection",
            "// Where clients connect.\n//\n// Nothing else.\n\n/// Echoes on every connection",
        )],
    ),
    (
        "log_line",
        &[("        tokio::spawn(", "        tracing::debug!(\"accepted a connection\");\n        tokio::spawn(")],
    ),
    ("renamed_local", &[("Ok((stream, _))", "Ok((connection, _))"), ("answer(stream)", "answer(connection)")]),
    ("renamed_function", &[("answer(", "reply(")]),
    (
        "new_parameter",
        &[
            ("pub async fn serve(at: &str)", "pub async fn serve(at: impl Into<String>)"),
            ("TcpListener::bind(at)", "TcpListener::bind(at.into())"),
        ],
    ),
    (
        "moved_function",
        &[
            ("async fn answer(", "async fn unused() {}\n\nasync fn answer("),
            (
                "/// Delay after a failed",
                "#[allow(dead_code)]\nasync fn above() {\n    tokio::spawn(async move {});\n}\n\n/// Delay after a failed",
            ),
        ],
    ),
    (
        "new_task",
        &[(
            "    loop {\n        let Ok",
            "    tokio::spawn(async move {\n        sleep(ACCEPT_PAUSE).await;\n    });\n    loop {\n        let Ok",
        )],
    ),
    (
        "extra_await",
        &[("        let n = stream.read", "        tokio::task::yield_now().await;\n        let n = stream.read")],
    ),
    (
        "new_field",
        &[
            (
                "    for message in messages {\n",
                "    for message in messages {\n        let message = &[&[1], &message[..]].concat();\n",
            ),
            ("answers.push(answer)", "answers.push(answer[1..].to_vec())"),
        ],
    ),
    (
        "no_task",
        &[(
            "        tokio::spawn(async move {\n            // A reset by the peer is not an error of the server.\n            let _ = answer(stream).await;\n        });",
            "        let _ = answer(stream).await;",
        )],
    ),
];

fn main() {
    println!("cargo:rerun-if-changed={SOURCE}");
    let echo = fs::read_to_string(SOURCE).expect("the echo service is an example of refrain");
    // The part for threads is in a separate file and spawns no task.
    let echo = edited(&echo, ("pub mod session;\nmod sync {\n    pub use std::sync::*;\n}\n", ""));
    let folder = Path::new(&env::var_os("OUT_DIR").expect("cargo says where")).join("edits");
    fs::create_dir_all(&folder).expect("the folder for what is built can be written");
    let mut modules = String::new();
    for (name, edits) in EDITS {
        let path = folder.join(format!("{name}.rs"));
        fs::write(&path, edits.iter().fold(echo.clone(), |echo, edit| edited(&echo, *edit)))
            .expect("it can be written");
        writeln!(modules, "#[path = {path:?}]\npub mod {name};").expect("a text can be written");
    }
    fs::write(folder.join("mod.rs"), modules).expect("it can be written");
}

fn edited(source: &str, (from, to): (&str, &str)) -> String {
    assert!(source.contains(from), "{SOURCE} does not contain {from:?} any more: change the edit");
    source.replace(from, to)
}
