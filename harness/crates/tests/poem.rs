//! `poem`: a server of handlers.

use super::{Done, exchange, expect};
use ::poem::{Route, Server, get, handler, listener::TcpListener, web::Path};
use refrain::World;

#[handler]
fn hello(Path(name): Path<String>) -> String {
    format!("hello {name}")
}

async fn serve() -> Done {
    let routes = Route::new().at("/hello/:name", get(hello));
    Server::new(TcpListener::bind("0.0.0.0:80")).run(routes).await?;
    Ok(())
}

async fn ask() -> Done {
    expect(::reqwest::get("http://server/hello/client").await?.error_for_status()?.text().await?, "hello client")
}

#[refrain::test(runs = 50)]
async fn poem_answers(world: World) {
    exchange(world, serve, ask).await;
}
