//! The service as a program: `echo [ADDRESS]`.
#![forbid(unsafe_code)]

use std::{env, io};

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1);
    echo::serve(address.as_deref().unwrap_or("127.0.0.1:7")).await
}
