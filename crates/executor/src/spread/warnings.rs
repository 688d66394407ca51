//! What servers warn of behind a part of a write: asked at once, because what ends the statement clears it.

use serval_remote::{Backend, SessionState};
use serval_types::MysqlError;
use serval_wire::response::{Part, PartDecoder};
use serval_wire::text_row;

use crate::error::ExecuteError;
use crate::link::{Link, Query};
use crate::names::Names;
use crate::query_rows::Row;

/// How many warnings are kept, as a server's max_error_count has it.
const MOST: usize = 64;
/// What stands before the number of a row.
const AT_ROW: &str = " at row ";

/// Warnings of a write's parts, as SHOW WARNINGS has them.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    /// Each beside the row of the statement that it is about; where it names none, that of the one before it.
    rows: Vec<(usize, Row)>,
}

impl Warnings {
    /// Takes over what the server warned of last, with the names and the numbers of rows that the client knows.
    pub(crate) async fn ask<B: Backend>(
        &mut self,
        link: &mut Link<B>,
        state: &SessionState,
        names: &Names<'_>,
        places: Places<'_>,
    ) -> Result<(), ExecuteError> {
        if self.rows.len() >= MOST {
            return Ok(());
        }
        link.send(&Query::internal(state, b"SHOW WARNINGS")).await?;
        let mut decoder = PartDecoder::new(true);
        let mut about = places.first();
        loop {
            let burst = link.read_burst().await?;
            let complete = burst.completion.is_some();
            decoder.push(burst.bytes.freeze());
            while let Ok(Some(part)) = decoder.next() {
                if let (Part::Row(payload), true) = (part, self.rows.len() < MOST) {
                    let cells = text_row::cells(&payload).map_while(Result::ok);
                    let row = cells.map(|cell| cell.map(<[u8]>::to_vec)).collect();
                    let row = renamed(row, names, places);
                    about = row_of(&row).filter(|_| places.are_known()).unwrap_or(about);
                    self.rows.push((about, row));
                }
            }
            if complete {
                return Ok(());
            }
        }
    }

    /// All of them, in the order of the statement's rows.
    pub(crate) fn into_rows(mut self) -> Vec<Row> {
        self.rows.sort_by_key(|(about, _)| *about);
        self.rows.into_iter().map(|(_, row)| row).collect()
    }
}

/// The number of the row that a warning names.
fn row_of(row: &Row) -> Option<usize> {
    let message = row.get(2)?.as_deref()?;
    numbered(std::str::from_utf8(message).ok()?).map(|(_, number)| number)
}

fn renamed(mut row: Row, names: &Names<'_>, places: Places<'_>) -> Row {
    if let Some(Some(message)) = row.get_mut(2) {
        let text = String::from_utf8_lossy(message).into_owned();
        let error = names.map_error(MysqlError { number: 0, sqlstate: *b"HY000", message: text });
        *message = places.renumber(error).message.into_bytes();
    }
    row
}

/// Which rows of the statement a target takes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'a> {
    /// For each row of the statement, its target; nothing where rows have no places.
    rows: &'a [usize],
    target: usize,
}

impl<'a> Places<'a> {
    /// Where rows have no places.
    pub(crate) const NONE: Places<'static> = Places { rows: &[], target: 0 };

    pub(crate) fn of(rows: &'a [usize], target: usize) -> Self {
        Self { rows, target }
    }

    fn are_known(&self) -> bool {
        !self.rows.is_empty()
    }

    /// The first row of the target, as the statement counts; 0 where rows have no places.
    fn first(&self) -> usize {
        self.rows.iter().position(|target| *target == self.target).map_or(0, |at| at + 1)
    }

    /// The message with the number that its row has in the client's statement.
    pub(crate) fn renumber(&self, error: MysqlError) -> MysqlError {
        let Some((before, number)) = numbered(&error.message) else { return error };
        let own = self.rows.iter().enumerate().filter(|(_, target)| **target == self.target);
        match own.map(|(at, _)| at + 1).nth(number.saturating_sub(1)) {
            Some(place) => MysqlError { message: format!("{before}{AT_ROW}{place}"), ..error },
            None => error,
        }
    }
}

/// A message before the number of its row, and the number.
fn numbered(message: &str) -> Option<(&str, usize)> {
    let (before, number) = message.rsplit_once(AT_ROW)?;
    Some((before, number.parse().ok().filter(|number| *number > 0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renumbered(places: Places<'_>, message: &str) -> String {
        places.renumber(MysqlError { number: 1406, sqlstate: *b"22001", message: message.to_owned() }).message
    }

    #[test]
    fn rows_have_the_numbers_of_the_statement() {
        let rows = [1, 0, 1, 1];
        let long = "Data too long for column 'at row 2' at row";
        assert_eq!(renumbered(Places::of(&rows, 1), &format!("{long} 2")), format!("{long} 3"));
        assert_eq!(renumbered(Places::of(&rows, 0), &format!("{long} 1")), format!("{long} 2"));
        assert_eq!(
            renumbered(Places::of(&rows, 0), &format!("{long} 2")),
            format!("{long} 2"),
            "no such row"
        );
        assert_eq!(renumbered(Places::NONE, &format!("{long} 7")), format!("{long} 7"));
        assert_eq!(renumbered(Places::of(&rows, 1), "at row 2 is nothing"), "at row 2 is nothing");
    }

    #[test]
    fn warnings_come_in_the_order_of_rows() {
        let row = |text: &str| vec![None, None, Some(text.as_bytes().to_vec())];
        let rows = vec![(12, row("a at row 12")), (12, row("twice")), (3, row("b at row 3"))];
        let sorted = [row("b at row 3"), row("a at row 12"), row("twice")];
        assert_eq!(Warnings { rows }.into_rows(), sorted);
        assert_eq!(row_of(&row("a at row 12")), Some(12));
        assert_eq!((Places::of(&[1, 0], 0).first(), Places::NONE.first()), (2, 0));
    }
}
