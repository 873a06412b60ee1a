//! One source is compiled against tokio and against the simulated tokio, and says what differs.

use refrain::World;
use std::{any::type_name_of_val, collections::BTreeMap, fs, marker::PhantomData, path::PathBuf, process::Command};

mod production {
    use super::*;
    use ::real as tokio;

    include!("surface/names.rs");
}

mod simulated {
    use super::*;
    use ::tokio;

    include!("surface/names.rs");
}

const NAMES: &str = include_str!("surface/names.rs");

const DESCRIPTOR: &str = "there is no file descriptor, and no socket of std";
const IPV6: &str = "simulated hosts have addresses of IPv4 only";
const DEVICE: &str = "a simulated host has one network";
const GROUP: &str = "datagrams go to one host";
const UNSTABLE: &str = "not part of stable tokio";
const METRICS: &str = "madsim's runtime has no such figures";
const THREAD: &str = "it would block the simulation's one thread";
const OLD: &str = "deprecated in tokio: use the name with _v4";

/// What the simulated tokio leaves out, and why. A service that uses it does not compile in tests.
const LEFT_OUT: &[(&str, &str)] = &[
    ("TcpStream::from_std", DESCRIPTOR),
    ("TcpStream::into_std", DESCRIPTOR),
    ("TcpStream::try_io", DESCRIPTOR),
    ("TcpStream::async_io", DESCRIPTOR),
    ("TcpListener::from_std", DESCRIPTOR),
    ("TcpListener::into_std", DESCRIPTOR),
    ("TcpSocket::from_std_stream", DESCRIPTOR),
    ("TcpSocket::tclass_v6", IPV6),
    ("TcpSocket::set_tclass_v6", IPV6),
    ("TcpSocket::tos", OLD),
    ("TcpSocket::set_tos", OLD),
    ("TcpSocket::device", DEVICE),
    ("TcpSocket::bind_device", DEVICE),
    ("UdpSocket::from_std", DESCRIPTOR),
    ("UdpSocket::into_std", DESCRIPTOR),
    ("UdpSocket::try_io", DESCRIPTOR),
    ("UdpSocket::async_io", DESCRIPTOR),
    ("UdpSocket::broadcast", GROUP),
    ("UdpSocket::set_broadcast", GROUP),
    ("UdpSocket::multicast_loop_v4", GROUP),
    ("UdpSocket::set_multicast_loop_v4", GROUP),
    ("UdpSocket::multicast_ttl_v4", GROUP),
    ("UdpSocket::set_multicast_ttl_v4", GROUP),
    ("UdpSocket::multicast_loop_v6", GROUP),
    ("UdpSocket::set_multicast_loop_v6", GROUP),
    ("UdpSocket::join_multicast_v4", GROUP),
    ("UdpSocket::join_multicast_v6", GROUP),
    ("UdpSocket::leave_multicast_v4", GROUP),
    ("UdpSocket::leave_multicast_v6", GROUP),
    ("UdpSocket::tclass_v6", IPV6),
    ("UdpSocket::set_tclass_v6", IPV6),
    ("UdpSocket::tos", OLD),
    ("UdpSocket::set_tos", OLD),
    ("UdpSocket::device", DEVICE),
    ("UdpSocket::bind_device", DEVICE),
    ("Handle::block_on", THREAD),
    ("Handle::metrics", METRICS),
    ("Handle::id", METRICS),
    ("Handle::name", METRICS),
    ("Handle::dump", UNSTABLE),
    ("Handle::is_tracing", UNSTABLE),
    ("Runtime::metrics", METRICS),
    ("LocalSet::id", UNSTABLE),
    ("LocalSet::unhandled_panic", UNSTABLE),
    ("JoinSet::build_task", UNSTABLE),
    ("Builder::name", UNSTABLE),
    ("Builder::spawn", UNSTABLE),
    ("Builder::spawn_on", UNSTABLE),
    ("Builder::spawn_blocking", UNSTABLE),
    ("Builder::spawn_blocking_on", UNSTABLE),
    ("Builder::spawn_local", UNSTABLE),
    ("Builder::spawn_local_on", UNSTABLE),
    ("SignalKind::info", "BSD alone has it"),
    ("is_rt_shutdown_err", "no runtime is shut down here"),
];

/// tokio's sources whose public functions are looked at.
const SOURCES: &[&str] = &[
    "net/lookup_host.rs",
    "net/tcp/listener.rs",
    "net/tcp/socket.rs",
    "net/tcp/split.rs",
    "net/tcp/split_owned.rs",
    "net/tcp/stream.rs",
    "net/udp.rs",
    "runtime/handle.rs",
    "runtime/runtime.rs",
    "runtime/task/abort.rs",
    "runtime/task/error.rs",
    "runtime/task/id.rs",
    "runtime/task/join.rs",
    "signal/ctrl_c.rs",
    "signal/unix.rs",
    "task/blocking.rs",
    "task/join_set.rs",
    "task/local.rs",
    "task/spawn.rs",
    "task/yield_now.rs",
    "time/instant.rs",
    "time/interval.rs",
    "time/sleep.rs",
    "time/timeout.rs",
];

/// What is so of a name.
#[derive(Debug, PartialEq)]
struct Fact(String, String);

/// What the function is that stands where a type has none.
struct Absent;

fn whether_absent<T>(function: &T) -> String {
    let is = type_name_of_val(function).contains("Fallback");
    if is { "absent".into() } else { "present".into() }
}

/// Asks for the auto traits of a type.
struct Probe<T>(PhantomData<T>);

