//! Properties defined by the test: `always`, `conserves`.

use refrain::World;
use std::time::Duration;
use tracing::info;

/// Opens two sessions where one is allowed.
async fn opens_two() {
    for id in [1, 2] {
        info!(kind = "session", id, "opened");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    std::future::pending().await
}

#[refrain::test(runs = 1, expect = "safety")]
async fn what_must_always_hold_is_watched(world: World) {
    world.conserves_up_to("session", 2);
    world.always("one session at a time", |seen| seen.live("session") <= 1);
    world.host("server", opens_two);
    tokio::time::sleep(Duration::from_secs(10)).await;
}

/// Works under a session, and closes another one than its own first, as many as there are of both.
async fn works_with_the_wrong_session() {
    for id in [1, 2] {
        info!(kind = "session", id, "opened");
    }
    info!(kind = "work", id = 2, "opened");
    tokio::time::sleep(Duration::from_secs(1)).await;
    info!(kind = "session", id = 2, "closed");
    std::future::pending().await
}

#[refrain::test(runs = 1, expect = "safety")]
async fn which_ones_are_open_is_watched(world: World) {
    world.conserves_up_to("session", 2);
    world.conserves_up_to("work", 1);
    world.always("there is a session for each work", |seen| seen.live("work") <= seen.live("session"));
    world.always("work has its own session", |seen| seen.open("work").is_subset(seen.open("session")));
    world.host("server", works_with_the_wrong_session);
    tokio::time::sleep(Duration::from_secs(10)).await;
}

#[refrain::test(runs = 1, expect = "panic")]
async fn a_panic_of_an_always_is_the_tests(world: World) {
    world.always("a property that cannot be computed", |seen| {
        assert_eq!(seen.live("session"), 1, "there is one");
        true
    });
    world.conserves("session");
    world.host("server", opens_two);
}

#[refrain::test(runs = 1, expect = "leak")]
async fn what_is_not_closed_is_a_leak(world: World) {
    world.conserves("session");
    world.host("server", opens_two);
    tokio::time::sleep(Duration::from_secs(10)).await;
}

#[refrain::test(runs = 1, expect = "double-close")]
async fn what_is_closed_twice_is_a_double_close(world: World) {
    world.conserves("session");
    world.host("server", || async {
        info!(kind = "session", id = 7, "opened");
        let closer = tokio::spawn(async { info!(kind = "session", id = 7, "closed") });
        closer.await.unwrap();
        info!(kind = "session", id = 7, "closed");
        std::future::pending::<()>().await
    });
    tokio::time::sleep(Duration::from_secs(10)).await;
}

#[refrain::test(runs = 1, expect = "leak")]
async fn a_socket_that_is_kept_is_a_leak(world: World) {
    world.conserves("socket");
    world.host("server", || async {
        let listener = tokio::net::TcpListener::bind("0.0.0.0:80").await?;
        let mut kept = vec![];
        loop {
            kept.push(listener.accept().await?);
        }
        #[allow(unreachable_code)]
        std::io::Result::Ok(())
    });
    tokio::time::sleep(Duration::from_millis(1)).await;
    let client = world.client("client").run(async {
        let _ = tokio::net::TcpStream::connect("server:80").await;
    });
    client.await;
}

#[refrain::test(runs = 1, expect = "leak")]
async fn an_end_of_a_connection_with_oneself_that_is_kept_is_a_leak(world: World) {
    world.conserves("socket");
    world.host("server", || async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:80").await.unwrap();
        let _kept = tokio::net::TcpStream::connect("127.0.0.1:80").await.unwrap();
        drop(listener.accept().await.unwrap());
        std::future::pending::<()>().await
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
}

#[refrain::test(runs = 20)]
async fn what_a_killed_process_had_open_is_gone_with_it(world: World) {
    world.conserves("session");
    world.conserves("socket");
    world.conserves_up_to("task", 1);
    let host = world.host("server", || async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:80").await?;
        let _loop = (tokio::net::TcpStream::connect("127.0.0.1:80").await?, listener.accept().await?);
        info!(kind = "session", id = 1, "opened");
        tokio::spawn(std::future::pending::<()>());
        std::future::pending::<std::io::Result<()>>().await
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    host.terminate();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(!host.is_running());
}
