//! What a client sends, one logical packet at a time.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Buf as _, BytesMut};
use serval_wire::WireError;
use serval_wire::frame::{Packet, PacketReader};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::{Instant, Sleep, sleep};

use super::compressed::Inflate;
use super::upload::{FileFrames, Piece, Step};

/// How much is asked of the socket at once; a usual statement arrives in one read.
const READ_BYTES: usize = 8 * 1024;

/// With less room than this the buffer is extended before the next read. What statements before took is not given
/// back while anybody holds them, so asking for more would mean a new buffer for each.
const ROOM_BYTES: usize = 1024;

/// How much a client may send ahead while its statement runs. More stays in the socket.
const AHEAD_BYTES: usize = 64 * 1024;

/// How long a client may say nothing before it counts as silent; up to twice as long where its timer was running already.
const PATIENCE: Duration = Duration::from_secs(1);

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
    limit: usize,
    /// The timer of a client that may be silent. It rings once a second, and not a second after each command: to move it
    /// on would cost a look at the clock for each.
    nap: Option<Pin<Box<Sleep>>>,
    /// Where what comes is compressed.
    inflate: Option<Box<Inflate>>,
    /// Where it sends a file.
    file: Option<FileFrames>,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    /// Reads packets of at most `limit` bytes from `half`.
    pub fn new(half: R, limit: usize) -> Self {
        Self {
            half,
            buffer: BytesMut::new(),
            packets: PacketReader::new(limit),
            limit,
            nap: None,
            inflate: None,
            file: None,
        }
    }

    /// Changes the limit, once the client has shown who it is. The sequence starts anew.
    pub fn set_limit(&mut self, limit: usize) {
        self.packets = PacketReader::new(limit);
        self.limit = limit;
    }

    /// What comes from now on is compressed; the limit has been settled.
    pub(super) fn inflate(&mut self, mut inflate: Inflate) {
        // What has come already came after the OK that the client was waiting for.
        inflate.input = std::mem::take(&mut self.buffer);
        self.packets.set_unordered();
        self.inflate = Some(Box::new(inflate));
    }

    /// Puts another half in the place of this one: what was read of it and not used, and it.
    pub(crate) fn replace(&mut self, half: R) -> (BytesMut, R) {
        (std::mem::take(&mut self.buffer), std::mem::replace(&mut self.half, half))
    }

    /// What has come so far and not been used.
    pub(crate) fn ahead(&self) -> &[u8] {
        &self.buffer
    }

    /// Drops the first bytes of what has come.
    pub(crate) fn skip(&mut self, count: usize) {
        self.buffer.advance(count.min(self.buffer.len()));
    }

    /// Expects this sequence id next, in the middle of an exchange.
    pub fn expect(&mut self, sequence: u8) {
        self.packets.set_sequence(sequence);
    }

    /// The sequence id that the next frame must have.
    pub fn expected(&self) -> u8 {
        self.packets.sequence()
    }

    /// The next command's packet, which starts a new sequence; `None` where the client has been silent for a second or two.
    ///
    /// # Errors
    /// [`ReadError::Idle`] when not all of a packet came within `idle`.
    pub async fn command(&mut self, idle: Duration) -> Option<Result<Packet, ReadError>> {
        self.packets.reset_sequence();
        if let (Some(inflate), true) = (&self.inflate, self.buffer.is_empty()) {
            inflate.restart();
        }
        if idle <= PATIENCE {
            // Where a second is all there is, it is counted from here.
            self.nap = None;
        }
        match self.packet_within(PATIENCE.min(idle)).await {
            None if self.is_silent() => None,
            None => Some(tokio::time::timeout(idle, self.packet()).await.unwrap_or(Err(ReadError::Idle))),
            packet => packet,
        }
    }

    /// Waits for a client that has been silent, without a buffer, so that idle clients cost no memory.
    ///
    /// # Errors
    /// [`ReadError::Idle`] when nothing came within `idle`, counted from its last command, or at most a second later.
    pub async fn silence(&mut self, idle: Duration) -> Result<(), ReadError> {
        self.buffer = BytesMut::new();
        *self.input() = BytesMut::new();
        self.nap = None;
        let left = idle.saturating_sub(PATIENCE.min(idle));
        tokio::time::timeout(left, self.first_byte()).await.unwrap_or(Err(ReadError::Idle))
    }

    /// The next packet, if it comes before a client counts as silent.
    async fn packet_within(&mut self, limit: Duration) -> Option<Result<Packet, ReadError>> {
        // One that was there already may ring for the time before this packet.
        let (mut nap, mut late) = match self.nap.take() {
            Some(nap) => (nap, false),
            None => (Box::pin(sleep(limit)), true),
        };
        let packet = loop {
            tokio::select! {
                biased;
                packet = self.packet() => break Some(packet),
                () = &mut nap => {
                    if late {
                        break None;
                    }
                    late = true;
                    nap.as_mut().reset(Instant::now() + limit);
                }
            }
        };
        // One that has rung is of no more use.
        self.nap = (!nap.is_elapsed()).then_some(nap);
        packet
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
            if !self.open()? {
                self.fill().await?;
            }
        }
    }

    /// What comes now is a file, in packets that count from `sequence`.
    pub(crate) fn begin_file(&mut self, sequence: u8) {
        self.file = Some(FileFrames::new(sequence, self.inflate.is_none()));
    }

    /// Whether the end of a file is still to come.
    pub(crate) fn is_in_file(&self) -> bool {
        self.file.is_some()
    }

    /// The next piece of the file; at its end the sequence id of the packet that ended it. Cancelling loses nothing.
    ///
    /// # Errors
    /// As [`Reader::packet`].
    pub(crate) async fn file_piece(&mut self) -> Result<Piece, ReadError> {
        loop {
            let Some(file) = &mut self.file else { return Err(ReadError::Closed) };
            match file.next(&mut self.buffer)? {
                Step::Bytes(bytes) => return Ok(Piece::Bytes(bytes)),
                Step::End => {
                    let sequence = file.last();
                    self.file = None;
                    return Ok(Piece::End { sequence });
                }
                Step::More => {}
            }
            if !self.open()? {
                self.fill().await?;
            }
        }
    }

    /// Resolves when the client has gone away. What it sends meanwhile is kept for later, within bounds.
    pub async fn gone(&mut self) {
        while self.input().len() < AHEAD_BYTES {
            if self.fill().await.is_err() {
                return;
            }
        }
        std::future::pending().await
    }

    /// Waits for more, of whatever kind.
    pub(crate) async fn fill(&mut self) -> Result<(), ReadError> {
        let input = match &mut self.inflate {
            None => &mut self.buffer,
            Some(inflate) => &mut inflate.input,
        };
        if input.capacity() - input.len() < ROOM_BYTES {
            input.reserve(READ_BYTES);
        }
        match self.half.read_buf(input).await? {
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
                let input = self.input();
                input.reserve(READ_BYTES);
                input.extend_from_slice(&first[..count]);
                Ok(())
            }
        }
    }

    /// Where bytes are gathered as they come.
    fn input(&mut self) -> &mut BytesMut {
        match &mut self.inflate {
            None => &mut self.buffer,
            Some(inflate) => &mut inflate.input,
        }
    }

    /// Opens a compressed frame, where there is a whole one.
    fn open(&mut self) -> Result<bool, WireError> {
        match &mut self.inflate {
            None => Ok(false),
            Some(inflate) => inflate.open(&mut self.buffer, self.limit),
        }
    }

    /// Whether nothing has come, not even the start of a packet.
    fn is_silent(&self) -> bool {
        self.buffer.is_empty() && self.inflate.as_ref().is_none_or(|inflate| inflate.input.is_empty())
    }
}
