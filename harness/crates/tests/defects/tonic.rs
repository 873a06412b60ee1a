//! `tonic`: a channel, with and without a time-out.

use super::{Done, PATIENCE, Uses, expect, goes_on, often};
use crate::tonic::serve;
use ::tonic::transport::Endpoint;
use refrain::World;
use std::time::Duration;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

/// Short, so that a call is on its way when the server loses power.
const PERIOD: Duration = Duration::from_millis(100);

async fn test(world: World, uses: Uses) {
    goes_on(world, serve, move |done| async move {
        let endpoint = Endpoint::from_static("http://server:50051").connect_timeout(PATIENCE);
        let channel = match uses {
            Uses::Wrong => endpoint.connect_lazy(),
            Uses::Right => endpoint.timeout(PATIENCE).connect_lazy(),
        };
        let ask = async || -> Done {
            let request = HealthCheckRequest { service: String::new() };
            let answer = HealthClient::new(channel.clone()).check(request).await?.into_inner();
            expect(answer.status(), ServingStatus::Serving)
        };
        often(done, PERIOD, ask).await
    })
    .await;
}

/// A call without a time-out waits for ever for the answer of a server that has lost power.
#[refrain::test(runs = 500, expect = "stall")]
async fn a_call_waits_for_ever(world: World) {
    test(world, Uses::Wrong).await;
}

#[refrain::test(runs = 30)]
async fn a_call_has_a_time_out(world: World) {
    test(world, Uses::Right).await;
}
