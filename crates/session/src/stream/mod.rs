//! The two halves of a client's connection, as packets.
//!
//! The halves are apart, so that a statement can write rows while somebody watches the other direction for a client
//! that goes away. A plain socket's halves share nothing; TLS, and pipes in tests, go through [`Stream::other`].
//! [`Reader`] and [`Writer`] speak the compressed protocol where that was agreed on. Nothing here knows what a packet
//! means.

mod compressed;
mod half;
mod reader;
mod tls;
mod upload;
mod writer;

use serval_wire::compress::Algorithm;
use tokio::io::{AsyncRead, AsyncWrite};

pub use half::{Duplex, ReadHalf, Stream, WriteHalf};
pub use reader::{ReadError, Reader};
pub(crate) use tls::encrypt;
pub use tls::{Encryption, TlsError, server_config};
pub(crate) use upload::{Door, Piece};
pub use writer::{Progress, RowFormat, Writer};

/// How a client is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transport {
    /// The TLS that was agreed on; `None` is not encrypted.
    pub encryption: Option<Encryption>,
    /// Whether it is a Unix socket.
    pub socket: bool,
    /// What is compressed with.
    pub compression: Option<Algorithm>,
}

/// Compresses from now on, in both directions.
pub(crate) fn compress<R, W>(reader: &mut Reader<R>, writer: &mut Writer<W>, algorithm: Algorithm)
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let outer = compressed::Outer::default();
    reader.inflate(compressed::Inflate::new(algorithm, outer.clone()));
    writer.deflate(compressed::Deflate::new(algorithm, outer));
}

#[cfg(test)]
mod tests;
