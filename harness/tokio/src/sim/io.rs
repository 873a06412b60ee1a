//! tokio's `io` without standard input and output, which are outside the simulation.

pub use real::io::{
    AsyncBufRead, AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncSeek, AsyncSeekExt, AsyncWrite, AsyncWriteExt,
    BufReader, BufStream, BufWriter, Chain, DuplexStream, Empty, Error, ErrorKind, Interest, Join, Lines, ReadBuf,
    ReadHalf, Ready, Repeat, Result, SeekFrom, SimplexStream, Sink, Split, Take, WriteHalf, copy, copy_bidirectional,
    copy_bidirectional_with_sizes, copy_buf, duplex, empty, join, repeat, simplex, sink, split,
};
