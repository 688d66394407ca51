//! Computed integers of one stream, written as wide as those of the others.

use bytes::Bytes;
use serval_wire::packet::ColumnDefinition;
use serval_wire::packet::column_type::{
    MYSQL_TYPE_INT24, MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG, MYSQL_TYPE_SHORT, MYSQL_TYPE_TINY,
};

use crate::error::ExecuteError;
use crate::row::{Cells, Encoding, Layout, Reader, Value, Writer};

/// Whether a column is of one of the integer types.
pub(super) fn is_integer(column: &ColumnDefinition) -> bool {
    matches!(
        column.column_type,
        MYSQL_TYPE_TINY | MYSQL_TYPE_SHORT | MYSQL_TYPE_INT24 | MYSQL_TYPE_LONG | MYSQL_TYPE_LONGLONG
    )
}

/// How MySQL types a computed integer depends on whether it went through a temporary table, and so on each node's plan.
/// As text both are the same digits; a binary row is written anew.
#[derive(Debug)]
pub(super) struct Integers {
    layout: Layout,
    /// For each column, what reads it where it is written otherwise.
    readers: Vec<Option<Reader>>,
    /// The columns as the client knows them.
    columns: Vec<ColumnDefinition>,
}

impl Integers {
    /// What rows of `sent` need to become rows of `columns`; nothing, where they are that.
    pub(super) fn between(
        encoding: Encoding,
        sent: &[ColumnDefinition],
        columns: &[ColumnDefinition],
    ) -> Option<Self> {
        let reader = |(sent, column): (&ColumnDefinition, &ColumnDefinition)| {
            let both = is_integer(sent) && is_integer(column);
            (both && sent.column_type != column.column_type).then(|| Reader::new(encoding, sent))
        };
        let readers: Vec<Option<Reader>> = sent.iter().zip(columns).map(reader).collect();
        let differ = encoding == Encoding::Binary && readers.iter().any(Option::is_some);
        differ.then(|| Self { layout: Layout::new(encoding, sent), readers, columns: columns.to_vec() })
    }

    /// The row as the client reads it.
    pub(super) fn row(&self, row: &Bytes) -> Result<Bytes, ExecuteError> {
        let mut written = Writer::new(Encoding::Binary, self.columns.len());
        let mut cells = Cells::new();
        self.layout.read(row, self.columns.len(), &mut cells)?;
        for ((column, reader), cell) in self.columns.iter().zip(&self.readers).zip(cells) {
            let value = match (reader, cell) {
                (_, None) => Value::Null,
                (None, Some(cell)) => Value::Raw(row.slice_ref(cell)),
                (Some(reader), Some(cell)) => reader
                    .integer(cell)
                    .map(Value::Integer)
                    .ok_or_else(|| ExecuteError::malformed("a node", "number"))?,
            };
            written.push(column, &value)?;
        }
        written.finish()
    }
}

#[cfg(test)]
mod tests {
    use serval_wire::packet::column_type::MYSQL_TYPE_VAR_STRING;

    use super::*;
    use crate::row::tests::{decode, encode};

    fn columns(number: u8) -> [ColumnDefinition; 2] {
        [ColumnDefinition::new("n", number), ColumnDefinition::new("s", MYSQL_TYPE_VAR_STRING)]
    }

    #[test]
    fn narrow_and_wide_rows_become_alike() {
        for (from, to) in [(MYSQL_TYPE_LONG, MYSQL_TYPE_LONGLONG), (MYSQL_TYPE_LONGLONG, MYSQL_TYPE_LONG)] {
            let (sent, known) = (columns(from), columns(to));
            let integers = Integers::between(Encoding::Binary, &sent, &known).expect("they differ");
            for cells in [[Some(&b"-7"[..]), Some(&b"x"[..])], [None, Some(b"")], [Some(b"123456"), None]] {
                let row = encode(Encoding::Binary, &sent, &cells);
                let written = integers.row(&row.into()).expect("it fits");
                let expected: Vec<_> = cells.iter().map(|cell| cell.map(<[u8]>::to_vec)).collect();
                assert_eq!(decode(Encoding::Binary, &known, &written), expected);
            }
            assert!(Integers::between(Encoding::Text, &sent, &known).is_none());
            assert!(Integers::between(Encoding::Binary, &sent, &sent).is_none());
        }
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        let (sent, known) = (columns(MYSQL_TYPE_LONGLONG), columns(MYSQL_TYPE_LONG));
        let integers = Integers::between(Encoding::Binary, &sent, &known).expect("they differ");
        let row = encode(Encoding::Binary, &sent, &[Some(b"5000000000"), None]);
        assert_eq!(integers.row(&row.into()).unwrap_err().to_mysql().number, 1690);
    }
}
