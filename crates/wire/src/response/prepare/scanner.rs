//! Reads the answer to COM_STMT_PREPARE as it comes.

use super::Prepared;
use crate::frame::{Frame, HEADER, check_sequence};
use crate::packet::{ColumnDefinition, ERR_HEADER, EofPacket, ErrPacket, PrepareOk};
use crate::{Capabilities, WireError};

const WHAT: &str = "answer to COM_STMT_PREPARE";

/// Reads one answer to COM_STMT_PREPARE out of a byte stream. Sequence ids must count from 1.
///
/// ```
/// use serval_wire::response::PrepareScanner;
/// let answer = [12, 0, 0, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// let mut scanner = PrepareScanner::new(true);
/// assert!(scanner.scan(&answer[..9])?.complete.is_none());
/// let scanned = scanner.scan(&answer)?;
/// let prepared = scanned.complete.expect("the packet is there").expect("it is no error");
/// assert_eq!((scanned.consumed, prepared.ok.statement), (16, 7));
/// # Ok::<(), serval_wire::WireError>(())
/// ```
#[derive(Debug)]
pub struct PrepareScanner {
    deprecate_eof: bool,
    sequence: u8,
    stage: Stage,
    prepared: Prepared,
}

/// What a call of [`PrepareScanner::scan`] found.
#[derive(Debug, Default)]
pub struct PrepareScanned {
    /// The bytes of whole frames of the answer. What follows them has to be scanned again when more has come.
    pub consumed: usize,
    /// The statement, or why it could not be prepared; present when the answer ends with them.
    pub complete: Option<Result<Prepared, ErrPacket>>,
}

/// Which packet comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Start,
    Parameter,
    ParametersEnd,
    Column,
    ColumnsEnd,
    Done,
}

impl PrepareScanner {
    /// A scanner of one answer on a connection with or without `CLIENT_DEPRECATE_EOF`.
    #[must_use]
    pub fn new(deprecate_eof: bool) -> Self {
        Self { deprecate_eof, sequence: 1, stage: Stage::Start, prepared: Prepared::default() }
    }

    /// Takes the whole frames of `buf`, which begins at a frame's border, up to the end of the answer.
    ///
    /// # Errors
    /// [`WireError::OutOfOrder`] and others for bytes that are no answer; the connection is then of no more use.
    pub fn scan(&mut self, buf: &[u8]) -> Result<PrepareScanned, WireError> {
        let mut consumed = 0;
        while let Some(frame) = buf.get(consumed..).and_then(Frame::first) {
            check_sequence(&mut self.sequence, frame.sequence)?;
            if frame.continues() {
                return Err(WireError::Malformed { what: WHAT });
            }
            consumed += HEADER + frame.payload.len();
            if let Some(error) = self.packet(frame.payload)? {
                return Ok(PrepareScanned { consumed, complete: Some(Err(error)) });
            }
            if self.stage == Stage::Done {
                let prepared = std::mem::take(&mut self.prepared);
                return Ok(PrepareScanned { consumed, complete: Some(Ok(prepared)) });
            }
        }
        Ok(PrepareScanned { consumed, complete: None })
    }

    /// Takes a packet; the error, if it is one.
    fn packet(&mut self, payload: &[u8]) -> Result<Option<ErrPacket>, WireError> {
        let caps = Capabilities::empty();
        if payload.first() == Some(&ERR_HEADER) && self.stage != Stage::Done {
            self.stage = Stage::Done;
            return ErrPacket::decode(payload, caps).map(Some);
        }
        match self.stage {
            Stage::Start => self.prepared.ok = PrepareOk::decode(payload, caps)?,
            Stage::Parameter => self.prepared.parameters.push(ColumnDefinition::decode(payload, caps)?),
            Stage::Column => self.prepared.columns.push(ColumnDefinition::decode(payload, caps)?),
            Stage::ParametersEnd | Stage::ColumnsEnd => {
                EofPacket::decode(payload, caps)?;
            }
            Stage::Done => return Err(WireError::Malformed { what: WHAT }),
        }
        self.stage = self.following();
        Ok(None)
    }

    /// What comes after a packet of this stage.
    fn following(&self) -> Stage {
        let Prepared { ok, parameters, columns } = &self.prepared;
        match self.stage {
            Stage::Start | Stage::Parameter if parameters.len() < usize::from(ok.parameters) => {
                Stage::Parameter
            }
            Stage::Parameter if !self.deprecate_eof => Stage::ParametersEnd,
            Stage::ColumnsEnd | Stage::Done => Stage::Done,
            _ if columns.len() < usize::from(ok.columns) => Stage::Column,
            Stage::Column if !self.deprecate_eof => Stage::ColumnsEnd,
            _ => Stage::Done,
        }
    }
}
