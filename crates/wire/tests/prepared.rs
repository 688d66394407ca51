//! What holds for all bytes and values of the binary protocol: nothing panics, and what was encoded decodes.

use bytes::{Bytes, BytesMut};
use proptest::prelude::*;
use serval_types::Value;
use serval_wire::binary_row::{self, BinaryRowBuilder, Cell};
use serval_wire::command::Command;
use serval_wire::command::execute::{ParameterType, Parameters, encode_execute};
use serval_wire::packet::column_type::*;
use serval_wire::packet::temporal::{DateTime, Time};
use serval_wire::packet::{ColumnDefinition, ColumnFlags, PrepareOk};
use serval_wire::response::{PrepareScanner, Prepared};
use serval_wire::{Capabilities, StatusFlags};

/// All types that parameters and columns are sent with.
const TYPES: [u8; 28] = [
    MYSQL_TYPE_DECIMAL,
    MYSQL_TYPE_TINY,
    MYSQL_TYPE_SHORT,
    MYSQL_TYPE_LONG,
    MYSQL_TYPE_FLOAT,
    MYSQL_TYPE_DOUBLE,
    MYSQL_TYPE_NULL,
    MYSQL_TYPE_TIMESTAMP,
    MYSQL_TYPE_LONGLONG,
    MYSQL_TYPE_INT24,
    MYSQL_TYPE_DATE,
    MYSQL_TYPE_TIME,
    MYSQL_TYPE_DATETIME,
    MYSQL_TYPE_YEAR,
    MYSQL_TYPE_VARCHAR,
    MYSQL_TYPE_BIT,
    MYSQL_TYPE_VECTOR,
    MYSQL_TYPE_JSON,
    MYSQL_TYPE_NEWDECIMAL,
    MYSQL_TYPE_ENUM,
    MYSQL_TYPE_SET,
    MYSQL_TYPE_TINY_BLOB,
    MYSQL_TYPE_MEDIUM_BLOB,
    MYSQL_TYPE_LONG_BLOB,
    MYSQL_TYPE_BLOB,
    MYSQL_TYPE_VAR_STRING,
    MYSQL_TYPE_STRING,
    MYSQL_TYPE_GEOMETRY,
];

fn near_bytes() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![0u8..9, Just(0xfb), Just(0xfc), Just(0xfd), Just(0xfe), Just(0xff), any::<u8>()];
    proptest::collection::vec(byte, 0..80)
}

fn parameter_type() -> impl Strategy<Value = ParameterType> {
    (proptest::sample::select(&TYPES[..]), any::<bool>())
        .prop_map(|(column_type, unsigned)| ParameterType { column_type, unsigned })
}

/// A type and bytes of it, without their length; NULL for the type NULL.
fn parameter() -> impl Strategy<Value = (ParameterType, Option<Vec<u8>>)> {
    let bytes = proptest::collection::vec(any::<u8>(), 0..300);
    (parameter_type(), bytes, any::<prop::sample::Index>(), proptest::bool::weighted(0.2)).prop_map(
        |(parameter_type, mut bytes, length, null)| {
            let lengths: &[usize] =
                match (parameter_type.column_type, binary_row::width(parameter_type.column_type)) {
                    (MYSQL_TYPE_NULL, _) => return (parameter_type, None),
                    (_, binary_row::Width::Fixed(1)) => &[1],
                    (_, binary_row::Width::Fixed(2)) => &[2],
                    (_, binary_row::Width::Fixed(4)) => &[4],
                    (_, binary_row::Width::Fixed(_)) => &[8],
                    (MYSQL_TYPE_TIME, _) => &[0, 8, 12],
                    (_, binary_row::Width::Prefixed) => &[0, 4, 7, 11],
                    (_, binary_row::Width::Lenenc) => &[],
                };
            if !lengths.is_empty() {
                bytes.resize(*length.get(lengths), 7);
            }
            (parameter_type, (!null).then_some(bytes))
        },
    )
}

/// What a client sends after the fixed fields of COM_STMT_EXECUTE.
fn body(parameters: &[(ParameterType, Option<Vec<u8>>)]) -> Bytes {
    let mut nulls = vec![0; parameters.len().div_ceil(8)];
    let (mut types, mut values) = (Vec::new(), Vec::new());
    for (position, (parameter_type, bytes)) in parameters.iter().enumerate() {
        parameter_type.encode(&mut types);
        match bytes {
            Some(bytes) => {
                binary_row::write(&mut values, parameter_type.column_type, bytes).expect("bytes of the type")
            }
            None => nulls[position / 8] |= 1 << (position % 8),
        }
    }
    [&nulls[..], &[1], &types, &values].concat().into()
}

