//! What a service reads of its machine through crates of the registry and through std: a row of `MACHINE.md` each.

use aws_lc_rs::rand::SecureRandom;
use rand_10::RngExt;
use std::{
    error::Error,
    fs::File,
    hash::{BuildHasher, RandomState},
    hint::black_box,
    io::Read,
    net::ToSocketAddrs,
    ptr,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

/// What was read, as text.
type Value = Result<String, Box<dyn Error>>;

/// Each source by its name, and how it is read.
pub const SOURCES: &[(&str, fn() -> Value)] = &[
    ("rand 0.8", || Ok(rand_08::random::<u64>().to_string())),
    ("rand 0.9", || Ok(rand_09::random::<u64>().to_string())),
    ("rand 0.10", || Ok(rand_10::rng().random::<u64>().to_string())),
    ("getrandom 0.2", || Ok(filled(|into| getrandom_02::getrandom(into))?)),
    ("getrandom 0.3", || Ok(filled(|into| getrandom_03::fill(into))?)),
    ("getrandom 0.4", || Ok(filled(|into| getrandom_04::fill(into))?)),
    ("ring", || {
        filled(|into| ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), into))
            .map_err(|_| "no chance".into())
    }),
    ("aws-lc-rs", || filled(|into| aws_lc_rs::rand::SystemRandom::new().fill(into)).map_err(|_| "no chance".into())),
    ("uuid, version 4", || Ok(uuid::Uuid::new_v4().to_string())),
    ("uuid, version 7", || Ok(uuid::Uuid::now_v7().to_string())),
    ("fastrand", || Ok(fastrand::u64(..).to_string())),
    ("ahash", || Ok(ahash::RandomState::new().hash_one(1).to_string())),
    ("hashbrown", || Ok(hashbrown::DefaultHashBuilder::default().hash_one(1).to_string())),
    ("tempfile", || Ok(format!("{:?}", tempfile::NamedTempFile::new()?.path()))),
    ("num_cpus", || Ok(num_cpus::get().to_string())),
    ("`HashMap`", || Ok(RandomState::new().hash_one(1).to_string())),
    ("`SystemTime`", || Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos().to_string())),
    ("`Instant`", || Ok(format!("{:?}", Instant::now()))),
    ("process number", || Ok(std::process::id().to_string())),
    ("thread's id", || Ok(format!("{:?}", std::thread::current().id()))),
    ("`/dev/urandom`", || Ok(filled(|into| File::open("/dev/urandom")?.read_exact(into))?)),
    ("name look-up of std", || Ok(format!("{:?}", "client:80".to_socket_addrs()?.collect::<Vec<_>>()))),
    ("address on the heap", || Ok(format!("{:p}", Box::new([0u8; 100])))),
    ("address on the stack", || {
        let here = black_box(0u8);
        Ok(format!("{:p}", ptr::from_ref(black_box(&here))))
    }),
    ("address of a function", || Ok(format!("{:p}", black_box(SOURCES[0].1)))),
];

/// Eight bytes that something fills, as a number.
fn filled<E>(fill: impl FnOnce(&mut [u8; 8]) -> Result<(), E>) -> Result<String, E> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes).to_string())
}
