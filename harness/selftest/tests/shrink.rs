//! Shrunk plans are short to read and have short runs.

use crate::driver::{ask, failing::failing};
use proptest::{collection, option, prelude::*};
use refrain::{Faults, World, plan::Plan, trace};
use refrain_core::{
    job::Ran,
    protocol::{Outcome, Request, Shrunk},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Fails on nested lists.
#[refrain::test(expect = "panic", runs = 50)]
async fn three_lists_of_two_panic(_world: World, lists: Vec<Vec<u16>>) {
    assert!(lists.iter().filter(|list| list.len() >= 2).count() < 3);
}

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    customer: u32,
    lines: Vec<(u8, bool)>,
}

fn orders() -> impl Strategy<Value = Vec<Option<Order>>> {
    let lines = collection::vec((0..10u8, any::<bool>()), 0..20);
    let order = (1_000u32.., lines).prop_map(|(customer, lines)| Order { customer, lines });
    collection::vec(option::of(order), 0..10)
}

/// Fails on lists in structs in options.
#[refrain::test(expect = "panic", runs = 50)]
async fn an_order_with_a_free_line_panics(_world: World, #[any(orders())] orders: Vec<Option<Order>>) {
    let lines = || orders.iter().flatten().flat_map(|order| &order.lines);
    assert!(lines().filter(|(count, _)| *count >= 7).count() < 2);
}

/// Fails when a connection is reset, however long it worked before.
#[refrain::test(expect = "panic", runs = 200)]
async fn a_reset_panics(world: World, messages: Vec<u8>) {
    world.host("server", || async {
        let listener = TcpListener::bind("0.0.0.0:7").await.unwrap();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let (mut reader, mut writer) = stream.split();
            let _ = tokio::io::copy(&mut reader, &mut writer).await;
        }
    });
    let client = world.client("client");
    world.faults(Faults::between("server", "client").resets().slowdowns().pauses());
    let all_answered = async move {
        let mut stream = TcpStream::connect("server:7").await?;
        for message in messages {
            stream.write_all(&[message]).await?;
            stream.read_exact(&mut [0]).await?;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok::<_, std::io::Error>(())
    };
    client.run(all_answered).await.expect("every message is answered");
}

/// Shrinks the first failing run from a seed on, and returns the result.
#[track_caller]
pub fn shrunk(test: &str, first: u64) -> (Ran, Shrunk) {
    let (ran, trace) = failing(test, first);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.jsonl");
    trace::write(&path, &trace).unwrap();
    match ask(test, &Request::Shrink { trace: path.clone(), jobs: Some(1) }) {
        Outcome::Shrunk(shrunk) => {
            assert_eq!(trace::read(&path).unwrap().plan, shrunk.after);
            (ran, shrunk)
        }
        other => panic!("{other:#?}"),
    }
}

fn workload(plan: &Plan) -> &Value {
    &plan.workload[0].value
}

#[test]
fn elements_of_lists_in_lists_are_shrunk() {
    for first in [0, 1_000, 2_000] {
        let (_, shrunk) = shrunk("shrink::three_lists_of_two_panic", first);
        assert_eq!(workload(&shrunk.after), &json!([[0, 0], [0, 0], [0, 0]]), "from {}", shrunk.before);
        assert!(!shrunk.interrupted);
    }
}

#[test]
fn elements_of_lists_in_structs_in_options_are_shrunk() {
    for first in [0, 1_000, 2_000] {
        let (_, shrunk) = shrunk("shrink::an_order_with_a_free_line_panics", first);
        let orders = workload(&shrunk.after).as_array().unwrap();
        let lines: Vec<_> = orders.iter().flat_map(|order| order["lines"].as_array().unwrap()).collect();
        assert_eq!(lines, [&json!([7, false]), &json!([7, false])], "from {}", shrunk.before);
        assert!(orders.iter().all(|order| order["customer"] == 1_000), "{orders:?}");
    }
}

#[test]
fn a_long_run_becomes_short() {
    for first in [0, 1_000, 2_000] {
        let (long, shrunk) = shrunk("shrink::a_reset_panics", first);
        assert!(shrunk.events <= long.events.len() && shrunk.ends_at.1 <= shrunk.ends_at.0, "{shrunk:#?}");
        assert_eq!((shrunk.after.faults.len(), shrunk.after.holds.len()), (1, 0), "{}", shrunk.after);
        assert!(shrunk.events < 40 && shrunk.ends_at.1 < 2_000_000_000, "{shrunk:#?}");
    }
}
