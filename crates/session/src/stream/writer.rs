//! What a client is told: packets gathered in a buffer, and sent when an answer ends or the buffer is large.

use std::io;

use bytes::{Buf as _, BytesMut};
use serval_types::MysqlError;
use serval_wire::frame::write_packet;
use serval_wire::packet::{ErrPacket, OkPacket};
use serval_wire::{Capabilities, StatusFlags};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};

use super::compressed::Deflate;

/// Past this the buffer is sent without waiting for the end of the answer.
const LARGE_BYTES: usize = 16 * 1024;

/// A buffer that grew beyond this is given up at the end of the answer.
const KEEP_BYTES: usize = 64 * 1024;

/// How far the answer to the client's last packet has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The client has been told nothing: an error may still take the answer's place.
    NotStarted,
    /// Rows are under way: an error packet ends them.
    Open,
    /// A packet is under way whose rest will not come: only closing the connection ends it.
    Torn,
    /// The answer is complete: nothing may follow it.
    Complete,
}

/// How the rows of an answer are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RowFormat {
    /// As text: the answer to a query.
    #[default]
    Text,
    /// By the types of their columns: the answer to the execution of a prepared statement.
    Binary,
}

/// The writing half of a client's connection.
///
/// A cancelled write loses nothing: the buffer keeps what the socket has not taken, so an error packet can still
/// follow in the right place.
#[derive(Debug)]
pub struct Writer<W> {
    half: W,
    out: BytesMut,
    scratch: Vec<u8>,
    sequence: u8,
    capabilities: Capabilities,
    progress: Progress,
    rows: RowFormat,
    /// Another answer to the same command follows.
    more_results: bool,
    /// Whether column definitions are sent to a client that can do without.
    metadata: bool,
    /// Where what is sent is compressed.
    deflate: Option<Box<Deflate>>,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// Writes to `half`, counting packets from 0.
    pub fn new(half: W) -> Self {
        Self {
            half,
            out: BytesMut::new(),
            scratch: Vec::new(),
            sequence: 0,
            capabilities: Capabilities::default(),
            progress: Progress::NotStarted,
            rows: RowFormat::default(),
            more_results: false,
            metadata: true,
            deflate: None,
        }
    }

    /// What is sent from now on is compressed. Nothing may be buffered.
    pub(super) fn deflate(&mut self, deflate: Deflate) {
        self.deflate = Some(Box::new(deflate));
    }

    /// Puts another half in the place of this one.
    pub(crate) fn replace(&mut self, half: W) -> W {
        std::mem::replace(&mut self.half, half)
    }

    /// What both sides have agreed on.
    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// Settles what both sides have agreed on.
    pub fn set_capabilities(&mut self, capabilities: Capabilities) {
        self.capabilities = capabilities;
    }

    /// The sequence id of the next packet.
    pub fn sequence(&self) -> u8 {
        self.sequence
    }

    /// How far the answer has come.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Notes how far the answer has come.
    pub fn set_progress(&mut self, progress: Progress) {
        self.progress = progress;
    }

    /// Begins an answer to a packet that the client sent with `sequence`.
    pub fn follow(&mut self, sequence: u8) {
        self.next_answer();
        self.more_results = false;
        self.sequence = sequence.wrapping_add(1);
    }

    /// Goes on with the same answer behind a packet that the client sent with `sequence`.
    pub(crate) fn go_on_after(&mut self, sequence: u8) {
        self.sequence = sequence.wrapping_add(1);
    }

    /// Begins the next answer to the same command.
    pub fn next_answer(&mut self) {
        self.progress = Progress::NotStarted;
        self.rows = RowFormat::default();
    }

    /// Says whether another answer to the same command follows the one that is being written. Whoever writes one
    /// need not know: its status goes through [`Writer::status`].
    pub fn set_more_results(&mut self, more_results: bool) {
        self.more_results = more_results;
    }

    /// Whether another answer to the same command follows.
    pub fn has_more_results(&self) -> bool {
        self.more_results
    }

    /// The status flags of an answer, with what is known of the answers behind it.
    pub fn status(&self, status: StatusFlags) -> StatusFlags {
        if self.more_results { status | StatusFlags::SERVER_MORE_RESULTS_EXISTS } else { status }
    }

    /// Settles whether column definitions are sent to a client that can do without.
    pub fn set_metadata(&mut self, metadata: bool) {
        self.metadata = metadata;
    }

