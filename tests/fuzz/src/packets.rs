//! The decoders of packets and commands: no bytes make one panic, and what was decoded survives being encoded.
//!
//! The input is eight bytes of capabilities, then a payload.

use std::fmt::Debug;

use bytes::BytesMut;
use serval_wire::command::{ChangeUser, Command};
use serval_wire::compress::{self, Algorithm};
use serval_wire::lenenc::{self, Reader};
use serval_wire::packet::{
    AuthMoreData, AuthSwitchRequest, ColumnDefinition, EofPacket, ErrPacket, Handshake, HandshakeResponse,
    OkPacket, PrepareOk, SslRequest,
};
use serval_wire::{Capabilities, WireError, binary_row, text_row};

use crate::input::Input;

pub(crate) fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let caps = Capabilities::from_bits(input.u64()) | Capabilities::CLIENT_PROTOCOL_41;
    let payload = input.rest();
    greetings(payload, caps);
    survives(
        payload,
        |bytes| OkPacket::decode(bytes, caps),
        |ok, out| {
            ok.encode(caps | Capabilities::CLIENT_SESSION_TRACK, out);
        },
    );
    survives(payload, |bytes| ErrPacket::decode(bytes, caps), |error, out| error.encode(caps, out));
    survives(payload, |bytes| EofPacket::decode(bytes, caps), |eof, out| eof.encode(caps, out));
    survives(payload, |bytes| ColumnDefinition::decode(bytes, caps), |column, out| column.encode(caps, out));
    survives(payload, |bytes| PrepareOk::decode(bytes, caps), |ok, out| ok.encode(caps, out));
    survives(payload, ChangeUser::decode, |change, out| change.encode(out));
    let _ = Command::decode(payload);
    rows(payload);
    integers(payload);
    compressed(payload);
}

/// What a frame holds is at most what it announces, and a stream that was compressed comes out as it was.
fn compressed(payload: &[u8]) {
    const LIMIT: usize = 1 << 16;
    let level = payload.first().map_or(0, |byte| byte % 23);
    for algorithm in [Algorithm::Zlib, Algorithm::Zstd(level)] {
        let (mut input, mut plain, mut sequence) = (BytesMut::from(payload), BytesMut::new(), 0);
        while let Ok(true) = compress::read_frame(algorithm, &mut input, &mut plain, &mut sequence, LIMIT) {}
        let (mut stream, mut out, mut sequence) = (BytesMut::from(payload), BytesMut::new(), 0);
        while !stream.is_empty() {
            compress::write_frame(algorithm, &mut stream, &mut out, &mut sequence);
        }
        let (mut back, mut sequence) = (BytesMut::new(), 0);
        while !out.is_empty() {
            let read = compress::read_frame(algorithm, &mut out, &mut back, &mut sequence, LIMIT);
            assert_eq!(read, Ok(true), "our own frame");
        }
        assert_eq!(back, payload);
    }
}

fn greetings(payload: &[u8], caps: Capabilities) {
    survives(payload, |bytes| Handshake::decode(bytes, caps), |greeting, out| greeting.encode(caps, out));
    survives(payload, |bytes| AuthSwitchRequest::decode(bytes, caps), |switch, out| switch.encode(caps, out));
    survives(payload, |bytes| AuthMoreData::decode(bytes, caps), |data, out| data.encode(caps, out));
    survives(payload, |bytes| SslRequest::decode(bytes, caps), |request, out| request.encode(caps, out));
    if SslRequest::matches(payload) {
        assert!(SslRequest::decode(payload, caps).is_ok(), "what looks like a TLS request is one");
    }
    // The capabilities of an encoded response say what is in it, so they may differ from those that came.
    if let Ok(response) = HandshakeResponse::decode(payload, caps) {
        let mut out = Vec::new();
        response.encode(caps, &mut out);
        let again = HandshakeResponse::decode(&out, caps).expect("an encoded response decodes");
        assert_eq!((again.user, again.max_packet), (response.user, response.max_packet));
    }
}

/// Decodes, encodes and decodes again: the same must come out.
fn survives<'a, T: PartialEq + Debug>(
    payload: &'a [u8],
    decode: impl Fn(&[u8]) -> Result<T, WireError> + 'a,
    encode: impl FnOnce(&T, &mut Vec<u8>),
) {
    let Ok(first) = decode(payload) else { return };
    let mut out = Vec::new();
    encode(&first, &mut out);
    let second = decode(&out);
    assert_eq!(second.as_ref(), Ok(&first), "encoded as {out:02x?}");
}

fn rows(payload: &[u8]) {
    let cells: Vec<_> = text_row::cells(payload).collect();
    if let Ok(cells) = cells.into_iter().collect::<Result<Vec<_>, _>>() {
        let mut out = Vec::new();
        text_row::encode(cells.iter().copied(), &mut out);
        let again: Result<Vec<_>, _> = text_row::cells(&out).collect();
        assert_eq!(again.as_ref(), Ok(&cells));
    }
    let (types, row) =
        payload.split_at(payload.len().min(payload.first().map_or(0, |count| usize::from(count % 16) + 1)));
    let types: Vec<u8> = types.iter().skip(1).copied().collect();
    let (Ok(cells), Ok(ranges)) = (binary_row::cells(row, types.clone()), binary_row::ranges(row, types))
    else {
        return;
    };
    for (cell, range) in cells.zip(ranges) {
        match (cell, range) {
            (Ok(cell), Ok(range)) => assert_eq!(cell, range.map(|range| &row[range])),
            (cell, range) => assert_eq!(cell.err(), range.err()),
        }
    }
}

fn integers(payload: &[u8]) {
    let mut reader = Reader::new(payload, "integer");
    if let Ok(value) = reader.int() {
        let mut out = Vec::new();
        lenenc::write_int(&mut out, value);
        assert_eq!(Reader::new(&out, "integer").int(), Ok(value));
        assert!(out.len() <= payload.len() - reader.rest().len(), "the shortest form is written");
    }
    let mut reader = Reader::new(payload, "string");
    while reader.nullable().is_ok() {}
    let mut reader = Reader::new(payload, "names");
    while reader.null_terminated().is_ok() {}
}
