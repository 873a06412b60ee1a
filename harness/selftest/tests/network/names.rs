//! Name resolution: results, changes and failures.

use super::{SECOND, ask, echo};
use refrain::World;
use tokio::{
    net::{TcpListener, TcpStream, lookup_host},
    time::sleep,
};

fn serve(world: &World, name: &'static str) {
    world.host(name, move || async move {
        let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
        loop {
            tokio::spawn(echo(listener.accept().await.unwrap().0));
        }
    });
}

#[refrain::test(runs = 20)]
async fn a_name_may_move_to_another_host(world: World) {
    serve(&world, "one");
    serve(&world, "other");
    let client = world.client("client");
    sleep(SECOND).await;
    let address = || client.run(async { TcpStream::connect("service:80").await.unwrap().peer_addr().unwrap() });
    world.resolve("service", &["one"]);
    let one = address().await;
    world.resolve("service", &["other"]);
    let other = address().await;
    assert_ne!(one, other);
    // Clients that kept the address continue to use it.
    client.run(async move { TcpStream::connect(one).await.unwrap() }).await;
}

#[refrain::test(runs = 20)]
async fn a_name_of_several_hosts_is_tried_one_after_the_other(world: World) {
    world.host("down", std::future::pending::<()>);
    serve(&world, "up");
    world.resolve("service", &["down", "up"]);
    sleep(SECOND).await;
    let answer = world.client("client").run(async {
        assert_eq!(lookup_host("service:80").await.unwrap().count(), 2);
        ask(&mut TcpStream::connect("service:80").await.unwrap(), b"?").await
    });
    assert_eq!(answer.await.unwrap(), b"?");
}

#[refrain::test(runs = 20)]
async fn a_name_without_a_host_does_not_resolve(world: World) {
    world.resolve("service", &[]);
    let error = world.client("client").run(TcpStream::connect("service:80")).await.unwrap_err();
    assert_eq!(error.to_string(), "failed to lookup address information: Name or service not known");
}
