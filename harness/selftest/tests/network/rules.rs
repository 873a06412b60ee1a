//! Rules, faults written by a test, are drawn, planned, replayed, shrunk and healed like all others.

use super::{SECOND, ask, client, echo, serve, timed};
use crate::plans::refused;
use proptest::strategy::Just;
use refrain::{
    Faults, Sysctl, World,
    rule::{Decision, Operation, Packet, PacketKind, Rule},
};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{sleep, timeout},
};

/// Drops the nth packet with payload.
struct LoseNth {
    left: u32,
}

impl Rule for LoseNth {
    fn packet(&mut self, packet: &Packet<'_>) -> Decision {
        if packet.kind != PacketKind::Data || self.left == 0 {
            return Decision::Pass;
        }
        self.left -= 1;
        if self.left == 0 { Decision::Lose } else { Decision::Pass }
    }
}

/// Delays every packet whose payload contains a text.
struct DelayText {
    text: String,
}

impl Rule for DelayText {
    fn packet(&mut self, packet: &Packet<'_>) -> Decision {
        let holds = packet.bytes.windows(self.text.len()).any(|bytes| bytes == self.text.as_bytes());
        if holds { Decision::Delay(7 * SECOND) } else { Decision::Pass }
    }
}

/// Fails the nth write with an error, like a packet filter. No other fault does that.
struct DenyWrite {
    left: u32,
}

impl Rule for DenyWrite {
    fn operation(&mut self, operation: &Operation<'_>) -> Result<(), io::ErrorKind> {
        if matches!(operation, Operation::Write(_)) && self.left > 0 {
            self.left -= 1;
            if self.left == 0 {
                return Err(io::ErrorKind::PermissionDenied);
            }
        }
        Ok(())
    }
}

/// A client that sends requests in a loop, and treats every error but one as the end of its connection.
async fn asks_on(world: &World, faults: Faults) {
    serve(world, echo).may_exit();
    let client = world.client("client");
    world.rule("deny_write", 1..20u32, |left| DenyWrite { left });
    world.faults(faults);
    let asks = async {
        for _ in 0..50 {
            sleep(Duration::from_millis(100)).await;
            let Ok(Ok(mut stream)) = timeout(SECOND, TcpStream::connect("server:80")).await else { continue };
            if let Err(error) = stream.write_all(b"?").await {
                assert_ne!(error.kind(), io::ErrorKind::PermissionDenied, "no packet filter is in the way");
            }
        }
    };
    client.run(asks).await;
}

#[refrain::test(runs = 200, expect = "panic")]
async fn a_service_that_expects_no_packet_filter_fails_by_the_rule(world: World) {
    asks_on(&world, Faults::between("client", "server").rule("deny_write")).await;
}

#[refrain::test(runs = 200)]
async fn no_other_fault_breaks_it(world: World) {
    asks_on(&world, Faults::between("client", "server").all().at_most(8)).await;
}

#[refrain::test(runs = 20, without_holds)]
async fn a_rule_loses_one_packet(world: World) {
    serve(&world, echo);
    world.client("client");
    world.rule("lose_nth", 1..10u32, |left| LoseNth { left });
    world.fault("rule lose_nth 3 on client -> server at 0 s");
    client(&world, |mut stream| async move {
        for nth in 1..=5 {
            let took = timed(ask(&mut stream, b"?")).await.1;
            // The retransmission happens after 200 ms.
            assert_eq!(took >= Duration::from_millis(200), nth == 3, "question {nth} takes {took:?}");
        }
    })
    .await;
}

#[refrain::test(runs = 20, without_holds)]
async fn a_rule_sees_bytes_until_it_is_healed(world: World) {
    serve(&world, echo);
    world.client("client");
    world.rule("delay_text", "[a-z]{1,4}", |text| DelayText { text });
    world.fault("rule delay_text \"late\" on client <-> server at 0 s");
    let asks = async |text: &'static [u8]| {
        client(&world, move |mut stream| async move { timed(ask(&mut stream, text)).await.1 }).await
    };
    assert!(asks(b"soon").await < SECOND);
    let late = asks(b"too late").await;
    assert!(late >= 14 * SECOND, "both directions are 7 s late: {late:?}");
    world.heal().await;
    assert!(asks(b"too late").await < SECOND);
}

#[test]
fn a_plan_with_an_unknown_rule_is_refused_with_those_that_there_are() {
    let test = "network::rules::no_other_fault_breaks_it";
    let plan = |rule: &str| format!("seed 1\nrule {rule} on client -> server at 0 s");
    refused(test, &plan("deny_read 3"), "names the rule `deny_read`");
    refused(test, &plan("deny_read 3"), "it has added deny_write");
    refused(test, &plan("deny_write [3]"), "the rule `deny_write` from `[3]`, which does not match");
    refused("plans::a_connection_ends", "seed 1\nafter_ms = 5\nrule x on client -> server at 0 s", "it has added none");
}

/// Loses every SYN-ACK, and counts them.
struct LoseSynAcks {
    lost: Arc<AtomicU32>,
}

impl Rule for LoseSynAcks {
    fn packet(&mut self, packet: &Packet<'_>) -> Decision {
        if packet.kind != PacketKind::SynAck {
            return Decision::Pass;
        }
        self.lost.fetch_add(1, Relaxed);
        Decision::Lose
    }
}

/// A SYN that comes again is answered, and starts no second timer: the server sends one SYN-ACK for each SYN, and
/// `tcp_synack_retries` of its own (Linux: `tcp_check_req` and `reqsk_timer_handler`).
#[refrain::test(runs = 5)]
async fn a_syn_that_comes_again_starts_no_second_timer(world: World) {
    const SYNS: u32 = 4;
    const RETRIES: u32 = 5;
    let lost = Arc::new(AtomicU32::new(0));
    serve(&world, echo).sysctl(Sysctl::default().tcp_synack_retries(RETRIES));
    let client = world.client("client");
    client.sysctl(Sysctl::default().tcp_syn_retries(SYNS - 1).tcp_syn_linear_timeouts(0));
    let counts = lost.clone();
    world.rule("lose_syn_acks", Just(()), move |()| LoseSynAcks { lost: counts.clone() });
    world.fault("rule lose_syn_acks null on server -> client at 0 s");
    client
        .run(async {
            assert_eq!(TcpStream::connect("server:80").await.unwrap_err().kind(), io::ErrorKind::TimedOut);
            sleep(100 * SECOND).await;
        })
        .await;
    assert_eq!(lost.load(Relaxed), SYNS + RETRIES);
}
