//! `rumqttc`: subscriptions of a client that connects again by itself, to a broker that has forgotten its session.

use super::{Done, PERIOD, Work, accept, goes_on};
use ::rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use refrain::World;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::sleep,
};

/// A broker that sends back what is published on a connection, if that has subscribed.
async fn answer(mut stream: TcpStream) -> Done {
    let mut has_subscribed = false;
    loop {
        let kind = stream.read_u8().await?;
        // The packets of an exchange are shorter than 128 bytes.
        let mut body = vec![0; stream.read_u8().await? as usize];
        stream.read_exact(&mut body).await?;
        match kind >> 4 {
            1 => stream.write_all(&[0x20, 2, 0, 0]).await?,
            3 if has_subscribed => stream.write_all(&[&[kind, body.len() as u8], &body[..]].concat()).await?,
            8 => {
                has_subscribed = true;
                stream.write_all(&[0x90, 3, body[0], body[1], 0]).await?;
            }
            12 => stream.write_all(&[0xd0, 0]).await?,
            14 => return Ok(()),
            _ => {}
        }
    }
}

/// When and where a client subscribes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subscribes {
    Once,
    WhereItPolls,
    InATask,
}

async fn subscribe_and_publish(done: Work, subscribes: Subscribes) -> Done {
    let mut options = MqttOptions::new("client", "server", 1883);
    options.set_keep_alive(Duration::from_secs(5));
    let (client, mut events) = AsyncClient::new(options, 10);
    if subscribes == Subscribes::Once {
        client.subscribe("words", QoS::AtMostOnce).await?;
    }
    tokio::spawn({
        let client = client.clone();
        async move {
            loop {
                sleep(PERIOD).await;
                // What cannot be queued is not worth more.
                let _ = client.try_publish("words", QoS::AtMostOnce, false, "hello");
            }
        }
    });
    loop {
        match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => match subscribes {
                Subscribes::Once => {}
                Subscribes::WhereItPolls => client.subscribe("words", QoS::AtMostOnce).await?,
                Subscribes::InATask => {
                    let client = client.clone();
                    tokio::spawn(async move { client.subscribe("words", QoS::AtMostOnce).await });
                }
            },
            Ok(Event::Incoming(Packet::Publish(_))) => done.is_done(),
            Ok(_) => {}
            Err(_) => sleep(PERIOD).await,
        }
    }
}

async fn test(world: World, subscribes: Subscribes) {
    goes_on(world, || accept(1883, answer), move |done| subscribe_and_publish(done, subscribes)).await;
}

/// The client subscribes once, and a subscription is lost with its connection.
#[refrain::test(runs = 200, expect = "stall")]
async fn a_subscription_is_lost_with_its_connection(world: World) {
    test(world, Subscribes::Once).await;
}

/// The client subscribes where it polls, and waits there for room in a queue that only polling empties: the queue is full after some time
/// without a connection.
#[refrain::test(runs = 500, expect = "stall")]
async fn who_polls_waits_for_room_in_the_queue(world: World) {
    test(world, Subscribes::WhereItPolls).await;
}

#[refrain::test(runs = 100)]
async fn every_connection_subscribes(world: World) {
    test(world, Subscribes::InATask).await;
}
