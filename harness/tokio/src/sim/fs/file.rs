//! tokio's `File`, on a real file.

use real::io::{AsyncRead, AsyncSeek, AsyncWrite, ReadBuf};
use std::{
    fs::{self, Metadata, Permissions},
    io::{self, IoSlice, Read, Seek, SeekFrom, Write},
    os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd},
    path::Path,
    pin::Pin,
    task::{Context, Poll},
};

/// An open file. As tokio's.
#[derive(Debug)]
pub struct File {
    file: fs::File,
    /// Where a seek that has begun leads.
    sought: Option<u64>,
}

impl File {
    /// Opens a file to read it.
    pub async fn open(path: impl AsRef<Path>) -> io::Result<File> {
        fs::File::open(path).map(File::from_std)
    }

    /// Opens an empty file to write it.
    pub async fn create(path: impl AsRef<Path>) -> io::Result<File> {
        fs::File::create(path).map(File::from_std)
    }

    /// Opens a file that is not there yet, to read and to write it.
    pub async fn create_new(path: impl AsRef<Path>) -> io::Result<File> {
        fs::File::create_new(path).map(File::from_std)
    }

    /// A file of std.
    pub fn from_std(file: fs::File) -> File {
        File { file, sought: None }
    }

    /// The file as one of std.
    pub async fn into_std(self) -> fs::File {
        self.file
    }

    /// The file as one of std; nothing is ever in flight here.
    pub fn try_into_std(self) -> Result<fs::File, File> {
        Ok(self.file)
    }

    /// What is known of it.
    pub async fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Changes its length.
    pub async fn set_len(&self, size: u64) -> io::Result<()> {
        self.file.set_len(size)
    }

    /// Changes who may use it.
    pub async fn set_permissions(&self, perm: Permissions) -> io::Result<()> {
        self.file.set_permissions(perm)
    }

    /// Writes it to the disk.
    pub async fn sync_all(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    /// Writes its data to the disk.
    pub async fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Another handle to it.
    pub async fn try_clone(&self) -> io::Result<File> {
        self.file.try_clone().map(File::from_std)
    }

    /// Changes nothing: here is no buffer.
    pub fn set_max_buf_size(&mut self, _: usize) {}

    /// tokio's default.
    pub fn max_buf_size(&self) -> usize {
        2 << 20
    }
}

impl From<fs::File> for File {
    fn from(file: fs::File) -> File {
        File::from_std(file)
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> RawFd {
        self.file.as_raw_fd()
    }
}

impl AsyncRead for File {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let n = self.file.read(buf.initialize_unfilled())?;
        buf.advance(n);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for File {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.file.write(data))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.file.write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.file.flush())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl AsyncSeek for File {
    fn start_seek(mut self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        self.sought = Some(self.file.seek(position)?);
        Ok(())
    }

    fn poll_complete(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<u64>> {
        let sought = self.sought.take();
        Poll::Ready(sought.map_or_else(|| self.file.stream_position(), Ok))
    }
}
