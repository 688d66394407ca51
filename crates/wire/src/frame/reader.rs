//! Packets out of a byte stream.

use bytes::{Buf, Bytes, BytesMut};

use super::{HEADER, MAX_PAYLOAD, check_sequence, split_header};
use crate::WireError;

/// One logical packet: the payloads of its frames, joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// The payload, without headers.
    pub payload: Bytes,
    /// The sequence id of its last frame.
    pub sequence: u8,
}

/// Takes packets off the front of a growing buffer and checks their sequence ids.
///
/// A length is believed only once its bytes have arrived: an announced length above the limit is an error at once,
/// and one within it costs nothing until then.
#[derive(Debug)]
pub struct PacketReader {
    limit: usize,
    sequence: u8,
    /// The full frames of a packet whose last frame has not come yet.
    pending: Option<BytesMut>,
    /// Whether any sequence id will do.
    unordered: bool,
}

impl PacketReader {
    /// A reader of packets of at most `limit` bytes (`max_allowed_packet`) that expects sequence id 0.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self { limit, sequence: 0, pending: None, unordered: false }
    }

    /// Takes one packet off the front of `buf`; `None` while it is incomplete. Its bytes are not copied unless it
    /// has several frames.
    ///
    /// # Errors
    /// [`WireError::TooLarge`] and [`WireError::OutOfOrder`], both as soon as the header is there. The stream is of
    /// no more use after an error.
    pub fn next(&mut self, buf: &mut BytesMut) -> Result<Option<Packet>, WireError> {
        loop {
            let Some(header) = buf.first_chunk::<HEADER>() else { return Ok(None) };
            let (length, sequence) = split_header(*header);
            if self.unordered {
                self.sequence = sequence;
            }
            self.check(length, sequence)?;
            if buf.len() < HEADER + length {
                return Ok(None);
            }
            // The check above has already said that this is the id.
            check_sequence(&mut self.sequence, sequence)?;
            buf.advance(HEADER);
            let frame = buf.split_to(length);
            if let Some(payload) = self.join(frame) {
                return Ok(Some(Packet { payload: payload.freeze(), sequence }));
            }
        }
    }

    /// Takes any sequence id from now on: within the compressed protocol, where the outer frames' ids count and some
    /// clients let the inner ones follow them.
    pub const fn set_unordered(&mut self) {
        self.unordered = true;
    }

    /// Expects sequence id 0 again, as at the start of a command.
    pub const fn reset_sequence(&mut self) {
        self.sequence = 0;
    }

    /// Expects this sequence id next: after packets of one's own in the middle of an exchange, as in the handshake.
    pub const fn set_sequence(&mut self, sequence: u8) {
        self.sequence = sequence;
    }

    /// The sequence id of the next frame, whichever side sends it: an answer to the packet just read begins with it.
    #[must_use]
    pub const fn sequence(&self) -> u8 {
        self.sequence
    }

    /// The bytes held of a packet whose last frame has not come yet.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.pending.as_ref().map_or(0, BytesMut::len)
    }

    fn check(&self, length: usize, sequence: u8) -> Result<(), WireError> {
        if self.pending() + length > self.limit {
            return Err(WireError::TooLarge { limit: self.limit });
        }
        if sequence != self.sequence {
            return Err(WireError::OutOfOrder { expected: self.sequence, got: sequence });
        }
        Ok(())
    }

    /// Adds a frame to the packet; the packet, if this was its last one.
    fn join(&mut self, frame: BytesMut) -> Option<BytesMut> {
        let last = frame.len() < MAX_PAYLOAD;
        let joined = match self.pending.take() {
            None => frame,
            Some(mut pending) => {
                pending.extend_from_slice(&frame);
                pending
            }
        };
        if last {
            return Some(joined);
        }
        self.pending = Some(joined);
        None
    }
}
