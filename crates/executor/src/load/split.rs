//! A file cut into its rows, each put where it belongs.

use bytes::{Buf, BytesMut};
use serval_catalog::{Catalog, Table, Zone};
use serval_remote::Backend;
use serval_types::{ErrorCode, MysqlError, Value};

use super::FileSource;
use super::format::{FileText, Format};
use super::scan::{self, Field, Line, More};
use super::spool::Spool;
use crate::error::ExecuteError;
use crate::sequence::Sequences;

/// A file, and what has to be known of its table to cut it.
#[derive(Debug, Clone, Copy)]
pub struct Split<'a> {
    /// The logical schema.
    pub schema: &'a str,
    /// The table.
    pub table: &'a Table,
    /// How rows and fields are told from each other; [checked](Format::check).
    pub format: &'a Format,
    /// What the file's bytes are.
    pub text: FileText,
    /// How many fields a row has.
    pub columns: usize,
    /// How many lines to leave out.
    pub ignored_lines: u64,
    /// Which field goes to each sharding column; none for one that the number goes to. Empty where the rows have no
    /// shards.
    pub keys: &'a [Option<usize>],
    /// Where AUTO_INCREMENT values come from.
    pub numbering: Numbering,
    /// 0 is a value for AUTO_INCREMENT, and no wish for one.
    pub zero_is_value: bool,
    /// How long a row may be, in bytes.
    pub row_limit: usize,
    /// The session's time zone, where a TIMESTAMP says where rows lie and the zone is known.
    pub zone: Option<&'a Zone>,
}

/// Where AUTO_INCREMENT values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbering {
    /// There are none, or the server makes them.
    None,
    /// From the table's sequence, where this field of a row is NULL or 0.
    Field(usize),
    /// From the table's sequence, for every row, in a field before the others.
    Before,
}

/// Whom to ask for numbers.
pub struct Splitting<'a, B: Backend> {
    /// The servers.
    pub backend: &'a B,
    /// The snapshot that the statement works under.
    pub catalog: &'a Catalog,
    /// The sequences.
    pub sequences: &'a Sequences,
}

/// Reads a file to its end, and puts its rows into `spool`: one part per shard, or one for all.
///
/// # Errors
/// [`ExecuteError::Refused`] for a row that belongs nowhere or is too long, and for a full spool;
/// [`ExecuteError::Client`] where the file breaks off.
pub async fn split<B: Backend, F: FileSource>(
    split: &Split<'_>,
    with: &Splitting<'_, B>,
    source: &mut F,
    spool: &mut Spool,
) -> Result<(), ExecuteError> {
    let numbered = match split.numbering {
        Numbering::Field(field) => Some(field),
        Numbering::None | Numbering::Before => None,
    };
    let mut wanted: Vec<usize> = Vec::new();
    for field in split.keys.iter().copied().flatten().chain(numbered) {
        if !wanted.contains(&field) {
            wanted.push(field);
        }
    }
    if split.numbering != Numbering::None && split.format.has_digits() {
        return Err(ExecuteError::refused(
            "Serval fills the AUTO_INCREMENT column of this table, which a file with digits as delimiters leaves no room \
             for; use other delimiters",
        ));
    }
    let ignored = split.ignored_lines;
    let mut cutter = Cutter { split, with, spool, wanted, ignored, rows: 0, greatest: None };
    cutter.all(source).await?;
    match cutter.greatest {
        Some(value) if split.table.sequence.is_some() => {
            with.sequences.observe(with.backend, with.catalog, split.schema, split.table, value).await
        }
        _ => Ok(()),
    }
}

struct Cutter<'a, 'b, B: Backend> {
    split: &'a Split<'b>,
    with: &'a Splitting<'b, B>,
    spool: &'a mut Spool,
    /// The fields to look at.
    wanted: Vec<usize>,
    /// Lines that have yet to be left out.
    ignored: u64,
    /// The rows so far.
    rows: u64,
    /// The greatest AUTO_INCREMENT value that a row brought itself.
    greatest: Option<u64>,
}

impl<B: Backend> Cutter<'_, '_, B> {
    async fn all<F: FileSource>(&mut self, source: &mut F) -> Result<(), ExecuteError> {
        let (mut buffer, mut enough, mut eof) = (BytesMut::new(), 1, false);
        while !eof {
            match source.next().await? {
                Some(bytes) => buffer.extend_from_slice(&bytes),
                None => eof = true,
            }
            // A row that is longer than what has come is read again only when there is twice as much.
            if buffer.len() < enough && !eof {
                continue;
            }
            while self.one(&mut buffer, eof).await? {}
            enough = buffer.len().saturating_mul(2).clamp(1, self.split.row_limit.saturating_add(1));
            if buffer.len() > self.split.row_limit {
                return Err(self.too_long());
            }
        }
        Ok(())
    }

    /// Takes a line off the buffer; false where there is no whole one.
    async fn one(&mut self, buffer: &mut BytesMut, eof: bool) -> Result<bool, ExecuteError> {
        let Split { format, columns, .. } = *self.split;
        if self.ignored > 0 {
            let Ok(Some(length)) = scan::ignored(format, buffer, eof) else { return Ok(false) };
            buffer.advance(length);
            self.ignored -= 1;
            return Ok(true);
        }
        match scan::line(format, columns, &self.wanted, buffer, eof) {
            Ok(Some(line)) => {
                self.row(&buffer[..line.length], &line).await?;
                buffer.advance(line.length);
                Ok(true)
            }
            Ok(None) | Err(More) => Ok(false),
        }
    }

