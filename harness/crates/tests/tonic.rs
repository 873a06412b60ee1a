//! `tonic`: gRPC, with the generated code of `tonic-health`.

use super::{Done, exchange, expect};
use ::tonic::transport::{Channel, Server, server::TcpIncoming};
use refrain::World;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

pub async fn serve() -> Done {
    let (_reporter, service) = tonic_health::server::health_reporter();
    let incoming = TcpIncoming::bind("0.0.0.0:50051".parse()?)?;
    Server::builder().add_service(service).serve_with_incoming(incoming).await?;
    Ok(())
}

async fn ask() -> Done {
    let channel = Channel::from_static("http://server:50051").connect().await?;
    let request = HealthCheckRequest { service: String::new() };
    let answer = HealthClient::new(channel).check(request).await?.into_inner();
    expect(answer.status(), ServingStatus::Serving)
}

#[refrain::test(runs = 50)]
async fn tonic_answers(world: World) {
    exchange(world, serve, ask).await;
}
