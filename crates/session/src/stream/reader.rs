//! What a client sends, one logical packet at a time.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use serval_wire::WireError;
use serval_wire::frame::{Packet, PacketReader};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// How much is asked of the socket at once; a usual statement arrives in one read.
const READ_BYTES: usize = 8 * 1024;

/// How much a client may send ahead while its statement runs. More stays in the socket.
const AHEAD_BYTES: usize = 64 * 1024;

/// How long a silent client keeps its buffer.
const KEEP_BUFFER: Duration = Duration::from_secs(1);

/// Why there is no packet.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The client closed the connection, or the network did.
    #[error("the client closed the connection")]
    Closed,
    /// The client said nothing for the whole time allowed.
    #[error("the client was idle for too long")]
    Idle,
    /// The bytes are no packet that may come now.
    #[error(transparent)]
    Wire(#[from] WireError),
}

impl From<io::Error> for ReadError {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

/// The reading half of a client's connection.
#[derive(Debug)]
pub struct Reader<R> {
    half: R,
    buffer: BytesMut,
    packets: PacketReader,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Reads packets of at most `limit` bytes from `half`.
    pub fn new(half: R, limit: usize) -> Self {
        Self { half, buffer: BytesMut::new(), packets: PacketReader::new(limit) }
    }

    /// Changes the limit, once the client has shown who it is. The sequence starts anew.
    pub fn set_limit(&mut self, limit: usize) {
        self.packets = PacketReader::new(limit);
    }

    /// Expects this sequence id next, in the middle of an exchange.
    pub fn expect(&mut self, sequence: u8) {
        self.packets.set_sequence(sequence);
    }

    /// The sequence id that the next frame must have.
    pub fn expected(&self) -> u8 {
        self.packets.sequence()
    }

    /// The next command's packet, which starts a new sequence.
    ///
    /// A client that stays silent loses its buffer after a second, and `rest` is called to give up others, so that
    /// idle clients cost no memory.
    ///
    /// # Errors
    /// [`ReadError::Idle`] when nothing, or not all of a packet, came within `idle`.
    pub async fn command(&mut self, idle: Duration, rest: impl FnOnce()) -> Result<Packet, ReadError> {
        self.packets.reset_sequence();
        let keep = KEEP_BUFFER.min(idle);
        if let Ok(packet) = tokio::time::timeout(keep, self.packet()).await {
            return packet;
        }
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
            rest();
            match tokio::time::timeout(idle.saturating_sub(keep), self.first_byte()).await {
                Ok(read) => read?,
                Err(_) => return Err(ReadError::Idle),
            }
        }
        tokio::time::timeout(idle, self.packet()).await.unwrap_or(Err(ReadError::Idle))
    }

    /// The next packet of the same exchange. Cancelling loses nothing: what was read stays buffered.
    ///
    /// # Errors
    /// As [`Reader::command`], without the idle time.
    pub async fn packet(&mut self) -> Result<Packet, ReadError> {
        loop {
            if let Some(packet) = self.packets.next(&mut self.buffer)? {
                return Ok(packet);
            }
            self.fill().await?;
        }
    }

    /// Resolves when the client has gone away. What it sends meanwhile is kept for later, within bounds.
    pub async fn gone(&mut self) {
        while self.buffer.len() < AHEAD_BYTES {
            if self.fill().await.is_err() {
                return;
            }
        }
        std::future::pending().await
    }

    async fn fill(&mut self) -> Result<(), ReadError> {
        self.buffer.reserve(READ_BYTES);
        match self.half.read_buf(&mut self.buffer).await? {
            0 => Err(ReadError::Closed),
            _ => Ok(()),
        }
    }

    /// Waits in a few bytes of the future itself instead of a buffer.
    async fn first_byte(&mut self) -> Result<(), ReadError> {
        let mut first = [0; 4];
        match self.half.read(&mut first).await? {
            0 => Err(ReadError::Closed),
            count => {
                self.buffer.reserve(READ_BYTES);
                self.buffer.extend_from_slice(&first[..count]);
                Ok(())
            }
        }
    }
}