    async fn row(&mut self, bytes: &[u8], line: &Line) -> Result<(), ExecuteError> {
        self.rows += 1;
        let number = self.number(line).await?;
        let part = self.part(line, number)?;
        let Some(number) = number else { return self.spool.push(part, &[bytes]).await };
        let text = number.to_string();
        let pieces: [&[u8]; 4] = match self.split.numbering {
            Numbering::Field(_) => {
                let raw = self.numbered(line)?.raw.clone();
                [&bytes[..raw.start], text.as_bytes(), &bytes[raw.end..], b""]
            }
            _ => [&bytes[..line.start], text.as_bytes(), &self.split.format.field_end, &bytes[line.start..]],
        };
        self.spool.push(part, &pieces).await
    }

    /// The number that the row gets, where it brings none.
    async fn number(&mut self, line: &Line) -> Result<Option<u64>, ExecuteError> {
        match self.split.numbering {
            Numbering::None => return Ok(None),
            Numbering::Before => {}
            Numbering::Field(_) => {
                let field = self.numbered(line)?;
                match wish(field, self.split.zero_is_value) {
                    Some(Wish::Number) => {}
                    Some(Wish::Value(value)) => {
                        self.greatest = self.greatest.max(value);
                        return Ok(None);
                    }
                    None => {
                        let text =
                            String::from_utf8_lossy(field.value.as_deref().unwrap_or_default()).into_owned();
                        return Err(
                            self.wrong(&format!("'{text}' is no value for the AUTO_INCREMENT column"))
                        );
                    }
                }
            }
        }
        let Splitting { backend, catalog, sequences } = *self.with;
        let first = sequences.next(backend, catalog, self.split.schema, self.split.table, 1).await?;
        self.spool.first_number.get_or_insert(first);
        Ok(Some(first))
    }

    /// The part that the row belongs to.
    fn part(&self, line: &Line, number: Option<u64>) -> Result<usize, ExecuteError> {
        let Some(sharding) = self.split.table.sharding() else { return Ok(0) };
        let mut values = Vec::with_capacity(self.split.keys.len());
        for (key, column) in self.split.keys.iter().zip(&sharding.columns) {
            values.push(match (*key, number) {
                (None, Some(number)) => Value::UInt(number),
                (Some(key), Some(number)) if self.split.numbering == Numbering::Field(key) => {
                    Value::UInt(number)
                }
                (key, _) => self.key(line, key, &column.name)?,
            });
        }
        match sharding.shard_for_row_in(&values, self.split.zone) {
            Ok(shard) => Ok(shard),
            Err(unroutable) => {
                let MysqlError { number, sqlstate, message } = unroutable.to_mysql();
                let message = format!("{message} (row {} of the file)", self.rows);
                Err(ExecuteError::Refused(MysqlError { number, sqlstate, message }))
            }
        }
    }

    fn key(&self, line: &Line, key: Option<usize>, column: &str) -> Result<Value, ExecuteError> {
        let at = key.and_then(|key| self.wanted.iter().position(|wanted| *wanted == key));
        let field = at.and_then(|at| line.fields.get(at)).and_then(Option::as_ref);
        let Some(field) = field else {
            return Err(self.wrong(&format!("it has no value for the sharding column '{column}'")));
        };
        let Some(bytes) = &field.value else { return Ok(Value::Null) };
        self.split.text.value(bytes).ok_or_else(|| {
            self.wrong(&format!(
                "what its sharding column '{column}' becomes depends on the file's character set; write the file in utf8mb4 \
                 and say CHARACTER SET utf8mb4"
            ))
        })
    }

    fn numbered<'l>(&self, line: &'l Line) -> Result<&'l Field, ExecuteError> {
        let at = match self.split.numbering {
            Numbering::Field(field) => self.wanted.iter().position(|wanted| *wanted == field),
            Numbering::None | Numbering::Before => None,
        };
        at.and_then(|at| line.fields.get(at)).and_then(Option::as_ref).ok_or_else(|| {
            self.wrong("it has no field for the AUTO_INCREMENT column; write \\N, or leave the column out of the list")
        })
    }

    fn wrong(&self, what: &str) -> ExecuteError {
        ExecuteError::refused(format!("Row {} of the file cannot be placed: {what}", self.rows))
    }

    fn too_long(&self) -> ExecuteError {
        let limit = self.split.row_limit;
        ExecuteError::Refused(MysqlError::new(
            ErrorCode::CapacityExceeded,
            format!(
                "Row {} of the file is longer than {limit} bytes (memory_per_query); look at LINES TERMINATED BY and ENCLOSED \
                 BY, or raise memory_per_query",
                self.rows + 1
            ),
        ))
    }
}

/// What a row says of its AUTO_INCREMENT column.
enum Wish {
    /// Wants a number.
    Number,
    /// Has one, which the sequence has to know of where it is positive.
    Value(Option<u64>),
}

/// `None` for what is no number.
fn wish(field: &Field, zero_is_value: bool) -> Option<Wish> {
    let Some(bytes) = &field.value else { return Some(Wish::Number) };
    let text = std::str::from_utf8(bytes).ok()?.trim_matches(' ');
    let value: i128 = text.parse().ok()?;
    Some(match value {
        0 if !zero_is_value => Wish::Number,
        value => Wish::Value(u64::try_from(value).ok().filter(|value| *value > 0)),
    })
}
