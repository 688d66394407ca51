//! A socket with a logged-in session behind it: what was sent, what is still to come, and what the server's session
//! is set to. It knows nothing of pools.

use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use serval_remote::SessionState;
use serval_types::MysqlError;
use serval_wire::frame::{self, HEADER};
use serval_wire::packet::ErrPacket;
use serval_wire::response::{Completion, CompletionKind, ResponseScanner};
use serval_wire::{StatusFlags, WireError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::command::{self, Command};
use crate::error::LinkError;
use crate::preamble::Step;
use crate::statements::Statements;
use crate::stream::{Peek, Stream};
use crate::version::ServerVersion;

/// What one read asks for. Answers that fill it are read in larger pieces.
const READ: usize = 8 << 10;
const READ_LARGE: usize = 64 << 10;
/// With less room than this the buffer is extended before the next read.
const ROOM: usize = 2 << 10;
/// An output buffer larger than this is not kept.
const OUTPUT_KEPT: usize = 64 << 10;
/// Errors after which the server closes the connection: ER_SERVER_SHUTDOWN, ER_NORMAL_SHUTDOWN,
/// ER_CONNECTION_KILLED (MariaDB), ER_CLIENT_INTERACTION_TIMEOUT.
const FATAL: [u16; 4] = [1053, 1077, 1927, 4031];

/// Where a link stands in its conversation.
#[derive(Debug)]
pub(crate) enum Phase {
    /// Nothing sent, nothing to come.
    Idle,
    /// The server refused a preamble, or to prepare the statement, so it did not run; the caller hears of it when it
    /// reads.
    Refused(MysqlError),
    /// Something was sent and its answer is not complete.
    Busy {
        /// Preambles whose answers come first.
        awaited: Vec<Step>,
        /// Where in the present answer the scanner is.
        scanner: ResponseScanner,
        /// The sequence id that the statement's answer begins with.
        first: u8,
        /// Nothing of the answer has been seen, and it is that of an execution which can be sent again.
        repeatable: bool,
    },
    /// The server waits for a file, whose next packet has this sequence id.
    File { sequence: u8 },
    /// Of no more use.
    Broken,
}

impl Phase {
    /// Waiting for the answer of one command of one frame.
    pub(crate) fn busy() -> Self {
        Self::awaiting(Vec::new(), 1)
    }

    /// Waiting for the answers of preambles, and then for the statement's, which begins with the sequence id `first`.
    pub(crate) fn awaiting(awaited: Vec<Step>, first: u8) -> Self {
        let scanner = ResponseScanner::with_sequence(true, if awaited.is_empty() { first } else { 1 });
        Self::Busy { awaited, scanner, first, repeatable: false }
    }

    /// [`Phase::awaiting`] for the execution of a prepared statement.
    pub(crate) fn executing(awaited: Vec<Step>, first: u8) -> Self {
        match Self::awaiting(awaited, first) {
            Self::Busy { awaited, scanner, first, .. } => {
                Self::Busy { awaited, scanner, first, repeatable: true }
            }
            phase => phase,
        }
    }
}

/// One connection to a server.
#[derive(Debug)]
pub(crate) struct Link {
    stream: Stream,
    pub(crate) input: BytesMut,
    pub(crate) output: BytesMut,
    read_size: usize,
    pub(crate) phase: Phase,
    pub(crate) thread_id: u32,
    pub(crate) version: ServerVersion,
    pub(crate) state: SessionState,
    pub(crate) database: Option<Box<str>>,
    /// Autocommit is off, for a branch of an XA transaction that is or was begun here.
    pub(crate) manual: bool,
    pub(crate) statements: Statements,
    /// The payload of the last COM_STMT_EXECUTE.
    pub(crate) execution: Vec<u8>,
    status: StatusFlags,
    /// Not to be pooled again: its session is in doubt, or the server is about to close it.
    pub(crate) retire: bool,
    created: Instant,
}

impl Link {
    /// A link over a socket whose handshake is done.
    pub(crate) fn new(stream: Stream, thread_id: u32, version: ServerVersion, status: StatusFlags) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            output: BytesMut::new(),
            read_size: READ,
            phase: Phase::Idle,
            thread_id,
            version,
            state: SessionState::default(),
            database: None,
            manual: false,
            statements: Statements::default(),
            execution: Vec::new(),
            status,
            retire: false,
            created: Instant::now(),
        }
    }

    /// Whether the server's session is outside any transaction and ready for another statement, as far as the last
    /// answer tells. An ERR packet tells nothing, so after one the status before it still counts.
    pub(crate) fn is_clean(&self) -> bool {
        !self.in_transaction() && (self.manual || self.status.contains(StatusFlags::SERVER_STATUS_AUTOCOMMIT))
    }

    pub(crate) fn in_transaction(&self) -> bool {
        self.status.contains(StatusFlags::SERVER_STATUS_IN_TRANS)
    }

    pub(crate) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.created)
    }

    pub(crate) fn is_quiet(&mut self) -> bool {
        self.input.is_empty() && self.stream.peek() == Peek::Quiet
    }

    /// Says goodbye, so that the server does not log an aborted connection, and closes.
    pub(crate) fn quit(mut self) {
        self.stream.write_now(&command::QUIT);
    }

    /// Lets go of buffers that an unusual statement made large.
    pub(crate) fn shrink(&mut self) {
        if self.read_size > READ {
            self.input = BytesMut::new();
            self.read_size = READ;
        }
        if self.execution.capacity() > OUTPUT_KEPT {
            self.execution = Vec::new();
        }
        self.statements.shrink(OUTPUT_KEPT);
    }

    /// What the server refused, which makes the link idle again.
    pub(crate) fn take_refusal(&mut self) -> Option<MysqlError> {
        let Phase::Refused(error) = &self.phase else { return None };
        let error = error.clone();
        self.phase = Phase::Idle;
        Some(error)
    }

    /// Writes what is in the output buffer.
    pub(crate) async fn flush(&mut self) -> Result<(), LinkError> {
        self.stream.write_all(&self.output).await?;
        // Under TLS a write may leave bytes behind in the session.
        self.stream.flush().await?;
        self.output.clear();
        if self.output.capacity() > OUTPUT_KEPT {
            self.output = BytesMut::new();
        }
        Ok(())
    }

    /// Reads what has arrived, at least one byte. Called when the buffer holds no whole frame.
    pub(crate) async fn fill(&mut self) -> Result<usize, LinkError> {
        let frame = command::frame_length(&self.input).unwrap_or(HEADER);
        let missing = frame.saturating_sub(self.input.len());
        if self.input.capacity() - self.input.len() < missing.max(ROOM) {
            // Room for one whole frame is the most that a server can make us hold.
            self.input.reserve(missing.max(self.read_size));
            if missing > READ {
                self.read_size = READ_LARGE;
            }
        }
        let read = self.stream.read_buf(&mut self.input).await?;
        if read == 0 {
            return Err(LinkError::closed());
        }
        if read >= self.read_size {
            self.read_size = READ_LARGE;
        }
        Ok(read)
    }

    /// Sends one command and reads its answer to the end, throwing the rows away.
    pub(crate) async fn run(&mut self, command: Command, body: &[u8]) -> Result<Completion, LinkError> {
        let _one_frame = command::put(&mut self.output, command, body);
        self.run_output().await
    }

    /// Sends the one command that is in the output buffer and reads its answer to the end.
    pub(crate) async fn run_output(&mut self) -> Result<Completion, LinkError> {
        self.phase = Phase::busy();
        let answer = match self.flush().await {
            Ok(()) => self.skip_answer().await,
            Err(error) => Err(error),
        };
        self.phase = if answer.is_ok() { Phase::Idle } else { Phase::Broken };
        answer
    }

    /// [`Link::run`], where the server's refusal is an error too.
    pub(crate) async fn order(&mut self, command: Command, body: &[u8]) -> Result<(), LinkError> {
        match self.run(command, body).await?.error {
            Some(error) => Err(LinkError::Server(error.to_mysql())),
            None => Ok(()),
        }
    }

    /// Reads an answer to its end, throwing the rows away.
    pub(crate) async fn skip_answer(&mut self) -> Result<Completion, LinkError> {
        let mut scanner = ResponseScanner::new(true);
        loop {
            let scanned = scanner.scan(&self.input)?;
            self.input.advance(scanned.consumed);
            match scanned.complete {
                Some(completion) => {
                    self.note(&completion)?;
                    return Ok(completion);
                }
                None => {
                    self.fill().await?;
                }
            }
        }
    }

    /// Takes over the end of the statement's answer, which began with the sequence id `first`. A server that asks for a
    /// file is ready for nothing else until it has got one.
    pub(crate) fn end(&mut self, completion: &Completion, first: u8) -> Result<(), WireError> {
        if completion.kind == CompletionKind::LocalInfile {
            self.phase = Phase::File { sequence: first.wrapping_add(1) };
            return Ok(());
        }
        self.phase = Phase::Idle;
        self.note(completion)
    }

    /// Sends more of the file that the server asked for; nothing ends it.
    pub(crate) async fn send_file(&mut self, bytes: &[u8]) -> Result<(), LinkError> {
        let Phase::File { sequence } = &mut self.phase else {
            return Err(LinkError::Unsupported("the server asked for no file".to_owned()));
        };
        frame::write_packet(&mut self.output, sequence, bytes);
        let next = *sequence;
        if bytes.is_empty() {
            self.phase = Phase::awaiting(Vec::new(), next);
        } else if self.output.len() < OUTPUT_KEPT {
            return Ok(());
        }
        self.flush().await
    }

    /// Takes over what the end of an answer tells about the session.
    pub(crate) fn note(&mut self, completion: &Completion) -> Result<(), WireError> {
        match completion.kind {
            CompletionKind::Ok | CompletionKind::ResultSet => self.status = completion.status,
            CompletionKind::Err => completion.error.iter().for_each(|error| self.note_error(error)),
            // Serval's own statements ask for none; where a client's does, see [`Link::end`].
            CompletionKind::LocalInfile => return Err(WireError::Malformed { what: "LOCAL INFILE request" }),
        }
        Ok(())
    }

    /// Takes over what an error tells about the connection.
    pub(crate) fn note_error(&mut self, error: &ErrPacket) {
        self.retire |= FATAL.contains(&error.number);
    }
}
