//! The parameters of COM_STMT_EXECUTE and the cells of binary rows.
//!
//! The input is the number of parameters, a byte of long data, then what follows the command's fixed fields.

use std::sync::Arc;

use bytes::Bytes;
use serval_wire::binary_row::{self, BinaryRowBuilder};
use serval_wire::command::attributes::split_query;
use serval_wire::command::execute::{Parameters, encode_execute};
use serval_wire::command::{Command, Execute};
use serval_wire::packet::temporal::{DateTime, Time};

use crate::input::Input;

pub(crate) fn check(input: &[u8]) {
    let mut input = Input::new(input);
    let (count, long) = (u16::from(input.byte()), input.byte());
    let body = Bytes::copy_from_slice(input.rest());
    execute(&body, count, long);
    cells(&body);
    dates(&body);
    attributes(&body, count);
    let _ = Execute::decode(&body);
}

/// What follows query attributes is the end of what came, and the attributes themselves are no more than were counted.
fn attributes(body: &Bytes, count: u16) {
    if let Ok((found, text)) = split_query(body) {
        assert!(body.ends_with(&text) && found.len() <= body.len());
    }
    for counted in [false, true] {
        let _ = Parameters::decode_attributed(body, count, counted, None, |_| None);
    }
}

fn execute(body: &Bytes, count: u16, long: u8) {
    let data =
        |position: u16| (long != 0 && position == u16::from(long)).then(|| Bytes::from_static(b"long"));
    let Ok(parameters) = Parameters::decode(body, count, None, data) else { return };
    assert_eq!(parameters.len(), usize::from(count));
    let selection: Vec<u16> = (0..count).collect();
    let mut command = Vec::new();
    encode_execute(7, 0, &parameters, &selection, &mut command).expect("decoded parameters encode");
    let command = Bytes::from(command);
    let Ok(Command::Execute(execute)) = Command::decode(&command) else {
        panic!("{command:02x?} is no EXECUTE")
    };
    let again = Parameters::decode(&execute.shared_parameters(&command), count, None, |_| None);
    let again = again.expect("encoded parameters decode");
    for position in 0..usize::from(count) {
        assert_eq!(again.raw(position), parameters.raw(position), "parameter {position}");
    }
    // Types that were sent once are remembered for an execution that does not send them.
    let _ = Parameters::decode(body, count, Some(&Arc::clone(parameters.types())), |_| None);
    assert_eq!(parameters.values().len(), parameters.len());
}

/// The first byte is a cell's type, the second its flags, the rest its bytes or its text.
fn cells(body: &[u8]) {
    let mut input = Input::new(body);
    let (column_type, flags) = (input.byte(), u16::from(input.byte()));
    let bytes = input.rest();
    if let Ok(cell) = binary_row::value(column_type, flags, Some(bytes)) {
        let mut row = BinaryRowBuilder::new(1);
        // A date in DATE's bytes may have a time, which no DATE is encoded with.
        if row.encode_cell(column_type, flags, cell).is_ok() {
            row.finish().expect("a row of one cell");
        }
    }
    let mut row = BinaryRowBuilder::new(1);
    if row.encode_text_cell(column_type, flags, Some(bytes)).is_ok() {
        let row = row.finish().expect("a row of one cell");
        let cell = binary_row::cells(&row, [column_type]).expect("a row").next().expect("a cell");
        let cell = cell.expect("an encoded cell decodes");
        binary_row::value(column_type, flags, cell).expect("an encoded cell has a value");
    }
}

fn dates(body: &[u8]) {
    if let Ok(date) = DateTime::decode(body) {
        let mut out = Vec::new();
        date.encode(&mut out);
        assert_eq!(DateTime::decode(&out[1..]), Ok(date));
        if let Ok(again) = DateTime::parse(date.to_string().as_bytes()) {
            assert_eq!(again, date, "{date}");
        }
    }
    if let Ok(time) = Time::decode(body) {
        let mut out = Vec::new();
        time.encode(&mut out);
        let again = Time::decode(&out[1..]).expect("an encoded time decodes");
        assert_eq!(again.total_microseconds(), time.total_microseconds());
    }
    if let Ok(date) = DateTime::parse(body) {
        assert_eq!(DateTime::parse(date.to_string().as_bytes()), Ok(date));
    }
    if let Ok(time) = Time::parse(body) {
        assert_eq!(Time::parse(time.to_string().as_bytes()), Ok(time));
    }
}
