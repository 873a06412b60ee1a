//! `hickory-resolver`: a name, from a server of DNS that knows one address.

use super::{Done, exchange, expect};
use ::hickory_resolver::{
    TokioResolver,
    config::{NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
};
use refrain::World;
use std::net::{IpAddr, Ipv4Addr};
use tokio::net::UdpSocket;

const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);

async fn serve() -> Done {
    let socket = UdpSocket::bind("0.0.0.0:53").await?;
    let mut query = [0; 512];
    loop {
        let Ok((n, from)) = socket.recv_from(&mut query).await else { continue };
        // The question ends with a zero, its type and its class.
        let Some(end) = query[12..n].iter().position(|byte| *byte == 0).map(|zero| 12 + zero + 5) else { continue };
        let answers = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4];
        let head = [query[0], query[1], 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
        let answer = [&head[..], &query[12..end], &answers, &ADDRESS.octets()].concat();
        let _ = socket.send_to(&answer, from).await;
    }
}

async fn ask() -> Done {
    let at = tokio::net::lookup_host("server:53").await?.next().ok_or("no address")?;
    let config = ResolverConfig::from_parts(None, vec![], vec![NameServerConfig::udp(at.ip())]);
    let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).build()?;
    let found = resolver.ipv4_lookup("somewhere.example.").await?;
    let address = found.answers().iter().find_map(|record| record.data.ip_addr());
    expect(address, Some(IpAddr::V4(ADDRESS)))
}

#[refrain::test(runs = 50)]
async fn hickory_resolver_answers(world: World) {
    exchange(world, serve, ask).await;
}
