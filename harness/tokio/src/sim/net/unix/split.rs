//! The borrowed and owned halves of a Unix stream.

use super::{SocketAddr, UnixStream};
use crate::sim::net::halves::halves;
use bytes::BufMut;
use real::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use std::{
    error::Error,
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

halves!(UnixStream, SocketAddr);
