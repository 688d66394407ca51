//! The two readers of answers, and the readers of packets and of prepared statements: however the bytes are cut, they
//! find the same packets and the same end, and agree with each other.
//!
//! The input's first byte says which reader and whether the rest is framed already; the second seeds the cuts.

use bytes::{Bytes, BytesMut};
use serval_wire::frame::{PacketReader, write_packet};
use serval_wire::response::{Completion, Part, PartDecoder, PrepareScanner, ResponseScanner};
use serval_wire::{WireError, text_row};

use crate::input::Input;

const DEPRECATE_EOF: u8 = 1;
const FRAMED: u8 = 2;
const FETCH: u8 = 4;

pub(crate) fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let (mode, cuts) = (input.byte(), input.byte());
    let stream = if mode & FRAMED == 0 { framed(input) } else { Bytes::copy_from_slice(input.rest()) };
    answer(&stream, mode, cuts);
    prepared(&stream, mode & DEPRECATE_EOF != 0, cuts);
    packets(&stream, cuts);
}

/// Payloads, each behind a byte of its length, as frames that count from 1.
fn framed(mut input: Input<'_>) -> Bytes {
    let (mut stream, mut sequence) = (BytesMut::new(), 1);
    while !input.rest().is_empty() {
        let length = usize::from(input.byte());
        write_packet(&mut stream, &mut sequence, input.take(length));
    }
    stream.freeze()
}

/// The sizes of the pieces in which a stream arrives.
fn sizes(cuts: u8) -> impl Iterator<Item = usize> {
    let mut state = u32::from(cuts);
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        (state >> 16) as usize % 9 + 1
    })
}

/// What a reader of answers found: consumed bytes and the end, or its error.
type Found = Result<(usize, Option<Completion>), WireError>;

fn answer(stream: &Bytes, mode: u8, cuts: u8) {
    let deprecate = mode & DEPRECATE_EOF != 0;
    let fetch = mode & FETCH != 0;
    let scanner =
        || if fetch { ResponseScanner::of_fetch(deprecate) } else { ResponseScanner::new(deprecate) };
    let whole = scanner().scan(stream).map(|scanned| (scanned.consumed, scanned.complete));
    assert_eq!(placeless(&whole), placeless(&in_pieces(scanner(), stream, cuts)), "cut as {cuts}");
    if let Ok((consumed, Some(end))) = &whole {
        if let Some(offset) = end.status_offset {
            assert_eq!(stream.get(offset..offset + 2), Some(&end.status.bits().to_le_bytes()[..]));
        }
        agree(
            if fetch { PartDecoder::of_fetch(deprecate) } else { PartDecoder::new(deprecate) },
            stream.slice(..*consumed),
            end,
        );
    }
    let mut decoder = if fetch { PartDecoder::of_fetch(deprecate) } else { PartDecoder::new(deprecate) };
    decoder.push(stream.clone());
    while let Ok(Some(part)) = decoder.next() {
        if let Part::Row(row) = part {
            text_row::cells(&row).for_each(drop);
        }
    }
    if decoder.is_complete() {
        assert!(matches!(whole, Ok((_, Some(_)))) || whole.is_err(), "only one of the two found the end");
    }
}

/// The place of the status depends on what was scanned last.
fn placeless(found: &Found) -> Found {
    let (consumed, complete) = found.clone()?;
    Ok((consumed, complete.map(|end| Completion { status_offset: None, ..end })))
}

fn in_pieces(mut scanner: ResponseScanner, stream: &[u8], cuts: u8) -> Found {
    let (mut done, mut arrived) = (0, 0);
    for size in sizes(cuts) {
        arrived = (arrived + size).min(stream.len());
        let scanned = scanner.scan(&stream[done..arrived])?;
        done += scanned.consumed;
        if scanned.complete.is_some() || arrived == stream.len() {
            return Ok((done, scanned.complete));
        }
    }
    unreachable!("the sizes go on for ever")
}

/// The decoder sees the scanner's end, unless it finds a mistake in what the scanner does not look at.
fn agree(mut decoder: PartDecoder, answer: Bytes, end: &Completion) {
    decoder.push(answer);
    let mut rows = 0;
    loop {
        match decoder.next() {
            Ok(Some(Part::Row(_))) => rows += 1,
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(_) => return,
        }
    }
    assert!(decoder.is_complete() && decoder.buffered() == 0, "the decoder has not found the end");
    assert_eq!(rows, end.rows);
}

fn prepared(stream: &[u8], deprecate: bool, cuts: u8) {
    let whole = PrepareScanner::new(deprecate).scan(stream).map(|found| (found.consumed, found.complete));
    let mut scanner = PrepareScanner::new(deprecate);
    let (mut done, mut arrived) = (0, 0);
    for size in sizes(cuts) {
        arrived = (arrived + size).min(stream.len());
        match scanner.scan(&stream[done..arrived]) {
            Ok(found) => {
                done += found.consumed;
                if found.complete.is_some() || arrived == stream.len() {
                    assert_eq!(whole, Ok((done, found.complete)));
                    return;
                }
            }
            Err(error) => {
                assert_eq!(whole, Err(error));
                return;
            }
        }
    }
}

fn packets(stream: &[u8], cuts: u8) {
    let read = |pieces: &mut dyn Iterator<Item = usize>| {
        let (mut reader, mut buf, mut read) = (PacketReader::new(1 << 16), BytesMut::new(), Vec::new());
        reader.set_sequence(1);
        let mut rest = stream;
        loop {
            let (piece, left) = rest.split_at(pieces.next().unwrap_or(usize::MAX).min(rest.len()));
            buf.extend_from_slice(piece);
            rest = left;
            loop {
                match reader.next(&mut buf) {
                    Ok(Some(packet)) => read.push(packet),
                    Ok(None) => break,
                    Err(error) => return (read, Some(error)),
                }
            }
            if rest.is_empty() {
                return (read, None);
            }
        }
    };
    assert_eq!(read(&mut std::iter::empty()), read(&mut sizes(cuts)));
}
