//! Client commands as they go onto the wire.
//!
//! Written straight into the output buffer: a statement is copied once, and one above 16 MiB becomes as many frames
//! as it needs ([MySQL packets](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html)).

use bytes::BytesMut;
use serval_wire::frame;

/// The first byte of a command packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Command {
    Quit = 0x01,
    InitDb = 0x02,
    Query = 0x03,
    Ping = 0x0e,
    Prepare = 0x16,
    CloseStatement = 0x19,
}

/// The whole packet of COM_QUIT.
pub(crate) const QUIT: [u8; 5] = [1, 0, 0, 0, Command::Quit as u8];

/// Appends a command with its body, framed, with sequence ids from 0, and returns the id that the answer begins with:
/// 1, or more after a command of several frames.
pub(crate) fn put(out: &mut BytesMut, command: Command, body: &[u8]) -> u8 {
    let mut sequence = 0;
    frame::write_command(out, &mut sequence, command as u8, body);
    sequence
}

/// Makes the sequence ids of whole frames smaller.
pub(crate) fn renumber(mut frames: &mut [u8], less: u8) {
    while let Some(length) = frame_length(frames) {
        frames[frame::HEADER - 1] = frames[frame::HEADER - 1].wrapping_sub(less);
        frames = frames.split_at_mut(length.min(frames.len())).1;
    }
}

/// How many bytes at the start of `buf` are whole frames.
pub(crate) fn whole_frames(buf: &[u8]) -> usize {
    let mut whole = 0;
    while let Some(length) = buf.get(whole..).and_then(frame_length)
        && whole + length <= buf.len()
    {
        whole += length;
    }
    whole
}

/// The length of the frame that `buf` begins with, its header included; `None` before the header is whole.
pub(crate) fn frame_length(buf: &[u8]) -> Option<usize> {
    let [low, middle, high, _] = *buf.first_chunk::<{ frame::HEADER }>()?;
    let payload = usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16;
    Some(frame::HEADER + payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_renumbered() {
        let mut frames = [1, 0, 0, 1, 9, 0, 0, 0, 2];
        renumber(&mut frames, 2);
        assert_eq!(frames, [1, 0, 0, 255, 9, 0, 0, 0, 0]);
        assert_eq!(whole_frames(&frames), 9);
        assert_eq!(whole_frames(&frames[..8]), 5);
        assert_eq!(whole_frames(&frames[..4]), 0);
    }
}
