//! `warp`: a server of filters.

use super::{Done, exchange, expect};
use ::warp::Filter;
use refrain::World;

async fn serve() -> Done {
    let hello = ::warp::path!("hello" / String).map(|name| format!("hello {name}"));
    ::warp::serve(hello).run(([0, 0, 0, 0], 80)).await;
    Ok(())
}

async fn ask() -> Done {
    expect(::reqwest::get("http://server/hello/client").await?.error_for_status()?.text().await?, "hello client")
}

#[refrain::test(runs = 50)]
async fn warp_answers(world: World) {
    exchange(world, serve, ask).await;
}
