//! What holds for all bytes: nothing panics, what was encoded decodes, and no split of a stream changes it.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use serval_wire::command::{self, ChangeUser, Command};
use serval_wire::frame::{PacketReader, write_packet};
use serval_wire::packet::{
    AuthMoreData, AuthSwitchRequest, ColumnDefinition, EofPacket, ErrPacket, Handshake, HandshakeResponse,
    OkPacket, SslRequest,
};
use serval_wire::response::{Part, PartDecoder, ResponseScanner};
use serval_wire::{Capabilities, StatusFlags, binary_row, lenenc, text_row};

const LIMIT: usize = 1 << 20;

fn bytes(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..longest)
}

/// Bytes that get further into a decoder than any others: small numbers and the protocol's markers.
fn near_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![0u8..6, Just(0xfb), Just(0xfc), Just(0xfd), Just(0xfe), Just(0xff), any::<u8>()];
    proptest::collection::vec(byte, 0..80)
}

fn capabilities() -> impl Strategy<Value = Capabilities> {
    any::<u64>().prop_map(|bits| Capabilities::from_bits(bits) | Capabilities::CLIENT_PROTOCOL_41)
}

/// Text without NUL, which no NUL-terminated field can hold.
fn name() -> impl Strategy<Value = String> {
    "[^\0]{0,20}"
}

