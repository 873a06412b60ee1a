//! `tokio-tungstenite`: a reader of a websocket, with and without a deadline.

use super::{Done, PERIOD, Uses, accept, answered, goes_on};
use ::tokio_tungstenite::{accept_async, connect_async, tungstenite::Message};
use futures_util::{SinkExt, StreamExt};
use refrain::World;
use tokio::{net::TcpStream, time::sleep};

/// Sends a message in every period.
async fn tell(stream: TcpStream) -> Done {
    let mut socket = accept_async(stream).await?;
    loop {
        socket.send(Message::text("hello")).await?;
        sleep(PERIOD).await;
    }
}

async fn test(world: World, uses: Uses) {
    goes_on(
        world,
        || accept(80, tell),
        move |done| async move {
            loop {
                let read = async {
                    let (mut socket, _) = answered(Uses::Right, connect_async("ws://server:80/")).await??;
                    while let Some(message) = answered(uses, socket.next()).await? {
                        message?;
                        done.is_done();
                    }
                    Done::Ok(())
                };
                // It connects again, whatever has ended it.
                let _ = read.await;
                sleep(PERIOD).await;
            }
        },
    )
    .await;
}

/// The reader has no deadline, and a server that has lost power never ends the connection.
#[refrain::test(runs = 200, expect = "stall")]
async fn a_reader_waits_for_a_server_that_is_gone(world: World) {
    test(world, Uses::Wrong).await;
}

#[refrain::test(runs = 100)]
async fn a_reader_with_a_deadline_connects_again(world: World) {
    test(world, Uses::Right).await;
}
