//! `elasticsearch`: a search, with a server that finds one document.

use super::{Done, exchange, expect};
use ::axum::{Json, Router, routing::post};
use ::elasticsearch::{Elasticsearch, SearchParts, http::transport::Transport};
use refrain::World;
use serde_json::{Value, json};
use tokio::net::TcpListener;

async fn serve() -> Done {
    let found =
        || async { ([("x-elastic-product", "Elasticsearch")], Json(json!({ "hits": { "total": { "value": 1 } } }))) };
    let router = Router::new().route("/words/_search", post(found));
    ::axum::serve(TcpListener::bind("0.0.0.0:9200").await?, router).await?;
    Ok(())
}

async fn ask() -> Done {
    let client = Elasticsearch::new(Transport::single_node("http://server:9200")?);
    let query = json!({ "query": { "match_all": {} } });
    let answer = client.search(SearchParts::Index(&["words"])).body(query).send().await?.json::<Value>().await?;
    expect(answer["hits"]["total"]["value"].as_u64(), Some(1))
}

#[refrain::test(runs = 50)]
async fn elasticsearch_answers(world: World) {
    exchange(world, serve, ask).await;
}