/// A stream cut at these places.
fn pieces<'a>(stream: &'a [u8], cuts: &'a [prop::sample::Index]) -> Vec<&'a [u8]> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    places.extend([0, stream.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect()
}

fn cuts() -> impl Strategy<Value = Vec<prop::sample::Index>> {
    proptest::collection::vec(any::<prop::sample::Index>(), 0..12)
}

/// The frames of an answer with these rows, as a server sends them.
fn answer(deprecate_eof: bool, rows: &[Vec<Option<Vec<u8>>>], error: bool) -> BytesMut {
    let mut caps = Capabilities::empty();
    caps.set(Capabilities::CLIENT_DEPRECATE_EOF, deprecate_eof);
    let (mut out, mut sequence, mut payload) = (BytesMut::new(), 1, Vec::new());
    let mut send = |payload: &mut Vec<u8>| {
        write_packet(&mut out, &mut sequence, payload);
        payload.clear();
    };
    lenenc::write_int(&mut payload, 2);
    send(&mut payload);
    for name in ["a", "b"] {
        ColumnDefinition::new(name, 0xfd).encode(caps, &mut payload);
        send(&mut payload);
    }
    if !deprecate_eof {
        EofPacket::default().encode(caps, &mut payload);
        send(&mut payload);
    }
    for row in rows {
        text_row::encode(row.iter().map(Option::as_deref), &mut payload);
        send(&mut payload);
    }
    if error {
        ErrPacket { number: 1317, sqlstate: *b"70100", message: b"killed".to_vec() }
            .encode(caps, &mut payload);
    } else {
        OkPacket { warnings: 1, ..OkPacket::default() }.encode_end(caps, &mut payload);
    }
    send(&mut payload);
    out
}

fn rows() -> impl Strategy<Value = Vec<Vec<Option<Vec<u8>>>>> {
    let cell = proptest::option::of(bytes(400));
    proptest::collection::vec(proptest::collection::vec(cell, 2), 0..20)
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic(payload in prop_oneof![near_bytes(), bytes(200)], caps in capabilities()) {
        let _ = Handshake::decode(&payload, caps);
        let _ = HandshakeResponse::decode(&payload, caps);
        let _ = SslRequest::decode(&payload, caps);
        let _ = AuthSwitchRequest::decode(&payload, caps);
        let _ = AuthMoreData::decode(&payload, caps);
        let _ = OkPacket::decode(&payload, caps);
        let _ = ErrPacket::decode(&payload, caps);
        let _ = EofPacket::decode(&payload, caps);
        let _ = ColumnDefinition::decode(&payload, caps);
        let _ = ChangeUser::decode(&payload);
        let _ = Command::decode(&payload);
        text_row::cells(&payload).for_each(drop);
        if let Ok(cells) = binary_row::cells(&payload, payload.clone()) {
            cells.for_each(drop);
        }
    }

    #[test]
    fn no_stream_makes_a_reader_panic(stream in prop_oneof![near_bytes(), bytes(200)], deprecate_eof: bool) {
        let _ = ResponseScanner::new(deprecate_eof).scan(&stream);
        let mut decoder = PartDecoder::new(deprecate_eof);
        decoder.push(Bytes::copy_from_slice(&stream));
        while let Ok(Some(_)) = decoder.next() {}
        let mut reader = PacketReader::new(LIMIT);
        let mut buf = BytesMut::from(&stream[..]);
        while let Ok(Some(_)) = reader.next(&mut buf) {}
    }

    #[test]
    fn no_packets_make_an_answer_panic(payloads in proptest::collection::vec(near_bytes(), 0..8), deprecate_eof: bool) {
        let (mut stream, mut sequence) = (BytesMut::new(), 1);
        for payload in payloads {
            write_packet(&mut stream, &mut sequence, &payload);
        }
        let scanned = ResponseScanner::new(deprecate_eof).scan(&stream);
        let mut decoder = PartDecoder::new(deprecate_eof);
        decoder.push(stream.freeze());
        while let Ok(Some(_)) = decoder.next() {}
        // The decoder looks into column definitions, the scanner does not; otherwise they agree.
        if let (Ok(scanned), true) = (scanned, decoder.is_complete()) {
            prop_assert!(scanned.complete.is_some());
        }
    }

    #[test]
    fn any_split_gives_the_same_packets(payloads in proptest::collection::vec(bytes(300), 1..8), cuts in cuts()) {
        let (mut stream, mut sequence) = (BytesMut::new(), 0);
        for payload in &payloads {
            write_packet(&mut stream, &mut sequence, payload);
        }
        let mut reader = PacketReader::new(LIMIT);
        let (mut buf, mut read) = (BytesMut::new(), Vec::new());
        for piece in pieces(&stream, &cuts) {
            buf.extend_from_slice(piece);
            while let Some(packet) = reader.next(&mut buf).unwrap() {
                read.push(packet.payload.to_vec());
            }
        }
        prop_assert_eq!(read, payloads);
        prop_assert!(buf.is_empty());
    }

    #[test]
    fn any_split_gives_the_same_answer(rows in rows(), deprecate_eof: bool, error: bool, cuts in cuts()) {
        let stream = answer(deprecate_eof, &rows, error);
        let mut scanner = ResponseScanner::new(deprecate_eof);
        let mut decoder = PartDecoder::new(deprecate_eof);
        let (mut buf, mut completion, mut decoded) = (BytesMut::new(), None, Vec::new());
        for piece in pieces(&stream, &cuts) {
            prop_assert!(completion.is_none() || piece.is_empty());
            buf.extend_from_slice(piece);
            let scanned = scanner.scan(&buf).unwrap();
            decoder.push(buf.split_to(scanned.consumed).freeze());
            completion = completion.or(scanned.complete);
            while let Some(part) = decoder.next().unwrap() {
                if let Part::Row(row) = part {
                    let cells: Vec<_> = text_row::cells(&row).map(|cell| cell.unwrap().map(<[u8]>::to_vec)).collect();
                    decoded.push(cells);
                }
            }
        }
        let completion = completion.unwrap();
        prop_assert_eq!(completion.rows, rows.len() as u64);
        prop_assert_eq!(completion.error.is_some(), error);
        prop_assert_eq!(decoded, rows);
        prop_assert!(decoder.is_complete() && buf.is_empty());
    }

    #[test]
    fn integers_come_back(value: u64) {
        let mut out = Vec::new();
        lenenc::write_int(&mut out, value);
        prop_assert_eq!(lenenc::Reader::new(&out, "integer").int(), Ok(value));
    }

    #[test]
    fn handshakes_come_back(
        server_version in name(), thread_id: u32, nonce: [u8; 20], caps in capabilities(), collation: u8, status: u16,
        auth_plugin in name(),
    ) {
        // MariaDB's half travels only where the bit that all of MySQL's have is unset.
        let mysql = Capabilities::from_halves(caps.mysql_bits(), 0);
        let capabilities = if caps.contains(Capabilities::CLIENT_LONG_PASSWORD) { mysql } else { caps };
        let named = capabilities.contains(Capabilities::CLIENT_PLUGIN_AUTH);
        let handshake = Handshake {
            server_version, thread_id, nonce, capabilities, collation, status: StatusFlags::from_bits(status),
            auth_plugin: if named { auth_plugin } else { String::new() },
        };
        let mut out = Vec::new();
        handshake.encode(caps, &mut out);
        prop_assert_eq!(Handshake::decode(&out, caps), Ok(handshake));
    }

    #[test]
    fn handshake_responses_come_back(
        caps in capabilities(), announced in capabilities(), max_packet: u32, collation: u8, user in name(),
        auth_response in bytes(250), database in proptest::option::of("[^\0]{1,20}"),
        auth_plugin in proptest::option::of(name()), attributes in proptest::collection::vec((name(), name()), 0..4),
    ) {
        // Without the two ways to send its length, a proof ends before its first NUL.
        let announced = announced | Capabilities::CLIENT_SECURE_CONNECTION;
        let sent = HandshakeResponse {
            capabilities: caps, max_packet, collation, user, auth_response, database, auth_plugin, attributes,
            zstd_level: 3,
        };
        let mut out = Vec::new();
        sent.encode(announced, &mut out);
        let got = HandshakeResponse::decode(&out, announced).unwrap();
        let effective = sent.effective(announced);
        let has = |flag| effective.contains(flag);
        prop_assert_eq!(got.capabilities.mysql_bits(), effective.mysql_bits());
        prop_assert_eq!(&got.user, &sent.user);
        prop_assert_eq!(&got.auth_response, &sent.auth_response);
        prop_assert_eq!(got.database, sent.database.filter(|_| has(Capabilities::CLIENT_CONNECT_WITH_DB)));
        prop_assert_eq!(got.auth_plugin, sent.auth_plugin.filter(|_| has(Capabilities::CLIENT_PLUGIN_AUTH)));
        let attributes = if has(Capabilities::CLIENT_CONNECT_ATTRS) { sent.attributes } else { vec![] };
        prop_assert_eq!(got.attributes, attributes);
    }

    #[test]
    fn ok_packets_come_back(
        affected_rows: u64, last_insert_id: u64, status: u16, warnings: u16, info in bytes(100),
        session_state in proptest::option::of(bytes(100)),
    ) {
        let mut status = StatusFlags::from_bits(status);
        status.set(StatusFlags::SERVER_SESSION_STATE_CHANGED, session_state.is_some());
        let ok = OkPacket { affected_rows, last_insert_id, status, warnings, info, session_state };
        let mut out = Vec::new();
        ok.encode(Capabilities::CLIENT_SESSION_TRACK, &mut out);
        prop_assert_eq!(OkPacket::decode(&out, Capabilities::CLIENT_SESSION_TRACK), Ok(ok));
    }

    #[test]
    fn column_definitions_come_back(
        names in proptest::collection::vec(bytes(300), 6), charset: u16, length: u32, column_type: u8, flags: u16,
        decimals: u8, caps in capabilities(),
    ) {
        let name = |position: usize| Bytes::from(names[position].clone());
        let column = ColumnDefinition {
            catalog: name(0), schema: name(1), table: name(2), org_table: name(3), name: name(4), org_name: name(5),
            charset, length, column_type, flags, decimals,
        };
        let mut out = Vec::new();
        column.encode(caps, &mut out);
        prop_assert_eq!(ColumnDefinition::decode(&out, caps), Ok(column));
    }

    #[test]
    fn statements_come_back(sql in bytes(300)) {
        let (query, prepare) = (command::encode::query(&sql), command::encode::prepare(&sql));
        prop_assert_eq!(Command::decode(&query), Ok(Command::Query(&sql)));
        prop_assert_eq!(Command::decode(&prepare), Ok(Command::Prepare(&sql)));
    }
}
