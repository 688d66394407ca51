//! Answers as servers sent them, frame by frame, with what the scanner and the decoder say of each.
//!
//! `answer` begins one (`answer deprecate_eof` on a connection with that capability), `frame` adds a frame in
//! hexadecimal digits. `UPDATE_GOLDENFILES=1` writes the expected output anew.

use std::error::Error;
use std::fmt::Write as _;

use bytes::Bytes;
use goldenscript::{Command, Context, Runner};
use serval_wire::response::{Completion, Part, PartDecoder, ResponseScanner};
use serval_wire::{packet::ColumnDefinition, text_row};

#[test]
fn answers() {
    let runner = &mut Answers { scanner: ResponseScanner::new(false), decoder: PartDecoder::new(false) };
    goldenscript::run(runner, "tests/goldens/answers").unwrap();
}

struct Answers {
    scanner: ResponseScanner,
    decoder: PartDecoder,
}

impl Runner for Answers {
    type Command = Command;

    fn run(&mut self, command: &Command, _: &Context) -> Result<String, Box<dyn Error>> {
        let mut arguments = command.consume_args();
        let argument = arguments.next_pos();
        arguments.reject_next()?;
        match command.name.as_str() {
            "answer" => {
                let deprecate_eof = argument == Some("deprecate_eof");
                self.scanner = ResponseScanner::new(deprecate_eof);
                self.decoder = PartDecoder::new(deprecate_eof);
                Ok(String::new())
            }
            "frame" => self.frame(&unhex(argument.ok_or("frame needs its bytes")?)?),
            other => Err(format!("no command {other}").into()),
        }
    }
}

impl Answers {
    fn frame(&mut self, frame: &[u8]) -> Result<String, Box<dyn Error>> {
        let mut out = format!("#{} {} bytes", frame[3], frame.len() - 4);
        let scanned = self.scanner.scan(frame)?;
        assert_eq!(scanned.consumed, frame.len());
        self.decoder.push(Bytes::copy_from_slice(frame));
        while let Some(part) = self.decoder.next()? {
            write!(out, ": {}", show_part(&part)?)?;
        }
        assert_eq!(scanned.complete.is_some(), self.decoder.is_complete());
        if let Some(completion) = &scanned.complete {
            write!(out, "\n{}", show_completion(completion, frame))?;
        }
        Ok(out + "\n")
    }
}

fn show_part(part: &Part) -> Result<String, Box<dyn Error>> {
    Ok(match part {
        Part::Ok(ok) => format!("ok, {} affected", ok.affected_rows),
        Part::Columns(columns) => {
            format!("columns {}", columns.iter().map(show_column).collect::<Vec<_>>().join(", "))
        }
        Part::Row(payload) => {
            let cells: Vec<_> = text_row::cells(payload).collect::<Result<_, _>>()?;
            let cells: Vec<_> = cells.into_iter().map(|cell| cell.map_or("NULL".into(), quoted)).collect();
            format!("row {}", cells.join(", "))
        }
        Part::End(end) => format!("end of rows, {} warnings, {:?}", end.warnings, end.status),
        Part::Err(error) => format!("error {}", error.to_mysql()),
        Part::LocalInfile(name) => format!("wants file {}", quoted(name)),
    })
}

fn show_column(column: &ColumnDefinition) -> String {
    let text = String::from_utf8_lossy;
    format!(
        "{}.{}.{} (type {:#04x}, charset {})",
        text(&column.schema),
        text(&column.table),
        text(&column.name),
        column.column_type,
        column.charset
    )
}

fn show_completion(completion: &Completion, frame: &[u8]) -> String {
    let mut out = format!("complete: {:?}, {} rows", completion.kind, completion.rows);
    if let Some(offset) = completion.status_offset {
        assert_eq!(frame[offset..offset + 2], completion.status.bits().to_le_bytes());
        let _ = write!(out, ", {:?} at byte {offset}", completion.status);
    }
    if completion.affected_rows + completion.last_insert_id > 0 {
        let _ =
            write!(out, ", affected {}, insert id {}", completion.affected_rows, completion.last_insert_id);
    }
    if !completion.info.is_empty() {
        let _ = write!(out, ", info {}", quoted(&completion.info));
    }
    if let Some(state) = &completion.session_state {
        let _ = write!(out, ", session state {}", quoted(state));
    }
    if let Some(error) = &completion.error {
        let _ = write!(out, ", error {}", error.number);
    }
    out
}

fn quoted(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.escape_ascii())
}

fn unhex(digits: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| Ok(u8::from_str_radix(std::str::from_utf8(pair)?, 16)?)).collect()
}