impl<T> Probe<T> {
    fn new() -> Probe<T> {
        Probe(PhantomData)
    }
}

/// Asks for those of what a closure gives, which is not called.
fn probe<T>(_: impl FnOnce() -> T) -> Probe<T> {
    Probe::new()
}

/// A method of the type is found before a trait's: it is there where the bound holds.
macro_rules! ask {
    ($($ask:ident $otherwise:ident $bound:path;)*) => {$(
        impl<T: $bound> Probe<T> {
            fn $ask(&self) -> &'static str {
                concat!(" ", stringify!($bound))
            }
        }

        trait $otherwise {
            fn $ask(&self) -> &'static str {
                ""
            }
        }

        impl<T> $otherwise for Probe<T> {}
    )*};
}

ask! {
    send NotSend Send;
    sync NotSync Sync;
    unpin NotUnpin Unpin;
}

macro_rules! auto_traits {
    ($probe:expr) => {{
        let probe = $probe;
        format!("{}{}{}", probe.send(), probe.sync(), probe.unpin()).trim_start().to_owned()
    }};
}
use auto_traits;

#[test]
fn auto_traits_are_tokios() {
    let known =
        production::auto_traits().into_iter().map(|Fact(name, traits)| (name, traits)).collect::<BTreeMap<_, _>>();
    let differs = simulated::auto_traits().into_iter().filter(|Fact(name, traits)| known[name] != *traits);
    let differs = differs.map(|Fact(name, traits)| format!("{name}: {traits} here, {} in tokio", known[&name]));
    assert_eq!(differs.collect::<Vec<_>>(), Vec::<String>::new());
}

#[test]
fn what_is_said_to_be_left_out_is() {
    for Fact(name, is) in production::absences() {
        assert_eq!(is, "present", "{name}");
    }
    for Fact(name, is) in simulated::absences() {
        assert_eq!(is, "absent", "{name}");
        assert!(LEFT_OUT.iter().any(|(known, _)| *known == name), "{name} is left out without a reason");
    }
}

#[test]
fn every_function_of_tokio_is_there_or_left_out_with_a_reason() {
    let source = tokio_source();
    let (mut missing, mut unused) = (vec![], LEFT_OUT.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for file in SOURCES {
        let text = fs::read_to_string(source.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        for name in public_functions(&text) {
            if LEFT_OUT.iter().any(|(known, _)| *known == name) {
                unused.retain(|known| *known != name);
            } else if !is_named(&name) {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "neither in surface/names.rs nor left out with a reason: {missing:#?}");
    assert!(unused.is_empty(), "tokio has no such function: {unused:#?}");
}

/// Whether the source that is compiled against both names a function: `Type::name`, or `::name` of a module.
fn is_named(name: &str) -> bool {
    let (of, function) = name.rsplit_once("::").unwrap_or(("", name));
    let follows = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let paths =
        [format!("{of}::{function}"), format!("{of}::<()>::{function}"), format!("{of}::<Ready<()>>::{function}")];
    let free = [format!(" {function}::<"), format!("    {function},")];
    let paths = paths.iter().chain(free.iter().filter(|_| of.is_empty()));
    paths.into_iter().any(|path| {
        NAMES.match_indices(path).any(|(at, _)| follows(&NAMES[at + path.len()..]) || path.ends_with(['<', ',']))
    })
}

/// Where cargo keeps the tokio that this was built with.
fn tokio_source() -> PathBuf {
    let args = ["metadata", "--format-version", "1", "--offline", "--manifest-path"];
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let ran = Command::new(env!("CARGO")).args(args).arg(manifest).output().expect("cargo runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("cargo writes JSON");
    let mut packages = metadata["packages"].as_array().expect("packages").iter();
    let tokio = packages.find(|package| package["name"] == "tokio").expect("tokio is among them");
    PathBuf::from(tokio["manifest_path"].as_str().expect("a path")).with_file_name("src")
}

/// The public functions of a source: `Type::name`, or `name`.
fn public_functions(text: &str) -> Vec<String> {
    let mut of = String::new();
    let mut names = vec![];
    for line in text.lines() {
        let code = line.trim_start();
        if code.starts_with("impl") {
            of = code.contains(" for ").then(String::new).unwrap_or_else(|| implemented(code));
        } else if line.starts_with('}') {
            of.clear();
        }
        let after = ["pub fn ", "pub async fn ", "pub const fn "].iter().find_map(|start| code.strip_prefix(start));
        if let Some(after) = after {
            let name = after.split(|c: char| !c.is_alphanumeric() && c != '_').next().expect("a name");
            names.push(if of.is_empty() { name.to_owned() } else { format!("{of}::{name}") });
        }
    }
    names
}

/// `impl<'a, T> Type<T> {` implements `Type`.
fn implemented(code: &str) -> String {
    let mut rest = code.trim_start_matches("impl");
    if rest.starts_with('<') {
        let mut depth = 0;
        let end = rest.char_indices().find(|(_, c)| {
            depth += i32::from(*c == '<') - i32::from(*c == '>');
            depth == 0
        });
        rest = &rest[end.expect("generics end").0 + 1..];
    }
    rest.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_').next().expect("a name").to_owned()
}

#[refrain::test(runs = 20)]
async fn the_same_program_runs_here(_world: World) {
    simulated::functions();
    simulated::program().await.unwrap();
}

#[test]
fn the_same_program_runs_on_tokio() {
    production::functions();
    ::real::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(production::program())
        .unwrap();
}
