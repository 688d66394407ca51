//! The client's file, as the executor reads it.

use std::io;

use bytes::Bytes;
use serval_executor::load::FileSource;
use serval_executor::{ExecuteError, SinkError};
use serval_types::MysqlError;
use tokio::io::AsyncWrite;
use tokio::sync::mpsc::Receiver;

use crate::failure::Failure;
use crate::stream::{Door, Piece, ReadError, Writer};

/// The first byte of the packet that asks for a file.
const REQUEST: u8 = 0xfb;

/// A file that the client is asked for.
pub(super) struct ClientFile<'a, W> {
    writer: &'a mut Writer<W>,
    door: &'a Door,
    name: &'a [u8],
    /// Present once it was asked for.
    pieces: Option<Receiver<Piece>>,
    /// Why it broke off.
    failure: Option<Failure>,
}

impl<'a, W: AsyncWrite + Unpin + Send> ClientFile<'a, W> {
    pub(super) fn new(writer: &'a mut Writer<W>, door: &'a Door, name: &'a [u8]) -> Self {
        Self { writer, door, name, pieces: None, failure: None }
    }

    /// What the client is told of an error: where the file broke off, that.
    pub(super) fn failure(self, error: &ExecuteError) -> Failure {
        match (error, self.failure) {
            (ExecuteError::Client(_), Some(failure)) => failure,
            (ExecuteError::Client(_), None) => Failure::Gone,
            (error, _) => Failure::Told(error.to_mysql()),
        }
    }

    fn broken(&mut self, failure: Failure) -> SinkError {
        self.failure = Some(failure);
        SinkError::from(io::Error::from(io::ErrorKind::UnexpectedEof))
    }
}

impl<W: AsyncWrite + Unpin + Send> FileSource for ClientFile<'_, W> {
    async fn open(&mut self) -> Result<(), SinkError> {
        self.writer.packet(&[&[REQUEST], self.name].concat());
        self.writer.flush().await?;
        self.pieces = Some(self.door.open(self.writer.sequence()));
        Ok(())
    }

    async fn next(&mut self) -> Result<Option<Bytes>, SinkError> {
        let piece = match &mut self.pieces {
            Some(pieces) => pieces.recv().await,
            None => None,
        };
        match piece {
            Some(Piece::Bytes(bytes)) => Ok(Some(bytes)),
            Some(Piece::End { sequence }) => {
                let _ = self.door.take_end();
                self.writer.go_on_after(sequence);
                Ok(None)
            }
            Some(Piece::Failed(ReadError::Wire(error))) => Err(self.broken(Failure::Fatal(error.to_mysql()))),
            // ER_NET_READ_INTERRUPTED.
            Some(Piece::Failed(ReadError::Idle)) => Err(self.broken(Failure::Fatal(MysqlError {
                number: 1159,
                sqlstate: *b"08S01",
                message: "Got timeout reading communication packets".to_owned(),
            }))),
            Some(Piece::Failed(ReadError::Closed)) | None => Err(self.broken(Failure::Gone)),
        }
    }
}
