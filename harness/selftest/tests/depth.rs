//! Deep bugs: an echo service that fails only after one, two or three particular faults, in this order.
//!
//! Any of the hundreds of other sequences is harmless. `ci/depth` explores each from 20 seeds.

use refrain::{Faults, World};
use std::{
    io::{Error, ErrorKind, Result},
    net::SocketAddr,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, lookup_host},
    time::{sleep, timeout},
};

/// Number and interval of the client's requests: enough time for faults to follow each other.
const ROUNDS: u32 = 30;
const APART: Duration = Duration::from_secs(1);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
const MESSAGE: &[u8; 8] = b"an echo?";

/// A wrong assumption of a service.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Believes {
    /// A file descriptor is always available.
    AcceptsSucceed,
    /// An address that once worked never refuses a connection.
    KnownAddressesAnswer,
    /// After a known address has refused, a single read returns the whole answer.
    ReadsAreWhole,
}

/// A server without file descriptors can no longer accept.
#[refrain::test(runs = 600, expect = "panic")]
async fn one_fault_deep(world: World) {
    echoes(world, Believes::AcceptsSucceed).await;
}

/// A failed name lookup, then a refused connect.
#[refrain::test(runs = 6_000, expect = "panic")]
async fn two_faults_deep(world: World) {
    echoes(world, Believes::KnownAddressesAnswer).await;
}

/// A failed name lookup, then a refused connect, then bytes that arrive one by one.
#[refrain::test(runs = 60_000, expect = "panic")]
async fn three_faults_deep(world: World) {
    echoes(world, Believes::ReadsAreWhole).await;
}

async fn echoes(world: World, believes: Believes) {
    world.host("server", move || serve(believes));
    let client = world.client("client");
    world.faults(Faults::between("client", "server").all().at_most(12));
    client.run(ask_each_second(believes)).await;
}

async fn serve(believes: Believes) -> Result<()> {
    let listener = TcpListener::bind("0.0.0.0:7").await?;
    loop {
        match listener.accept().await {
            Ok((mut stream, _)) => drop(tokio::spawn(async move {
                let (mut reader, mut writer) = stream.split();
                tokio::io::copy(&mut reader, &mut writer).await
            })),
            Err(error) if believes == Believes::AcceptsSucceed => panic!("a connection is accepted: {error}"),
            Err(_) => sleep(Duration::from_millis(100)).await,
        }
    }
}

/// What the client has learned: each step requires the previous one.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Learned {
    Nothing,
    /// The resolver may fail, so it falls back to the last address.
    AddressesLast,
    /// That address may refuse, so it reads only once.
    BeQuick,
}

async fn ask_each_second(believes: Believes) {
    let (mut learned, mut address) = (Learned::Nothing, None);
    for _ in 0..ROUNDS {
        sleep(APART).await;
        match lookup_host("server:7").await {
            Ok(mut found) => address = found.next(),
            Err(_) if learned == Learned::Nothing && address.is_some() => learned = Learned::AddressesLast,
            Err(_) => {}
        }
        let Some(address) = address else { continue };
        let quick = believes == Believes::ReadsAreWhole && learned == Learned::BeQuick;
        let asked = timeout(PATIENCE, ask(address, quick)).await;
        let refused = asked.is_ok_and(|asked| asked.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused));
        if refused && learned == Learned::AddressesLast {
            assert_ne!(believes, Believes::KnownAddressesAnswer, "{address} has always answered");
            learned = Learned::BeQuick;
        }
    }
}

async fn ask(address: SocketAddr, quick: bool) -> Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(MESSAGE).await?;
    let mut echo = [0; MESSAGE.len()];
    if quick {
        let n = stream.read(&mut echo).await?;
        if n == 0 {
            return Err(Error::from(ErrorKind::UnexpectedEof));
        }
        assert_eq!(&echo[..n], MESSAGE, "an echo is the message");
    } else {
        stream.read_exact(&mut echo).await?;
        assert_eq!(&echo, MESSAGE);
    }
    Ok(())
}
