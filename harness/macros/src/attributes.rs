//! The attributes of `#[refrain::test(...)]` and `#[refrain::model(...)]`.

use syn::{Error, LitInt, LitStr, Result, Token, bracketed, meta, parse::Parser, punctuated::Punctuated};

/// The classes of failure that a seeded bug may expect, as `refrain::verdict::Class` names them.
const CLASSES: [(&str, &str); 15] = [
    ("panic", "Panic"),
    ("crash", "Crash"),
    ("out-of-memory", "OutOfMemory"),
    ("exit", "Exit"),
    ("endless-loop", "EndlessLoop"),
    ("stall", "Stall"),
    ("deadlock", "Deadlock"),
    ("safety", "Safety"),
    ("leak", "Leak"),
    ("double-close", "DoubleClose"),
    ("data-race", "DataRace"),
    ("double-free", "DoubleFree"),
    ("use-after-free", "UseAfterFree"),
    ("escape", "Escape"),
    ("nondeterminism", "Nondeterminism"),
];

/// What a test may allow its runs to reach for, as `refrain::verdict::Outside` names it.
const OUTSIDES: [(&str, &str); 5] = [
    ("network", "Network"),
    ("processes", "Processes"),
    ("threads", "Threads"),
    ("files", "Files"),
    ("system-calls", "SystemCalls"),
];

/// The default address space limit of a run, and the minimum: it includes the executable and the stacks.
const MEMORY_MIB: u64 = 2048;
const MEMORY_MIB_MIN: u64 = 256;

/// The parsed attributes of a scenario.
pub struct Attributes {
    pub runs: u64,
    pub time_limit_ms: u64,
    pub poll_limit_ms: u64,
    pub memory_mib: u64,
    /// The name of the class, and of its variant.
    pub expect: Option<(&'static str, &'static str)>,
    pub without_holds: bool,
    /// The variants of what is allowed.
    pub allow: Vec<&'static str>,
    pub snapshot: bool,
}

impl Attributes {
    /// Parses the attributes.
    pub fn parse(tokens: proc_macro2::TokenStream) -> Result<Attributes> {
        let mut read = Attributes {
            runs: 200,
            time_limit_ms: 3_600_000,
            poll_limit_ms: 10_000,
            memory_mib: MEMORY_MIB,
            expect: None,
            without_holds: false,
            allow: vec![],
            snapshot: false,
        };
        let parser = meta::parser(|meta| {
            if meta.path.is_ident("runs") {
                read.runs = meta.value()?.parse::<LitInt>()?.base10_parse()?;
            } else if meta.path.is_ident("time_limit") {
                read.time_limit_ms = milliseconds(&meta.value()?.parse()?)?;
            } else if meta.path.is_ident("poll_limit") {
                read.poll_limit_ms = milliseconds(&meta.value()?.parse()?)?;
            } else if meta.path.is_ident("expect") {
                read.expect = Some(class(&meta.value()?.parse()?)?);
            } else if meta.path.is_ident("memory") {
                read.memory_mib = mebibytes(&meta.value()?.parse()?)?;
            } else if meta.path.is_ident("without_holds") {
                read.without_holds = true;
            } else if meta.path.is_ident("allow") {
                let value = meta.value()?;
                let names;
                bracketed!(names in value);
                let names = Punctuated::<LitStr, Token![,]>::parse_terminated(&names)?;
                read.allow = names.iter().map(outside).collect::<Result<_>>()?;
            } else if meta.path.is_ident("snapshot") {
                read.snapshot = true;
            } else {
                let known =
                    "`runs`, `time_limit`, `poll_limit`, `memory`, `expect`, `without_holds`, `allow` or `snapshot`";
                return Err(meta.error(format!("expected {known}")));
            }
            Ok(())
        });
        parser.parse2(tokens)?;
        Ok(read)
    }
}

/// The parsed attributes of a model.
pub struct ModelAttributes {
    pub runs: u64,
    pub complete: bool,
    pub preemptions: Option<u8>,
    pub engine: Option<String>,
    pub time_limit_ms: u64,
    pub memory_mib: u64,
    /// The name of the class, and of its variant.
    pub expect: Option<(&'static str, &'static str)>,
    pub snapshot: bool,
}

