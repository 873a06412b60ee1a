//! Unix sockets of simulated hosts: whose they are, what is left of them, and what reports say of them.

use crate::driver::Started;
use refrain::{
    Sysctl, World,
    report::{self, Style},
};
use refrain_core::job::Ran;
use serde_json::json;
use std::{
    fs,
    future::pending,
    io::{ErrorKind, Result},
    path::Path,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixDatagram, UnixListener, UnixStream},
    time::sleep,
};

/// In the current directory, which is that of the package.
const PATH: &str = "service.sock";
/// On a real Linux this is memory.
const IN_MEMORY: &str = "/run/refrain-selftest.sock";
const SECOND: Duration = Duration::from_secs(1);

/// Echoes at a path, which it does not tidy.
async fn echo_at(path: &'static str) -> Result<()> {
    let listener = UnixListener::bind(path)?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let (mut reader, mut writer) = stream.split();
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
        });
    }
}

async fn ask_at(path: &str) -> Result<Vec<u8>> {
    let mut stream = UnixStream::connect(path).await?;
    stream.write_all(b"hello").await?;
    stream.shutdown().await?;
    let mut answer = vec![];
    stream.read_to_end(&mut answer).await?;
    Ok(answer)
}

#[refrain::test(runs = 20)]
async fn paths_of_two_hosts_do_not_meet(world: World) {
    world.host("one", || echo_at(PATH));
    world.host("other", || echo_at(PATH));
    sleep(SECOND).await;
    assert_eq!(world.client("one").run(ask_at(PATH)).await.unwrap(), b"hello");
    assert_eq!(world.client("other").run(ask_at(PATH)).await.unwrap(), b"hello");
    let stranger = world.client("stranger");
    assert_eq!(stranger.run(ask_at(PATH)).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(ask_at(PATH).await.unwrap_err().kind(), ErrorKind::NotFound);
    // Nor is there anything in the real file system.
    assert!(!Path::new(PATH).exists());
    assert!(world.client("one").run(async { Path::new(PATH).exists() }).await);
    assert!(fs::read_dir(".").unwrap().flatten().all(|entry| entry.file_name() != PATH));
}

#[refrain::test(runs = 20, expect = "exit")]
async fn a_process_that_leaves_its_path_cannot_start_again(world: World) {
    let server = world.host("server", || echo_at(PATH));
    sleep(SECOND).await;
    server.restart();
    sleep(SECOND).await;
}

#[refrain::test(runs = 20)]
async fn a_process_that_removes_its_path_starts_again(world: World) {
    let server = world.host("server", || {
        let _ = fs::remove_file(PATH);
        echo_at(PATH)
    });
    for _ in 0..3 {
        sleep(SECOND).await;
        assert_eq!(world.client("server").run(ask_at(PATH)).await.unwrap(), b"hello");
        server.restart();
    }
    sleep(SECOND).await;
}

#[refrain::test(runs = 20)]
async fn a_path_in_memory_is_gone_after_a_crash_and_another_stays(world: World) {
    world.host("server", || async {
        let first = UnixListener::bind(IN_MEMORY).map(drop).map_err(|error| error.kind());
        let second = UnixListener::bind(PATH).map(drop).map_err(|error| error.kind());
        tracing::info!("{first:?} {second:?}");
        // Listened at while the power fails.
        let _kept = (UnixListener::bind("\0kept").unwrap(), fs::remove_file(PATH), UnixListener::bind(PATH).unwrap());
        pending::<()>().await
    });
    world.sometimes("at first both are free", module_path!(), "Ok(()) Ok(())");
    world.sometimes("one is left", module_path!(), "Ok(()) Err(AddrInUse)");
    world.fault("crash server at 1 s and reboot it after 1 s");
    sleep(3 * SECOND).await;
}

/// A service, and an agent beside it that is connected to it and has not read everything.
async fn service_and_agent(world: &World) -> (refrain::Host, refrain::Host) {
    let service = world.host("service", || async {
        let _ = fs::remove_file(PATH);
        let listener = UnixListener::bind(PATH)?;
        loop {
            let (mut agent, _) = listener.accept().await?;
            agent.write_all(b"news").await?;
            let seen = agent.read(&mut [0; 9]).await.map_err(|error| error.kind());
            tracing::info!("the service reads {seen:?}");
        }
        #[allow(unreachable_code)]
        Result::Ok(())
    });
    sleep(SECOND).await;
    let agent = service.beside("agent", || async {
        // After a loss of power it may be the first to come up.
        let mut service = loop {
            match UnixStream::connect(PATH).await {
                Ok(service) => break service,
                Err(_) => sleep(SECOND).await,
            }
        };
        service.read_exact(&mut [0; 2]).await?;
        sleep(10 * SECOND).await;
        let seen = service.write(b"?").await.map_err(|error| error.kind());
        tracing::info!("the agent writes {seen:?}");
        pending::<Result<()>>().await
    });
    sleep(SECOND).await;
    (service, agent)
}

#[refrain::test(runs = 20)]
async fn a_process_beside_sees_that_its_peer_was_killed(world: World) {
    world.sometimes("a reset is read", module_path!(), "the service reads Err(ConnectionReset)");
    let (service, agent) = service_and_agent(&world).await;
    world.fault("kill agent at 0 s and restart it after 1 s");
    sleep(30 * SECOND).await;
    assert!(service.is_running() && agent.is_running());
}

#[refrain::test(runs = 20)]
async fn a_process_beside_outlives_a_restart(world: World) {
    world.sometimes("the pipe is broken", module_path!(), "the agent writes Err(BrokenPipe)");
    let (service, agent) = service_and_agent(&world).await;
    service.restart();
    sleep(30 * SECOND).await;
    assert!(service.is_running() && agent.is_running());
}

#[refrain::test(runs = 20)]
async fn a_crash_takes_every_process_of_the_machine(world: World) {
    let (service, agent) = service_and_agent(&world).await;
    let elsewhere = world.host("elsewhere", pending::<()>);
    world.fault("crash agent at 0 s and reboot it after 5 s");
    sleep(SECOND).await;
    assert!(!service.is_running() && !agent.is_running() && elsewhere.is_running());
    sleep(30 * SECOND).await;
    assert!(service.is_running());
}

#[refrain::test(runs = 20)]
async fn peers_have_numbers_of_their_own(world: World) {
    let service = world.host("service", || async {
        let listener = UnixListener::bind(PATH)?;
        let mut numbers = vec![];
        for _ in 0..3 {
            let (stream, _) = listener.accept().await?;
            numbers.push(stream.peer_cred()?.pid());
        }
        assert!(numbers[0] == numbers[1] && numbers[1] != numbers[2], "{numbers:?}");
        pending::<Result<()>>().await
    });
    sleep(SECOND).await;
    let agent = service.beside("agent", || async {
        let _streams = (UnixStream::connect(PATH).await?, UnixStream::connect(PATH).await?);
        pending::<Result<()>>().await
    });
    sleep(SECOND).await;
    agent.may_exit();
    agent.restart();
    sleep(SECOND).await;
}

#[refrain::test(runs = 20)]
async fn unix_sockets_take_descriptors(world: World) {
    let client = world.client("client");
    client.sysctl(Sysctl::default().nofile(4));
    let opened = client.run(async {
        let _listener = UnixListener::bind("\0name").unwrap();
        let _pair = UnixStream::pair().unwrap();
        let connected = UnixStream::connect("\0name").await;
        (connected.is_ok(), UnixStream::pair().unwrap_err().raw_os_error())
    });
    assert_eq!(opened.await, (true, Some(24)));
}

#[refrain::test(runs = 20)]
async fn a_listener_that_cannot_accept_accepts_later(world: World) {
    world.host("server", || async {
        let listener = UnixListener::bind(PATH)?;
        let mut failures = 0;
        while listener.accept().await.is_err() {
            failures += 1;
        }
        assert!(failures > 100, "{failures}");
        pending::<Result<()>>().await
    });
    world.fault("fail accepts on server at 1 s for 1 s");
    sleep(SECOND + SECOND / 2).await;
    let _stream = world.client("server").run(UnixStream::connect(PATH)).await.unwrap();
    sleep(SECOND).await;
}

#[refrain::test(runs = 1, without_holds, expect = "stall")]
async fn an_agent_waits_for_a_service_that_never_accepts(world: World) {
    let service = world.host("service", || async {
        let _listener = UnixListener::bind(PATH)?;
        pending::<Result<()>>().await
    });
    sleep(SECOND).await;
    service.beside("agent", || async {
        let mut service = UnixStream::connect(PATH).await?;
        service.write_all(b"hello").await?;
        service.read_exact(&mut [0]).await?;
        Result::Ok(())
    });
    world.eventually(Duration::from_secs(60), "the agent is greeted", || async { false }).await;
}

#[refrain::test(runs = 1, without_holds, expect = "stall")]
async fn a_sender_waits_for_a_receiver_that_never_reads(world: World) {
    world.host("logger", || async {
        let _socket = UnixDatagram::bind(PATH)?;
        pending::<Result<()>>().await
    });
    sleep(SECOND).await;
    let logs = world.client("logger").run(async {
        let socket = UnixDatagram::unbound()?;
        socket.connect(PATH)?;
        for line in 0..100u8 {
            socket.send(&[line]).await?;
        }
        Result::Ok(())
    });
    world.eventually(Duration::from_secs(60), "everything is logged", || async { false }).await;
    logs.await.unwrap();
}

#[refrain::test(runs = 1, without_holds, expect = "leak")]
async fn a_socket_that_nobody_closes(world: World) {
    world.conserves("socket");
    world.host("service", || async {
        let _pair = UnixStream::pair()?;
        pending::<Result<()>>().await
    });
    sleep(SECOND).await;
}

/// A run that is made now.
fn run(test: &str) -> Ran {
    serde_json::from_value(Started::worker(&format!("network::unix::{test}")).record(json!({ "seed": 1 }))).unwrap()
}

fn failure(ran: &Ran) -> String {
    report::failure(ran.verdict.failure().expect("it fails"), Style::default())
}

#[test]
fn a_report_shows_who_waits_on_which_unix_socket() {
    let ran = run("an_agent_waits_for_a_service_that_never_accepts");
    let failure = failure(&ran);
    assert!(failure.contains("waits to read from service.sock #2 -> #3 (not accepted yet)"), "{failure}");
    let events: Vec<_> = ran.events.iter().map(report::event).filter(|event| event.contains(PATH)).collect();
    insta::assert_snapshot!(events.join("\n"), @r"
    listens on service.sock #1
    connects service.sock #2 -> #3
    writes 5 bytes on service.sock #2 -> #3
    ");
    insta::assert_snapshot!(report::sockets(&ran.sockets, Style::default()), @r"
    Host     Netid  State   Recv-Q  Send-Q  Local Address:Port  Peer Address:Port
    service  u_str  LISTEN  1       4096    service.sock 1      *
    agent    u_str  ESTAB   0       768     * 2                 service.sock 3
    ");
}

#[test]
fn a_report_shows_who_waits_to_send_a_datagram() {
    let failure = failure(&run("a_sender_waits_for_a_receiver_that_never_reads"));
    assert!(failure.contains("waits to send by service.sock #2 -> #1 (a queue is full)"), "{failure}");
}

#[test]
fn a_leak_names_the_unix_socket() {
    let failure = failure(&run("a_socket_that_nobody_closes"));
    assert!(failure.contains("service: a socket pair #1 -> #2 is open"), "{failure}");
}