    /// For a client that can do without column definitions: whether they are sent.
    pub fn optional_metadata(&self) -> Option<bool> {
        let agreed = self.capabilities.contains(Capabilities::CLIENT_OPTIONAL_RESULTSET_METADATA);
        agreed.then_some(self.metadata)
    }

    /// How the rows of the answer are encoded.
    pub fn rows(&self) -> RowFormat {
        self.rows
    }

    /// Settles how the rows of the answer are encoded; text until then.
    pub fn set_rows(&mut self, rows: RowFormat) {
        self.rows = rows;
    }

    /// Begins a packet that nobody asked for, such as the error of a shutdown.
    pub fn unasked(&mut self) {
        self.progress = Progress::NotStarted;
        self.sequence = 0;
        if let Some(deflate) = &self.deflate {
            deflate.restart();
        }
    }

    /// Appends one packet.
    pub fn packet(&mut self, payload: &[u8]) {
        write_packet(&mut self.out, &mut self.sequence, payload);
    }

    /// Appends one packet whose payload `encode` writes.
    pub fn encode(&mut self, encode: impl FnOnce(Capabilities, &mut Vec<u8>)) {
        self.scratch.clear();
        encode(self.capabilities, &mut self.scratch);
        write_packet(&mut self.out, &mut self.sequence, &self.scratch);
    }

    /// Appends an OK packet, which is a whole answer.
    pub fn ok(&mut self, ok: &OkPacket) {
        self.progress = Progress::Complete;
        if self.more_results {
            let ok = OkPacket { status: self.status(ok.status), ..ok.clone() };
            return self.encode(|capabilities, out| ok.encode(capabilities, out));
        }
        self.encode(|capabilities, out| ok.encode(capabilities, out));
    }

    /// Appends an ERR packet, which ends the answer.
    pub fn error(&mut self, error: &MysqlError) {
        self.progress = Progress::Complete;
        let error = ErrPacket::from(error);
        self.encode(|capabilities, out| error.encode(capabilities, out));
    }

    /// Appends whole frames that carry their own headers; the packet after them will have `sequence`.
    pub fn frames(&mut self, frames: BytesMut, sequence: u8) {
        if self.out.is_empty() && frames.len() >= LARGE_BYTES {
            self.out = frames;
        } else {
            self.out.extend_from_slice(&frames);
        }
        self.sequence = sequence;
    }

    /// Appends whole frames through `write`, which is given the buffer and the sequence id to go on from.
    pub fn splice(&mut self, write: impl FnOnce(&mut BytesMut, &mut u8)) {
        write(&mut self.out, &mut self.sequence);
    }

    /// Sends what is buffered if it is much; so a result of any size needs little memory.
    ///
    /// # Errors
    /// The client is gone.
    pub async fn relieve(&mut self) -> io::Result<()> {
        if self.out.len() >= LARGE_BYTES { self.flush().await } else { Ok(()) }
    }

    /// Sends all that is buffered.
    ///
    /// # Errors
    /// The client is gone.
    pub async fn flush(&mut self) -> io::Result<()> {
        if self.deflate.is_some() {
            return self.flush_compressed().await;
        }
        while self.out.has_remaining() {
            // One piece: a vectored write of it costs more.
            let written = self.half.write(&self.out).await?;
            if written == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            self.out.advance(written);
        }
        self.out.clear();
        self.half.flush().await
    }

    async fn flush_compressed(&mut self) -> io::Result<()> {
        let Some(deflate) = &mut self.deflate else { return Ok(()) };
        loop {
            while deflate.ready.has_remaining() {
                if self.half.write_buf(&mut deflate.ready).await? == 0 {
                    return Err(io::ErrorKind::WriteZero.into());
                }
            }
            deflate.ready.clear();
            if self.out.is_empty() {
                break;
            }
            deflate.pack(&mut self.out);
        }
        self.out.clear();
        self.half.flush().await
    }

    /// Gives up memory that an unusual answer took, or all of it for a client that is idle.
    pub fn shrink(&mut self, idle: bool) {
        if self.out.is_empty() && (idle || self.out.capacity() > KEEP_BYTES) {
            self.out = BytesMut::new();
        }
        if let Some(deflate) = &mut self.deflate
            && deflate.ready.is_empty()
            && (idle || deflate.ready.capacity() > KEEP_BYTES)
        {
            deflate.ready = BytesMut::new();
        }
        if self.scratch.capacity() > KEEP_BYTES || idle {
            self.scratch = Vec::new();
        }
    }

    /// Says good-bye to the socket.
    pub async fn close(&mut self) {
        // The peer may have closed first; there is nobody left to tell.
        let _ = self.half.shutdown().await;
    }
}
