//! Frames of a backend's answer, made fit for a client without looking into rows.
//!
//! A client that speaks DEPRECATE_EOF and whose command was one frame gets them as they are. For any other the
//! sequence ids change: an EOF packet goes between columns and rows and shifts what follows, or the command itself
//! took several ids. A client that can do without column definitions is told whether they follow.

use bytes::BytesMut;
use serval_wire::frame::{HEADER, MAX_PAYLOAD, write_packet};
use serval_wire::lenenc::Reader;

/// Steps through the frames of one answer.
#[derive(Debug)]
pub(super) struct Relay {
    stage: Stage,
    /// The packet goes on in the next frame.
    continues: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Start,
    /// So many column definitions are still to come.
    Columns(u64),
    Rows,
}

/// One step of [`Relay::rewrite`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Frame,
    /// The frame is the number of columns.
    Header,
    /// The frame is a column definition, or a part of one.
    Column,
    /// The frame is the last column definition.
    LastColumn,
}

impl Default for Relay {
    fn default() -> Self {
        Self { stage: Stage::Start, continues: false }
    }
}

impl Relay {
    /// Whether the last frame seen leaves its packet unfinished, so that no other packet may follow.
    pub(super) fn is_inside_packet(&self) -> bool {
        self.continues
    }

    /// How many columns an answer has whose first frames these are; `None` where it has none, and further on.
    pub(super) fn columns(&self, frames: &[u8]) -> Option<u64> {
        let (_, payload) = Frames(frames).next().filter(|_| self.stage == Stage::Start)?;
        match Stage::after_first(payload) {
            Stage::Columns(count) => Some(count),
            Stage::Start | Stage::Rows => None,
        }
    }

    /// Takes note of frames that go out as they are; the sequence id behind the last one.
    pub(super) fn note(&mut self, frames: &[u8]) -> u8 {
        let mut sequence = 0;
        for (header, payload) in Frames(frames) {
            self.step(payload);
            sequence = header[3].wrapping_add(1);
        }
        sequence
    }

    /// Copies frames to `out` under sequence ids from `sequence` on. `eof` is what goes between columns and rows, and
    /// `metadata` says to a client that can do without column definitions whether they follow.
    pub(super) fn rewrite(
        &mut self,
        frames: &[u8],
        sequence: &mut u8,
        eof: Option<&[u8]>,
        metadata: Option<bool>,
        out: &mut BytesMut,
    ) {
        out.reserve(frames.len());
        // Frames that stay as they are go together: up to here they have gone.
        let (mut gone, mut at) = (0, 0);
        for (_, payload) in Frames(frames) {
            let begin = at;
            at += HEADER + payload.len();
            let step = self.step(payload);
            match (step, metadata) {
                (Step::Header, Some(follow)) => {
                    copy(&frames[gone..begin], sequence, out);
                    gone = at;
                    let payload = [payload, &[u8::from(follow)]].concat();
                    write_packet(out, sequence, &payload);
                }
                (Step::Column | Step::LastColumn, Some(false)) => {
                    copy(&frames[gone..begin], sequence, out);
                    gone = at;
                }
                _ => {}
            }
            if let (Step::LastColumn, Some(eof)) = (step, eof) {
                copy(&frames[gone..at], sequence, out);
                gone = at;
                write_packet(out, sequence, eof);
            }
        }
        copy(&frames[gone..at], sequence, out);
    }

    fn step(&mut self, payload: &[u8]) -> Step {
        let first = !self.continues;
        self.continues = payload.len() == MAX_PAYLOAD;
        match self.stage {
            Stage::Start if first => {
                self.stage = Stage::after_first(payload);
                if matches!(self.stage, Stage::Columns(_)) {
                    return Step::Header;
                }
            }
            Stage::Columns(_) if self.continues => return Step::Column,
            Stage::Columns(left) => {
                self.stage = if left <= 1 { Stage::Rows } else { Stage::Columns(left - 1) };
                return if self.stage == Stage::Rows { Step::LastColumn } else { Step::Column };
            }
            _ => {}
        }
        Step::Frame
    }
}

