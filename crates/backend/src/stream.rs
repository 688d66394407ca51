//! The bytes between Serval and a server, in the clear or encrypted.

mod encrypted;
mod socket;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use serval_catalog::Address;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

pub(crate) use socket::Socket;

use crate::tls;

/// A connection that bytes go over.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(Socket),
    /// Boxed: the state of a TLS session is large, and plain ones are the rule.
    Encrypted(Box<TlsStream<Socket>>),
}

/// What an idle connection says when it is looked at without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peek {
    /// Nothing to read: as it should be.
    Quiet,
    /// Closed by the server, or the server said something unasked, which only comes before it closes.
    Spoilt,
}

impl Stream {
    pub(crate) async fn connect(address: &Address) -> io::Result<Self> {
        Socket::connect(address).await.map(Self::Plain)
    }

    /// Goes over to TLS, in which both sides are to agree from here on.
    pub(crate) async fn encrypt(self, connector: &TlsConnector, address: &Address) -> io::Result<Self> {
        match self {
            Self::Plain(socket) => {
                let stream = connector.connect(tls::server_name(address), socket).await?;
                Ok(Self::Encrypted(Box::new(stream)))
            }
            encrypted => Ok(encrypted),
        }
    }

    /// Whether nobody between the two ends can read along.
    pub(crate) fn is_private(&self) -> bool {
        matches!(self, Self::Plain(Socket::Unix(_)) | Self::Encrypted(_))
    }

    /// Looks at an idle connection. Costs no system call while the reactor has seen no event on it.
    pub(crate) fn peek(&mut self) -> Peek {
        match self {
            Self::Plain(socket) => match socket.try_read(&mut [0]) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Peek::Quiet,
                _ => Peek::Spoilt,
            },
            Self::Encrypted(stream) => encrypted::peek(stream),
        }
    }

    /// Writes what the socket takes at once; for a farewell that nobody waits for.
    pub(crate) fn write_now(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(socket) => {
                let _ = socket.try_write(bytes);
            }
            Self::Encrypted(stream) => encrypted::write_now(stream, bytes),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buf),
            Self::Encrypted(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, buf),
            Self::Encrypted(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Encrypted(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
mod tests;
