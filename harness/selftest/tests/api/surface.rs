//! One source is compiled against tokio and against the simulated tokio, and reports differences.

use refrain::World;
use std::{any::type_name_of_val, collections::BTreeMap, marker::PhantomData};

mod production {
    use super::*;
    use ::real as tokio;

    include!("surface/names.rs");
    include!("surface/programs.rs");
    include!("surface/auto_traits.rs");
    include!("surface/absences.rs");
}

mod simulated {
    use super::*;
    use ::tokio;

    include!("surface/names.rs");
    include!("surface/programs.rs");
    include!("surface/auto_traits.rs");
    include!("surface/absences.rs");
}

const NAMES: &str = include_str!("surface/names.rs");
/// tokio's version, and its public functions. `ci/tokio_functions` extracted them from tokio's source, which a test
/// cannot find by itself: its location depends on cargo, which would need the network for packages that no build
/// required.
const TOKIO_FUNCTIONS: &str = include_str!("surface/tokio_functions.txt");
const LOCK: &str = include_str!("../../../../Cargo.lock");

const CLASS: &str = "nothing looks at traffic classes of IPv6";
const GROUP: &str = "datagrams go to one host";
const UNSTABLE: &str = "not part of stable tokio";
const METRICS: &str = "madsim's runtime has no such figures";
const OLD: &str = "deprecated in tokio: use the name with _v4";

/// What the simulated tokio omits, and why. A service that uses it does not compile in tests.
const LEFT_OUT: &[(&str, &str)] = &[
    ("TcpSocket::tclass_v6", CLASS),
    ("TcpSocket::set_tclass_v6", CLASS),
    ("TcpSocket::tos", OLD),
    ("TcpSocket::set_tos", OLD),
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
    ("UdpSocket::tclass_v6", CLASS),
    ("UdpSocket::set_tclass_v6", CLASS),
    ("UdpSocket::tos", OLD),
    ("UdpSocket::set_tos", OLD),
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

/// A property of a name.
#[derive(Debug, PartialEq)]
struct Fact(String, String);

/// Represents a function that a type does not have.
struct Absent;

fn whether_absent<T>(function: &T) -> String {
    let is = type_name_of_val(function).contains("Fallback");
    if is { "absent".into() } else { "present".into() }
}

/// Tests the auto traits of a type.
struct Probe<T>(PhantomData<T>);

impl<T> Probe<T> {
    fn new() -> Probe<T> {
        Probe(PhantomData)
    }
}

/// Tests the auto traits of a closure's result. The closure is not called.
fn probe<T>(_: impl FnOnce() -> T) -> Probe<T> {
    Probe::new()
}

/// A method of the type takes precedence over a trait's, and exists where the bound holds.
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
    let functions = TOKIO_FUNCTIONS.lines().skip(1).collect::<Vec<_>>();
    let left_out = LEFT_OUT.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let (known, other): (Vec<&str>, Vec<&str>) = functions.into_iter().partition(|name| left_out.contains(name));
    let missing = other.into_iter().filter(|name| !is_named(name)).collect::<Vec<_>>();
    assert!(missing.is_empty(), "neither in surface/names.rs nor left out with a reason: {missing:#?}");
    let unused = left_out.into_iter().filter(|name| !known.contains(name)).collect::<Vec<_>>();
    assert!(unused.is_empty(), "tokio has no such function: {unused:#?}");
}

#[test]
fn the_list_of_tokios_functions_is_of_the_tokio_in_cargo_lock() {
    let listed = TOKIO_FUNCTIONS.lines().next().and_then(|line| line.strip_prefix("tokio ")).expect("a version");
    let mut lines = LOCK.lines().skip_while(|line| *line != "name = \"tokio\"");
    let locked = lines.nth(1).and_then(|line| line.strip_prefix("version = ")).expect("Cargo.lock names tokio");
    assert_eq!(locked.trim_matches('"'), listed, "tokio was updated: run `ci/tokio_functions --save`");
}

/// Returns whether the source that is compiled against both mentions a function: `Type::name`, or `::name` of a module.
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