impl Stage {
    /// What follows the first packet: columns if it counts them, nothing if it is OK, ERR or a request for a file.
    fn after_first(payload: &[u8]) -> Self {
        match (payload.first(), Reader::new(payload, "column count").int()) {
            (Some(0 | 0xfb | 0xff), _) | (_, Err(_)) => Self::Rows,
            (_, Ok(count)) => Self::Columns(count),
        }
    }
}

/// Appends whole frames under sequence ids from `sequence` on.
fn copy(frames: &[u8], sequence: &mut u8, out: &mut BytesMut) {
    let begin = out.len();
    out.extend_from_slice(frames);
    let mut rest = &mut out[begin..];
    while let Some((header, behind)) = rest.split_first_chunk_mut::<HEADER>() {
        header[HEADER - 1] = *sequence;
        *sequence = sequence.wrapping_add(1);
        let length = payload_length(header);
        rest = behind.get_mut(length..).unwrap_or_default();
    }
}

/// The length of the payload behind a header.
fn payload_length(header: &[u8; HEADER]) -> usize {
    usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16
}

/// The headers and payloads of whole frames.
struct Frames<'a>(&'a [u8]);

impl<'a> Iterator for Frames<'a> {
    type Item = (&'a [u8; HEADER], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (header, rest) = self.0.split_first_chunk::<HEADER>()?;
        let (payload, rest) = rest.split_at_checked(payload_length(header))?;
        self.0 = rest;
        Some((header, payload))
    }
}

/// The payload that ends whole frames: where its frame begins.
pub(super) fn last_frame(frames: &[u8]) -> usize {
    let mut at = 0;
    let mut last = 0;
    for (_, payload) in Frames(frames) {
        last = at;
        at += HEADER + payload.len();
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(payloads: &[&[u8]]) -> BytesMut {
        let mut out = BytesMut::new();
        let mut sequence = 1;
        for payload in payloads {
            serval_wire::frame::write_packet(&mut out, &mut sequence, payload);
        }
        out
    }

    #[test]
    fn an_eof_goes_behind_the_last_column() {
        let input = frames(&[b"\x02", b"column a", b"column b", b"\x01x"]);
        let (mut out, mut sequence) = (BytesMut::new(), 1);
        // The burst is cut between the columns.
        let cut = 2 * HEADER + 1 + 8;
        let mut relay = Relay::default();
        relay.rewrite(&input[..cut], &mut sequence, Some(b"EOF"), None, &mut out);
        relay.rewrite(&input[cut..], &mut sequence, Some(b"EOF"), None, &mut out);
        assert_eq!(out, frames(&[b"\x02", b"column a", b"column b", b"EOF", b"\x01x"]));
        assert_eq!(sequence, 6);
    }

    #[test]
    fn definitions_can_be_left_out() {
        let input = frames(&[b"\x02", b"column a", b"column b", b"\x01x"]);
        for (metadata, eof, expect) in [
            (true, None, frames(&[b"\x02\x01", b"column a", b"column b", b"\x01x"])),
            (false, None, frames(&[b"\x02\x00", b"\x01x"])),
            (false, Some(&b"EOF"[..]), frames(&[b"\x02\x00", b"EOF", b"\x01x"])),
        ] {
            let (mut out, mut sequence) = (BytesMut::new(), 1);
            Relay::default().rewrite(&input, &mut sequence, eof, Some(metadata), &mut out);
            assert_eq!(out, expect);
        }
    }

    #[test]
    fn an_ok_has_no_columns() {
        let input = frames(&[b"\x00\x00\x00\x02\x00\x00\x00"]);
        let (mut out, mut sequence) = (BytesMut::new(), 3);
        Relay::default().rewrite(&input, &mut sequence, Some(b"EOF"), None, &mut out);
        assert_eq!((out.len(), out[3], sequence), (input.len(), 3, 4));
    }

    #[test]
    fn a_full_frame_leaves_its_packet_open() {
        let mut relay = Relay::default();
        relay.note(&frames(&[b"\x01", b"c"]));
        let mut row = BytesMut::from(&[0xff, 0xff, 0xff, 3][..]);
        row.resize(HEADER + MAX_PAYLOAD, 0);
        assert_eq!(relay.note(&row), 4);
        assert!(relay.is_inside_packet());
    }
}
