//! Framing: a three-byte length, a sequence id, and the payload, which goes on in the next frame when it fills one.
//!
//! [Manual, "MySQL Packets"](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html).

mod reader;

use bytes::BytesMut;

use crate::WireError;

pub use reader::{Packet, PacketReader};

/// The bytes before each payload.
pub const HEADER: usize = 4;

/// The payload of a full frame; a frame of this length is followed by another one, be it empty.
pub const MAX_PAYLOAD: usize = 0xff_ffff;

/// Appends a payload as one or more frames; `sequence` is the first one's id and is left at the next one's.
pub fn write_packet(out: &mut BytesMut, sequence: &mut u8, payload: &[u8]) {
    out.reserve(payload.len() + HEADER * (payload.len() / MAX_PAYLOAD + 1));
    let mut rest = payload;
    loop {
        let (now, later) = rest.split_at(rest.len().min(MAX_PAYLOAD));
        write_header(out, sequence, now.len());
        out.extend_from_slice(now);
        if now.len() < MAX_PAYLOAD {
            return;
        }
        rest = later;
    }
}

/// Appends a command with its body as one or more frames, without joining the two first.
pub fn write_command(out: &mut BytesMut, sequence: &mut u8, command: u8, body: &[u8]) {
    let (now, later) = body.split_at(body.len().min(MAX_PAYLOAD - 1));
    out.reserve(HEADER + 1 + now.len());
    write_header(out, sequence, now.len() + 1);
    out.extend_from_slice(&[command]);
    out.extend_from_slice(now);
    if now.len() == MAX_PAYLOAD - 1 {
        write_packet(out, sequence, later);
    }
}

fn write_header(out: &mut BytesMut, sequence: &mut u8, length: usize) {
    let [low, middle, high, ..] = length.to_le_bytes();
    out.extend_from_slice(&[low, middle, high, *sequence]);
    *sequence = sequence.wrapping_add(1);
}

/// One frame at the front of a buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub sequence: u8,
    pub payload: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The first frame of `buf`, if all of it is there.
    #[inline]
    pub fn first(buf: &'a [u8]) -> Option<Self> {
        let (header, rest) = buf.split_first_chunk::<HEADER>()?;
        let (length, sequence) = split_header(*header);
        Some(Self { sequence, payload: rest.get(..length)? })
    }

    /// Whether the packet goes on in the next frame.
    #[inline]
    pub const fn continues(&self) -> bool {
        self.payload.len() == MAX_PAYLOAD
    }
}

/// The length and the sequence id of a header.
#[inline]
pub(crate) fn split_header([low, middle, high, sequence]: [u8; HEADER]) -> (usize, u8) {
    (usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16, sequence)
}

/// Moves `expected` on if it is what came.
#[inline]
pub(crate) fn check_sequence(expected: &mut u8, got: u8) -> Result<(), WireError> {
    if *expected != got {
        return Err(WireError::OutOfOrder { expected: *expected, got });
    }
    *expected = expected.wrapping_add(1);
    Ok(())
}

#[cfg(test)]
mod tests;
