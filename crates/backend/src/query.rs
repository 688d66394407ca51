//! Small internal queries: their rows decoded, by column name.

use bytes::BytesMut;
use serval_wire::response::{Part, PartDecoder, ResponseScanner};
use serval_wire::text_row;

use crate::command::{self, Command};
use crate::error::LinkError;
use crate::link::{Link, Phase};

/// The answer to an internal query, a handful of rows.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
}

impl Rows {
    /// The first row's first value.
    pub(crate) fn scalar(&self) -> Option<&str> {
        self.rows.first()?.first()?.as_deref()
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// A value by its row and any of a column's names, which differ between servers; NULL is `None`.
    pub(crate) fn value(&self, row: usize, names: &[&str]) -> Option<&str> {
        let column = self
            .columns
            .iter()
            .position(|column| names.iter().any(|name| column.eq_ignore_ascii_case(name)))?;
        self.rows.get(row)?.get(column)?.as_deref()
    }

    #[cfg(test)]
    pub(crate) fn of(columns: &[&str], rows: &[&[Option<&str>]]) -> Self {
        let row = |row: &&[Option<&str>]| row.iter().map(|value| value.map(str::to_owned)).collect();
        Self {
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            rows: rows.iter().map(row).collect(),
        }
    }
}

/// Asks the server and reads the whole answer.
pub(crate) async fn rows(link: &mut Link, sql: &str) -> Result<Rows, LinkError> {
    link.phase = Phase::busy();
    let _one_frame = command::put(&mut link.output, Command::Query, sql.as_bytes());
    let answer = match exchange(link).await {
        Ok(answer) => answer,
        Err(error) => {
            link.phase = Phase::Broken;
            return Err(error);
        }
    };
    link.phase = Phase::Idle;
    decode(answer)
}

async fn exchange(link: &mut Link) -> Result<BytesMut, LinkError> {
    link.flush().await?;
    let mut scanner = ResponseScanner::new(true);
    let mut answer = BytesMut::new();
    loop {
        let scanned = scanner.scan(&link.input)?;
        answer.unsplit(link.input.split_to(scanned.consumed));
        match scanned.complete {
            Some(completion) => {
                link.note(&completion)?;
                return Ok(answer);
            }
            None => {
                link.fill().await?;
            }
        }
    }
}

fn decode(answer: BytesMut) -> Result<Rows, LinkError> {
    let mut decoder = PartDecoder::new(true);
    decoder.push(answer.freeze());
    let mut rows = Rows::default();
    while let Some(part) = decoder.next()? {
        match part {
            Part::Columns(columns) => {
                rows.columns =
                    columns.iter().map(|column| String::from_utf8_lossy(&column.name).into_owned()).collect();
            }
            Part::Row(payload) => {
                let cells: Result<Vec<_>, _> = text_row::cells(&payload).collect();
                let text = |cell: Option<&[u8]>| cell.map(|cell| String::from_utf8_lossy(cell).into_owned());
                rows.rows.push(cells?.into_iter().map(text).collect());
            }
            Part::Err(error) => return Err(LinkError::Server(error.to_mysql())),
            Part::Ok(_) | Part::End(_) | Part::LocalInfile(_) => {}
        }
    }
    Ok(rows)
}
