//! `sqlx`: a connection to the same server of Postgres.

use super::{Done, accept, exchange, expect, tokio_postgres::answer};
use ::sqlx::{Connection, PgConnection, Row, postgres::PgConnectOptions, raw_sql};
use refrain::World;

async fn ask() -> Done {
    let options = PgConnectOptions::new_without_pgpass()
        .host("server")
        .port(5432)
        .username("somebody")
        .ssl_mode(::sqlx::postgres::PgSslMode::Disable);
    let mut connection = PgConnection::connect_with(&options).await?;
    let row = raw_sql("SELECT 'hello' AS word").fetch_one(&mut connection).await?;
    expect(row.try_get::<String, _>(0)?, "hello")
}

#[refrain::test(runs = 50)]
async fn sqlx_answers(world: World) {
    exchange(world, || accept(5432, answer), ask).await;
}
