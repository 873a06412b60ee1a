//! The echo service under simulation.

use refrain::{Faults, World};
use std::time::Duration;

#[refrain::test(runs = 500)]
async fn what_is_sent_comes_back(world: World, messages: Vec<Vec<u8>>) {
    world.host("server", || echo::serve("0.0.0.0:7"));
    let asked = messages.clone();
    let answers = world.client("client").run(async move { echo::ask("server:7", &asked).await });
    assert_eq!(answers.await.unwrap(), messages);
}

#[refrain::test(runs = 500)]
async fn answers_come_again_after_the_network_heals(world: World) {
    world.host("server", || echo::serve("0.0.0.0:7"));
    let client = world.client("client");
    world.faults(Faults::between("server", "client").all());
    let _ = client.run(async { echo::ask("server:7", &[b"before".to_vec()]).await }).await;
    world.heal().await;
    world
        .eventually(Duration::from_secs(60), "an answer comes", || async {
            echo::ask("server:7", &[b"after".to_vec()]).await
        })
        .await;
}

#[refrain::test(runs = 500)]
async fn twenty_round_trips(world: World) {
    world.host("server", || echo::serve("0.0.0.0:7"));
    let messages = vec![b"ping".to_vec(); 20];
    world.client("client").run(async move { echo::ask("server:7", &messages).await }).await.unwrap();
}

/// Built together with the harness, the program has a simulated tokio inside: it must say so and serve nobody.
#[test]
fn a_simulated_program_says_so_and_exits_with_3() {
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_echo")).arg("127.0.0.1:0").output().unwrap();
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert_eq!(ran.status.code(), Some(3), "{stderr}");
    assert!(stderr.contains("built with refrain's simulated tokio, so it cannot serve"), "{stderr}");
    assert!(stderr.contains("Build it without the harness"), "{stderr}");
    assert!(ran.stdout.is_empty());
}