impl ModelAttributes {
    /// Parses the attributes.
    pub fn parse(tokens: proc_macro2::TokenStream) -> Result<ModelAttributes> {
        let (runs, time_limit_ms, memory_mib) = (10_000, 10_000, MEMORY_MIB);
        let (complete, snapshot, preemptions, engine, expect) = Default::default();
        let mut read =
            ModelAttributes { runs, complete, preemptions, engine, time_limit_ms, memory_mib, expect, snapshot };
        let parser = meta::parser(|meta| {
            if meta.path.is_ident("runs") {
                read.runs = meta.value()?.parse::<LitInt>()?.base10_parse()?;
            } else if meta.path.is_ident("complete") {
                read.complete = true;
            } else if meta.path.is_ident("preemptions") {
                read.preemptions = Some(meta.value()?.parse::<LitInt>()?.base10_parse()?);
            } else if meta.path.is_ident("engine") {
                read.engine = Some(engine_name(&meta.value()?.parse()?)?);
            } else if meta.path.is_ident("time_limit") {
                read.time_limit_ms = milliseconds(&meta.value()?.parse()?)?;
            } else if meta.path.is_ident("memory") {
                read.memory_mib = mebibytes(&meta.value()?.parse()?)?;
            } else if meta.path.is_ident("expect") {
                read.expect = Some(class(&meta.value()?.parse()?)?);
            } else if meta.path.is_ident("snapshot") {
                read.snapshot = true;
            } else {
                return Err(meta.error(
                    "expected `runs`, `complete`, `preemptions`, `engine`, `time_limit`, `memory`, `expect` or `snapshot`",
                ));
            }
            if read.engine.as_deref() == Some("shuttle") && (read.complete || read.preemptions.is_some()) {
                return Err(
                    meta.error("`complete` and `preemptions` are about loom, and `engine = \"shuttle\"` leaves it out")
                );
            }
            Ok(())
        });
        parser.parse2(tokens)?;
        Ok(read)
    }
}

fn engine_name(text: &LitStr) -> Result<String> {
    match text.value().as_str() {
        name @ ("loom" | "shuttle") => Ok(name.to_owned()),
        _ => Err(Error::new(text.span(), "expected \"loom\" or \"shuttle\"")),
    }
}

fn class(text: &LitStr) -> Result<(&'static str, &'static str)> {
    let known = CLASSES.iter().find(|(name, _)| *name == text.value());
    known.copied().ok_or_else(|| {
        let names = CLASSES.map(|(name, _)| name).join(", ");
        Error::new(text.span(), format!("expected one of {names}"))
    })
}

fn outside(text: &LitStr) -> Result<&'static str> {
    let known = OUTSIDES.iter().find(|(name, _)| *name == text.value());
    known.map(|(_, variant)| *variant).ok_or_else(|| {
        let names = OUTSIDES.map(|(name, _)| format!("\"{name}\"")).join(", ");
        Error::new(text.span(), format!("expected one of {names}"))
    })
}

fn mebibytes(text: &LitStr) -> Result<u64> {
    let value = text.value();
    let units = [("MiB", 1), ("GiB", 1024)];
    let unit = units.iter().find_map(|(unit, mib)| Some((value.strip_suffix(unit)?.trim().parse::<u64>().ok()?, mib)));
    match unit.and_then(|(number, mib)| number.checked_mul(*mib)) {
        Some(mib) if (MEMORY_MIB_MIN..=u64::MAX >> 20).contains(&mib) => Ok(mib),
        _ => Err(Error::new(text.span(), "expected at least \"256 MiB\", such as \"512 MiB\" or \"4 GiB\"")),
    }
}

fn milliseconds(text: &LitStr) -> Result<u64> {
    let value = text.value();
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];
    let unit = units.iter().find_map(|(unit, ms)| Some((value.strip_suffix(unit)?.trim().parse::<u64>().ok()?, ms)));
    match unit.and_then(|(number, ms)| number.checked_mul(*ms)) {
        Some(ms) if ms > 0 => Ok(ms),
        _ => Err(Error::new(text.span(), "expected a duration such as \"500ms\", \"30s\", \"10m\" or \"1h\"")),
    }
}
