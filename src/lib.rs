//! Calcon lets people on an Exchange-like system and people on a Notes-like system see each other's free/busy time.
//!
//! Two daemons, [`exchange`] and [`notes`], each serve the calendars of their own users and ask the other one about
//! its users over a link that the Notes side keeps. A client asks either of them with [`query::ask`]:
//!
//! ```no_run
//! use calcon::query::{Query, ask};
//!
//! # async fn carol() -> Result<(), calcon::Error> {
//! let today = Query::days("carol@notes.example", chrono::Utc::now(), 1);
//! let answer = ask("127.0.0.1:5010", &today).await?;
//! print!("{}", calcon::show::answer(&answer));
//! # Ok(())
//! # }
//! ```
//!
//! Every answer states its source and its age: [`query::Source`]. Other programs that implement the protocol exchange
//! [`wire`] messages over a [`channel`].
#![forbid(unsafe_code)]

pub mod access;
mod answer;
mod backoff;
pub mod browse_log;
pub mod cache;
pub mod calendar;
pub mod calendars;
pub mod channel;
pub mod check;
mod client;
pub mod console;
pub mod credentials;
pub mod error;
mod excalcon;
pub mod exchange;
pub mod face;
pub mod freebusy;
pub mod http;
pub mod keys;
mod link;
pub mod notes;
mod ntsmex;
pub mod operator;
pub mod problem;
pub mod profile;
pub mod query;
mod regular_file;
pub mod remote;
mod runtime_directory;
pub mod secret;
mod server;
pub mod session;
pub mod settings;
pub mod show;
mod shutdown;
pub mod tls;
pub mod wire;

pub use error::Error;
pub use settings::{ExchangeSettings, NotesSettings};