fn decode(body: &Bytes, count: usize) -> Parameters {
    let count = u16::try_from(count).expect("few parameters");
    Parameters::decode(body, count, None, |_| None).expect("bytes of their types")
}

fn date_time() -> impl Strategy<Value = DateTime> {
    (0..=9999u16, 0..=12u8, 0..=31u8, 0..24u8, 0..60u8, 0..60u8, 0..1_000_000u32).prop_map(
        |(year, month, day, hour, minute, second, microsecond)| DateTime {
            year,
            month,
            day,
            hour,
            minute,
            second,
            microsecond,
        },
    )
}

fn time() -> impl Strategy<Value = Time> {
    (any::<bool>(), 0..34u32, 0..24u8, 0..60u8, 0..60u8, 0..1_000_000u32).prop_map(
        |(negative, days, hours, minutes, seconds, microseconds)| Time {
            negative,
            days,
            hours,
            minutes,
            seconds,
            microseconds,
        },
    )
}

fn cell() -> impl Strategy<Value = (u8, u16, Option<String>)> {
    let unsigned = ColumnFlags::UNSIGNED_FLAG.bits();
    let some = |column_type, flags, text: String| (column_type, flags, Some(text));
    prop_oneof![
        any::<i8>().prop_map(move |value| some(MYSQL_TYPE_TINY, 0, value.to_string())),
        any::<u16>().prop_map(move |value| some(MYSQL_TYPE_SHORT, unsigned, value.to_string())),
        any::<i32>().prop_map(move |value| some(MYSQL_TYPE_LONG, 0, value.to_string())),
        any::<u64>().prop_map(move |value| some(MYSQL_TYPE_LONGLONG, unsigned, value.to_string())),
        any::<f32>().prop_map(move |value| some(MYSQL_TYPE_FLOAT, 0, value.to_string())),
        any::<f64>().prop_map(move |value| some(MYSQL_TYPE_DOUBLE, 0, value.to_string())),
        any::<i128>().prop_map(move |value| some(MYSQL_TYPE_NEWDECIMAL, 0, format!("{value}.5"))),
        date_time().prop_map(move |value| some(MYSQL_TYPE_DATE, 0, value.date())),
        date_time().prop_map(move |value| some(MYSQL_TYPE_DATETIME, 0, value.to_string())),
        time().prop_map(move |value| some(MYSQL_TYPE_TIME, 0, value.to_string())),
        ".{0,300}".prop_map(move |value| some(MYSQL_TYPE_VAR_STRING, 0, value)),
        proptest::sample::select(&TYPES[..]).prop_map(|column_type| (column_type, 0, None)),
    ]
    .prop_filter("servers have neither NaN nor infinity", |(.., text)| {
        !matches!(text.as_deref(), Some("NaN" | "inf" | "-inf"))
    })
}

