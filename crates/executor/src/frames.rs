//! Frames inside a burst, by their headers.

use bytes::BytesMut;

/// Length and sequence id.
const HEADER: usize = 4;

/// A frame: its header's sequence id, its payload, and what follows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Split<'a> {
    pub(crate) sequence: u8,
    pub(crate) payload: &'a [u8],
    pub(crate) rest: &'a [u8],
}

/// Splits the first frame off; `None` where `bytes` holds no whole frame.
pub(crate) fn split(bytes: &[u8]) -> Option<Split<'_>> {
    let (&[a, b, c, sequence], body) = bytes.split_first_chunk::<HEADER>()?;
    let length = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
    let (payload, rest) = body.split_at_checked(length)?;
    Some(Split { sequence, payload, rest })
}

/// Where the last frame begins.
pub(crate) fn last_frame(bytes: &[u8]) -> usize {
    let (mut at, mut last) = (0, 0);
    while let Some(frame) = split(&bytes[at..]) {
        last = at;
        at += HEADER + frame.payload.len();
    }
    last
}

/// Appends a frame with the given sequence id.
pub(crate) fn append(out: &mut BytesMut, sequence: u8, payload: &[u8]) {
    let mut sequence = sequence;
    serval_wire::frame::write_packet(out, &mut sequence, payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_split_and_join() {
        let mut bytes = BytesMut::new();
        append(&mut bytes, 7, b"abc");
        append(&mut bytes, 8, b"");
        append(&mut bytes, 9, b"d");
        let first = split(&bytes).unwrap();
        assert_eq!((first.sequence, first.payload), (7, &b"abc"[..]));
        assert_eq!(last_frame(&bytes), bytes.len() - 5);
        assert!(split(&bytes[..6]).is_none());
    }
}
