//! Signals: which ones a host's process receives, and which ones kill it.

use super::SECOND;
use refrain::World;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};

#[refrain::test(runs = 20)]
async fn a_handler_is_told_of_sigterm_and_the_process_goes_on(world: World) {
    let host = world.host("server", || async {
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        terminate.recv().await;
        tracing::info!("drains");
        sleep(SECOND).await;
    });
    world.sometimes("it drains", "selftest::api", "drains");
    sleep(SECOND).await;
    host.terminate();
    sleep(SECOND / 2).await;
    assert!(host.is_running());
    // The task may have been held for a while.
    sleep(SECOND * 100).await;
    assert!(!host.is_running());
}

#[refrain::test(runs = 20)]
async fn a_signal_before_the_first_recv_is_not_lost(world: World) {
    let host = world.host("server", || async {
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        sleep(SECOND * 2).await;
        terminate.recv().await;
    });
    sleep(SECOND).await;
    host.terminate();
    sleep(SECOND * 100).await;
    assert!(!host.is_running());
}

#[refrain::test(runs = 20)]
async fn without_a_handler_sigterm_kills(world: World) {
    let host = world.host("server", || async {
        let _other = signal(SignalKind::hangup()).unwrap();
        std::future::pending::<()>().await
    });
    sleep(SECOND).await;
    host.terminate();
    sleep(SECOND).await;
    assert!(!host.is_running());
    host.terminate();
    host.restart();
    sleep(SECOND).await;
    assert!(host.is_running());
}

#[refrain::test(runs = 20)]
async fn each_host_has_its_own_signals(world: World) {
    let [one, other] = ["one", "other"].map(|name| {
        world.host(name, || async {
            tokio::signal::ctrl_c().await.unwrap();
        })
    });
    sleep(SECOND).await;
    one.terminate();
    sleep(SECOND).await;
    assert!(!one.is_running() && other.is_running());
}