/// The text of a cell that came from [`cell`].
fn text_of(column_type: u8, cell: Cell<'_>) -> Option<String> {
    Some(match cell {
        Cell::Null => return None,
        Cell::Int(value) => value.to_string(),
        Cell::UInt(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Double(value) => value.to_string(),
        Cell::Bytes(bytes) => String::from_utf8(bytes.to_vec()).expect("text of a cell"),
        Cell::Date(value) if column_type == MYSQL_TYPE_DATE => value.date(),
        Cell::Date(value) => value.to_string(),
        Cell::Time(value) => value.to_string(),
    })
}

proptest! {
    #[test]
    fn no_bytes_make_a_decoder_panic(
        payload in near_bytes(), count in 0u16..20, remembered: bool, long: u16, flags: u16,
        types in proptest::collection::vec(parameter_type(), 0..20), deprecate_eof: bool,
    ) {
        let _ = PrepareOk::decode(&payload, Capabilities::empty());
        let _ = PrepareScanner::new(deprecate_eof).scan(&payload);
        let _ = (DateTime::decode(&payload), DateTime::parse(&payload), Time::decode(&payload), Time::parse(&payload));
        let body = Bytes::from(payload.clone());
        let types: std::sync::Arc<[_]> = types.into();
        let count = if remembered { u16::try_from(types.len()).unwrap() } else { count };
        let long_data = |position| (position == long % 20).then(|| body.clone());
        if let Ok(parameters) = Parameters::decode(&body, count, remembered.then_some(&types), long_data) {
            prop_assert_eq!(parameters.values().len(), usize::from(count));
            let all: Vec<_> = (0..count).collect();
            prop_assert!(encode_execute(1, 0, &parameters, &all, &mut Vec::new()).is_ok());
        }
        let mut row = BinaryRowBuilder::new(256);
        for column_type in 0..=u8::MAX {
            let _ = binary_row::value(column_type, flags, Some(&payload));
            let _ = row.encode_text_cell(column_type, flags, Some(&payload));
        }
        if let Ok(ranges) = binary_row::ranges(&payload, payload.clone()) {
            ranges.for_each(drop);
        }
    }

    #[test]
    fn parameters_come_back(
        sent in proptest::collection::vec(parameter(), 1..30),
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 1..40),
        statement: u32, cursor in 0u8..8,
    ) {
        let parameters = decode(&body(&sent), sent.len());
        for (position, (parameter_type, bytes)) in sent.iter().enumerate() {
            prop_assert_eq!(&parameters.types()[position], parameter_type);
            prop_assert_eq!(parameters.raw(position).map(|raw| &raw[..]), bytes.as_deref());
            prop_assert_eq!(parameters.value(position) == Value::Null, bytes.is_none());
        }
        let selection: Vec<_> = picks.iter().map(|pick| u16::try_from(pick.index(sent.len())).unwrap()).collect();
        let mut out = Vec::new();
        encode_execute(statement, cursor, &parameters, &selection, &mut out).unwrap();
        let payload = Bytes::from(out);
        let Ok(Command::Execute(execute)) = Command::decode(&payload) else { panic!("no COM_STMT_EXECUTE") };
        prop_assert_eq!((execute.statement, execute.flags, execute.iterations), (statement, cursor, 1));
        let again = decode(&execute.shared_parameters(&payload), selection.len());
        for (position, selected) in selection.iter().enumerate() {
            let selected = usize::from(*selected);
            prop_assert_eq!(again.raw(position), parameters.raw(selected));
            prop_assert_eq!(again.types()[position], parameters.types()[selected].portable());
        }
    }

    #[test]
    fn parameters_cut_short_fail(sent in proptest::collection::vec(parameter(), 1..12), cut in any::<prop::sample::Index>()) {
        let body = body(&sent);
        let cut = body.slice(..cut.index(body.len()));
        prop_assert!(Parameters::decode(&cut, u16::try_from(sent.len()).unwrap(), None, |_| None).is_err());
    }

    #[test]
    fn rows_come_back_from_text(cells in proptest::collection::vec(cell(), 1..20)) {
        let mut row = BinaryRowBuilder::new(cells.len());
        for (column_type, flags, text) in &cells {
            row.encode_text_cell(*column_type, *flags, text.as_deref().map(str::as_bytes)).unwrap();
        }
        let row = row.finish().unwrap();
        let types: Vec<_> = cells.iter().map(|(column_type, ..)| *column_type).collect();
        let mut again = BinaryRowBuilder::new(cells.len());
        for ((column_type, flags, text), bytes) in cells.iter().zip(binary_row::cells(&row, types).unwrap()) {
            let cell = binary_row::value(*column_type, *flags, bytes.unwrap()).unwrap();
            let text = text.as_ref().map(|text| if text == "-00:00:00" { "00:00:00".into() } else { text.clone() });
            prop_assert_eq!(text_of(*column_type, cell), text);
            again.encode_cell(*column_type, *flags, cell).unwrap();
        }
        prop_assert_eq!(again.finish().unwrap(), row);
    }

    #[test]
    fn prepared_statements_come_back_from_any_split(
        parameters in 0u16..5, columns in 0u16..5, statement: u32, deprecate_eof: bool,
        cut in any::<prop::sample::Index>(),
    ) {
        let definition = ColumnDefinition::new("c", MYSQL_TYPE_LONG);
        let prepared = Prepared {
            ok: PrepareOk { statement, columns, parameters, warnings: 2 },
            parameters: vec![definition.clone(); parameters.into()],
            columns: vec![definition; columns.into()],
        };
        let mut caps = Capabilities::empty();
        caps.set(Capabilities::CLIENT_DEPRECATE_EOF, deprecate_eof);
        let mut stream = BytesMut::new();
        prepared.write(caps, None, StatusFlags::empty(), &mut 1, &mut stream);
        let mut scanner = PrepareScanner::new(deprecate_eof);
        let first = scanner.scan(&stream[..cut.index(stream.len())]).unwrap();
        prop_assert!(first.complete.is_none());
        let rest = scanner.scan(&stream[first.consumed..]).unwrap();
        prop_assert_eq!(first.consumed + rest.consumed, stream.len());
        prop_assert_eq!(rest.complete, Some(Ok(prepared)));
    }
}
