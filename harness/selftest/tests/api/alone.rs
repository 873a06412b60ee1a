//! Tests of tokio's own, which a service had before it was tested with refrain.

use super::SECOND;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Runtime,
    time::{Instant, sleep},
};

#[tokio::test]
async fn a_test_of_tokios_has_a_network_and_a_clock_of_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        sleep(SECOND).await;
        stream.write_all(b"hello").await.unwrap();
    });
    let began = Instant::now();
    let mut answer = String::new();
    TcpStream::connect(at).await.unwrap().read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "hello");
    assert!(began.elapsed() >= SECOND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_of_a_task_is_seen_by_who_awaits_it() {
    assert!(tokio::spawn(async { panic!("as planned") }).await.unwrap_err().is_panic());
}

#[tokio::test]
#[should_panic(expected = "as planned")]
async fn a_panic_of_the_test_fails_it() {
    sleep(Duration::from_millis(1)).await;
    panic!("as planned")
}

#[tokio::test]
#[should_panic(expected = "nothing can run any more")]
async fn a_test_that_waits_for_ever_fails() {
    std::future::pending::<()>().await;
}

#[test]
fn a_runtime_gives_back_what_its_future_borrows() {
    let words = ["hello".to_owned()];
    let word = Runtime::new().unwrap().block_on(async { words.first() });
    assert_eq!(word.map(String::as_str), Some("hello"));
}
