//! `rumqttc`: a topic of MQTT, with a broker that sends back what is published.

use super::{Done, accept, exchange, expect};
use ::rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use refrain::World;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

async fn answer(mut stream: TcpStream) -> Done {
    loop {
        let kind = stream.read_u8().await?;
        // The packets of an exchange are shorter than 128 bytes.
        let mut body = vec![0; stream.read_u8().await? as usize];
        stream.read_exact(&mut body).await?;
        match kind >> 4 {
            1 => stream.write_all(&[0x20, 2, 0, 0]).await?,
            3 => stream.write_all(&[&[kind, body.len() as u8], &body[..]].concat()).await?,
            8 => stream.write_all(&[0x90, 3, body[0], body[1], 0]).await?,
            12 => stream.write_all(&[0xd0, 0]).await?,
            14 => return Ok(()),
            _ => {}
        }
    }
}

async fn ask() -> Done {
    let mut options = MqttOptions::new("client", "server", 1883);
    options.set_keep_alive(Duration::from_secs(5));
    let (client, mut events) = AsyncClient::new(options, 10);
    client.subscribe("words", QoS::AtMostOnce).await?;
    loop {
        match events.poll().await? {
            Event::Incoming(Packet::SubAck(_)) => client.publish("words", QoS::AtMostOnce, false, "hello").await?,
            Event::Incoming(Packet::Publish(word)) => return expect(&word.payload[..], b"hello"),
            _ => {}
        }
    }
}

#[refrain::test(runs = 50)]
async fn rumqttc_answers(world: World) {
    exchange(world, || accept(1883, answer), ask).await;
}
