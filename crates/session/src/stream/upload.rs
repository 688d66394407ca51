//! A file that a client sends for LOAD DATA LOCAL, piece by piece: packets of which the first empty one is the end
//! ([manual](https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response_local_infile_request.html)).
//!
//! The statement that wants the file and the watch over its client run side by side, and only the watch may read. So
//! the statement [opens](Door::open) a door, and the watch passes pieces through it, a few at a time.

use std::future::poll_fn;
use std::task::{Poll, Waker};

use bytes::{Buf as _, Bytes, BytesMut};
use parking_lot::Mutex;
use serval_wire::WireError;
use serval_wire::frame::{HEADER, MAX_PAYLOAD};
use tokio::sync::mpsc;

use super::ReadError;

/// A piece has no more bytes than this, however long the client's packets are.
const PIECE: usize = 64 << 10;
/// How many pieces may wait for the statement.
const AHEAD: usize = 2;

/// What the watch passes to the statement.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Some of the file.
    Bytes(Bytes),
    /// The end, which the client sent with this sequence id.
    End { sequence: u8 },
    /// The client's packets make no sense, or it has stopped sending.
    Failed(ReadError),
}

/// Where a statement asks for its client's file.
#[derive(Debug, Default)]
pub(crate) struct Door {
    wish: Mutex<Wish>,
    /// The sequence id of the packet that ended a file, until the statement has heard of it.
    end: Mutex<Option<u8>>,
}

#[derive(Debug, Default)]
struct Wish {
    asked: Option<Ask>,
    /// The session's task, which watches. It stays here when it does not, and may be woken for nothing.
    watch: Option<Waker>,
}

/// A statement's wish for a file.
#[derive(Debug)]
pub(crate) struct Ask {
    /// The sequence id of the file's first packet.
    pub(crate) sequence: u8,
    /// Where the pieces go.
    pub(crate) pieces: mpsc::Sender<Piece>,
}

impl Door {
    /// Asks for a file whose first packet has this sequence id; the client has been told to send it.
    pub(crate) fn open(&self, sequence: u8) -> mpsc::Receiver<Piece> {
        let (pieces, receiver) = mpsc::channel(AHEAD);
        let mut wish = self.wish.lock();
        wish.asked = Some(Ask { sequence, pieces });
        wish.watch.take().into_iter().for_each(Waker::wake);
        receiver
    }

    /// A wish that nobody has taken, of a statement that is over.
    pub(crate) fn untaken(&self) -> Option<Ask> {
        self.wish.lock().asked.take()
    }

    /// Notes the end of a file.
    pub(crate) fn note_end(&self, sequence: u8) {
        *self.end.lock() = Some(sequence);
    }

    /// The end of a file that no statement has taken yet.
    pub(crate) fn take_end(&self) -> Option<u8> {
        self.end.lock().take()
    }

    /// Resolves when a statement asks.
    pub(crate) async fn asked(&self) -> Ask {
        poll_fn(|context| {
            let mut wish = self.wish.lock();
            if let Some(ask) = wish.asked.take() {
                return Poll::Ready(ask);
            }
            match &mut wish.watch {
                Some(watch) => watch.clone_from(context.waker()),
                nobody => *nobody = Some(context.waker().clone()),
            }
            Poll::Pending
        })
        .await
    }
}

/// The packets of one file, of which no more than a piece is ever held.
#[derive(Debug)]
pub(crate) struct FileFrames {
    sequence: u8,
    /// Where the sequence ids of packets count; not under compression.
    ordered: bool,
    /// So much of the present frame is still to come.
    left: usize,
    /// The last frame was as long as can be, so its packet goes on.
    continues: bool,
}

/// What the bytes at hand are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Bytes(Bytes),
    End,
    /// More bytes are needed.
    More,
}

impl FileFrames {
    pub(crate) fn new(sequence: u8, ordered: bool) -> Self {
        Self { sequence, ordered, left: 0, continues: false }
    }

    /// The sequence id of the last frame.
    pub(crate) fn last(&self) -> u8 {
        self.sequence.wrapping_sub(1)
    }

    /// Takes what it can off the buffer.
    pub(crate) fn next(&mut self, buffer: &mut BytesMut) -> Result<Step, WireError> {
        while self.left == 0 {
            let Some([low, middle, high, sequence]) = buffer.first_chunk::<HEADER>().copied() else {
                return Ok(Step::More);
            };
            if self.ordered && sequence != self.sequence {
                return Err(WireError::OutOfOrder { expected: self.sequence, got: sequence });
            }
            buffer.advance(HEADER);
            self.sequence = sequence.wrapping_add(1);
            self.left = usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16;
            let continued = std::mem::replace(&mut self.continues, self.left == MAX_PAYLOAD);
            if self.left == 0 && !continued {
                return Ok(Step::End);
            }
        }
        if buffer.is_empty() {
            return Ok(Step::More);
        }
        let piece = buffer.split_to(self.left.min(buffer.len()).min(PIECE));
        self.left -= piece.len();
        Ok(Step::Bytes(piece.freeze()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_become_pieces_and_an_empty_one_ends() {
        let mut frames = FileFrames::new(2, true);
        let mut buffer = BytesMut::from(&[3, 0, 0, 2, b'a', b'b'][..]);
        assert_eq!(frames.next(&mut buffer).unwrap(), Step::Bytes(Bytes::from_static(b"ab")));
        assert_eq!(frames.next(&mut buffer).unwrap(), Step::More);
        buffer.extend_from_slice(&[b'c', 0, 0, 0, 3, 9]);
        assert_eq!(frames.next(&mut buffer).unwrap(), Step::Bytes(Bytes::from_static(b"c")));
        assert_eq!(frames.next(&mut buffer).unwrap(), Step::End);
        assert_eq!((frames.last(), &buffer[..]), (3, &[9][..]));
    }

    #[test]
    fn the_longest_frame_goes_on_and_is_cut() {
        let mut frames = FileFrames::new(255, true);
        let mut buffer = BytesMut::from(&[0xff, 0xff, 0xff, 255][..]);
        buffer.resize(HEADER + MAX_PAYLOAD, b'x');
        buffer.extend_from_slice(&[0, 0, 0, 0, 0, 0, 0, 1]);
        let mut total = 0;
        loop {
            match frames.next(&mut buffer).unwrap() {
                Step::Bytes(piece) => {
                    assert!(piece.len() <= PIECE);
                    total += piece.len();
                }
                Step::End => break,
                Step::More => panic!("all is there"),
            }
        }
        assert_eq!((total, frames.last(), buffer.len()), (MAX_PAYLOAD, 1, 0));
    }

    #[test]
    fn a_wrong_sequence_id_is_an_error() {
        let mut buffer = BytesMut::from(&[1, 0, 0, 9, b'a'][..]);
        assert!(FileFrames::new(2, true).next(&mut buffer.clone()).is_err());
        assert!(FileFrames::new(2, false).next(&mut buffer).is_ok());
    }

    #[tokio::test]
    async fn a_door_is_opened_once() {
        let door = Door::default();
        let mut pieces = door.open(7);
        let ask = door.asked().await;
        assert_eq!(ask.sequence, 7);
        ask.pieces.send(Piece::End { sequence: 8 }).await.unwrap();
        assert!(matches!(pieces.recv().await, Some(Piece::End { sequence: 8 })));
        drop(ask);
        assert!(pieces.recv().await.is_none());
    }
}
